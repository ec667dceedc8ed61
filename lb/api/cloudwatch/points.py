"""Datapoints for a question of CloudWatch's, and what CloudWatch refuses about times and periods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lb.api.call import ApiError, Call
from lb.model.metric_table import NAMESPACE
from lb.observe.metrics.query import Datapoint

_MINUTE_S: Final = 60
_SUB_MINUTE_S: Final = (1, 5, 10, 20, 30)


@dataclass(frozen=True, slots=True)
class Range:
    """From when to when, as epoch seconds, in periods of how many seconds."""

    start_s: float
    end_s: float
    period_s: int


def read_range(start: datetime, end: datetime, period_s: int, *, time_error: str, period_error: str) -> Range:
    """The range asked for. Raises ApiError with one of the codes."""
    if start >= end:
        raise ApiError(time_error, "The parameter StartTime must be less than the parameter EndTime.")
    if period_s not in _SUB_MINUTE_S and period_s % _MINUTE_S:
        allowed = f"a value in the set [ {', '.join(map(str, _SUB_MINUTE_S))} ] or must be a multiple of {_MINUTE_S}."
        raise ApiError(period_error, f"The parameter Period must be {allowed}")
    return Range(start.timestamp(), end.timestamp(), period_s)


def read_points(
    call: Call, metric: Mapping[str, Any], unit: str | None, given: Range, statistics: Sequence[str]
) -> list[Datapoint]:
    """Datapoints of `metric` (`Namespace`, `MetricName`, `Dimensions`), oldest first; none where nothing was measured so.

    Load balancers report once a minute: shorter periods have no points, and another unit than the metric's has none.
    """
    if metric["Namespace"] != NAMESPACE or given.period_s < _MINUTE_S:
        return []
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
    points = call.live.metrics.get_statistics(
        metric["MetricName"], dimensions, given.start_s, given.end_s, given.period_s, statistics
    )
    return [point for point in points if unit in (None, point.unit)]
