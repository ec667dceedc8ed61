"""The ring of minutes: counters add up over any interleaving, and memory does not grow."""

import gc
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lb.observe.metrics.hosts import HostCounts
from lb.observe.metrics.query import get_statistics
from lb.observe.metrics.store import KEPT_MINUTES, MOST_CELLS, ConnectionCounts, Key, MetricStore
from lb.observe.metrics.tally import COUNTERS, raised, tally
from tests.observe.metrics.made import BALANCER, GROUP, ZONE, finished

GROUPS = (GROUP, "targetgroup/other/0000000000000001", "")
REQUESTS = st.builds(
    finished,
    group=st.sampled_from(GROUPS),
    balancer=st.sampled_from((BALANCER, "app/other/0000000000000002")),
    target=st.sampled_from(("", "127.0.0.1:8081")),
    target_zone=st.sampled_from(("", "all", "us-east-1a", "us-east-1b")),
    status=st.sampled_from((200, 301, 404, 460, 502, 503)),
    target_status=st.sampled_from((0, 200, 404, 503)),
    action=st.sampled_from(("", "forward", "redirect", "fixed-response")),
    client=st.sampled_from(("127.0.0.1:1", "[::1]:1")),
    marks=st.integers(0, 15),
    rules_evaluated=st.integers(0, 3),
    received_bytes=st.integers(0, 9),
    sent_bytes=st.integers(0, 9),
)
BATCHES = st.lists(
    st.tuples(
        st.integers(1000, 1004), st.sampled_from(("", "us-east-1a", "us-east-1b")), st.lists(REQUESTS, max_size=6)
    ),
    max_size=12,
)


def expected(records):
    """What the requests raise, counted one by one."""
    numbers = Counter()
    for record in records:
        ((shape, tallied),) = tally([record])
        numbers.update(raised(shape))
        numbers["ProcessedBytes"] += tallied.processed_bytes
        numbers["RuleEvaluations"] += tallied.rules
        if shape.ipv6:
            numbers["IPv6ProcessedBytes"] += tallied.processed_bytes
    return {name: number for name, number in numbers.items() if number}


def summed(cells):
    numbers = {name: sum(cell.counts[place] for cell in cells) for name, place in COUNTERS.items()}
    return {name: number for name, number in numbers.items() if number}


@given(BATCHES)
@settings(max_examples=150, deadline=None)
def test_counters_add_up_over_any_interleaving(batches):
    store = MetricStore()
    newest = 0
    for minute, zone, records in batches:
        newest = max(newest, minute)
        store.add_requests(records, zone, newest)
    everything = [record for _, _, records in batches for record in records]
    in_minutes = [cell for minute in store.minutes.values() for cell in minute.cells.values()]
    for cells in (in_minutes, list(store.totals.values())):
        assert summed(cells) == expected(everything)
        assert sum(cell.times.count for cell in cells) == sum(record.target_status > 0 for record in everything)
    for balancer in {record.origin.load_balancer for record in everything}:
        mine = expected([record for record in everything if record.origin.load_balancer == balancer])
        points = get_statistics(store, "RequestCount", {"LoadBalancer": balancer}, 0, 1e6, 60, ["Sum"])
        assert sum(point.values["Sum"] for point in points) == mine.get("RequestCount", 0)


@given(BATCHES)
@settings(max_examples=100, deadline=None)
def test_zones_and_target_groups_are_parts_of_the_whole(batches):
    store = MetricStore()
    for _, zone, records in batches:
        store.add_requests(records, zone, 1000)

    def total(name, **dimensions):
        points = get_statistics(store, name, dimensions, 0, 1e6, 60, ["Sum"])
        return sum(point.values["Sum"] for point in points)

    mine = [
        (zone, record)
        for _, zone, records in batches
        for record in records
        if record.origin.load_balancer == BALANCER and record.target
    ]
    for zone in ("us-east-1a", "us-east-1b"):
        at_node = [record for where, record in mine if where == zone]
        assert total("RequestCount", LoadBalancer=BALANCER, AvailabilityZone=zone) == len(at_node)
        at_target = [
            record
            for where, record in mine
            if (where if record.target_zone in ("", "all") else record.target_zone) == zone
            and record.target_group_arn.endswith(GROUP)
        ]
        assert total("RequestCount", LoadBalancer=BALANCER, AvailabilityZone=zone, TargetGroup=GROUP) == len(at_target)
    in_group = [record for _, record in mine if record.target_group_arn.endswith(GROUP)]
    assert total("RequestCount", LoadBalancer=BALANCER, TargetGroup=GROUP) == len(in_group)


@given(st.lists(st.integers(-500, 500), max_size=60))
@settings(deadline=None)
def test_the_ring_never_grows_whatever_the_clock_does(steps):
    store = MetricStore()
    minute = 30_000_000
    for step in steps:
        minute += step
        store.add_requests([finished()], ZONE, minute)
        assert minute in store.minutes
        assert len(store.minutes) <= KEPT_MINUTES
        assert max(store.minutes) - min(store.minutes) < KEPT_MINUTES


def test_three_hours_are_kept():
    store = MetricStore()
    for minute in range(1000):
        store.add_requests([finished()], ZONE, minute)
    assert sorted(store.minutes) == list(range(1000 - KEPT_MINUTES, 1000))


def test_minutes_that_a_wrong_clock_wrote_ahead_go_when_it_is_set_right():
    store = MetricStore()
    store.add_requests([finished()], ZONE, 5_000_000)
    store.add_requests([finished()], ZONE, 100)
    assert list(store.minutes) == [100]


def test_memory_stays_the_same_after_three_hours():
    groups = [f"targetgroup/g{number}/{number:016x}" for number in range(4)]
    # Response times of all lengths: every histogram is as wide as it gets.
    records = [finished(group=group, took_s=0.0001 * 3**step) for group in groups for step in range(16)]
    hosts = [HostCounts(BALANCER, group, ZONE, healthy=2, unhealthy=0, registered=2) for group in groups]
    store = MetricStore()

    def run(minutes):
        for minute in minutes:
            store.add_requests(records, ZONE, minute)
            store.add_hosts(hosts, minute)

    tracemalloc.start()
    try:
        run(range(KEPT_MINUTES))
        gc.collect()
        full, _ = tracemalloc.get_traced_memory()
        run(range(KEPT_MINUTES, 3 * KEPT_MINUTES))
        gc.collect()
        later, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert later - full < 64 * 1024
    # Both zones and whole groups are sampled, so each group takes a cell and two sets of samples a minute.
    assert full < KEPT_MINUTES * len(groups) * 5000


def test_target_groups_that_come_and_go_do_not_pile_up():
    store = MetricStore()
    for minute in range(2 * KEPT_MINUTES):
        store.add_requests([finished(group=f"targetgroup/g/{minute:016x}")], ZONE, minute)
    assert len(store.totals) <= KEPT_MINUTES + 1


def test_beyond_the_most_cells_requests_count_for_the_load_balancer():
    store = MetricStore()
    number = MOST_CELLS + 50
    store.add_requests([finished(group=f"targetgroup/g/{each:016x}") for each in range(number)], ZONE, 7)
    cells = store.minutes[7].cells
    assert len(cells) == MOST_CELLS + 1
    assert cells[Key(BALANCER, ZONE, "", "")].counts[COUNTERS["RequestCount"]] == 50
    (point,) = get_statistics(store, "RequestCount", {"LoadBalancer": BALANCER}, 0, 1e4, 60, ["Sum"])
    assert point.values["Sum"] == number


def test_connections_are_counted_once_and_the_peak_is_kept():
    store, counts = MetricStore(), ConnectionCounts()
    for _ in range(5):
        counts.opened()
    for _ in range(3):
        counts.closed()
    counts.rejected()
    for _ in range(3):
        store.add_connections(BALANCER, ZONE, counts, 100)
    store.add_connections(BALANCER, ZONE, counts, 101)
    counts.closed()
    counts.closed()
    store.add_connections(BALANCER, ZONE, counts, 101)
    store.add_connections(BALANCER, ZONE, counts, 102)
    key = Key(BALANCER, ZONE, "", "")

    def of(cell):
        names = ("ActiveConnectionCount", "NewConnectionCount", "RejectedConnectionCount")
        return [cell.counts[COUNTERS[name]] for name in names]

    assert of(store.minutes[100].cells[key]) == [5, 5, 1]
    assert of(store.minutes[101].cells[key]) == [2, 0, 0]
    assert 102 not in store.minutes
    assert of(store.totals[key]) == [0, 5, 1]


@pytest.mark.parametrize("steps", [[1, 1, -1], [1, -1, 1, -1], [1, 1, 1, -1, -1, -1, 1]])
def test_connection_peaks_are_those_between_two_looks(steps):
    store, counts = MetricStore(), ConnectionCounts()
    peak = active = 0
    for step in steps:
        (counts.opened if step > 0 else counts.closed)()
        active += step
        peak = max(peak, active)
    store.add_connections(BALANCER, ZONE, counts, 1)
    assert store.minutes[1].cells[Key(BALANCER, ZONE, "", "")].counts[COUNTERS["ActiveConnectionCount"]] == peak
    assert counts.active == active
