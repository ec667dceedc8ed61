"""Target groups between the shapes of the API and the model."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.model.config import HealthCheck, Target, TargetGroup
from lb.model.matcher import parse_matcher
from lb.resources.records import Kind, Record
from lb.resources.target_groups import group_of, is_served, shape_of, target_id

TARGETS = (Target("10.0.0.1", 80), Target("10.0.0.2", 8080, "us-east-1a"))
PORTS = st.integers(1, 65_535)


def record(shape: dict[str, Any], **attributes: str) -> Record:
    return Record(Kind.TARGET_GROUP, shape["TargetGroupArn"], "us-east-1", "0", shape, attributes=attributes)


def group(path: str = "/", port: int | None = None, interval_s: int = 30, timeout_s: int = 5) -> TargetGroup:
    check = HealthCheck(path, float(interval_s), float(timeout_s), 5, 2, parse_matcher("200,302"), port)
    return TargetGroup("arn", "web", 80, check, TARGETS)


@given(st.builds(group, st.text(), st.none() | PORTS, st.integers(5, 300), st.integers(2, 120)))
def test_a_target_group_is_the_same_after_a_turn_through_its_shape(made: TargetGroup):
    assert group_of(record(shape_of(made)), TARGETS) == made


def test_attributes_go_with_the_record():
    made = group_of(record(shape_of(group()), **{"stickiness.enabled": "true"}), ())
    assert made.attributes == {"stickiness.enabled": "true"}


@pytest.mark.parametrize(
    "other",
    [
        {"TargetType": "lambda", "Protocol": None},
        {"Protocol": "TCP", "Matcher": {"HttpCode": "200-599"}},
        {"TargetType": "alb", "Protocol": "TCP"},
    ],
    ids=["lambda", "network", "alb"],
)
def test_a_group_that_is_not_served_has_no_targets(other: dict[str, Any]):
    kept = record({**shape_of(group()), **other})
    assert not is_served(kept)
    assert group_of(kept, TARGETS).targets == ()


def test_ids_of_targets_tell_ports_apart():
    assert target_id("arn", "i-1", 80) == "arn/i-1:80"
    assert target_id("arn", "arn:aws:lambda:f", None) == "arn/arn:aws:lambda:f:"
