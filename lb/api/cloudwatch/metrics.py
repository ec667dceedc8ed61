"""Which metrics there are, and statistics of one of them."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.cloudwatch.points import Range, read_points, read_range
from lb.api.wire.paginate import CLOUDWATCH, paged
from lb.model.metric_table import NAMESPACE
from lb.observe.metrics.query import Datapoint, ListedMetric, is_statistic

_COMBINATION: Final = "InvalidParameterCombination"
_VALUE: Final = "InvalidParameterValue"
_MOST_POINTS: Final = 1440


def list_metrics(call: Call, params: Params) -> Result:
    """Metrics by namespace, name and dimensions; a dimension without a value means any value."""
    filters = params.get("Dimensions", ())
    found = [
        metric
        for metric in (call.live.metrics.list_metrics() if params.get("Namespace", NAMESPACE) == NAMESPACE else ())
        if params.get("MetricName", metric.name) == metric.name and _fits(metric, filters)
    ]
    return paged("Metrics", found, params, CLOUDWATCH, shown=_metric)


def get_metric_statistics(call: Call, params: Params) -> Result:
    """Statistics, or percentiles, of one metric; a point for each period that has any, oldest first."""
    statistics = _statistics(params)
    given = read_range(
        params["StartTime"], params["EndTime"], params["Period"], time_error=_COMBINATION, period_error=_VALUE
    )
    _refuse_too_many(given)
    points = read_points(call, params, params.get("Unit"), given, statistics)
    is_extended = "ExtendedStatistics" in params
    return {"Label": params["MetricName"], "Datapoints": [_datapoint(point, is_extended) for point in points]}


def _fits(metric: ListedMetric, filters: Sequence[Mapping[str, str]]) -> bool:
    return all(
        each["Name"] in metric.dimensions and each.get("Value") in (None, metric.dimensions[each["Name"]])
        for each in filters
    )


def _metric(metric: ListedMetric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions.items()]
    return {"Namespace": NAMESPACE, "MetricName": metric.name, "Dimensions": dimensions}


def _statistics(params: Params) -> Sequence[str]:
    plain: Sequence[str] = params.get("Statistics", ())
    extended: Sequence[str] = params.get("ExtendedStatistics", ())
    if not plain and not extended:
        message = "At least one of the parameters Statistics and ExtendedStatistics must be specified."
        raise ApiError(_COMBINATION, message)
    if plain and extended:
        message = "The parameters Statistics and ExtendedStatistics cannot be specified at the same time."
        raise ApiError(_COMBINATION, message)
    for name in extended:
        if not (name.startswith("p") and is_statistic(name)):
            message = (
                f"The value {name} for parameter ExtendedStatistics is not supported: give a percentile like p99.9."
            )
            raise ApiError(_VALUE, message)
    return plain or extended


def _refuse_too_many(given: Range) -> None:
    asked = math.ceil((given.end_s - given.start_s) / given.period_s)
    if asked > _MOST_POINTS:
        message = (
            f"You have requested up to {asked:,} datapoints, which exceeds the limit of {_MOST_POINTS:,}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
        raise ApiError(_COMBINATION, message)


def _datapoint(point: Datapoint, is_extended: bool) -> Mapping[str, Any]:
    values = {"ExtendedStatistics": point.values} if is_extended else point.values
    return {"Timestamp": datetime.fromtimestamp(point.timestamp_s, UTC), **values, "Unit": point.unit.value}


OPERATIONS: Final[Operations] = {"ListMetrics": list_metrics, "GetMetricStatistics": get_metric_statistics}
