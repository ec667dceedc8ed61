"""Timers: idle timeout on both sides, client keep-alive duration, idle connections in the pool."""

import asyncio

from tests.proxy.wire import connected, get
from tests.support.balancer import running_balancer, until
from tests.support.origins import OriginConnection, answer, answering, naming, running_origin, silent

IDLE_1_S = {"idle_timeout.timeout_seconds": 1}


async def test_a_quiet_connection_is_closed_after_the_idle_timeout() -> None:
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[origin], lb_attributes=IDLE_1_S) as balancer,
        connected(balancer.port) as never_used,
        connected(balancer.port) as used,
    ):
        await asyncio.sleep(0.5)
        await used.ask(get())
        assert await used.silent_for(0.7)
        assert await never_used.ended()
        assert await used.ended()
        await until(lambda: balancer.idle_connections == origin.open == 0, "idle pooled connection closed too")
        await balancer.log(1)


async def test_bytes_either_way_keep_a_request_alive() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_head()
        for _ in range(2):
            await asyncio.sleep(0.7)
            await connection.read()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        for _ in range(2):
            await asyncio.sleep(0.7)
            await connection.send(b"x")

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin], lb_attributes=IDLE_1_S) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
        for _ in range(2):
            await asyncio.sleep(0.7)
            await client.send(b"x")
        assert (await client.response()).body == b"xx"


async def test_a_body_that_stops_half_way_ends_with_an_answer() -> None:
    """504 by ALB's status code page (the length is larger than what was sent); 408 would do for a client as well."""
    async with (
        running_origin(silent) as origin,
        running_balancer(targets=[origin], lb_attributes=IDLE_1_S) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        response = await client.response()
        assert response.status in (408, 504)
        assert response.value(b"Connection") == b"close"
        assert await client.ended()


async def test_a_target_that_stops_half_way_through_its_answer_cuts_the_client() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await connection.ended()

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin], lb_attributes=IDLE_1_S) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get())
        await client.reader.readuntil(b"half")
        assert await client.ended()
        await until(lambda: origin.open == 0, "connection to the target closed")


async def test_an_answer_that_comes_just_in_time() -> None:
    async def script(connection: OriginConnection) -> None:
        while True:
            await connection.read_request()
            await asyncio.sleep(0.7)
            await connection.send(answer(b"late"))

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin], lb_attributes=IDLE_1_S) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(2):
            assert (await client.ask(get())).body == b"late"


async def test_the_last_answer_within_the_client_keep_alive_duration_closes() -> None:
    """The shortest duration that ELB allows is a minute: the connection is told that it has passed."""
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[origin], lb_attributes={"client_keep_alive.seconds": 60}) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).value(b"Connection") == b"keep-alive"
        (served,) = balancer.node.clients
        assert 40 < served._at_most_until - asyncio.get_running_loop().time() < 61
        served._at_most_until -= 60
        await asyncio.sleep(0.4)
        assert (await client.ask(get())).value(b"Connection") == b"close"
        assert await client.ended()


async def test_the_client_keep_alive_duration_does_not_end_a_quiet_connection_early() -> None:
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.ask(get())
        (served,) = balancer.node.clients
        served._at_most_until -= 7200
        assert await client.silent_for(0.6)
        assert (await client.ask(get())).value(b"Connection") == b"close"


async def test_head_in_dribbles_is_read() -> None:
    async with (
        running_origin(answering(answer(b"ok"))) as origin,
        running_balancer(targets=[origin], lb_attributes=IDLE_1_S) as balancer,
        connected(balancer.port) as client,
    ):
        for piece in (b"GET / HT", b"TP/1.1\r\nHo", b"st: a\r\n\r\n"):
            await client.send(piece)
            await asyncio.sleep(0.7)
        assert (await client.response()).body == b"ok"
