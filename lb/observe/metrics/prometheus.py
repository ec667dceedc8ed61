"""The same metrics as Prometheus text (exposition format 0.0.4): totals since the start, with names derived from ALB's. Pure.

Each metric comes with its finest labels only, so that sums over them count nothing twice. `availability_zone` is the
node's, `target_availability_zone` the target's; a label that would be empty is left out.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from lb.model.metric_table import TABLE, Dimensions, Kind, Metric
from lb.observe.metrics.histogram import Histogram
from lb.observe.metrics.hosts import LEVELS
from lb.observe.metrics.store import Key, MetricStore
from lb.observe.metrics.tally import COUNTERS

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

LATENCY_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram in seconds; each is a bound of `histogram.BOUNDS`, so the counts are exact."""

_WORD_STARTS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def prometheus_name(metric: Metric) -> str:
    """`RequestCount` -> `lb_request_count_total`, `TargetResponseTime` -> `lb_target_response_time_seconds`."""
    name = metric.name.replace("IPv6", "IPV6_").replace("UnHealthy", "Unhealthy")
    name = "lb_" + _WORD_STARTS.sub("_", name).lower()
    if metric.kind is Kind.TIMES:
        return name + "_seconds"
    return name + "_total" if metric.kind in (Kind.EACH_REQUEST, Kind.NODE_MINUTE) else name


def exposed() -> tuple[Metric, ...]:
    """The metrics that are exposed: all but RequestCountPerTarget, which is a quotient of two others."""
    return tuple(metric for metric in TABLE if metric.kind is not Kind.PER_TARGET)


def render(store: MetricStore) -> str:
    """The text of `/metrics`."""
    lines: list[str] = []
    for metric in exposed():
        samples = list(_samples(metric, store))
        if samples:
            name = prometheus_name(metric)
            lines.append(f"# HELP {name} {metric.meaning} ALB: {metric.name}.")
            lines.append(f"# TYPE {name} {_type(metric)}")
            lines.extend(samples)
    return "".join(f"{line}\n" for line in lines)


def _type(metric: Metric) -> str:
    if metric.kind is Kind.TIMES:
        return "histogram"
    return "gauge" if metric.kind in (Kind.HOSTS, Kind.PEAK) else "counter"


def _samples(metric: Metric, store: MetricStore) -> Iterator[str]:
    name = prometheus_name(metric)
    if metric.kind is Kind.HOSTS:
        place = LEVELS[metric.name]
        for key, found in store.latest_hosts.items():
            if key.zone is not None and place in found:
                labels = _labels(Key(key.load_balancer, "", key.target_group, key.zone))
                yield f"{name}{{{labels}}} {found[place]}"
    elif metric.kind is Kind.TIMES:
        for cell_key, cell in store.totals.items():
            if cell_key.target_group:
                yield from _histogram(name, _labels(cell_key), cell.times)
    else:
        yield from _counters(metric, name, store)


def _counters(metric: Metric, name: str, store: MetricStore) -> Iterator[str]:
    place, finest = COUNTERS[metric.name], _finest(metric)
    totals: dict[Key, int] = {}
    for cell_key, cell in store.totals.items():
        key = finest(cell_key)
        number = cell.counts[place]
        # A zero says "none so far" where there may be some; not every load balancer's own cell has target groups.
        if number or not _is_foreign(metric, cell_key):
            totals[key] = totals.get(key, 0) + number
    for key, number in totals.items():
        yield f"{name}{{{_labels(key)}}} {number}"


def _is_foreign(metric: Metric, key: Key) -> bool:
    return Dimensions.T in metric.dimensions and not key.target_group


def _finest(metric: Metric) -> Callable[[Key], Key]:
    """What of a cell's key tells apart the series of a metric."""
    sets = metric.dimensions
    if Dimensions.AT in sets and Dimensions.AL in sets:
        return lambda key: key
    if Dimensions.AT in sets:
        return lambda key: Key(key.load_balancer, "", key.target_group, key.target_zone)
    if Dimensions.AL in sets:
        return lambda key: Key(key.load_balancer, key.zone, "", "")
    return lambda key: Key(key.load_balancer, "", "", "")


def _histogram(name: str, labels: str, times: Histogram) -> Iterator[str]:
    for bound in LATENCY_BOUNDS:
        yield f'{name}_bucket{{{labels},le="{bound}"}} {times.at_most(bound)}'
    yield f'{name}_bucket{{{labels},le="+Inf"}} {times.count}'
    yield f"{name}_sum{{{labels}}} {times.total!r}"
    yield f"{name}_count{{{labels}}} {times.count}"


def _labels(key: Key) -> str:
    values = {
        "load_balancer": key.load_balancer,
        "availability_zone": key.zone,
        "target_group": key.target_group,
        "target_availability_zone": key.target_zone,
    }
    return ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in values.items() if value)
