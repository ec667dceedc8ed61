"""Whatever a client sends, it gets an answer or a closed connection, in bounded time, and nothing is left behind."""

import asyncio
import contextlib
import random
from itertools import pairwise
from time import thread_time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lb.http.body import BodyError, ChunkedBody
from tests.proxy.wire import ask_once, connected, get, post
from tests.support.balancer import Balancer, running_balancer, until
from tests.support.origins import OriginConnection, answer, answering, echoing, running_origin

COUNT = 10_000
AT_ONCE = 50
WITHIN_S = 20.0

SEEDS = (
    get(b"/index.html?a=b", b"User-Agent: curl/8", b"Accept: */*"),
    post(b"hello world", b"/form", b"Content-Type: text/plain"),
    b"PUT /c HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
    b"GET http://example.com/abs HTTP/1.1\r\nHost: other\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\r\n",
    b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n\r\n",
    b"HEAD /h HTTP/1.1\r\nHost: example.com\r\nX-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\n\r\n",
)


async def survives(balancer: Balancer, raw: bytes, *, linger_s: float = 0.0) -> bytes:
    """Sends bytes and the end of them, and returns all that comes back; fails when the connection is not closed in time.

    `linger_s` is how long the client waits for an answer before it sends its end.
    """
    async with connected(balancer.port) as client:
        got = b""
        with contextlib.suppress(ConnectionError):
            await client.send(raw)
            if linger_s:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(linger_s):
                        got = await client.reader.readuntil(b"\r\n\r\n")
            client.send_end()
            async with asyncio.timeout(WITHIN_S):
                got += await client.reader.read()
        return got


async def still_well(balancer: Balancer) -> None:
    await until(lambda: not balancer.node.clients, "all clients gone")
    assert balancer.in_flight == 0
    assert (await ask_once(balancer.port, get())).status == 200


async def test_ten_thousand_requests_with_one_byte_flipped() -> None:
    rng = random.Random(20260106)
    shapes: dict[bytes, int] = {}

    async def worker(balancer: Balancer, count: int) -> None:
        for _ in range(count):
            raw = bytearray(rng.choice(SEEDS))
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
            # Waiting a moment lets nearly every request be answered; some are left at once to see that too.
            got = await survives(balancer, bytes(raw), linger_s=rng.choice((0.0, 0.02, 0.05)))
            assert got == b"" or got.startswith(b"HTTP/1.1 "), got
            shapes[got[9:12]] = shapes.get(got[9:12], 0) + 1

    async with running_origin(echoing(), keep_received=False) as origin, running_balancer(targets=[origin]) as balancer:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(worker(balancer, COUNT // AT_ONCE))
        await still_well(balancer)
    assert {b"200", b"400"} <= shapes.keys()


async def test_requests_cut_off_at_every_byte() -> None:
    async with running_origin(echoing()) as origin, running_balancer(targets=[origin]) as balancer:
        for seed in SEEDS:
            await asyncio.gather(*(survives(balancer, seed[:at]) for at in range(len(seed))))
        await still_well(balancer)


async def test_random_bytes() -> None:
    rng = random.Random(7)
    alphabet = b"GET /HTP1.0:\r\n\r\n \t\0\xff;,chunked0aF"
    async with running_origin(echoing()) as origin, running_balancer(targets=[origin]) as balancer:
        for _ in range(20):
            batch = [bytes(rng.choices(alphabet, k=rng.randrange(1, 300))) + b"\r\n\r\n" for _ in range(40)]
            await asyncio.gather(*(survives(balancer, raw) for raw in batch))
        await still_well(balancer)


async def test_half_a_request_then_silence_never_hangs() -> None:
    halves = [seed[:at] for seed in SEEDS for at in (1, len(seed) // 2, len(seed) - 2)]
    async with (
        running_origin(echoing()) as origin,
        running_balancer(targets=[origin], lb_attributes={"idle_timeout.timeout_seconds": 1}) as balancer,
    ):

        async def wait_for_end(raw: bytes) -> bytes:
            async with connected(balancer.port) as client:
                await client.send(raw)
                return await client.rest()

        for raw, got in zip(halves, await asyncio.gather(*map(wait_for_end, halves)), strict=True):
            assert got.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 504 ")), raw
        await still_well(balancer)


async def test_answers_with_one_byte_flipped() -> None:
    """The other side: a target that answers nonsense harms one request only."""
    rng = random.Random(11)
    good = (
        answer(b"hello world", b"Content-Type: text/plain"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b"final"),
    )

    async def script(connection: OriginConnection) -> None:
        request = await connection.read_request()
        raw = bytearray(rng.choice(good))
        if b"/bad" in request.line:
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        await connection.send(raw)
        await asyncio.sleep(0.01)

    async def ask(balancer: Balancer) -> None:
        async with connected(balancer.port) as client:
            with contextlib.suppress(ConnectionError):
                await client.send(get(b"/bad", b"Connection: close"))
                async with asyncio.timeout(WITHIN_S):
                    got = await client.reader.read()
                assert got == b"" or got.startswith(b"HTTP/1.1 ")

    async with running_origin(script) as origin, running_balancer(targets=[origin]) as balancer:
        for _ in range(25):
            await asyncio.gather(*(ask(balancer) for _ in range(AT_ONCE)))
        await still_well(balancer)


async def test_a_smuggled_request_never_reaches_the_target_as_one_of_its_own() -> None:
    """What one request hides in its framing must not come out as a second one."""
    hidden = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    head = b"POST /outer HTTP/1.1\r\nHost: a\r\n"
    attempts = (
        head + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        head + b"Content-Length: %d\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n" % (len(hidden) + 5) + hidden,
        head + b"Content-Length: %d\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" % (len(hidden) + 5) + hidden,
        head + b"Content-Length: %d\r\nTransfer-Encoding: identity\r\n\r\n" % len(hidden) + hidden,
        head + b"Content-Length: %d\r\nContent-Length: 0\r\n\r\n" % len(hidden) + hidden,
        head + b"Content-Length: 0\r\nContent-Length : %d\r\n\r\n" % len(hidden) + hidden,
        head + b"Transfer-Encoding: chunked\r\n\r\n0\n\r\n\r\n" + hidden,
        head + b"Transfer-Encoding: chunked\r\n\r\n0;\n" + hidden,
        head + b"Transfer-Encoding: chunked\r\nX: a\rTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
        head + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + hidden,
        b"GET /outer HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden,
        b"GET /outer\rGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /outer HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
    )
    for mode in ("monitor", "defensive", "strictest"):
        seen: list[bytes] = []

        async def script(connection: OriginConnection, seen: list[bytes] = seen) -> None:
            while True:
                seen.append((await connection.read_request()).line)
                await connection.send(answer(b"ok"))

        attributes = {"routing.http.desync_mitigation_mode": mode}
        async with running_origin(script) as origin, running_balancer(targets=[origin], lb_attributes=attributes) as lb:
            for raw in attempts:
                before = len(seen)
                got = await survives(lb, raw, linger_s=0.1)
                reached = seen[before:]
                assert not any(line.startswith(b"GET /hidden") for line in reached), (mode, raw, reached)
                assert got.count(b"HTTP/1.1 ") == 1, (mode, raw, got)
                assert all(line.count(b"\r") == 0 for line in reached)
            for connection in origin.connections:
                assert connection.requests <= 1 or b"hidden" not in connection.received


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    extension=st.sampled_from([b"", b";a=b", b' ;a="c d"', b"\t"]),
    trailers=st.sampled_from([b"", b"X-Sum: 1\r\n"]),
    cuts=st.lists(st.integers(0, 400), max_size=8),
    behind=st.binary(max_size=10),
)
def test_chunks_cut_anywhere(
    chunks: list[bytes], extension: bytes, trailers: bytes, cuts: list[int], behind: bytes
) -> None:
    """Passed on or decoded, whole or in pieces, what comes out is the same."""
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks) + b"0\r\n"
    raw = body + trailers + b"\r\n" + behind
    points = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    for decode, expected in ((False, body + b"\r\n"), (True, b"".join(chunks))):
        reader = ChunkedBody(decode=decode)
        out = leftover = b""
        for start, end in pairwise(points):
            if reader.done:
                leftover += raw[start:end]
            else:
                out += reader.feed(raw[start:end])
                leftover = reader.leftover
        assert (out, reader.done, leftover) == (expected, True, behind)


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=4))
def test_any_bytes_as_chunks_mean_the_same_whole_and_in_pieces(raw: bytes, cuts: list[int]) -> None:
    def outcome(points: list[int]) -> tuple[str, bytes]:
        reader = ChunkedBody(decode=True)
        out = b""
        try:
            for start, end in pairwise(points):
                if not reader.done:
                    out += reader.feed(raw[start:end])
        except BodyError:
            return "broken", b""
        return ("done" if reader.done else "more"), out

    pieces = sorted({0, len(raw), *(min(cut, len(raw)) for cut in cuts)})
    assert outcome(pieces) == outcome([0, len(raw)])


async def test_a_large_head_in_single_bytes_costs_no_more_than_it_should() -> None:
    """A client must not be able to buy seconds of the only thread with a head of 60 KiB sent byte by byte."""
    head = get(b"/", *(b"X-%d: %b" % (number, b"y" * 1000) for number in range(58)))
    async with (
        running_origin(answering(answer(b"ok"))) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        begun = thread_time()
        await client.send(head[: len(head) - 2000])
        for at in range(len(head) - 2000, len(head)):
            await client.send(head[at : at + 1])
            await asyncio.sleep(0)
        assert (await client.response()).status == 200
        took_s = thread_time() - begun
        print(f"  2,000 single bytes took {took_s:.2f} s of this thread's own time")
        assert took_s < 0.4
