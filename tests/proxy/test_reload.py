"""A new configuration under load: no request fails, whatever changes."""

import asyncio
import contextlib
import random
from collections import Counter

import pytest

from lb.net.sockets import PortTakenError
from tests.proxy.wire import ask_once, connected, get, post
from tests.support.balancer import Balancer, free_port, running_balancer, until
from tests.support.origins import Origin, OriginConnection, answer, echoing, naming, running_origin

CLIENTS = 64
RELOADS = 50


async def ask_until(stop: asyncio.Event, balancer: Balancer, number: int, seen: Counter[int]) -> None:
    """Keeps one connection busy, and opens a new one now and then."""
    rng = random.Random(number)
    while not stop.is_set():
        async with connected(balancer.port) as client:
            for at in range(rng.randrange(5, 60)):
                body = b"b" * rng.choice((0, 10, 20_000))
                request = post(body, b"/%d" % at) if body else get(b"/%d" % at)
                response = await client.ask(request)
                seen[response.status] += 1
                assert response.body.endswith(b"/%d HTTP/1.1\n" % at + body), response
                if response.value(b"Connection") == b"close" or stop.is_set():
                    break
                await asyncio.sleep(rng.random() * 0.02)


async def test_no_request_fails_while_the_configuration_changes_fifty_times() -> None:
    rng = random.Random(3)
    seen: Counter[int] = Counter()
    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        origins = [await stack.enter_async_context(running_origin(echoing(), keep_received=False)) for _ in range(4)]
        balancer = await stack.enter_async_context(running_balancer(targets=origins[:2]))
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(ask_until(stop, balancer, number, seen))
            for _ in range(RELOADS):
                await balancer.apply(
                    targets=rng.sample(origins, rng.randrange(1, 5)),
                    lb_attributes={
                        "routing.http.xff_client_port.enabled": rng.choice(("true", "false")),
                        "idle_timeout.timeout_seconds": rng.choice((30, 60)),
                    },
                    tg_attributes={"deregistration_delay.timeout_seconds": rng.choice((5, 300))},
                    health_check={"interval": rng.choice((50, 60))},
                    group=rng.choice(("web-servers", "other-name")),
                    more_ports=[free_port()] if rng.random() < 0.3 else [],
                )
                await until(lambda enough=seen[200] + 21: seen[200] >= enough, "requests between two reloads")
            stop.set()
        assert seen.keys() == {200}
        assert seen[200] > 1000
        assert all(origin.requests for origin in origins)


async def test_a_request_in_flight_ends_at_its_target_after_that_was_removed() -> None:
    async def slow(connection: OriginConnection) -> None:
        await connection.read_request()
        await asyncio.sleep(0.4)
        await connection.send(answer(b"old"))
        await connection.ended()

    async with (
        running_origin(slow) as old,
        running_origin(naming(b"new")) as new,
        running_balancer(targets=[old]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get())
        await until(lambda: balancer.in_flight == 1, "request at the old target")
        await balancer.apply(targets=[new], group="other-name")
        await balancer.ready()
        assert (await ask_once(balancer.port, get())).body == b"new"
        assert (await client.response()).body == b"old"
        assert (await client.ask(get())).body == b"new"
        await until(lambda: old.open == 0, "connection to the removed target closed")


async def test_attributes_hold_from_the_next_request_on() -> None:
    async with (
        running_origin(naming(b"ok")) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get(b"/a b"))).status == 200
        await balancer.apply(lb_attributes={"routing.http.desync_mitigation_mode": "strictest"})
        assert (await client.ask(get(b"/a b"))).status == 400


async def test_a_target_that_comes_back_while_draining_is_used_again() -> None:
    async with (
        running_origin(naming(b"1")) as one,
        running_origin(naming(b"2")) as two,
        running_balancer(targets=[one, two]) as balancer,
        connected(balancer.port) as client,
    ):
        await balancer.apply(targets=[one])
        assert [(await client.ask(get())).body for _ in range(4)] == [b"1"] * 4
        await balancer.apply(targets=[one, two])
        await balancer.ready()
        assert {(await client.ask(get())).body for _ in range(4)} == {b"1", b"2"}


async def test_all_targets_removed_is_503_and_back() -> None:
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(3):
            assert (await client.ask(get())).status == 200
            await balancer.apply(targets=[])
            assert (await client.ask(get())).status == 503
            await balancer.apply(targets=[origin])
            await balancer.ready()


async def test_a_port_that_is_taken_changes_nothing() -> None:
    async def works(balancer: Balancer, origin: Origin) -> None:
        before = origin.requests
        for _ in range(3):
            assert (await ask_once(balancer.port, get())).body == b"1"
        assert origin.requests == before + 3

    async with (
        running_origin(naming(b"1")) as origin,
        running_origin(naming(b"2")) as other,
        running_balancer(targets=[f"localhost:{origin.port}"]) as balancer,
    ):
        with pytest.raises(PortTakenError):
            await balancer.apply(targets=[other], more_ports=[free_port(), other.port])
        await works(balancer, origin)
        # A change of any address publishes the configuration again: it must be the old one, with its addresses.
        balancer.app._addresses_changed()
        await asyncio.sleep(0.05)
        await works(balancer, origin)


async def test_a_listener_moves_to_another_port_and_back() -> None:
    async with running_origin(naming(b"1")) as origin, running_balancer(targets=[origin]) as balancer:
        first, second = balancer.port, free_port()
        for port in (second, first, second):
            balancer.port = port
            await balancer.apply()
            assert (await ask_once(port, get())).status == 200
            with pytest.raises(OSError, match=r"onnect"):
                await ask_once(first + second - port, get())


async def test_a_listener_can_be_replaced_while_a_keep_alive_connection_is_idle() -> None:
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.ask(get())
        await balancer.apply(group="other-name")
        await balancer.ready()
        assert (await client.ask(get())).status == 200
