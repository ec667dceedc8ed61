"""Connections live on: the client's, and the pooled ones to targets, which clients share."""

import asyncio

import pytest

from tests.proxy.wire import ask_once, connected, get, post
from tests.support.balancer import running_balancer, until
from tests.support.origins import OriginConnection, answer, answering, naming, once, running_origin


async def test_connections_to_targets_are_opened_when_needed_and_shared_by_clients() -> None:
    async with running_origin(naming(b"1")) as origin, running_balancer(targets=[origin]) as balancer:
        assert not origin.connections
        for _ in range(5):
            assert (await ask_once(balancer.port, get())).body == b"1"
        assert len(origin.connections) == 1
        assert origin.connections[0].requests == 5


async def test_no_pipelining_toward_targets() -> None:
    go = asyncio.Event()

    async def script(connection: OriginConnection) -> None:
        while True:
            await connection.read_request()
            await go.wait()
            await connection.send(answer(b"%d" % connection.number))

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as first,
        connected(balancer.port) as second,
    ):
        for client in (first, second):
            await client.send(get())
        await until(lambda: origin.requests == 2, "both requests at the target")
        go.set()
        responses = await asyncio.gather(first.response(), second.response())
        assert sorted(response.body for response in responses) == [b"1", b"2"]
        assert balancer.idle_connections == 2


async def test_an_idle_connection_that_the_target_closes_is_not_used_again() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(answer(b"once"))

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for count in range(1, 6):
            assert (await client.ask(get())).body == b"once"
            await until(lambda: balancer.idle_connections == 0, "closed connection left the pool")
            assert len(origin.connections) == count


async def test_an_idle_connection_that_the_target_resets_is_not_used_again() -> None:
    answered = asyncio.Event()

    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(answer(b"once"))
        await answered.wait()
        answered.clear()
        connection.reset()

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(3):
            assert (await client.ask(get())).body == b"once"
            answered.set()
            await until(lambda: origin.open == 0 and balancer.idle_connections == 0, "reset connection left the pool")


async def test_a_target_that_talks_out_of_turn_loses_its_connection() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(answer(b"asked"))
        if connection.number == 1:
            await asyncio.sleep(0.05)
            await connection.send(answer(b"not asked"))
        await connection.ended()

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).body == b"asked"
        await until(lambda: balancer.idle_connections == 0, "unasked answer closed the connection")
        assert (await client.ask(get())).body == b"asked"


async def test_more_than_the_declared_length_is_cut_off_and_the_connection_dropped() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).body == b"ok"
        assert balancer.idle_connections == 0
        assert (await client.ask(get())).body == b"ok"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
    ids=["close", "http-1.0"],
)
async def test_a_target_that_will_close_is_not_asked_again_on_that_connection(raw: bytes) -> None:
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(3):
            response = await client.ask(get())
            assert (response.body, response.value(b"Connection")) == (b"ok", b"keep-alive")
        assert [connection.requests for connection in origin.connections] == [1, 1, 1]


async def test_an_http_1_0_target_that_keeps_alive_is_asked_again() -> None:
    raw = b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok"
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(3):
            assert (await client.ask(get())).body == b"ok"
        assert [connection.requests for connection in origin.connections] == [3]


async def test_the_clients_close_is_honoured_and_does_not_reach_the_target() -> None:
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(get(b"/", b"Connection: close"))
        assert response.value(b"Connection") == b"close"
        assert await client.ended()
        assert balancer.idle_connections == 1
        assert b"onnection" not in origin.connections[0].received


@pytest.mark.parametrize("value", [b"close, x-more", b"x-more,\tclose", b"Close", b"x-more , close"])
async def test_close_is_found_in_a_list(value: bytes) -> None:
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get(b"/", b"Connection: " + value))).value(b"Connection") == b"close"
        assert await client.ended()


async def test_nothing_behind_a_closing_request_is_carried_out() -> None:
    """RFC 9112 9.6: a server that got `close` must not process what comes after."""
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get(b"/first", b"Connection: close") + get(b"/second"))
        assert (await client.rest()).count(b"HTTP/1.1 ") == 1
        assert origin.requests == 1
        assert len(await balancer.log(1)) == 1


@pytest.mark.parametrize("first", [b"TRACE", b"GET"])
async def test_nothing_behind_a_closing_request_that_is_answered_at_once_is_carried_out(first: bytes) -> None:
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[] if first == b"GET" else [origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(first + b" / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get(b"/second"))
        assert (await client.rest()).count(b"HTTP/1.1 ") == 1
        await asyncio.sleep(0.1)
        assert origin.requests == 0
        assert len(await balancer.log(1)) == 1


async def test_the_target_closes_a_reused_connection_after_taking_the_request() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(answer(b"1"))
        await connection.read_request()

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).status == 200
        response = await client.ask(post(b"not twice"))
        assert (response.status, response.value(b"Connection")) == (502, b"keep-alive")
        assert (await client.ask(get())).status == 200
        _, failed, _ = await balancer.log(3)
        assert 0 <= float(failed["request_processing_time"]) < 10
        assert float(failed["target_processing_time"]) >= 0
        assert failed["response_processing_time"] == "-1"
        assert (failed["elb_status_code"], failed["target_status_code"]) == ("502", "-")
        assert failed["target"] == origin.target
        assert origin.requests == 3


async def test_close_before_any_answer_is_502_and_never_tried_again() -> None:
    async with (
        running_origin(once(b"")) as one,
        running_origin(naming(b"2")) as two,
        running_balancer(targets=[one, two]) as balancer,
        connected(balancer.port) as client,
    ):
        statuses = [(await client.ask(get())).status for _ in range(6)]
        assert statuses == [502, 200] * 3
        assert (one.requests, two.requests) == (3, 3)
