"""A balancer whose AWS APIs are called over sockets.

`served` runs one in a thread of its own, so that boto3 can wait for its answers. `Caller` is a client for tests that call
by the thousand from an event loop: one kept connection, form bodies, answers read by botocore's parser.
"""

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import boto3
from botocore.config import Config as ClientConfig
from botocore.parsers import create_parser

from lb.app import App
from lb.model.config import Config
from lb.resources.records import Record, Transaction
from lb.settings import Settings
from tests.api.aws_call import REGION
from tests.api.wire.generate import fields_of, form_body
from tests.api.wire.models import authorization, operation
from tests.support.balancer import free_port, no_errors_logged

_T = TypeVar("_T")
_LIMIT_S: Final = 120.0
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ERROR_CODE: Final = re.compile(rb"<Code>([^<]*)</Code>")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running balancer in another thread. `folder` is its data folder."""

    app: App
    port: int
    folder: Path
    _loop: asyncio.AbstractEventLoop

    def client(self, service: str = "elbv2") -> Any:
        """A boto3 client that tries each call once."""
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=ClientConfig(retries={"total_max_attempts": 1}, parameter_validation=False),
        )

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs a coroutine in the balancer's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_LIMIT_S)

    def put(self, *records: Record) -> None:
        """Records that no served operation makes yet, such as certificates."""

        def write(transaction: Transaction) -> None:
            for record in records:
                transaction.put(record)

        self.run(self.app.control.transact(write))


@contextlib.contextmanager
def served(folder: Path, **settings: Any) -> Iterator[Endpoint]:
    """Runs a balancer without a configuration file. Fails when it logs an error."""
    port = free_port()
    with no_errors_logged(), _loop_in_thread() as loop:
        app = _on(loop, _made(Settings(**{"api_port": port, "data_dir": folder, **settings})))
        try:
            _on(loop, app.start(Config()))
            yield Endpoint(app, port, folder, loop)
        finally:
            _on(loop, app.close())


async def _made(settings: Settings) -> App:
    return App(settings)


def _on(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(_LIMIT_S)


@contextlib.contextmanager
def _loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="balancer")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_LIMIT_S)
        loop.close()


@contextlib.asynccontextmanager
async def running_app(folder: Path, **settings: Any) -> AsyncIterator[tuple[App, int]]:
    """A balancer without a configuration file in the test's own event loop, and the port of its API.

    Fails when it logs an error.
    """
    port = free_port()
    with no_errors_logged():
        app = App(Settings(**{"api_port": port, "data_dir": folder, "shutdown_grace_s": 1.0, **settings}))
        try:
            await app.start(Config())
            yield app, port
        finally:
            await app.close()


class Refused(Exception):
    """An error answer of the API."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code} ({status}): {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer of the API as it came."""

    status: int
    head: bytes
    body: bytes

    @property
    def code(self) -> str:
        """The error code, empty where there is none."""
        found = _ERROR_CODE.search(self.body)
        return found[1].decode() if found else ""


class Caller:
    """Calls ELBv2 on one kept connection, one call after the other. Made by `calling`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, body: bytes) -> Reply:
        """Posts a form body as it is. Raises IncompleteReadError when the balancer is gone."""
        self._writer.write(_head(len(body)) + body)
        async with asyncio.timeout(_LIMIT_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            assert length is not None, head
            return Reply(int(head[9:12]), head, await self._reader.readexactly(int(length[1])))

    async def __call__(self, name: str, **params: Any) -> dict[str, Any]:
        """Calls an operation; its answer as boto3 gives it. Raises Refused."""
        described = operation("elbv2", name)
        reply = await self.send(form_body(fields_of(described, params)))
        parsed = _parser().parse(
            {"status_code": reply.status, "headers": {}, "body": reply.body}, described.output_shape
        )
        if reply.status >= 300:
            error = parsed["Error"]
            raise Refused(error["Code"], error.get("Message", ""), reply.status)
        return dict(parsed)


@contextlib.asynccontextmanager
async def calling(port: int) -> AsyncIterator[Caller]:
    """A client of the API on this port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _head(length: int) -> bytes:
    return (
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Authorization: {authorization('elbv2', REGION)}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


@cache
def _parser() -> Any:
    return create_parser("query")
