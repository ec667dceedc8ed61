"""Shared by the tests of rules: origins that tell their target group, cookies as a browser keeps them, log entries."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

from tests.proxy.wire import Client, Response
from tests.support.origins import Origin, answer, answering, running_origin

_SET: re.Pattern[bytes] = re.compile(rb"([^=]+)=([^;]*)(.*)")
_EXPIRES: re.Pattern[bytes] = re.compile(rb"; Expires=([^;]+); Path=/(.*)")


@contextlib.asynccontextmanager
async def naming_origins(*names: str) -> AsyncIterator[list[Origin]]:
    """One origin for each name, which answers with that name."""
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                running_origin(answering(answer(name.encode(), b"X-Name: " + name.encode())))
            )
            for name in names
        ]


@contextlib.asynccontextmanager
async def connected_from(address: str, port: int) -> AsyncIterator[Client]:
    """A connection to the balancer from one of the loopback addresses."""
    plain = socket.socket()
    plain.bind((address, 0))
    plain.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    except OSError:
        plain.close()
        raise
    reader, writer = await asyncio.open_connection(sock=plain)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def cookies_set(response: Response) -> dict[str, bytes]:
    """Names and values of the cookies that an answer sets; none may be set twice."""
    pairs = [_SET.fullmatch(line) for line in response.values(b"set-cookie")]
    named = [(pair[1].decode(), pair[2]) for pair in pairs if pair is not None]
    assert len(named) == len(pairs) == len(dict(named)), pairs
    return dict(named)


def cookie_header(cookies: dict[str, bytes]) -> bytes:
    """The Cookie line of a client that brings these."""
    return b"Cookie: " + b"; ".join(name.encode() + b"=" + value for name, value in cookies.items())


def attributes_of(response: Response, name: str) -> tuple[float, bytes]:
    """Of one Set-Cookie line: when it expires (seconds since 1970), and what follows `Path=/`."""
    (line,) = [line for line in response.values(b"set-cookie") if line.startswith(name.encode() + b"=")]
    found = _SET.fullmatch(line)
    assert found is not None
    parts = _EXPIRES.fullmatch(found[3])
    assert parts is not None, line
    moment = parts[1].decode()
    assert moment.endswith(" GMT")
    return parsedate_to_datetime(moment).timestamp(), parts[2]
