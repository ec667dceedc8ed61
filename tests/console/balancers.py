"""Balancers without a configuration file, and what a test needs to look at them from outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import boto3
from botocore.config import Config as ClientConfig

from lb.app import App
from lb.model.config import Config
from lb.resources.places import Placing
from lb.settings import Settings
from tests.support.balancer import free_port


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
