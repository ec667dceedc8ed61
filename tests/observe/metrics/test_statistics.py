"""CloudWatch's questions: statistics, dimensions, periods, and which metrics there are."""

from types import SimpleNamespace

import pytest

from lb.model.metric_table import Unit
from lb.model.reasons import TargetState
from lb.observe.metrics.hosts import HostCounts, count_hosts
from lb.observe.metrics.query import get_statistics, list_metrics
from lb.observe.metrics.store import ConnectionCounts, MetricStore
from lb.routing.plan import Choosing
from lb.targets.anomaly import Standing
from lb.targets.health import Health
from tests.observe.metrics.made import BALANCER, GROUP, ZONE, finished

L = {"LoadBalancer": BALANCER}
AL = {**L, "AvailabilityZone": ZONE}
T = {**L, "TargetGroup": GROUP}
AT = {**T, "AvailabilityZone": ZONE}
TG = {"TargetGroup": GROUP}
ALL_STATISTICS = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]


def target(zone, state, standing=None):
    """What is read of a target in a roster."""
    return SimpleNamespace(zone=zone, health=Health(TargetState(state)), standing=standing or Standing())


def store_of(*minutes, zone=ZONE):
    """Requests by minute, from minute 10 on."""
    store = MetricStore()
    for minute, records in enumerate(minutes, 10):
        store.add_requests(records, zone, minute)
    return store


def ask(store, name, dimensions, *statistics, start_s=0, end_s=6000, period_s=60):
    points = get_statistics(store, name, dimensions, start_s, end_s, period_s, statistics or ["Sum"])
    if statistics:
        return [(point.timestamp_s, dict(point.values)) for point in points]
    return [(point.timestamp_s, point.values["Sum"]) for point in points]


@pytest.mark.parametrize("dimensions", [L, AL, T, AT], ids=["L", "AL", "T", "AT"])
def test_requests_have_one_sample_of_1_each(dimensions):
    store = store_of([finished()] * 3)
    values = {"SampleCount": 3, "Average": 1, "Sum": 3, "Minimum": 1, "Maximum": 1, "p99": 1}
    assert ask(store, "RequestCount", dimensions, *ALL_STATISTICS, "p99") == [(600, values)]


@pytest.mark.parametrize(
    ("name", "dimensions"),
    [
        ("NoSuchCount", L),
        ("RequestCount", {}),
        ("RequestCount", {"AvailabilityZone": ZONE}),
        ("RequestCount", {**L, "Other": "x"}),
        ("RequestCount", {"LoadBalancer": "app/other/0000000000000000"}),
        ("RequestCount", {**T, "TargetGroup": ""}),
        ("RequestCount", {**AL, "AvailabilityZone": "us-east-1b"}),
        ("HTTPCode_ELB_5XX_Count", T),
        ("ProcessedBytes", T),
        ("RuleEvaluations", AL),
        ("ForwardedInvalidHeaderRequestCount", L),
        ("HealthyHostCount", L),
        ("HTTPCode_ELB_5XX_Count", L),
    ],
)
def test_what_is_not_there_has_no_points(name, dimensions):
    assert ask(store_of([finished()]), name, dimensions) == []


def test_metrics_that_are_always_reported_are_zero_where_there_was_other_traffic():
    store = store_of([finished(target="", target_status=0, status=503, sent=False)])
    assert ask(store, "RequestCount", L, *ALL_STATISTICS) == [
        (600, {"SampleCount": 1, "Average": 0, "Sum": 0, "Minimum": 0, "Maximum": 0})
    ]
    assert ask(store, "ForwardedInvalidHeaderRequestCount", AL) == [(600, 0)]
    assert ask(store, "HTTPCode_Target_2XX_Count", L) == []
    assert ask(store, "HTTPCode_ELB_503_Count", L) == [(600, 1)]


def test_periods_are_counted_from_the_start_rounded_down():
    store = store_of(*([finished()] * number for number in (1, 2, 3, 4)))  # minutes 10 to 13
    assert ask(store, "RequestCount", L) == [(600, 1), (660, 2), (720, 3), (780, 4)]
    assert ask(store, "RequestCount", L, start_s=600, period_s=120) == [(600, 3), (720, 7)]
    assert ask(store, "RequestCount", L, start_s=599.5, period_s=120) == [(540, 1), (660, 5), (780, 4)]
    assert ask(store, "RequestCount", L, start_s=660, end_s=720) == [(660, 2)]
    assert ask(store, "RequestCount", L, start_s=660, end_s=721) == [(660, 2), (720, 3)]
    assert ask(store, "RequestCount", L, period_s=6000) == [(0, 10)]


@pytest.mark.parametrize(
    ("start_s", "end_s", "period_s", "statistic", "words"),
    [
        (0, 600, 0, "Sum", "period 0"),
        (0, 600, -60, "Sum", "period -60"),
        (0, 600, 90, "Sum", "period 90"),
        (600, 600, 60, "Sum", "end time"),
        (601, 600, 60, "Sum", "end time"),
        (0, 600, 60, "sum", "'sum'"),
        (0, 600, 60, "p101", "'p101'"),
        (0, 600, 60, "p", "'p'"),
        (0, 600, 60, "p99 ", "'p99 '"),
    ],
)
def test_questions_that_make_no_sense_are_refused(start_s, end_s, period_s, statistic, words):
    with pytest.raises(ValueError, match=words):
        get_statistics(MetricStore(), "RequestCount", L, start_s, end_s, period_s, [statistic])


def test_response_times():
    store = store_of([finished(took_s=number / 1000) for number in range(1, 101)])
    ((_, values),) = ask(store, "TargetResponseTime", T, *ALL_STATISTICS, "p50", "p99", "p100")
    assert (values["SampleCount"], values["Minimum"], values["Maximum"]) == (
        100,
        pytest.approx(0.001),
        pytest.approx(0.1),
    )
    assert values["Sum"] == pytest.approx(5.05)
    assert values["Average"] == pytest.approx(0.0505)
    assert values["p50"] == pytest.approx(0.050, rel=0.025)
    assert values["p99"] == pytest.approx(0.099, rel=0.025)
    assert values["p100"] == pytest.approx(0.1, rel=0.025)


def test_response_times_of_several_minutes_and_target_groups_come_together():
    other = "targetgroup/other/0000000000000001"
    store = store_of([finished(took_s=0.1)] * 9, [finished(took_s=1.0, group=other)])
    ((_, values),) = ask(store, "TargetResponseTime", L, "p90", "p91", "SampleCount", start_s=600, period_s=120)
    assert values == {"p90": pytest.approx(0.1, rel=0.025), "p91": pytest.approx(1.0, rel=0.025), "SampleCount": 10}


def test_bytes_and_rules_have_one_sample_for_each_node_and_minute():
    store = store_of([finished(received_bytes=1, sent_bytes=2, rules_evaluated=5)] * 2)
    store.add_requests([finished(received_bytes=10, sent_bytes=90, rules_evaluated=7)], "us-east-1b", 10)
    values = {"SampleCount": 2, "Average": 53, "Sum": 106, "Minimum": 6, "Maximum": 100}
    assert ask(store, "ProcessedBytes", L, *ALL_STATISTICS, "p50") == [(600, values)]
    assert ask(store, "ProcessedBytes", AL) == [(600, 6)]
    assert ask(store, "RuleEvaluations", L) == [(600, 17)]
    points = get_statistics(store, "ProcessedBytes", L, 0, 6000, 60, ["Sum"])
    assert [point.unit for point in points] == [Unit.BYTES]


def test_connections():
    store, counts = MetricStore(), ConnectionCounts()
    for _ in range(4):
        counts.opened()
    store.add_connections(BALANCER, ZONE, counts, 10)
    store.add_connections(BALANCER, ZONE, counts, 11)
    assert ask(store, "NewConnectionCount", L) == [(600, 4)]
    assert ask(store, "ActiveConnectionCount", AL) == [(600, 4), (660, 4)]
    assert ask(store, "ActiveConnectionCount", L, "Maximum", period_s=6000) == [(0, {"Maximum": 4})]
    assert ask(store, "RejectedConnectionCount", L) == []


def hosts(zone, healthy, unhealthy=0, **more):
    return HostCounts(BALANCER, GROUP, zone, healthy, unhealthy, healthy + unhealthy, **more)


def test_numbers_of_targets_are_sampled_zone_by_zone_and_as_a_whole():
    store = MetricStore()
    store.add_hosts([hosts(ZONE, 2), hosts("us-east-1b", 1, 1)], 10)
    store.add_hosts([hosts(ZONE, 1, 1), hosts("us-east-1b", 2)], 10)
    store.add_hosts([hosts(ZONE, 0, 2), hosts("us-east-1b", 2)], 10)
    levels = ("SampleCount", "Average", "Minimum", "Maximum")
    assert ask(store, "HealthyHostCount", AT, *levels) == [
        (600, {"SampleCount": 3, "Average": 1, "Minimum": 0, "Maximum": 2})
    ]
    ((_, whole),) = ask(store, "HealthyHostCount", T, *levels)
    assert whole == {"SampleCount": 3, "Average": pytest.approx(8 / 3), "Minimum": 2, "Maximum": 3}
    assert ask(store, "UnHealthyHostCount", T, "Maximum") == [(600, {"Maximum": 2})]


def test_metrics_of_targets_that_do_not_apply_have_no_points():
    store = MetricStore()
    store.add_hosts([hosts(ZONE, 2)], 10)
    for name in ("AnomalousHostCount", "MitigatedHostCount", "HealthyStateDNS", "UnhealthyStateRouting"):
        assert ask(store, name, T) == []
    healthy = hosts(ZONE, 3, anomalous=1, mitigated=0, dns_healthy=True, routing_healthy=True)
    failing = hosts("us-east-1b", 0, 3, anomalous=0, mitigated=0, dns_healthy=True, routing_healthy=False)
    store.add_hosts([healthy, failing], 11)
    for name, level in {
        "AnomalousHostCount": 1,
        "MitigatedHostCount": 0,
        "HealthyStateDNS": 2,
        "UnhealthyStateDNS": 0,
        "HealthyStateRouting": 1,
        "UnhealthyStateRouting": 1,
    }.items():
        assert ask(store, name, T, "Maximum") == [(660, {"Maximum": level})], name


@pytest.mark.parametrize("cross_zone", [True, False])
def test_targets_are_counted_by_zone_and_state(cross_zone):
    states = ("healthy", "healthy", "unhealthy", "initial", "draining")
    targets = [target("us-east-1b", "unhealthy"), *(target(ZONE, state) for state in states)]
    assert count_hosts(BALANCER, GROUP, targets, Choosing(cross_zone=cross_zone)) == [
        HostCounts(BALANCER, GROUP, ZONE, 2, 1, 4, dns_healthy=True, routing_healthy=True),
        HostCounts(BALANCER, GROUP, "us-east-1b", 0, 1, 1, dns_healthy=cross_zone, routing_healthy=cross_zone),
    ]


def test_enabled_zones_without_targets_have_a_state_and_zones_that_are_not_enabled_have_none():
    targets = [target(ZONE, "healthy"), target("us-east-1c", "unused")]
    choosing = Choosing(cross_zone=False, zones=(ZONE, "us-east-1b"))
    assert count_hosts(BALANCER, GROUP, targets, choosing) == [
        HostCounts(BALANCER, GROUP, ZONE, 1, 0, 1, dns_healthy=True, routing_healthy=True),
        HostCounts(BALANCER, GROUP, "us-east-1b", 0, 0, 0, dns_healthy=False, routing_healthy=False),
        HostCounts(BALANCER, GROUP, "us-east-1c", 0, 0, 1),
    ]


def test_targets_without_a_zone_are_counted_together():
    targets = [target(None, "healthy"), target("all", "healthy"), target(None, "initial")]
    assert count_hosts(BALANCER, GROUP, targets, Choosing()) == [
        HostCounts(BALANCER, GROUP, "", 2, 0, 3, dns_healthy=True, routing_healthy=True)
    ]
    assert count_hosts(BALANCER, GROUP, [], Choosing()) == []


@pytest.mark.parametrize(
    ("choosing", "healthy_enough"),
    [(Choosing(), True), (Choosing(healthy_count=3), False), (Choosing(healthy_percentage=67), False)],
)
def test_the_routing_state_follows_the_thresholds_of_the_group(choosing, healthy_enough):
    targets = [target(ZONE, "healthy"), target(ZONE, "healthy"), target(ZONE, "unhealthy")]
    (counts,) = count_hosts(BALANCER, GROUP, targets, choosing)
    assert (counts.routing_healthy, counts.dns_healthy) == (healthy_enough, True)


@pytest.mark.parametrize(
    ("choosing", "healthy_enough"),
    [
        (Choosing(dns_healthy_count=2), True),
        (Choosing(dns_healthy_count=3), False),
        (Choosing(dns_healthy_percentage=66), True),
        (Choosing(dns_healthy_percentage=67), False),
        (Choosing(dns_healthy_count=None, dns_healthy_percentage=67), False),
        (Choosing(dns_healthy_count=None), True),
    ],
)
def test_the_dns_state_follows_thresholds_of_its_own(choosing, healthy_enough):
    targets = [target(ZONE, "healthy"), target(ZONE, "healthy"), target(ZONE, "unhealthy")]
    (counts,) = count_hosts(BALANCER, GROUP, targets, choosing)
    assert (counts.dns_healthy, counts.routing_healthy) == (healthy_enough, True)


ODD, SLOWED = Standing(anomalous=True), Standing(anomalous=True, weight=0.5)


@pytest.mark.parametrize(
    ("healthy", "mitigation", "expected"),
    [(2, True, (None, None)), (3, False, (2, None)), (3, True, (2, 1))],
)
def test_anomalies_are_counted_where_they_are_looked_for(healthy, mitigation, expected):
    standings = [ODD, SLOWED, Standing()][:healthy]
    targets = [target(ZONE, "healthy", standing) for standing in standings]
    (counts,) = count_hosts(BALANCER, GROUP, targets, Choosing(anomaly_mitigation=mitigation))
    assert (counts.anomalous, counts.mitigated) == expected


@pytest.mark.parametrize(("healthy", "unhealthy", "expected"), [(2, 0, 3.0), (1, 1, 6.0), (0, 3, 2.0), (0, 0, None)])
def test_requests_per_target(healthy, unhealthy, expected):
    store = store_of([finished()] * 6)
    store.add_hosts([hosts("", healthy, unhealthy)], 10)
    points = [] if expected is None else [(600, expected)]
    assert ask(store, "RequestCountPerTarget", TG) == points
    assert ask(store, "RequestCountPerTarget", T) == points
    assert ask(store, "RequestCountPerTarget", AT) == []  # the targets are in no zone


def test_requests_per_target_in_one_zone():
    store = store_of([finished(target_zone=ZONE)] * 6 + [finished(target_zone="us-east-1b")] * 2)
    store.add_hosts([hosts(ZONE, 2), hosts("us-east-1b", 2)], 10)
    assert ask(store, "RequestCountPerTarget", AT) == [(600, 3)]
    assert ask(store, "RequestCountPerTarget", T) == [(600, 2)]


def test_listed_metrics_are_those_that_have_points():
    store = store_of([finished(marks=1)], [finished(status=503, target_status=0, target="", sent=False)])
    store.add_hosts([hosts(ZONE, 2)], 11)
    listed = list_metrics(store)
    names = {each.name for each in listed}
    assert {"RequestCount", "TargetResponseTime", "NonStickyRequestCount", "HTTPCode_ELB_503_Count"} <= names
    assert {"HealthyHostCount", "RequestCountPerTarget", "HTTPCode_Target_2XX_Count"} <= names
    assert not names & {"IPv6RequestCount", "HTTPCode_ELB_502_Count", "AnomalousHostCount", "ActiveConnectionCount"}
    assert [dict(each.dimensions) for each in listed if each.name == "RequestCount"] == [AL, AT, L, T]
    assert [dict(each.dimensions) for each in listed if each.name == "HealthyHostCount"] == [AT, T]
    for each in listed:
        assert ask(store, each.name, each.dimensions), each


def test_a_balancer_without_zones_has_no_zone_dimension():
    store = store_of([finished()], zone="")
    store.add_hosts([hosts("", 2)], 10)
    assert ask(store, "RequestCount", L) == ask(store, "RequestCount", T) == [(600, 1)]
    assert ask(store, "HealthyHostCount", T, "Average") == [(600, {"Average": 2})]
    assert all("AvailabilityZone" not in each.dimensions for each in list_metrics(store))
