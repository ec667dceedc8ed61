"""Balancers without a configuration file, and what a test needs to look at them from outside."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from unittest import mock

import aiohttp
import boto3
from botocore.config import Config as ClientConfig

from lb.app import App
from lb.model.config import Config
from lb.resources.places import Placing
from lb.settings import Settings
from tests.support.ports import free_port

_WAIT_LIMIT_S = 60.0


@dataclass(frozen=True)
class Empty:
    """A running balancer that nobody has configured; its console and API are at `url`."""

    app: App
    url: str

    def client(self, service: str) -> Any:
        """A boto3 client. Its calls block: use `call`."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="id",
            aws_secret_access_key="secret",
            config=ClientConfig(retries={"total_max_attempts": 1}),
        )

    async def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """An API call, as the AWS SDK makes it."""
        return await asyncio.to_thread(getattr(self.client(service), operation), **parameters)


@asynccontextmanager
async def empty_balancer(data: Path) -> AsyncIterator[Empty]:
    """A balancer with nothing but the default VPC. Its instances serve port 80 on a port that nobody else has."""
    api_port, http_port = free_port(), free_port()
    with mock.patch("lb.app.find_placing", return_value=Placing(http_port=http_port)):
        app = App(Settings(api_port=api_port, data_dir=data))
    try:
        await app.start(Config())
        yield Empty(app, f"http://127.0.0.1:{api_port}")
    finally:
        await app.close()


async def pages_of(port: int, requests: int) -> list[str]:
    """The bodies that a listener on this port answers so many requests with, each over a connection of its own."""
    bodies = []
    for _ in range(requests):
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as response:
            bodies.append(await response.text())
    return bodies


async def until_it_says(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Asks again and again until this is the answer."""
    deadline = monotonic() + _WAIT_LIMIT_S
    while (answer := await ask()) != wanted:
        assert monotonic() < deadline, f"never {wanted}, but {answer}"
        await asyncio.sleep(0.1)


@asynccontextmanager
async def traffic(port: int, *, senders: int, rate: float) -> AsyncIterator[None]:
    """Meanwhile so many clients ask a listener for its front page, each `rate` times a second or as often as it can."""
    ended = asyncio.Event()

    async def send() -> None:
        async with aiohttp.ClientSession() as session:
            while not ended.is_set():
                async with session.get(f"http://127.0.0.1:{port}/") as answer:
                    await answer.read()
                await asyncio.sleep(1 / rate)

    async with asyncio.TaskGroup() as group:
        for _ in range(senders):
            group.create_task(send())
        try:
            yield
        finally:
            ended.set()
