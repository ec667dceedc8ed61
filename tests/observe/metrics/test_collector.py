"""The shell: batches, ticks, minutes of the wall clock, several nodes."""

import asyncio
from time import time

import pytest

from lb.observe.metrics.collector import Metrics
from lb.observe.metrics.hosts import HostCounts
from lb.observe.metrics.tally import COUNTERS
from tests.observe.metrics.made import BALANCER, GROUP, ZONE, finished

L = {"LoadBalancer": BALANCER}
T = {**L, "TargetGroup": GROUP}


class Clock:
    """A wall clock that is set by hand."""

    def __init__(self, now_s):
        self.now_s = now_s

    def __call__(self):
        return self.now_s


def requests(metrics, dimensions=L):
    points = metrics.get_statistics("RequestCount", dimensions, 0, 1e6, 60, ["Sum"])
    return {point.timestamp_s: point.values["Sum"] for point in points}


@pytest.mark.parametrize("number", [1, 511, 512, 513, 2000])
def test_every_request_counts_at_once_when_asked(number):
    metrics = Metrics(lambda: (), Clock(600.0))
    node = metrics.node(ZONE)
    for _ in range(number):
        node.record(finished())
    assert requests(metrics) == {600: number}
    assert requests(metrics) == {600: number}
    assert f"}} {number}\n" in metrics.prometheus()
    assert "RequestCount" in {each.name for each in metrics.list_metrics()}


def test_never_more_than_one_batch_waits():
    metrics = Metrics(lambda: (), Clock(600.0))
    node = metrics.node(ZONE)
    for _ in range(5000):
        node.record(finished())
        assert len(node._waiting) < 512


def test_what_came_before_the_tick_at_the_end_of_a_minute_belongs_to_that_minute():
    clock = Clock(659.5)
    metrics = Metrics(lambda: (), clock)
    node = metrics.node(ZONE)
    node.record(finished())
    clock.now_s = 660.001
    metrics.tick()
    node.record(finished())
    node.record(finished())
    assert requests(metrics) == {600: 1, 660: 2}


@pytest.mark.parametrize(("now_s", "wait_s"), [(600.0, 1.0), (658.9, 1.0), (659.5, 0.5), (659.9999999, 0.001)])
def test_no_tick_spans_the_end_of_a_minute(now_s, wait_s):
    assert Metrics(lambda: (), Clock(now_s))._next_tick_s() == pytest.approx(wait_s)


def test_nodes_count_under_their_zones():
    metrics = Metrics(lambda: (), Clock(600.0))
    here, there = metrics.node(ZONE), metrics.node("us-east-1b")
    here.record(finished())
    there.record(finished())
    there.record(finished())
    here.connections(BALANCER).opened()
    there.connections(BALANCER).opened()
    assert requests(metrics) == {600: 3}
    assert requests(metrics, {**L, "AvailabilityZone": ZONE}) == {600: 1}
    assert requests(metrics, {**L, "AvailabilityZone": "us-east-1b"}) == {600: 2}
    (point,) = metrics.get_statistics("ActiveConnectionCount", L, 0, 1e6, 60, ["Sum", "Maximum"])
    assert dict(point.values) == {"Sum": 2, "Maximum": 1}


def test_connections_are_counted_in_one_object():
    node = Metrics(lambda: (), Clock(600.0)).node()
    assert node.connections(BALANCER) is node.connections(BALANCER)
    assert node.connections(BALANCER) is not node.connections("app/other/0000000000000000")


async def test_it_ticks_by_itself_until_it_is_closed():
    asked: asyncio.Queue[None] = asyncio.Queue()

    def hosts():
        asked.put_nowait(None)
        return [HostCounts(BALANCER, GROUP, "", 2, 0, 2)]

    metrics = Metrics(hosts)
    node = metrics.node()
    metrics.start()
    node.record(finished())
    async with asyncio.timeout(5):
        await asked.get()
        await asked.get()
    assert not node._waiting
    now_s = time()
    points = metrics.get_statistics("HealthyHostCount", T, now_s - 120, now_s + 60, 60, ["Maximum"])
    assert points
    assert all(point.values == {"Maximum": 2} for point in points)
    metrics.close()
    await asyncio.sleep(1.2)
    assert asked.empty()


async def test_close_counts_what_waits():
    metrics = Metrics(lambda: ())
    node = metrics.node()
    metrics.start()
    node.record(finished())
    metrics.close()
    (cell,) = metrics.store.totals.values()
    assert cell.counts[COUNTERS["RequestCount"]] == 1
