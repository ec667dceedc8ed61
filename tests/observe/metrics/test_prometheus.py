"""Prometheus text: read back by Prometheus' own parser, and equal to what the store holds."""

import math

import pytest
from hypothesis import given, settings

from lb.model.metric_table import TABLE
from lb.observe.metrics.histogram import BOUNDS
from lb.observe.metrics.hosts import HostCounts
from lb.observe.metrics.prometheus import LATENCY_BOUNDS, exposed, prometheus_name, render
from lb.observe.metrics.store import ConnectionCounts, MetricStore
from lb.observe.metrics.tally import COUNTERS
from tests.observe.metrics.made import BALANCER, GROUP, ZONE, finished
from tests.observe.metrics.test_store import BATCHES

parser = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed")

WHO = {
    "load_balancer": BALANCER,
    "availability_zone": ZONE,
    "target_group": GROUP,
    "target_availability_zone": ZONE,
}


def families(store):
    return {family.name: family for family in parser.text_string_to_metric_families(render(store))}


def samples(store, name):
    """Labels and value of each sample with a name."""
    found = families(store).values()
    return [(each.labels, each.value) for family in found for each in family.samples if each.name == name]


def test_nothing_counted_is_an_empty_page():
    assert render(MetricStore()) == ""


def test_counters_have_help_type_and_their_finest_labels():
    store = MetricStore()
    store.add_requests([finished(rules_evaluated=3, sent_bytes=7)] * 2, ZONE, 10)
    store.add_requests([finished(rules_evaluated=3, sent_bytes=7)], ZONE, 11)
    family = families(store)["lb_request_count"]
    assert (family.type, family.documentation) == (
        "counter",
        "Requests for which a target could be chosen. ALB: RequestCount.",
    )
    assert samples(store, "lb_request_count_total") == [(WHO, 3)]
    assert samples(store, "lb_rule_evaluations_total") == [({"load_balancer": BALANCER}, 9)]
    node = {"load_balancer": BALANCER, "availability_zone": ZONE}
    assert samples(store, "lb_processed_bytes_total") == [(node, 21)]
    assert samples(store, "lb_http_code_elb_5xx_count_total") == [(node, 0)]
    assert samples(store, "lb_http_code_target_5xx_count_total") == [(WHO, 0)]


def test_response_times_are_a_histogram_with_exact_buckets():
    store = MetricStore()
    took = [0.0004, 0.001, 0.00101, 0.0025, 0.3, 61.0]
    store.add_requests([finished(sent=False, sent_at=1e-9, responded_at=1e-9 + each) for each in took], ZONE, 10)
    buckets = {float(labels["le"]): value for labels, value in samples(store, "lb_target_response_time_seconds_bucket")}
    assert list(buckets) == [*LATENCY_BOUNDS, math.inf]
    assert (buckets[0.0025], buckets[0.005], buckets[0.25], buckets[0.5], buckets[60.0], buckets[math.inf]) == (
        4,
        4,
        4,
        5,
        5,
        6,
    )
    assert samples(store, "lb_target_response_time_seconds_count") == [(WHO, 6)]
    ((_, total),) = samples(store, "lb_target_response_time_seconds_sum")
    assert total == pytest.approx(sum(took))


def test_the_bounds_of_the_buckets_are_bounds_of_the_histogram():
    assert set(LATENCY_BOUNDS) <= set(BOUNDS)


def test_targets_and_connections_are_gauges():
    store, counts = MetricStore(), ConnectionCounts()
    store.add_hosts([HostCounts(BALANCER, GROUP, ZONE, 2, 1, 3), HostCounts(BALANCER, GROUP, "", 1, 0, 1)], 10)
    counts.opened()
    counts.opened()
    counts.closed()
    store.add_connections(BALANCER, ZONE, counts, 10)
    group = {"load_balancer": BALANCER, "target_group": GROUP}
    assert samples(store, "lb_healthy_host_count") == [({**group, "target_availability_zone": ZONE}, 2), (group, 1)]
    assert families(store)["lb_healthy_host_count"].type == "gauge"
    node = {"load_balancer": BALANCER, "availability_zone": ZONE}
    assert samples(store, "lb_active_connection_count") == [(node, 1)]
    assert samples(store, "lb_new_connection_count_total") == [(node, 2)]
    assert "lb_anomalous_host_count" not in families(store)


@given(BATCHES)
@settings(max_examples=50, deadline=None)
def test_every_counter_adds_up_to_what_the_store_holds(batches):
    store = MetricStore()
    for minute, zone, records in batches:
        store.add_requests(records, zone, minute)
    found = families(store)
    for metric in exposed():
        if metric.name in COUNTERS and store.totals:
            name = prometheus_name(metric)
            total = sum(cell.counts[COUNTERS[metric.name]] for cell in store.totals.values())
            family = found.get(name.removesuffix("_total"))
            values = [each.value for each in family.samples] if family else []
            assert sum(values) == total, name
            if family:
                assert len({tuple(sorted(each.labels.items())) for each in family.samples}) == len(values), name


def test_names_are_distinct_and_well_formed():
    names = [prometheus_name(metric) for metric in TABLE]
    assert len(set(names)) == len(names)
    for name in names:
        assert name.startswith("lb_")
        assert name.replace("_", "").isalnum()
        assert name == name.lower()
        assert "__" not in name


def test_awkward_label_values_are_escaped():
    store = MetricStore()
    awkward = 'app/a"b\\c\nd/1'
    store.add_requests([finished(balancer=awkward)], "", 10)
    assert samples(store, "lb_rule_evaluations_total") == [({"load_balancer": awkward}, 0)]
