"""CloudWatch's questions, answered from the store: statistics of a metric over time, and which metrics there are. Pure."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lb.model.metric_table import BY_NAME, TABLE, Dimensions, Kind, Metric, Reported, Unit
from lb.observe.metrics.histogram import Histogram
from lb.observe.metrics.hosts import LEVELS, REGISTERED
from lb.observe.metrics.store import Cell, HostKey, Key, MetricStore, Minute
from lb.observe.metrics.tally import COUNTERS

STATISTICS: Final = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
"""What can be asked for, besides percentiles such as `p50` and `p99.9`."""

_PERCENTILE: Final = re.compile(r"p(\d{1,3}(?:\.\d{1,10})?)")
_MINUTE_S: Final = 60
_REQUESTS: Final = COUNTERS["RequestCount"]


@dataclass(frozen=True, slots=True)
class Datapoint:
    """One period. `values` has the statistics asked for, less those that cannot be told of this metric."""

    timestamp_s: int
    unit: Unit
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ListedMetric:
    """A metric that has had points, with one of its sets of dimensions."""

    name: str
    dimensions: Mapping[str, str]


class _Samples:
    """Samples of one period."""

    __slots__ = ("count", "highest", "lowest", "times", "total")

    def __init__(self) -> None:
        self.count = 0.0
        self.total = 0.0
        self.lowest = math.inf
        self.highest = -math.inf
        self.times = Histogram()

    def add(self, count: float, total: float, lowest: float, highest: float) -> None:
        self.count += count
        self.total += total
        self.lowest = min(self.lowest, lowest)
        self.highest = max(self.highest, highest)

    def statistic(self, name: str) -> float | None:
        """One statistic; None where it cannot be told."""
        if found := _PERCENTILE.fullmatch(name):
            if self.times.count:
                return self.times.percentile(float(found[1]))
            return self.lowest if self.lowest == self.highest else None
        return {
            "SampleCount": self.count,
            "Average": self.total / self.count,
            "Sum": self.total,
            "Minimum": self.lowest,
            "Maximum": self.highest,
        }[name]


def get_statistics(
    store: MetricStore,
    name: str,
    dimensions: Mapping[str, str],
    start_s: float,
    end_s: float,
    period_s: int,
    statistics: Sequence[str],
) -> list[Datapoint]:
    """Statistics of a metric, one point for each period that has any, oldest first.

    `start_s` (inclusive, rounded down to the minute) and `end_s` (exclusive) are epoch seconds; periods are counted from
    the start. `dimensions` must be one of the metric's sets. As from CloudWatch, an unknown metric or set has no points.

    Raises ValueError for a period that is not a positive multiple of 60, an end that is not after the start, or an unknown
    statistic.
    """
    if period_s <= 0 or period_s % _MINUTE_S:
        raise ValueError(f"period {period_s} must be a positive multiple of {_MINUTE_S}")
    if end_s <= start_s:
        raise ValueError("the end time must be after the start time")
    for statistic in statistics:
        if not is_statistic(statistic):
            raise ValueError(
                f"statistic '{statistic}' must be one of {', '.join(STATISTICS)}, or a percentile like p99.9"
            )
    metric = BY_NAME.get(name)
    if metric is None:
        return []
    chosen = next((each for each in metric.dimensions if set(each.value) == dimensions.keys()), None)
    if chosen is None:
        return []
    first = math.floor(start_s / _MINUTE_S)
    periods: dict[int, _Samples] = {}
    for minute, kept in store.between(first, math.ceil(end_s / _MINUTE_S)):
        begin = first * _MINUTE_S + (minute - first) * _MINUTE_S // period_s * period_s
        samples = periods.setdefault(begin, _Samples())
        _ADD[metric.kind](samples, metric, chosen, dimensions, kept)
    return [
        Datapoint(begin, metric.unit, _values(samples, statistics))
        for begin, samples in periods.items()
        if samples.count
    ]


def is_statistic(name: str) -> bool:
    """Whether `get_statistics` knows it."""
    found = _PERCENTILE.fullmatch(name)
    return float(found[1]) <= 100 if found else name in STATISTICS


def _values(samples: _Samples, statistics: Sequence[str]) -> dict[str, float]:
    found = {name: samples.statistic(name) for name in statistics}
    return {name: value for name, value in found.items() if value is not None}


def _dimensions(chosen: Dimensions, key: Key) -> dict[str, str] | None:
    """The dimensions of a cell in one set; None where the cell has no part in it.

    AvailabilityZone is the node's, and the target's where the target group is given too (assumed).
    """
    zone = key.target_zone if chosen is Dimensions.AT else key.zone
    values = {"LoadBalancer": key.load_balancer, "AvailabilityZone": zone, "TargetGroup": key.target_group}
    found = {name: values[name] for name in chosen.value}
    return found if all(found.values()) else None


def _cells(chosen: Dimensions, dimensions: Mapping[str, str], kept: Minute) -> Iterator[tuple[Key, Cell]]:
    for key, cell in kept.cells.items():
        if _dimensions(chosen, key) == dimensions:
            yield key, cell


def _add_requests(
    samples: _Samples, metric: Metric, chosen: Dimensions, dimensions: Mapping[str, str], kept: Minute
) -> None:
    place = COUNTERS[metric.name]
    numbers = [cell.counts[place] for _, cell in _cells(chosen, dimensions, kept)]
    if total := sum(numbers):
        samples.add(total, total, 1.0, 1.0)
    elif numbers and metric.reported is Reported.ALWAYS:
        samples.add(1, 0, 0.0, 0.0)


def _add_nodes(
    samples: _Samples, metric: Metric, chosen: Dimensions, dimensions: Mapping[str, str], kept: Minute
) -> None:
    place = COUNTERS[metric.name]
    nodes: dict[str, int] = {}
    for key, cell in _cells(chosen, dimensions, kept):
        nodes[key.zone] = nodes.get(key.zone, 0) + cell.counts[place]
    for total in nodes.values():
        if total:
            samples.add(1, total, total, total)


def _add_times(
    samples: _Samples, metric: Metric, chosen: Dimensions, dimensions: Mapping[str, str], kept: Minute
) -> None:
    for _, cell in _cells(chosen, dimensions, kept):
        times = cell.times
        if times.count:
            samples.add(times.count, times.total, times.lowest, times.highest)
            samples.times.merge(times)


def _add_hosts(
    samples: _Samples, metric: Metric, chosen: Dimensions, dimensions: Mapping[str, str], kept: Minute
) -> None:
    key = HostKey(dimensions["LoadBalancer"], dimensions["TargetGroup"], dimensions.get("AvailabilityZone"))
    if found := kept.hosts.get(key):
        count, total, lowest, highest = found.of(LEVELS[metric.name])
        if count:
            samples.add(count, total, lowest, highest)


def _add_per_target(
    samples: _Samples, metric: Metric, chosen: Dimensions, dimensions: Mapping[str, str], kept: Minute
) -> None:
    numbers = [cell.counts[_REQUESTS] for _, cell in _cells(chosen, dimensions, kept)]
    targets = _targets(dimensions, kept)
    if numbers and targets:
        each = sum(numbers) / targets
        samples.add(1, each, each, each)


def _targets(dimensions: Mapping[str, str], kept: Minute) -> float:
    """The healthy targets of the minute, on average; the registered ones where none was healthy."""
    load_balancer, zone = dimensions.get("LoadBalancer"), dimensions.get("AvailabilityZone")
    found = [
        samples
        for key, samples in kept.hosts.items()
        if key.target_group == dimensions["TargetGroup"]
        and key.zone == zone
        and load_balancer in (None, key.load_balancer)
    ]
    for place in (LEVELS["HealthyHostCount"], REGISTERED):
        means = [total / count for count, total, _, _ in (samples.of(place) for samples in found) if count]
        if mean := max(means, default=0.0):
            return mean
    return 0.0


_ADD: Final = {
    Kind.EACH_REQUEST: _add_requests,
    Kind.NODE_MINUTE: _add_nodes,
    Kind.PEAK: _add_nodes,
    Kind.TIMES: _add_times,
    Kind.HOSTS: _add_hosts,
    Kind.PER_TARGET: _add_per_target,
}


def list_metrics(store: MetricStore) -> list[ListedMetric]:
    """Every metric that has points, once for each set of dimensions; ordered by name, then by dimensions."""
    found = {
        (metric.name, tuple(dimensions.items())) for metric in TABLE for dimensions in _listed_dimensions(store, metric)
    }
    return [ListedMetric(name, dict(dimensions)) for name, dimensions in sorted(found)]


def _listed_dimensions(store: MetricStore, metric: Metric) -> Iterable[dict[str, str]]:
    if metric.kind is Kind.HOSTS:
        for key, found in store.latest_hosts.items():
            if LEVELS[metric.name] in found and key.zone != "":
                zone = {} if key.zone is None else {"AvailabilityZone": key.zone}
                yield {**zone, "LoadBalancer": key.load_balancer, "TargetGroup": key.target_group}
        return
    for cell_key, cell in store.totals.items():
        if _has_points(metric, cell):
            for chosen in metric.dimensions:
                if dimensions := _dimensions(chosen, cell_key):
                    yield dimensions


def _has_points(metric: Metric, cell: Cell) -> bool:
    if metric.kind is Kind.TIMES:
        return cell.times.count > 0
    if metric.kind is Kind.PER_TARGET:
        return cell.counts[_REQUESTS] > 0
    return metric.reported is Reported.ALWAYS or cell.counts[COUNTERS[metric.name]] > 0
