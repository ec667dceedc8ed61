"""Large bodies flow through both ways at the pace of whoever is slower, and are never collected."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.proxy.wire import WAIT_S, Client, connected, get
from tests.support.balancer import Balancer, running_balancer, until
from tests.support.origins import OriginConnection, answer, running_origin

SIZE = 10 * 2**20
MOST_GROWTH = 8 * 2**20
# What a sensible proxy may hold of one direction: high-water mark of the transport and one read.
MOST_HELD = 640 * 1024
_BLOCK = b"fedcba987654321\n" * 4096


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Fails when Python objects grew by more than MOST_GROWTH at the peak; origin and client are in the same process."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < MOST_GROWTH


async def drain(client: Client, size: int, *, pause_s: float = 0.0, step: int = 65536) -> int:
    """Reads `size` bytes and throws them away, with a pause after each step."""
    left = size
    while left:
        data = await asyncio.wait_for(client.reader.read(min(step, left)), WAIT_S)
        assert data, f"the connection ended with {left} bytes missing"
        left -= len(data)
        await asyncio.sleep(pause_s)
    return size


async def upload(client: Client, size: int, *, chunked: bool) -> None:
    """Sends a POST with a generated body."""
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n" % framing)
    left = size
    while left:
        block = _BLOCK[:left]
        left -= len(block)
        await client.send(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
    if chunked:
        await client.send(b"0\r\n\r\n")


@pytest.mark.parametrize("framing", ["length", "chunked", "until-close"])
async def test_a_large_answer_to_a_slow_reader(framing: str) -> None:
    head = {"length": b"Content-Length: %d\r\n" % SIZE, "chunked": b"Transfer-Encoding: chunked\r\n"}

    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(b"HTTP/1.1 200 OK\r\n" + head.get(framing, b"") + b"\r\n")
        await connection.send_body(SIZE, chunked=framing == "chunked")

    async with running_origin(script) as origin, running_balancer(targets=[origin]) as balancer:
        # HTTP/1.0: the body arrives without chunks, and its end is that of the connection.
        request = get(version=b"1.1" if framing == "length" else b"1.0")
        async with connected(balancer.port, receive_buffer=32768) as client:
            with bounded_memory():
                await client.send(request)
                await client.reader.readuntil(b"\r\n\r\n")
                await drain(client, SIZE // 4, pause_s=0.002)
                await drain(client, SIZE - SIZE // 4)
        (entry,) = await balancer.log(1)
        assert SIZE < int(entry["sent_bytes"]) < SIZE + 1000


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_large_body_to_a_slow_target(*, chunked: bool) -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_head()
        head = connection.received_bytes
        end = b""
        while not end.endswith(b"\r\n0\r\n\r\n") if chunked else connection.received_bytes - head < SIZE:
            end = (end + await connection.read(65536))[-7:]
            await asyncio.sleep(0.002 if connection.received_bytes < SIZE // 2 else 0)
        await connection.send(answer(b"ok"))

    async with (
        running_origin(script, keep_received=False, receive_buffer=32768) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        with bounded_memory():
            await upload(client, SIZE, chunked=chunked)
            assert (await client.response(b"POST")).status == 200
        (entry,) = await balancer.log(1)
        assert int(entry["received_bytes"]) >= SIZE


async def test_both_ways_at_once() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_head()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        left = SIZE
        while left:
            data = await connection.read(min(65536, left))
            left -= len(data)
            await connection.send(data)

    async with (
        running_origin(script, keep_received=False) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        with bounded_memory():
            async with asyncio.TaskGroup() as group:
                group.create_task(upload(client, SIZE, chunked=False))
                await client.reader.readuntil(b"\r\n\r\n")
                await drain(client, SIZE)


def held_for_targets(balancer: Balancer) -> int:
    """Bytes that wait in the balancer for targets."""
    exchanges = [client.exchange for client in balancer.node.clients if client.exchange is not None]
    targets = [exchange.target.transport for exchange in exchanges if exchange.target is not None]
    return sum(transport.get_write_buffer_size() for transport in targets)


def held_for_clients(balancer: Balancer) -> int:
    """Bytes that wait in the balancer for clients."""
    return sum(client.transport.get_write_buffer_size() for client in balancer.node.clients)


@pytest.mark.parametrize("reused", [True, False], ids=["reused-connection", "new-connection"])
async def test_a_target_that_does_not_read_stops_the_client(*, reused: bool) -> None:
    """Small segments: on loopback the kernel alone would swallow megabytes before anyone felt anything."""
    seen = asyncio.Event()

    async def script(connection: OriginConnection) -> None:
        if reused:
            await connection.read_request()
            await connection.send(answer(b"ok"))
        await connection.read_head()
        await seen.wait()

    async with (
        running_origin(script, keep_received=False, receive_buffer=4096, segment=536) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        if reused:
            await client.ask(get())
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(upload(client, 3 * SIZE, chunked=False))
            await until(lambda: held_for_targets(balancer) > 0, "the balancer holds something for the target")
            held = 0
            for _ in range(30):
                await asyncio.sleep(0.01)
                held = max(held, held_for_targets(balancer))
            sent_all = sending.done()
            sending.cancel()
            seen.set()
        assert held < MOST_HELD
        assert not sent_all
        client.reset()


async def test_a_connection_whose_request_is_not_through_is_not_used_for_the_next() -> None:
    """The target answers without reading: what it has not taken yet must neither delay nor swell the next request."""
    seen = asyncio.Event()

    async def script(connection: OriginConnection) -> None:
        await connection.read_head()
        await connection.send(answer(b"early"))
        await seen.wait()

    async with (
        running_origin(script, keep_received=False, receive_buffer=4096, segment=536) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as first,
        connected(balancer.port) as second,
    ):
        await upload(first, 200_000, chunked=False)
        assert (await first.response(b"POST")).body == b"early"
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(upload(second, 3 * SIZE, chunked=False))
            await until(lambda: len(origin.connections) == 2, "the next request has a connection of its own")
            await asyncio.sleep(0.3)
            held = held_for_targets(balancer)
            connections = len(origin.connections)
            sending.cancel()
            seen.set()
        assert (connections, held < MOST_HELD) == (2, True), f"{connections} connections, {held} bytes held"
        first.reset()
        second.reset()


async def test_a_client_that_does_not_read_stops_the_target() -> None:
    sent = 0

    async def script(connection: OriginConnection) -> None:
        nonlocal sent
        await connection.read_request()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (3 * SIZE))
        while sent < 3 * SIZE:
            await connection.send(_BLOCK)
            sent += len(_BLOCK)

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port, receive_buffer=4096, segment=536) as client,
    ):
        await client.send(get())
        await until(lambda: held_for_clients(balancer) > 0, "the balancer holds something for the client")
        held = 0
        for _ in range(30):
            await asyncio.sleep(0.01)
            held = max(held, held_for_clients(balancer))
        assert 0 < held < MOST_HELD
        assert sent < 3 * SIZE
        client.reset()
        await until(lambda: origin.open == 0, "connection to the target closed")


async def test_a_target_that_stops_reading_after_its_answer_does_not_hold_the_client() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_head()
        await asyncio.sleep(0.2)
        await connection.send(answer(b"enough", status=b"413 Content Too Large"))
        await asyncio.sleep(1)

    async with (
        running_origin(script, keep_received=False, receive_buffer=4096, segment=536) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
        asyncio.TaskGroup() as group,
    ):
        sending = group.create_task(upload(client, SIZE, chunked=False))
        assert (await client.response(b"POST")).status == 413
        sending.cancel()


async def test_chunks_keep_flowing_one_by_one() -> None:
    """Nothing waits for more: what the target has sent is with the client before the target sends the next piece."""
    go = asyncio.Event()

    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            await connection.send(b"1\r\n%d\r\n" % number)
            await go.wait()
            go.clear()
        await connection.send(b"0\r\n\r\n")

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get())
        async with asyncio.timeout(WAIT_S):
            await client.reader.readuntil(b"\r\n\r\n")
            for number in range(5):
                assert await client.reader.readexactly(6) == b"1\r\n%d\r\n" % number
                go.set()
            assert await client.reader.readexactly(5) == b"0\r\n\r\n"
