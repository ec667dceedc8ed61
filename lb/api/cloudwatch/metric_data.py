"""GetMetricData: many metrics in one call, and math over them."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.cloudwatch.expressions import Calculator, ExpressionError, Series
from lb.api.cloudwatch.points import read_points, read_range
from lb.api.wire.paginate import Paging, page
from lb.observe.metrics.query import is_statistic

_ERROR: Final = "ValidationError"
_MOST_QUERIES: Final = 500
_ID_PATTERN: Final = "^[a-z][a-zA-Z0-9_]*$"
_PAGING: Final = Paging("MaxDatapoints", "NextToken", 100_800, "InvalidNextToken", "NextToken")
_MINUTE_S: Final = 60


def get_metric_data(call: Call, params: Params) -> Result:
    """A result for each query that returns data; the latest datapoint first unless `ScanBy` says otherwise."""
    queries = {query["Id"]: query for query in _checked(params["MetricDataQueries"])}
    answers = _Answers(call, params, queries)
    asked = [query for query in queries.values() if query.get("ReturnData", True)]
    is_latest_first = params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    points = [
        (query["Id"], moment, value)
        for query in asked
        for moment, value in sorted(answers.series(query["Id"]).points.items(), reverse=is_latest_first)
    ]
    part, token = page(points, params, _PAGING, lambda point: f"{point[0]} {point[1]}")
    cut = part[-1][0] if token is not None and part else None
    results = [_result(query, part, "PartialData" if query["Id"] == cut else "Complete") for query in asked]
    answer: dict[str, Any] = {"MetricDataResults": results, "Messages": []}
    return answer if token is None else {**answer, "NextToken": token}


class _Answers:
    """The series of queries, each computed once when first needed."""

    def __init__(self, call: Call, params: Params, queries: Mapping[str, Mapping[str, Any]]) -> None:
        self._call = call
        self._start: datetime = params["StartTime"]
        self._end: datetime = params["EndTime"]
        self._queries = queries
        self._calculator = Calculator(self._named, self._metrics)
        self._known: dict[str, Series] = {}
        self._pending: set[str] = set()

    def series(self, query_id: str) -> Series:
        """The series of a query. Raises ApiError."""
        if (known := self._known.get(query_id)) is not None:
            return known
        query = self._queries[query_id]
        self._pending.add(query_id)
        try:
            found = self._measured(query["MetricStat"]) if "MetricStat" in query else self._computed(query)
        finally:
            self._pending.discard(query_id)
        self._known[query_id] = found
        return found

    def _measured(self, asked: Mapping[str, Any]) -> Series:
        given = read_range(self._start, self._end, asked["Period"], time_error=_ERROR, period_error=_ERROR)
        statistic: str = asked["Stat"]
        points = read_points(self._call, asked["Metric"], asked.get("Unit"), given, [statistic])
        first = int(given.start_s // _MINUTE_S) * _MINUTE_S
        moments = range(first, math.ceil(given.end_s), given.period_s)
        return Series({each.timestamp_s: each.values[statistic] for each in points if each.values}, moments)

    def _computed(self, query: Mapping[str, Any]) -> Series:
        try:
            return self._calculator.compute(query["Expression"])
        except ExpressionError as error:
            raise ApiError(_ERROR, f"Error in expression '{query['Id']}': {error}") from error

    def _named(self, query_id: str) -> Series:
        if query_id not in self._queries:
            raise ExpressionError(f"'{query_id}' is the id of no query")
        if query_id in self._pending:
            raise ExpressionError(f"it goes in a circle over '{query_id}'")
        return self.series(query_id)

    def _metrics(self) -> Sequence[Series]:
        return [self.series(query_id) for query_id, query in self._queries.items() if "MetricStat" in query]


def _checked(queries: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    if len(queries) > _MOST_QUERIES:
        message = f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES}."
        raise ApiError(_ERROR, message)
    if len({query["Id"] for query in queries}) < len(queries):
        raise ApiError(_ERROR, "The values for parameter id in MetricDataQueries are not unique.")
    if queries and not any(query.get("ReturnData", True) for query in queries):
        raise ApiError(_ERROR, "At least one of the MetricDataQueries must have ReturnData true.")
    for place, query in enumerate(queries, 1):
        _check(query, f"MetricDataQueries.member.{place}")
    return queries


def _check(query: Mapping[str, Any], path: str) -> None:
    if re.fullmatch(_ID_PATTERN, query["Id"], re.ASCII) is None:
        message = f"The value {query['Id']} for parameter {path}.Id is not matching the expected pattern {_ID_PATTERN}"
        raise ApiError(_ERROR, message)
    if ("MetricStat" in query) == ("Expression" in query):
        message = f"Exactly one of {path}.MetricStat and {path}.Expression must be specified."
        raise ApiError(_ERROR, message)
    if "MetricStat" not in query:
        return
    for member in ("Namespace", "MetricName"):
        if member not in query["MetricStat"]["Metric"]:
            raise ApiError(_ERROR, f"The parameter {path}.MetricStat.Metric.{member} is required.")
    statistic = query["MetricStat"]["Stat"]
    if not is_statistic(statistic):
        message = f"The value {statistic} for parameter {path}.MetricStat.Stat is not supported."
        raise ApiError(_ERROR, message)


def _result(query: Mapping[str, Any], part: Iterable[tuple[str, int, float]], status: str) -> Mapping[str, Any]:
    name = query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"]
    points = [(moment, value) for query_id, moment, value in part if query_id == query["Id"]]
    return {
        "Id": query["Id"],
        "Label": query.get("Label", name),
        "Timestamps": [datetime.fromtimestamp(moment, UTC) for moment, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": status,
    }


OPERATIONS: Final[Operations] = {"GetMetricData": get_metric_data}
