"""The idle scenario: how much a peer's memory grows when 2,000 keep-alive connections are open and nobody speaks.

Each peer is started afresh, so that memory kept from earlier loads hides nothing. Every connection sends one request
when it opens and one at the end: the first makes it a keep-alive connection, the second proves that it was held.
"""

import asyncio
import contextlib
import dataclasses
import resource
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench import usage
from bench.guard import loopback_address
from bench.peers import Peer
from bench.processes import CommandError, StartError
from bench.report import Section, cell
from bench.rig import Rig, RunningPeer

CONNECTIONS = 2000

_FILES_BESIDE = 200
_AT_ONCE = 50
_WARM_UP_CONNECTIONS = 50
_SETTLE_S = 1.0
_LIMIT_S = 60.0
_KIB_PER_MIB = 1024
_REQUEST = b"GET / HTTP/1.1\r\nHost: idle.localhost\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Sample:
    """One peer's turn: its resident memory before and with the idle connections, MiB (None without /proc)."""

    peer: str
    pair: int
    connections: int
    held: int
    before_mib: float | None
    with_mib: float | None


def measure(rig: Rig, peers: Sequence[Peer], *, pairs: int, progress: Callable[[str], None]) -> Section:
    """Start each peer in turn, hold the connections, and return the table of what its memory grew by."""
    samples: list[Sample] = []
    remarks: list[str] = []
    connections = _permitted_connections()
    if connections < CONNECTIONS:
        remarks.append(f"only {connections} connections: the limit of open files is low (ulimit -n)")
    left = list(peers)
    for pair in range(1, pairs + 1):
        for peer in tuple(left):
            progress(f"idle: turn {pair} of {pairs}, {peer.name}")
            try:
                samples.append(_turn(rig, peer, pair, connections))
            except (StartError, CommandError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                left.remove(peer)
                remarks.append(f"{peer.name} left out from turn {pair} on: {str(error) or type(error).__name__}")
                progress(remarks[-1])
    return section(samples, remarks)


def section(samples: Sequence[Sample], remarks: Sequence[str] = ()) -> Section:
    """Return the table of these samples, medians over the turns."""
    rows = []
    summaries = []
    for name in dict.fromkeys(sample.peer for sample in samples):
        mine = [sample for sample in samples if sample.peer == name]
        known = [
            (one.before_mib, one.with_mib) for one in mine if one.before_mib is not None and one.with_mib is not None
        ]
        before = statistics.median(first for first, _ in known) if known else None
        growth = statistics.median(second - first for first, second in known) if known else None
        held = min(sample.held for sample in mine)
        each = growth * _KIB_PER_MIB / held if growth is not None and held else None
        summaries.append({"peer": name, "turns": len(mine), "held": held, "before_mib": before, "growth_mib": growth})
        rows.append((name, f"{held:,}", cell(before, ".1f"), cell(growth, ".1f"), cell(each, ".1f")))
    return Section(
        name="idle",
        title=f"{CONNECTIONS:,} idle keep-alive connections",
        columns=("peer", "held", "before MiB", "growth MiB", "KiB each"),
        rows=tuple(rows),
        remarks=tuple(remarks),
        data={"summary": summaries, "samples": [dataclasses.asdict(sample) for sample in samples]},
    )


def _turn(rig: Rig, peer: Peer, pair: int, connections: int) -> Sample:
    running = rig.start(peer)
    try:
        return asyncio.run(_hold(running, pair, connections))
    finally:
        rig.stop(running)


async def _hold(running: RunningPeer, pair: int, connections: int) -> Sample:
    host = loopback_address("127.0.0.1")
    opened: list[Streams] = []
    try:
        async with asyncio.timeout(_LIMIT_S):
            # Whatever is made once (pools, buffers, code) is made before the first look.
            await _open(opened, host, running.port, _WARM_UP_CONNECTIONS)
            await _close(opened)
            await asyncio.sleep(_SETTLE_S)
            before = usage.resident_mib(running.pid)
            await _open(opened, host, running.port, connections)
            await asyncio.sleep(_SETTLE_S)
            while_held = usage.resident_mib(running.pid)
            held = 0
            for start in range(0, len(opened), _AT_ONCE):
                answered = await asyncio.gather(*(_still_there(one) for one in opened[start : start + _AT_ONCE]))
                held += sum(answered)
            return Sample(running.name, pair, connections, held, before, while_held)
    finally:
        await _close(opened)


async def _open(opened: list[Streams], host: str, port: int, count: int) -> None:
    async def one() -> None:
        streams = await asyncio.open_connection(host, port)
        opened.append(streams)
        await _exchange(streams)

    while count > 0:
        batch: list[Awaitable[None]] = [one() for _ in range(min(_AT_ONCE, count))]
        await asyncio.gather(*batch)
        count -= len(batch)


async def _still_there(streams: Streams) -> bool:
    try:
        await _exchange(streams)
    except (OSError, asyncio.IncompleteReadError):
        return False
    return True


async def _exchange(streams: Streams) -> None:
    reader, writer = streams
    writer.write(_REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(f"answered {head.splitlines()[0].decode('latin-1')}")
    length = next(
        (line.partition(b":")[2] for line in head.splitlines() if line.lower().startswith(b"content-length:")), None
    )
    if length is None:
        raise ConnectionError("answered without Content-Length")
    await reader.readexactly(int(length))


async def _close(opened: list[Streams]) -> None:
    for _, writer in opened:
        writer.close()
    for _, writer in opened:
        # A connection that the peer had reset is closed all the same.
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    opened.clear()


def _permitted_connections() -> int:
    # The peers inherit the limit; each connection costs them one file, and up to one more to an origin server.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS + _FILES_BESIDE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(CONNECTIONS, (wanted - _FILES_BESIDE) // 2)
