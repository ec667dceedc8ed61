"""What the balancer passes on is read alike by h11, nginx and Apache: as many requests, the same method, path and body.

The cases of the desync table and some thousand odd requests (`desync_corpus`), seeded. Either a server behind the balancer
reads what the balancer read, or it refuses; never does it see a request that the balancer did not pass on, nor a part of
one in the next.
"""

import asyncio
import itertools
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.proxy import desync_corpus, raw_servers
from tests.proxy.desync_cases import CASES, wire
from tests.proxy.desync_corpus import NEXT, NEXT_READING, Reading, Refusal
from tests.proxy.wire import Client, Response, connected
from tests.support.balancer import Balancer, running_balancer, until

SERVERS = ("h11", "nginx", pytest.param("apache", marks=pytest.mark.apache))
MODES = ("monitor", "defensive", "strictest")
SEED = 20260107
STREAMS = 2000  # for each server and mode
AT_ONCE = 8
ENOUGH = 5  # streams that went wrong: a server that waits for more costs seconds each time
# A server may find fault with what these modes let pass, and with paths and methods that it does not have.
REFUSALS = (400, 404, 405, 501)
NEVER_SAME = re.compile(rb"1-[0-9a-f]{8}-[0-9a-f]{24}")


@dataclass
class Tally:
    """What came of many streams. `passed_on` has the requests of each client that the balancer passed on, in order."""

    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    passed_on: defaultdict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))

    def check(self, *, read_at_least: int) -> None:
        """Fails where anything was wrong, and where so little was read that nothing is proven."""
        assert not self.wrong, f"{len(self.wrong)} wrong: " + "\n".join(self.wrong)
        assert self.counts["read"] >= read_at_least, self.counts


def corpus(mode: str) -> list[tuple[bytes, list[Reading | Refusal]]]:
    """Streams and how the balancer reads them; only those after which it closes the connection by itself."""
    table = (wire(case) + NEXT for case in CASES)
    made = itertools.chain(table, desync_corpus.streams(SEED))
    read = ((stream, desync_corpus.readings(stream, mode)) for stream in made)
    return list(itertools.islice(((stream, found) for stream, found in read if found is not None), STREAMS))


async def send_stream(client: Client, stream: bytes, expected: list[Reading | Refusal], tally: Tally) -> None:
    """Sends a stream and compares each answer with how the balancer reads that request."""
    tally.passed_on[client.name] += [reading for reading in expected if isinstance(reading, Reading)]
    await client.send(stream)
    for reading in expected:
        response = await client.response(reading.method)
        while response.status == 100:
            response = await client.response(reading.method)
        if problem := compare(response, reading, tally):
            tally.wrong.append(f"{stream!r}: {problem}")
            return
    if not await client.ended():
        tally.wrong.append(f"{stream!r}: goes on after {expected}")


def compare(response: Response, reading: Reading | Refusal, tally: Tally) -> str:
    """What is wrong about the answer to a request that the balancer reads so; empty for nothing."""
    told = response.value(b"X-Read")
    if isinstance(reading, Refusal):
        tally.counts["refused by the balancer"] += 1
        return "" if (response.status, told) == (reading.status, None) else f"{response.head!r} for {reading}"
    if told is None:
        tally.counts["refused by the server"] += 1
        return "" if is_own_answer(response.status, reading) else f"{response.head!r} for {reading}"
    tally.counts["read"] += 1
    return "" if told == reading.encode() else f"read as {told!r}, and by the balancer as {reading}"


def is_own_answer(status: int, reading: Reading) -> bool:
    """Whether a server may answer so without telling what it read. `*` is the server itself, not a page of its."""
    return status in REFUSALS or (status == 200 and reading.uri == b"*")


async def send_all(balancer: Balancer, cases: list[tuple[bytes, list[Reading | Refusal]]], tally: Tally) -> None:
    """Sends the streams, each on a connection of its own, a few at a time."""
    waiting = iter(cases)

    async def worker() -> None:
        for stream, expected in waiting:
            if len(tally.wrong) >= ENOUGH:
                return
            async with connected(balancer.port) as client:
                try:
                    await send_stream(client, stream, expected, tally)
                except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
                    tally.wrong.append(f"{stream!r}: {error!r}, expected {expected}")

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SERVERS)
async def test_a_server_behind_the_balancer_reads_what_the_balancer_read(name: str, mode: str, tmp_path: Path) -> None:
    tally = Tally()
    attributes = {"routing.http.desync_mitigation_mode": mode}
    cases = corpus(mode)
    async with (
        raw_servers.running(name, tmp_path) as server,
        running_balancer(targets=[f"127.0.0.1:{server.port}"], lb_attributes=attributes) as balancer,
    ):
        before = server.asked()
        await send_all(balancer, cases, tally)
        tally.check(read_at_least=STREAMS // 6)
        entries = await balancer.log(sum(len(expected) for _, expected in cases))
        forwarded = sum(entry["target"] != "-" for entry in entries)
        assert forwarded == sum(map(len, tally.passed_on.values()))
        await until(lambda: server.asked() - before >= forwarded, "the server has counted every request")
        assert server.asked() - before == forwarded, "the server saw requests that nobody sent"


async def passed_on() -> dict[bytes, Reading]:
    """What the balancer writes to a target for the corpus, byte for byte, and what it means by it; most in monitor mode."""
    tally = Tally()
    attributes = {"routing.http.desync_mitigation_mode": "monitor"}
    cases = corpus("monitor")
    async with (
        raw_servers.running_h11() as server,
        running_balancer(targets=[f"127.0.0.1:{server.port}"], lb_attributes=attributes) as balancer,
    ):
        await send_all(balancer, cases, tally)
        entries = await balancer.log(sum(len(expected) for _, expected in cases))
    traces: defaultdict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry["target"] != "-":
            traces[entry["client"]].append(entry["trace_id"])
    return {
        NEVER_SAME.sub(b"1-00000000-000000000000000000000000", server.received[trace.encode()]): reading
        for client, sent in tally.passed_on.items()
        for trace, reading in zip(traces[client], sent, strict=True)
    }


async def read_directly(port: int, raw: bytes, reading: Reading, tally: Tally) -> None:
    """Sends what the balancer wrote, and NEXT, to a server itself."""
    async with connected(port) as client:
        try:
            await client.send(raw + NEXT)
            answers = await client.rest()
        except (TimeoutError, ConnectionError) as error:
            tally.wrong.append(f"{raw!r}: {error!r}")
            return
    statuses = [int(status) for status in re.findall(rb"^HTTP/1\.[01] ([0-9]{3})", answers, re.MULTILINE)]
    told = re.findall(rb"^X-Read: ([^\r]*)\r", answers, re.MULTILINE)
    following = NEXT_READING.encode()
    if told[:1] == [reading.encode()]:
        tally.counts["read"] += 1
        right = statuses == [200, 200] and told[1:] == [following]
    else:
        tally.counts["refused"] += 1
        own = bool(statuses) and is_own_answer(statuses[0], reading)
        right = own and (told, statuses[1:]) in (([], []), ([following], [200]))
    if not right:
        tally.wrong.append(f"{raw!r}, for the balancer {reading}: {answers!r}")


@pytest.mark.parametrize("name", SERVERS)
async def test_the_bytes_that_are_passed_on_mean_the_same_to_every_server(name: str, tmp_path: Path) -> None:
    """Even where the balancer ends the connection with an ambiguous request, a server would find the next one."""
    messages = await passed_on()
    waiting = iter(messages.items())
    tally = Tally()

    async def worker(port: int) -> None:
        for raw, reading in waiting:
            if len(tally.wrong) >= ENOUGH:
                return
            await read_directly(port, raw, reading, tally)

    async with raw_servers.running(name, tmp_path) as server, asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker(server.port))
    tally.check(read_at_least=len(messages) // 3)
