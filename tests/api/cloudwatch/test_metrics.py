from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lb.model.metric_table import Unit
from lb.observe.metrics.query import Datapoint, ListedMetric
from tests.api.aws_call import NOW, Aws
from tests.api.service import Service

WEB = "app/web/0123456789abcdef"
GROUP = "targetgroup/servers/0123456789abcdef"
NAMESPACE = "AWS/ApplicationELB"


@pytest.fixture
def cloudwatch(aws: Aws) -> Service:
    aws.live.metrics.listed = [
        ListedMetric("HealthyHostCount", {"LoadBalancer": WEB, "TargetGroup": GROUP}),
        ListedMetric("RequestCount", {"LoadBalancer": WEB}),
        ListedMetric("RequestCount", {"LoadBalancer": WEB, "TargetGroup": GROUP}),
    ]
    return Service(aws, "cloudwatch")


def listed(cloudwatch: Service, **filters: Any) -> list[tuple[str, int]]:
    found = cloudwatch("ListMetrics", **filters)["Metrics"]
    assert all(metric["Namespace"] == NAMESPACE for metric in found)
    return [(metric["MetricName"], len(metric["Dimensions"])) for metric in found]


def test_metrics_are_listed_with_their_dimensions(cloudwatch: Service):
    assert listed(cloudwatch) == [("HealthyHostCount", 2), ("RequestCount", 1), ("RequestCount", 2)]
    (first, *_) = cloudwatch("ListMetrics", MetricName="RequestCount")["Metrics"]
    assert first["Dimensions"] == [{"Name": "LoadBalancer", "Value": WEB}]


FILTERS: dict[str, tuple[dict[str, Any], list[tuple[str, int]]]] = {
    "name": ({"MetricName": "HealthyHostCount"}, [("HealthyHostCount", 2)]),
    "a name that is not there": ({"MetricName": "Nothing"}, []),
    "namespace": ({"Namespace": NAMESPACE, "MetricName": "HealthyHostCount"}, [("HealthyHostCount", 2)]),
    "another namespace": ({"Namespace": "AWS/EC2"}, []),
    "a dimension": ({"Dimensions": [{"Name": "TargetGroup"}]}, [("HealthyHostCount", 2), ("RequestCount", 2)]),
    "its value": (
        {"Dimensions": [{"Name": "TargetGroup", "Value": GROUP}]},
        [("HealthyHostCount", 2), ("RequestCount", 2)],
    ),
    "another value": ({"Dimensions": [{"Name": "LoadBalancer", "Value": "app/other/1"}]}, []),
    "one fits and one does not": (
        {"Dimensions": [{"Name": "LoadBalancer", "Value": WEB}, {"Name": "AvailabilityZone"}]},
        [],
    ),
}


@pytest.mark.parametrize(("filters", "expected"), FILTERS.values(), ids=FILTERS)
def test_metrics_are_found_by(cloudwatch: Service, filters: dict[str, Any], expected: list[tuple[str, int]]):
    assert listed(cloudwatch, **filters) == expected


def test_metrics_come_in_pages_of_500(cloudwatch: Service, aws: Aws):
    aws.live.metrics.listed = [ListedMetric("RequestCount", {"LoadBalancer": f"app/{n}/1"}) for n in range(501)]
    first = cloudwatch("ListMetrics")
    second = cloudwatch("ListMetrics", NextToken=first["NextToken"])
    assert len(first["Metrics"]) == 500
    assert [each["Dimensions"][0]["Value"] for each in second["Metrics"]] == ["app/500/1"]
    assert "NextToken" not in second
    assert cloudwatch.refused("ListMetrics", NextToken="nonsense").code == "InvalidNextToken"


ASKED: dict[str, Any] = {
    "Namespace": NAMESPACE,
    "MetricName": "RequestCount",
    "Dimensions": [{"Name": "LoadBalancer", "Value": WEB}],
    "StartTime": NOW - timedelta(hours=1),
    "EndTime": NOW,
    "Period": 60,
    "Statistics": ["Sum", "Average"],
}


@pytest.fixture
def points(aws: Aws) -> None:
    at = int(NOW.timestamp()) // 60 * 60
    aws.live.metrics.points["RequestCount"] = [
        Datapoint(at - 60, Unit.COUNT, {"Sum": 5.0, "Average": 1.0}),
        Datapoint(at, Unit.COUNT, {"Sum": 7.0, "Average": 1.0}),
    ]


def test_statistics_come_with_time_and_unit(cloudwatch: Service, points: None):
    answer = cloudwatch("GetMetricStatistics", **ASKED)
    assert answer["Label"] == "RequestCount"
    assert answer["Datapoints"] == [
        {"Timestamp": datetime(2026, 1, 5, 10, 19, tzinfo=UTC), "Sum": 5.0, "Average": 1.0, "Unit": "Count"},
        {"Timestamp": datetime(2026, 1, 5, 10, 20, tzinfo=UTC), "Sum": 7.0, "Average": 1.0, "Unit": "Count"},
    ]


def test_the_question_reaches_the_metrics_as_it_was_asked(cloudwatch: Service, aws: Aws, monkeypatch):
    asked: list[Any] = []
    monkeypatch.setattr(aws.live.metrics, "get_statistics", lambda *question: asked.extend(question) or [])
    cloudwatch("GetMetricStatistics", **ASKED)
    start_s, end_s = (NOW - timedelta(hours=1)).timestamp(), NOW.timestamp()
    assert asked == ["RequestCount", {"LoadBalancer": WEB}, start_s, end_s, 60, ["Sum", "Average"]]


def test_percentiles_have_a_place_of_their_own(cloudwatch: Service, aws: Aws):
    aws.live.metrics.points["TargetResponseTime"] = [Datapoint(0, Unit.SECONDS, {"p50": 0.1, "p99.9": 0.5})]
    given = {**ASKED, "MetricName": "TargetResponseTime", "ExtendedStatistics": ["p50", "p99.9"]}
    del given["Statistics"]
    (point,) = cloudwatch("GetMetricStatistics", **given)["Datapoints"]
    assert point["ExtendedStatistics"] == {"p50": 0.1, "p99.9": 0.5}
    assert "p50" not in point


@pytest.mark.parametrize(
    "changed", [{"Namespace": "AWS/EC2"}, {"Unit": "Bytes"}, {"Period": 10, "StartTime": NOW - timedelta(minutes=5)}]
)
def test_what_was_not_measured_so_has_no_points(cloudwatch: Service, points: None, changed: dict[str, Any]):
    assert len(cloudwatch("GetMetricStatistics", **ASKED)["Datapoints"]) == 2
    assert cloudwatch("GetMetricStatistics", **{**ASKED, **changed})["Datapoints"] == []


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no statistics": (
        {"Statistics": None},
        "InvalidParameterCombination",
        "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
    ),
    "both kinds": (
        {"ExtendedStatistics": ["p99"]},
        "InvalidParameterCombination",
        "The parameters Statistics and ExtendedStatistics cannot be specified at the same time.",
    ),
    "no percentile": (
        {"Statistics": None, "ExtendedStatistics": ["p101"]},
        "InvalidParameterValue",
        "The value p101 for parameter ExtendedStatistics is not supported: give a percentile like p99.9.",
    ),
    "an end before the start": (
        {"EndTime": NOW - timedelta(hours=1)},
        "InvalidParameterCombination",
        "The parameter StartTime must be less than the parameter EndTime.",
    ),
    "an odd period": (
        {"Period": 90},
        "InvalidParameterValue",
        "The parameter Period must be a value in the set [ 1, 5, 10, 20, 30 ] or must be a multiple of 60.",
    ),
    "too many points": (
        {"StartTime": NOW - timedelta(hours=24, minutes=1)},
        "InvalidParameterCombination",
        (
            "You have requested up to 1,441 datapoints, which exceeds the limit of 1,440. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        ),
    ),
}


@pytest.mark.parametrize(("changed", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_statistics_are_refused_for(cloudwatch: Service, changed: dict[str, Any], code: str, message: str):
    given = {name: value for name, value in {**ASKED, **changed}.items() if value is not None}
    error = cloudwatch.refused("GetMetricStatistics", **given)
    assert (error.code, error.message) == (code, message)


def test_there_are_no_alarms(cloudwatch: Service):
    assert cloudwatch("DescribeAlarms", AlarmNames=["x"]) == {"MetricAlarms": [], "CompositeAlarms": []}
