"""The open-model load: requests arrive at a fixed rate, whether or not the earlier ones were answered.

Two latencies per request. *Corrected*: from the instant at which the schedule wanted it sent, so waiting for a free
connection counts, as a user would see it. *Uncorrected*: from the instant it was written, as closed-loop tools report.
The difference is what "coordinated omission" hides. `late` tells how late this generator itself was with a connection
at hand: where that is large, the figures speak of the generator and not of the server.

Also a program of its own, for a server that is already running:

    python -m bench.open_rate http://127.0.0.1:8080/ --rate 200 --seconds 30 --json
"""

import asyncio
import dataclasses
import gc
import json
import re
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import SplitResult

import click

from bench.guard import NotLoopbackError, loopback_url
from bench.percentiles import Percentiles, percentiles
from bench.ticker import ticking

_CONNECT_LIMIT_S = 5.0
_RECONNECT_PAUSE_S = 0.05
_START_DELAY_S = 0.05
_POLL_S = 0.01
_LATE_LIMIT_MS = 1.0
_SENT_SHARE = 0.98
_FAILURES_KEPT = 1000
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The schedule: `rate_per_s` for `seconds` over at most `connections`; then `drain_s` to let answers come in."""

    rate_per_s: float
    seconds: float
    connections: int = 64
    drain_s: float = 10.0

    @property
    def count(self) -> int:
        """How many requests the schedule holds."""
        return max(1, round(self.rate_per_s * self.seconds))


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without a good answer: when it was due (seconds from the start), after how long it ended, and how."""

    due_s: float
    after_s: float
    how: str


@dataclass(frozen=True, slots=True)
class RateResult:
    """What came of a schedule. Percentiles are of answered requests only; `failed` counts the others by kind."""

    rate_per_s: float
    seconds: float
    intended: int
    sent: int
    answered: int
    failed: dict[str, int]
    uncorrected: Percentiles | None
    corrected: Percentiles | None
    late_p99_ms: float
    generator_late: bool
    generator_cpu_share: float
    failures: tuple[Failure, ...]


def run_open_rate(url: str, arrivals: Arrivals) -> RateResult:
    """Send GET requests for the loopback `url` on schedule and return what was measured.

    Raises NotLoopbackError before the first packet, ConnectionError when the server cannot be reached at the start.
    """
    target = loopback_url(url)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_Generator(target, arrivals).run())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


class _Generator:
    """One run: the schedule, the connections that are free, and the requests that wait for one."""

    def __init__(self, target: SplitResult, arrivals: Arrivals) -> None:
        self.host = target.hostname or ""
        self.port = target.port or 80
        query = f"?{target.query}" if target.query else ""
        self.request = f"GET {target.path}{query} HTTP/1.1\r\nHost: {target.netloc}\r\n\r\n".encode()
        self.arrivals = arrivals
        self.interval_s = arrivals.seconds / arrivals.count
        self.free: list[_Connection] = []
        self.busy: set[_Connection] = set()
        self.waiting: deque[float] = deque()
        self.started_at = 0.0
        self.scheduled = 0
        self.sent = 0
        self.open = 0
        self.over = False
        self.uncorrected = array("d")
        self.corrected = array("d")
        self.late = array("d")
        self.failed: Counter[str] = Counter()
        self.failures: list[Failure] = []

    async def run(self) -> RateResult:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECT_LIMIT_S):
            for _ in range(self.arrivals.connections):
                self.free.append(await self._connect())
        self.open = len(self.free)
        end_s = self.arrivals.seconds + self.arrivals.drain_s
        cpu_before = time.process_time()
        with _no_collector():
            self.started_at = time.monotonic() + _START_DELAY_S
            with ticking(loop, first_at_s=self.started_at, interval_s=self.interval_s, due=self._due):
                async with asyncio.TaskGroup() as replacing:
                    while not self._all_ended() and time.monotonic() < self.started_at + end_s:
                        for _ in range(self.arrivals.connections - self.open):
                            self.open += 1
                            replacing.create_task(self._replace(), name="replace a connection")
                        await asyncio.sleep(_POLL_S)
                    self.over = True
        cpu_share = (time.process_time() - cpu_before) / (time.monotonic() - self.started_at + _START_DELAY_S)
        return self._close(cpu_share)

    def _all_ended(self) -> bool:
        return self.scheduled == self.arrivals.count and not self.waiting and not self.busy

    def _due(self) -> None:
        now = time.monotonic()
        behind = min(self.arrivals.count, int((now - self.started_at) / self.interval_s) + 1) - self.scheduled
        for _ in range(behind):
            intended = self.started_at + self.scheduled * self.interval_s
            self.scheduled += 1
            if self.free:
                self.late.append(now - intended)
                self._send(self.free.pop(), intended)
            else:
                self.waiting.append(intended)

    def _send(self, connection: "_Connection", intended: float) -> None:
        self.sent += 1
        self.busy.add(connection)
        connection.send(intended)

    def answered(self, connection: "_Connection", status: bytes) -> None:
        """Take the answer to the request on `connection`, which is free again."""
        now = time.monotonic()
        self.busy.discard(connection)
        if status[:1] == b"2":
            self.uncorrected.append(now - connection.sent_at)
            self.corrected.append(now - connection.intended)
        else:
            self.fail(connection.intended, f"status {status.decode('ascii', 'replace')}")
        if self.waiting:
            self._send(connection, self.waiting.popleft())
        else:
            self.free.append(connection)

    def lost(self, connection: "_Connection") -> None:
        """Take the end of a connection, with or without a request on it."""
        self.open -= 1
        if connection in self.busy:
            self.busy.discard(connection)
            self.fail(connection.intended, "connection closed")
        elif connection in self.free:
            self.free.remove(connection)

    def fail(self, intended: float, how: str) -> None:
        """Count a request that was due at `intended` as failed."""
        self.failed[how] += 1
        if len(self.failures) < _FAILURES_KEPT:
            due_s = round(intended - self.started_at, 6)
            self.failures.append(Failure(due_s, round(time.monotonic() - intended, 6), how))

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _Connection(self), self.host, self.port)
        return connection

    async def _replace(self) -> None:
        while not self.over:
            try:
                connection = await self._connect()
            except OSError:
                await asyncio.sleep(_RECONNECT_PAUSE_S)
                continue
            if self.waiting:
                self._send(connection, self.waiting.popleft())
            else:
                self.free.append(connection)
            return
        self.open -= 1

    def _close(self, cpu_share: float) -> RateResult:
        for connection in list(self.busy):
            self.fail(connection.intended, "no answer")
        for intended in self.waiting:
            self.fail(intended, "never sent: no free connection")
        result_late = percentiles(self.late)
        late_p99_ms = result_late.p99_ms if result_late else 0.0
        behind = self.scheduled < self.arrivals.count * _SENT_SHARE
        result = RateResult(
            rate_per_s=self.arrivals.rate_per_s,
            seconds=self.arrivals.seconds,
            intended=self.arrivals.count,
            sent=self.sent,
            answered=len(self.corrected),
            failed=dict(self.failed),
            uncorrected=percentiles(self.uncorrected),
            corrected=percentiles(self.corrected),
            late_p99_ms=late_p99_ms,
            generator_late=behind or late_p99_ms > _LATE_LIMIT_MS,
            generator_cpu_share=cpu_share,
            failures=tuple(self.failures),
        )
        for connection in [*self.busy, *self.free]:
            connection.abort()
        return result


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request on it; reads just enough HTTP to know where an answer ends."""

    __slots__ = ("_generator", "_head", "_left", "_status", "_transport", "intended", "sent_at")

    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._left = -1
        self._status = b""
        self.intended = 0.0
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def send(self, intended: float) -> None:
        """Write the request that was due at `intended`."""
        assert self._transport is not None
        self.intended = intended
        self.sent_at = time.monotonic()
        self._transport.write(self._generator.request)

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data, self._head = self._head[:end], self._head[end + 4 :], b""
            self._status = head[9:12]
            length = _CONTENT_LENGTH.search(head)
            if length is None:
                # Where such an answer ends cannot be told here: `lost` counts the request as failed.
                self.abort()
                return
            self._left = int(length[1])
        self._left -= len(data)
        if self._left <= 0:
            self._left = -1
            self._generator.answered(self, self._status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._generator.lost(self)


@contextmanager
def _no_collector() -> Iterator[None]:
    # A collector's pause would be measured as the server's latency; a run makes no cycles worth collecting.
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@click.command()
@click.argument("url")
@click.option("--rate", type=click.FloatRange(1, 100_000), required=True, help="Requests per second.")
@click.option("--seconds", type=click.FloatRange(0.1, 600), default=10.0, show_default=True)
@click.option("--connections", type=click.IntRange(1, 1000), default=64, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON, with the failed requests one by one.")
def main(url: str, rate: float, seconds: float, connections: int, as_json: bool) -> None:
    """Send requests for URL (loopback only) at a fixed rate and report the latency.

    Exit code 1 when a request failed, 2 for a wrong target.

    \b
    python -m bench.open_rate http://127.0.0.1:8080/ --rate 200 --seconds 30
    """
    try:
        result = run_open_rate(url, Arrivals(rate, seconds, connections))
    except NotLoopbackError as error:
        raise click.UsageError(str(error)) from error
    except (OSError, TimeoutError) as error:
        raise click.ClickException(f"cannot reach {url}: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(result), indent=2))
    else:
        click.echo(_as_text(result))
    if result.failed:
        raise SystemExit(1)


def _as_text(result: RateResult) -> str:
    lines = [f"{result.answered} of {result.intended} requests answered at {result.rate_per_s:g}/s"]
    for name, columns in (("uncorrected", result.uncorrected), ("corrected", result.corrected)):
        if columns is not None:
            values = dataclasses.asdict(columns)
            lines.append(
                f"{name:>12}  " + "  ".join(f"{key[:-3]} {value:.3f}" for key, value in values.items()) + "  ms"
            )
    lines += [f"      failed  {count} x {how}" for how, count in result.failed.items()]
    if result.generator_late:
        lines.append(f"the generator itself was late (p99 {result.late_p99_ms:.2f} ms): do not trust these figures")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
