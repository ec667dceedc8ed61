from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lb.model.metric_table import Unit
from lb.observe.metrics.query import Datapoint
from tests.api.aws_call import Aws
from tests.api.service import Service

START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
AT = int(START.timestamp())
RANGE: dict[str, Any] = {"StartTime": START, "EndTime": START + timedelta(minutes=4)}


def stat(query_id: str, metric: str, statistic: str = "Sum", **more: Any) -> dict[str, Any]:
    asked = {"Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": metric}, "Period": 60, "Stat": statistic}
    return {"Id": query_id, "MetricStat": asked, **more}


REQUESTS = stat("m1", "RequestCount", ReturnData=False)
ERRORS = stat("m2", "HTTPCode_ELB_5XX_Count", ReturnData=False)


def math(expression: str, query_id: str = "e1", **more: Any) -> dict[str, Any]:
    return {"Id": query_id, "Expression": expression, **more}


@pytest.fixture
def cloudwatch(aws: Aws) -> Service:
    """Requests in minutes 0 to 3, errors in minutes 1 and 3."""

    def points(values: dict[int, float]) -> list[Datapoint]:
        return [Datapoint(AT + 60 * minute, Unit.COUNT, {"Sum": value}) for minute, value in values.items()]

    aws.live.metrics.points = {
        "RequestCount": points({0: 10.0, 1: 20.0, 2: 0.0, 3: 40.0}),
        "HTTPCode_ELB_5XX_Count": points({1: 2.0, 3: 4.0}),
    }
    return Service(aws, "cloudwatch")


def values(cloudwatch: Service, *queries: dict[str, Any]) -> dict[int, float]:
    """The one result that returns data, by minute."""
    (result,) = cloudwatch("GetMetricData", MetricDataQueries=list(queries), **RANGE)["MetricDataResults"]
    minutes = [int((moment - START).total_seconds() // 60) for moment in result["Timestamps"]]
    return dict(zip(minutes, result["Values"], strict=True))


def test_several_metrics_come_in_one_answer_latest_first(cloudwatch: Service):
    queries = [stat("m1", "RequestCount"), stat("m2", "HTTPCode_ELB_5XX_Count", Label="errors")]
    requests, errors = cloudwatch("GetMetricData", MetricDataQueries=queries, **RANGE)["MetricDataResults"]
    assert (requests["Id"], requests["Label"], requests["StatusCode"]) == ("m1", "RequestCount", "Complete")
    assert requests["Values"] == [40.0, 0.0, 20.0, 10.0]
    assert requests["Timestamps"][0] == START + timedelta(minutes=3)
    assert (errors["Label"], errors["Values"]) == ("errors", [4.0, 2.0])


def test_or_oldest_first(cloudwatch: Service):
    asked = {**RANGE, "ScanBy": "TimestampAscending", "MetricDataQueries": [stat("m1", "RequestCount")]}
    (result,) = cloudwatch("GetMetricData", **asked)["MetricDataResults"]
    assert result["Values"] == [10.0, 20.0, 0.0, 40.0]


def test_a_percentile_is_a_statistic(cloudwatch: Service, aws: Aws):
    aws.live.metrics.points["TargetResponseTime"] = [
        Datapoint(AT, Unit.SECONDS, {"p99.9": 0.25}),
        Datapoint(AT + 60, Unit.SECONDS, {}),
    ]
    assert values(cloudwatch, stat("m1", "TargetResponseTime", "p99.9")) == {0: 0.25}


MATH = {
    "m1 + m2": {1: 22.0, 3: 44.0},
    "100 * m2 / m1": {1: 10.0, 3: 10.0},
    "m1 / m1": {0: 1.0, 1: 1.0, 3: 1.0},
    "-(m1 - 5)": {0: -5.0, 1: -15.0, 2: 5.0, 3: -35.0},
    "FILL(m2, 0)": {0: 0.0, 1: 2.0, 2: 0.0, 3: 4.0},
    "FILL(m2, 0) + m1": {0: 10.0, 1: 22.0, 2: 0.0, 3: 44.0},
    "SUM([m1, m2])": {0: 10.0, 1: 22.0, 2: 0.0, 3: 44.0},
    "SUM(METRICS())": {0: 10.0, 1: 22.0, 2: 0.0, 3: 44.0},
    "AVG(METRICS())": {0: 10.0, 1: 11.0, 2: 0.0, 3: 22.0},
    "MIN([m1, m2])": {0: 10.0, 1: 2.0, 2: 0.0, 3: 4.0},
    "m2 / MAX(m2)": {1: 0.5, 3: 1.0},
    "m2 - AVG(m2)": {1: -1.0, 3: 1.0},
    "m2 * SUM(2)": {1: 4.0, 3: 8.0},
    "m2 * (SUM(m2) + 2 / 2)": {1: 14.0, 3: 28.0},
}


@pytest.mark.parametrize(("expression", "expected"), MATH.items(), ids=MATH)
def test_math(cloudwatch: Service, expression: str, expected: dict[int, float]):
    assert values(cloudwatch, REQUESTS, ERRORS, math(expression)) == expected


def test_an_expression_uses_another_whatever_their_order(cloudwatch: Service):
    rate = math("m2 / m1", "rate", ReturnData=False)
    assert values(cloudwatch, math("rate * 100"), rate, REQUESTS, ERRORS) == {1: 10.0, 3: 10.0}


UNSERVED = {
    "m3": "'m3' is the id of no query",
    "e1 + 1": "it goes in a circle over 'e1'",
    "e2": "it goes in a circle over 'e1'",
    "1 + 1": "it must result in one time series",
    "METRICS()": "it must result in one time series",
    "METRICS() * 2": "an array can only be given to a function",
    "m1 * (1 / 0)": "a number in it is divided by zero or too great",
    "1e308 * 10 * m1": "a number in it is divided by zero or too great",
    "AVG([])": "an array in it is empty",
    "FILL(m2, m1)": "FILL is served with a number only",
    "FILL(2, 0)": "'2' must be a time series",
    "m1 *": "it cannot be read",
    "1" + "0" * 400 + " * m1": "a number in it is too great",
    "m1 ** 2": "'m1 ** 2' is not served",
    "RATE(m1)": "RATE with 1 arguments is not served",
    "SUM(m1, m2)": "SUM with 2 arguments is not served",
    "SEARCH('{AWS/ApplicationELB} x', 'Sum')": "SEARCH with 2 arguments is not served",
    "m1.real": "'m1.real' is not served",
    "True": "'True' is not served",
    "1if m1 else 2": "it cannot be read",
    "-" * 2000 + "m1": "it cannot be read",
    "(" * 2000: "it cannot be read",
    "1" + "+1" * 1000: "it cannot be read",
}


@pytest.mark.parametrize(("expression", "reason"), UNSERVED.items(), ids=[text[:40] for text in UNSERVED])
def test_math_that_is_refused(cloudwatch: Service, expression: str, reason: str):
    queries = [REQUESTS, ERRORS, math(expression), math("e1", "e2", ReturnData=False)]
    error = cloudwatch.refused("GetMetricData", MetricDataQueries=queries, **RANGE)
    assert error.code == "ValidationError"
    assert error.message.startswith("Error in expression 'e")
    assert reason in error.message


def test_a_total_over_nothing_is_refused(cloudwatch: Service):
    queries = [REQUESTS, stat("m3", "Nothing", ReturnData=False), math("m1 / SUM(m3)")]
    error = cloudwatch.refused("GetMetricData", MetricDataQueries=queries, **RANGE)
    assert error.message == "Error in expression 'e1': a time series in it has no data"


def test_the_work_of_a_call_is_bounded(cloudwatch: Service):
    century = {"StartTime": START - timedelta(days=36500), "EndTime": START}
    error = cloudwatch.refused("GetMetricData", MetricDataQueries=[REQUESTS, math("FILL(m1, 0)")], **century)
    assert "1,000,000 datapoints" in error.message


def test_datapoints_come_in_pages(cloudwatch: Service):
    asked = {**RANGE, "MetricDataQueries": [stat("m1", "RequestCount"), stat("m2", "HTTPCode_ELB_5XX_Count")]}
    first = cloudwatch("GetMetricData", MaxDatapoints=3, **asked)
    assert [each["Values"] for each in first["MetricDataResults"]] == [[40.0, 0.0, 20.0], []]
    assert [each["StatusCode"] for each in first["MetricDataResults"]] == ["PartialData", "Complete"]
    second = cloudwatch("GetMetricData", MaxDatapoints=3, NextToken=first["NextToken"], **asked)
    assert [each["Values"] for each in second["MetricDataResults"]] == [[10.0], [4.0, 2.0]]
    assert "NextToken" not in second


def without(member: str) -> dict[str, Any]:
    query = stat("m1", "RequestCount")
    metric = {name: value for name, value in query["MetricStat"]["Metric"].items() if name != member}
    return {**query, "MetricStat": {**query["MetricStat"], "Metric": metric}}


REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "an odd id": (
        [stat("M-1", "RequestCount")],
        (
            "The value M-1 for parameter MetricDataQueries.member.1.Id is not matching the expected pattern "
            "^[a-z][a-zA-Z0-9_]*$"
        ),
    ),
    "one id twice": ([REQUESTS, stat("m1", "x")], "The values for parameter id in MetricDataQueries are not unique."),
    "nothing to return": ([REQUESTS], "At least one of the MetricDataQueries must have ReturnData true."),
    "neither metric nor expression": (
        [{"Id": "m1"}],
        "Exactly one of MetricDataQueries.member.1.MetricStat and MetricDataQueries.member.1.Expression must be specified.",
    ),
    "both": (
        [stat("m0", "x"), stat("m1", "x", Expression="1")],
        "Exactly one of MetricDataQueries.member.2.MetricStat and MetricDataQueries.member.2.Expression must be specified.",
    ),
    "no name": (
        [without("MetricName")],
        "The parameter MetricDataQueries.member.1.MetricStat.Metric.MetricName is required.",
    ),
    "no namespace": (
        [without("Namespace")],
        "The parameter MetricDataQueries.member.1.MetricStat.Metric.Namespace is required.",
    ),
    "an unknown statistic": (
        [stat("m1", "x", "Median")],
        "The value Median for parameter MetricDataQueries.member.1.MetricStat.Stat is not supported.",
    ),
    "too many": (
        [stat(f"m{number}", "x") for number in range(501)],
        "The collection MetricDataQueries must not have a size greater than 500.",
    ),
}


@pytest.mark.parametrize(("queries", "message"), REFUSED.values(), ids=REFUSED)
def test_data_is_refused_for(cloudwatch: Service, queries: list[dict[str, Any]], message: str):
    error = cloudwatch.refused("GetMetricData", MetricDataQueries=queries, **RANGE)
    assert (error.code, error.message) == ("ValidationError", message)


def test_data_needs_a_range(cloudwatch: Service):
    asked = {**RANGE, "EndTime": START, "MetricDataQueries": [stat("m1", "RequestCount")]}
    error = cloudwatch.refused("GetMetricData", **asked)
    assert error.message == "The parameter StartTime must be less than the parameter EndTime."
