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


class Node:
    """Hands requests to the metrics when it is asked to, as the recorder does."""

    def __init__(self, metrics, zone=ZONE):
        self.waiting = []
        self._metrics = metrics.node(zone, self._catch_up)
        self.connections = self._metrics.connections

    def _catch_up(self):
        batch, self.waiting = self.waiting, []
        self._metrics.count(batch)

    def record(self, record):
        self.waiting.append(record)


def test_every_request_counts_at_once_when_asked():
    metrics = Metrics(lambda: (), Clock(600.0))
    node = Node(metrics)
    for number in range(1, 4):
        node.record(finished())
        assert requests(metrics) == {600: number}
        assert f"}} {number}\n" in metrics.prometheus()
    assert "RequestCount" in {each.name for each in metrics.list_metrics()}
    node.record(finished())
    assert f"}} {number + 1}\n" in metrics.prometheus()


def test_what_came_before_the_tick_at_the_end_of_a_minute_belongs_to_that_minute():
    clock = Clock(659.5)
    metrics = Metrics(lambda: (), clock)
    node = Node(metrics)
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
    here, there = Node(metrics), Node(metrics, "us-east-1b")
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
    node = Node(Metrics(lambda: (), Clock(600.0)))
    assert node.connections(BALANCER) is node.connections(BALANCER)
    assert node.connections(BALANCER) is not node.connections("app/other/0000000000000000")


async def test_it_ticks_by_itself_until_it_is_closed():
    asked: asyncio.Queue[None] = asyncio.Queue()

    def hosts():
        asked.put_nowait(None)
        return [HostCounts(BALANCER, GROUP, "", 2, 0, 2)]

    metrics = Metrics(hosts)
    node = Node(metrics)
    metrics.start()
    node.record(finished())
    async with asyncio.timeout(30):
        await asked.get()
        await asked.get()
    assert not node.waiting
    now_s = time()
    points = metrics.get_statistics("HealthyHostCount", T, now_s - 120, now_s + 60, 60, ["Maximum"])
    assert points
    assert all(point.values == {"Maximum": 2} for point in points)
    metrics.close()
    while not asked.empty():
        asked.get_nowait()
    await asyncio.sleep(1.2)
    assert asked.empty()


async def test_close_counts_what_waits():
    metrics = Metrics(lambda: ())
    node = Node(metrics)
    metrics.start()
    node.record(finished())
    metrics.close()
    (cell,) = metrics.store.totals.values()
    assert cell.counts[COUNTERS["RequestCount"]] == 1
