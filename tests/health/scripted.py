"""A target that answers probes from a script and remembers what it was sent, byte for byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic

from lb.model.config import HealthCheck, Target
from lb.model.matcher import parse_matcher
from lb.routing.plan import Endpoint

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Answer = Callable[["ScriptedTarget", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ScriptedTarget:
    """`heads` are the requests as they came, `times` when (monotonic); `open` counts connections that are still there."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.heads: list[bytes] = []
        self.times: list[float] = []
        self.connections = 0
        self.open = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                self.times.append(monotonic())
                await self._answer(self, reader, writer)
                await writer.drain()
        finally:
            self.open -= 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def says(data: bytes) -> Answer:
    """Sends `data` and waits for the balancer to close, so that a connection left open is seen."""

    async def answer(_: ScriptedTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await reader.read()

    return answer


def then_closes(data: bytes) -> Answer:
    """Sends `data` and closes."""

    async def answer(_: ScriptedTarget, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


def statuses(*codes: int) -> Answer:
    """One status per probe, the last one for ever."""

    async def answer(target: ScriptedTarget, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        code = codes[min(len(target.heads), len(codes)) - 1]
        writer.write(b"HTTP/1.1 %d Scripted\r\nContent-Length: 0\r\n\r\n" % code)

    return answer


@asynccontextmanager
async def target(answer: Answer, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[ScriptedTarget]:
    """A scripted target on a port of its own."""
    scripted = ScriptedTarget(answer)
    handlers: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await scripted.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            handlers.discard(task)

    server = await asyncio.start_server(accepted, host, port, backlog=1024)
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        server.close()
        for handler in list(handlers):
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        await server.wait_closed()


def endpoint(port: int, address: str | None = "127.0.0.1", name: str | None = None) -> Endpoint:
    """The endpoint at `address`; `name` is the target's id where that is not its address."""
    return Endpoint(Target(name or address or "unknown", port), address)


def health_check(
    *,
    path: str = "/health.php",
    interval_s: float = 0.1,
    timeout_s: float = 30,
    healthy: int = 2,
    unhealthy: int = 2,
    matcher: str = "200",
    port: int | None = None,
) -> HealthCheck:
    """Settings of a health check: where nothing is said quick to ask, and patient with an answer."""
    return HealthCheck(path, interval_s, timeout_s, healthy, unhealthy, parse_matcher(matcher), port)


async def until(condition: Callable[[], object], within_s: float = 30.0) -> None:
    """Returns once `condition` holds; fails when that takes longer than `within_s`."""
    deadline = monotonic() + within_s
    while not condition():
        assert monotonic() < deadline, f"not so after {within_s:g} s"
        await asyncio.sleep(0.005)
