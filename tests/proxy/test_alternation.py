"""Two healthy targets take turns, request by request, whatever the connections do."""

from itertools import pairwise

from tests.proxy.wire import ask_once, connected, get
from tests.support.balancer import running_balancer
from tests.support.origins import naming, running_origin

COUNT = 1000


def assert_strict_turns(bodies: list[bytes]) -> None:
    assert (bodies.count(b"1"), bodies.count(b"2")) == (COUNT // 2, COUNT // 2)
    assert all(one != two for one, two in pairwise(bodies))


async def test_a_thousand_new_connections() -> None:
    async with (
        running_origin(naming(b"1")) as one,
        running_origin(naming(b"2")) as two,
        running_balancer(targets=[one, two]) as balancer,
    ):
        request = get(b"/", b"Connection: close")
        assert_strict_turns([(await ask_once(balancer.port, request)).body for _ in range(COUNT)])
        assert (one.requests, two.requests) == (COUNT // 2, COUNT // 2)


async def test_a_thousand_requests_of_one_keep_alive_connection() -> None:
    async with (
        running_origin(naming(b"1")) as one,
        running_origin(naming(b"2")) as two,
        running_balancer(targets=[one, two]) as balancer,
        connected(balancer.port) as client,
    ):
        assert_strict_turns([(await client.ask(get())).body for _ in range(COUNT)])


async def test_clients_that_mix_take_turns_together() -> None:
    async with (
        running_origin(naming(b"1")) as one,
        running_origin(naming(b"2")) as two,
        running_balancer(targets=[one, two]) as balancer,
        connected(balancer.port) as first,
        connected(balancer.port) as second,
    ):
        asked = [(await client.ask(get())).body for client in (first, second, second, first, first, second) * 10]
        assert all(one != two for one, two in pairwise(asked))
