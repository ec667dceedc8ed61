"""Target group attributes that decide which target is next (fact sheet 4.3, 5.1 to 5.4), over the wire."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from lb.model.reasons import TargetState
from lb.targets.roster import Roster
from tests.proxy.rules.setups import naming_origins
from tests.proxy.wire import connected, get
from tests.support.balancer import Balancer, running_balancer, until
from tests.support.origins import Origin, OriginConnection, answer, running_origin


async def answers_of(balancer: Balancer, count: int) -> list[bytes]:
    async with connected(balancer.port) as client:
        return [(await client.ask(get())).body for _ in range(count)]


def only_roster(balancer: Balancer) -> Roster:
    (roster,) = balancer.node.rosters.values()
    return roster


async def test_round_robin_is_exact_and_the_default() -> None:
    async with naming_origins("1", "2", "3") as targets, running_balancer(targets=targets) as balancer:
        said = await answers_of(balancer, 30)
        assert set(said[:3]) == {b"1", b"2", b"3"}
        assert said == said[:3] * 10


async def test_weighted_random_spreads_evenly_and_in_no_order() -> None:
    attributes = {"load_balancing.algorithm.type": "weighted_random"}
    async with (
        naming_origins("1", "2", "3") as targets,
        running_balancer(targets=targets, tg_attributes=attributes) as balancer,
    ):
        balancer.node.rng.seed(4)
        said = await answers_of(balancer, 900)
        assert all(240 < count < 360 for count in Counter(said).values())
        assert len(Counter(said)) == 3
        assert any(first == second for first, second in itertools.pairwise(said))


async def test_least_outstanding_requests_avoids_the_busy_target() -> None:
    go = asyncio.Event()

    def script(name: bytes):
        async def slow_for_slow(connection: OriginConnection) -> None:
            while True:
                request = await connection.read_request()
                if b" /slow " in request.line:
                    await go.wait()
                await connection.send(answer(name))

        return slow_for_slow

    attributes = {"load_balancing.algorithm.type": "least_outstanding_requests"}
    async with (
        running_origin(script(b"1")) as one,
        running_origin(script(b"2")) as two,
        running_balancer(targets=[one, two], tg_attributes=attributes) as balancer,
        connected(balancer.port) as busy,
    ):
        await busy.send(get(b"/slow"))
        await until(lambda: balancer.in_flight == 1, "one is busy")
        said = set(await answers_of(balancer, 10))
        go.set()
        assert said == {b"1", b"2"} - {(await busy.response()).body}


@pytest.mark.parametrize("mitigation", ["on", "off"])
async def test_anomaly_mitigation_takes_traffic_off_a_target_that_fails(mitigation: str) -> None:
    async def failing(connection: OriginConnection) -> None:
        while True:
            await connection.read_request()
            await connection.send(answer(b"bad", status=b"500 Oh"))

    attributes = {
        "load_balancing.algorithm.type": "weighted_random",
        "load_balancing.algorithm.anomaly_mitigation": mitigation,
    }
    async with (
        naming_origins("1", "2", "3") as targets,
        running_origin(failing) as bad,
        running_balancer(targets=[*targets, bad], tg_attributes=attributes) as balancer,
    ):
        balancer.node.rng.seed(9)
        for _ in range(3):
            before = Counter(await answers_of(balancer, 400))
            only_roster(balancer).decide_anomalies(monotonic())
        after = Counter(await answers_of(balancer, 400))
        if mitigation == "on":
            assert after[b"bad"] < 60 < before.total()
        else:
            assert 60 < after[b"bad"] < 140


@pytest.mark.parametrize(("duration_s", "low", "high"), [(0, 80, 120), (900, 1, 25)])
async def test_slow_start_gives_a_new_target_little_at_first(duration_s: int, low: int, high: int) -> None:
    attributes = {"slow_start.duration_seconds": duration_s}
    async with (
        naming_origins("1", "2", "new") as (one, two, new),
        running_balancer(targets=[one, two], tg_attributes=attributes) as balancer,
    ):
        # The first batch is exempt.
        assert Counter(await answers_of(balancer, 20)) == {b"1": 10, b"2": 10}
        await balancer.apply(targets=[one, two, new])
        await balancer.ready()
        said = Counter(await answers_of(balancer, 300))
        assert low <= said[b"new"] <= high or (duration_s and said[b"new"] == 0)


@contextlib.asynccontextmanager
async def one_healthy_of(count: int, **attributes: object) -> AsyncIterator[tuple[Balancer, list[Origin]]]:
    """A balancer with so many targets, of which only the first passes its health check."""

    def script(number: int):
        async def serve(connection: OriginConnection) -> None:
            while True:
                request = await connection.read_request()
                ill = number > 0 and b"HealthChecker" in request.head
                await connection.send(answer(b"%d" % number, status=b"500 Ill" if ill else b"200 OK"))

        return serve

    check = {"port": "traffic-port", "interval": 0.6, "timeout": 0.55, "unhealthy_threshold": 2}
    async with contextlib.AsyncExitStack() as stack:
        targets = [await stack.enter_async_context(running_origin(script(number))) for number in range(count)]
        balancer = await stack.enter_async_context(
            running_balancer(targets=targets, tg_attributes=attributes, health_check=check)
        )

        def decided() -> bool:
            states = [slot.health.state for slot in only_roster(balancer).slots]
            return states == [TargetState.HEALTHY] + [TargetState.UNHEALTHY] * (count - 1)

        await until(decided, "one healthy, the others not")
        yield balancer, targets


@pytest.mark.parametrize(
    ("attributes", "used"),
    [
        ({}, {b"0"}),
        ({"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": 1}, {b"0"}),
        ({"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": 2}, {b"0", b"1", b"2"}),
        ({"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": 33}, {b"0"}),
        ({"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": 50}, {b"0", b"1", b"2"}),
    ],
)
async def test_with_fewer_healthy_targets_than_the_threshold_all_are_used(
    attributes: dict[str, object], used: set[bytes]
) -> None:
    async with one_healthy_of(3, **attributes) as (balancer, _):
        assert set(await answers_of(balancer, 12)) == used


async def test_with_cross_zone_off_only_the_nodes_own_zone_is_used_and_none_there_is_503() -> None:
    async with naming_origins("a", "b") as (a, b):
        targets = [{"target": a.target, "zone": "us-east-1a"}, {"target": b.target, "zone": "us-east-1b"}]
        for cross_zone, zone, used in (
            ("true", "us-east-1a", {b"a", b"b"}),
            ("use_load_balancer_configuration", "us-east-1a", {b"a", b"b"}),
            ("false", "us-east-1a", {b"a"}),
            ("false", "us-east-1b", {b"b"}),
        ):
            async with running_balancer(
                targets=targets, tg_attributes={"load_balancing.cross_zone.enabled": cross_zone}, zone=zone
            ) as balancer:
                assert set(await answers_of(balancer, 6)) == used
        async with (
            running_balancer(
                targets=targets, tg_attributes={"load_balancing.cross_zone.enabled": "false"}, zone="us-east-1c"
            ) as balancer,
            connected(balancer.port) as client,
        ):
            assert (await client.ask(get())).status == 503
