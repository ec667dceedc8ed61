"""CreateRule, DescribeRules, ModifyRule, DeleteRule, SetRulePriorities."""

from typing import Any

import pytest

from lb.api.elbv2.listeners import describe_listeners
from lb.api.elbv2.rules import create_rule, delete_rule, describe_rules, modify_rule, set_rule_priorities
from lb.model.rules import FIELDS
from lb.resources.records import Kind
from lb.resources.rules import rule_of
from tests.api.aws_call import Aws
from tests.api.elbv2 import built
from tests.api.elbv2.built import FIXED, PATH


@pytest.fixture
def listener(aws: Aws) -> str:
    return built.listener(aws, built.balancer(aws))


def priorities(aws: Aws, listener: str) -> list[str]:
    return [rule["Priority"] for rule in aws.do(describe_rules, ListenerArn=listener)["Rules"]]


def test_a_rule_is_answered_as_elb_answers_it(aws: Aws, listener: str):
    web = built.group(aws)
    made = built.rule(aws, listener, 10, built.forward(web))
    assert made["RuleArn"].startswith(listener.replace(":listener/", ":listener-rule/") + "/")
    assert {member: value for member, value in made.items() if member != "RuleArn"} == {
        "Priority": "10",
        "Conditions": [
            {"Field": "path-pattern", "Values": ["/img/*"], "PathPatternConfig": {"Values": ["/img/*"]}},
        ],
        "Actions": [
            {
                "Type": "forward",
                "TargetGroupArn": web,
                "ForwardConfig": {
                    "TargetGroups": [{"TargetGroupArn": web, "Weight": 1}],
                    "TargetGroupStickinessConfig": {"Enabled": False},
                },
            }
        ],
        "IsDefault": False,
        "Transforms": [],
    }
    assert aws.do(describe_rules, RuleArns=[made["RuleArn"]])["Rules"] == [made]


def test_what_describe_answers_may_be_sent_back(aws: Aws, listener: str):
    made = built.rule(aws, listener, 10, built.forward(built.group(aws)))
    members = {member: made[member] for member in ("Conditions", "Actions", "Transforms")}
    assert aws.do(modify_rule, RuleArn=made["RuleArn"], **members)["Rules"] == [made]


def test_rules_come_by_priority_with_the_default_rule_last(aws: Aws, listener: str):
    for priority in (30, 1, 200):
        built.rule(aws, listener, priority)
    assert priorities(aws, listener) == ["1", "30", "200", "default"]


def test_rules_come_in_pages(aws: Aws, listener: str):
    for priority in (1, 2):
        built.rule(aws, listener, priority)
    first = aws.do(describe_rules, ListenerArn=listener, PageSize=2)
    second = aws.do(describe_rules, ListenerArn=listener, PageSize=2, Marker=first["NextMarker"])
    assert [rule["Priority"] for rule in (*first["Rules"], *second["Rules"])] == ["1", "2", "default"]
    assert "NextMarker" not in second


@pytest.mark.parametrize("both", [True, False])
def test_rules_are_described_by_listener_or_by_arn(aws: Aws, listener: str, *, both: bool):
    asked = {"ListenerArn": listener, "RuleArns": [built.NO_SUCH_RULE]} if both else {}
    error = aws.refused(describe_rules, **asked)
    assert error.message == "You must specify either listener rule ARNs or a listener ARN"


def test_tags_of_a_new_rule_are_kept_beside_it(aws: Aws, listener: str):
    made = built.rule(aws, listener, Tags=[{"Key": "team", "Value": "web"}])
    record = aws.records.get(Kind.RULE, made["RuleArn"])
    assert record is not None
    assert record.tags == {"team": "web"}
    assert "Tags" not in made


def test_a_priority_is_taken_once_in_a_listener(aws: Aws, listener: str):
    built.rule(aws, listener, 5)
    error = aws.refused(create_rule, ListenerArn=listener, Priority=5, Conditions=[PATH], Actions=[FIXED])
    assert (error.code, error.message) == ("PriorityInUse", "Priority '5' is currently in use")


def test_rules_trade_places_in_one_call(aws: Aws, listener: str):
    first, second = (built.rule(aws, listener, priority)["RuleArn"] for priority in (1, 2))
    pairs = [{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}]
    answered = aws.do(set_rule_priorities, RulePriorities=pairs)["Rules"]
    assert [(rule["RuleArn"], rule["Priority"]) for rule in answered] == [(first, "2"), (second, "1")]


def test_nothing_moves_where_one_priority_is_taken(aws: Aws, listener: str):
    first, second, _ = (built.rule(aws, listener, priority)["RuleArn"] for priority in (1, 2, 3))
    pairs = [{"RuleArn": first, "Priority": 9}, {"RuleArn": second, "Priority": 3}]
    assert aws.refused(set_rule_priorities, RulePriorities=pairs).code == "PriorityInUse"
    assert priorities(aws, listener) == ["1", "2", "3", "default"]


def test_two_rules_cannot_be_given_one_priority(aws: Aws, listener: str):
    pairs = [{"RuleArn": built.rule(aws, listener, priority)["RuleArn"], "Priority": 7} for priority in (1, 2)]
    assert aws.refused(set_rule_priorities, RulePriorities=pairs).code == "PriorityInUse"


def test_priorities_are_set_of_named_rules_each_once(aws: Aws, listener: str):
    arn = built.rule(aws, listener, 1)["RuleArn"]
    pair = {"RuleArn": arn, "Priority": 2}
    for pairs in ([], [pair, pair], [{"RuleArn": arn}], [{"Priority": 2}]):
        assert aws.refused(set_rule_priorities, RulePriorities=pairs).code == "ValidationError"


def test_modifying_replaces_the_lists_that_are_given(aws: Aws, listener: str):
    rewrite = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a", "Replace": "/b"}]}}
    made = built.rule(aws, listener, Transforms=[rewrite])
    assert made["Transforms"] == [rewrite]
    host = {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example"]}}
    (changed,) = aws.do(modify_rule, RuleArn=made["RuleArn"], Conditions=[host])["Rules"]
    assert [condition["Field"] for condition in changed["Conditions"]] == ["host-header"]
    assert (changed["Actions"], changed["Transforms"]) == (made["Actions"], [rewrite])
    (reset,) = aws.do(modify_rule, RuleArn=made["RuleArn"], ResetTransforms=True)["Rules"]
    assert reset["Transforms"] == []
    error = aws.refused(modify_rule, RuleArn=made["RuleArn"], Transforms=[rewrite], ResetTransforms=True)
    assert error.code == "ValidationError"


def test_the_default_rule_stays_as_it_is(aws: Aws, listener: str):
    (default,) = aws.do(describe_rules, ListenerArn=listener)["Rules"]
    arn = default["RuleArn"]
    assert aws.refused(delete_rule, RuleArn=arn).message == f"Default rule '{arn}' cannot be deleted"
    for handler, params in (
        (delete_rule, {"RuleArn": arn}),
        (modify_rule, {"RuleArn": arn, "Actions": [FIXED]}),
        (set_rule_priorities, {"RulePriorities": [{"RuleArn": arn, "Priority": 1}]}),
    ):
        assert aws.refused(handler, **params).code == "OperationNotPermitted"


def test_a_deleted_rule_is_gone(aws: Aws, listener: str):
    made = built.rule(aws, listener)
    assert aws.do(delete_rule, RuleArn=made["RuleArn"]) == {}
    error = aws.refused(delete_rule, RuleArn=made["RuleArn"])
    assert (error.code, error.message) == ("RuleNotFound", "One or more rules not found")
    assert priorities(aws, listener) == ["default"]


def test_a_load_balancer_has_a_hundred_rules_beside_its_default_rules(aws: Aws):
    balancer = built.balancer(aws)
    listeners = [built.listener(aws, balancer, port) for port in (80, 81)]
    for priority in range(1, 51):
        for listener in listeners:
            built.rule(aws, listener, priority)
    params = {"Priority": 51, "Conditions": [PATH], "Actions": [FIXED]}
    assert aws.refused(create_rule, ListenerArn=listeners[0], **params).code == "TooManyRules"


def test_unknown_arns_are_told_from_texts_that_are_none(aws: Aws):
    params = {"Priority": 1, "Conditions": [PATH], "Actions": [FIXED]}
    assert aws.refused(create_rule, ListenerArn=built.NO_SUCH_LISTENER, **params).code == "ListenerNotFound"
    error = aws.refused(create_rule, ListenerArn="web", **params)
    assert (error.code, error.message) == ("ValidationError", "'web' is not a valid listener ARN")
    assert aws.refused(modify_rule, RuleArn=built.NO_SUCH_RULE).code == "RuleNotFound"


@pytest.mark.parametrize(
    ("condition", "field", "values"),
    [
        ({"Field": "host-header", "Values": ["*.example.com"]}, "host-header", ("*.example.com",)),
        ({"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a+$"]}}, "path-pattern", ()),
        ({"Field": "path-pattern", "RegexValues": ["^/a+$"]}, "path-pattern", ()),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["1"]}},
            "http-header",
            ("1",),
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
            "http-request-method",
            ("GET",),
        ),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}, "source-ip", ("10.0.0.0/8",)),
    ],
)
def test_conditions_in_either_form_reach_the_balancer(
    aws: Aws, listener: str, condition: dict[str, Any], field: str, values: tuple[str, ...]
):
    made = built.rule(aws, listener, Conditions=[condition])
    record = aws.records.get(Kind.RULE, made["RuleArn"])
    assert record is not None
    (read,) = rule_of(record).conditions
    assert (read.field, read.values) == (field, values)


WRONG_CONDITIONS: list[tuple[list[dict[str, Any]], str]] = [
    ([], "A condition must be specified"),
    ([{"Values": ["/a"]}], "A condition field must be specified"),
    (
        [{"Field": "path", "Values": ["/a"]}],
        f"Condition field 'path' must be one of '[{','.join(FIELDS)}]'",
    ),
    ([{"Field": "path-pattern"}], "A condition value must be specified"),
    ([{"Field": "path-pattern", "PathPatternConfig": {"Values": []}}], "A condition value must be specified"),
    ([{"Field": "path-pattern", "Values": [f"/{n}" for n in range(6)]}], "A rule can only have '5' condition values"),
    ([{"Field": "path-pattern", "Values": ["/*******"]}], "A rule can only have '6' condition wildcards"),
    ([PATH, PATH], "A rule can only have one 'path-pattern' condition"),
    (
        [{"Field": "host-header", "Values": [f"{'a' * 130}.example"]}],
        "The 'host-header' value is too long; the limit is '128'",
    ),
    (
        [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}}],
        "The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen and underscore",
    ),
    (
        [{"Field": "source-ip", "Values": ["10.0.0.0/8"]}],
        "You must specify 'SourceIpConfig' for conditions with field 'source-ip'",
    ),
    (
        [{**PATH, "HostHeaderConfig": {"Values": ["a.example"]}}],
        "'HostHeaderConfig' cannot be specified for conditions with field 'path-pattern'",
    ),
    (
        [{**PATH, "PathPatternConfig": {"Values": ["/other"]}}],
        "You can specify either 'Values' or 'PathPatternConfig', not different values in both",
    ),
    (
        [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"], "IpAddressType": "ipv4"}}],
        "'IpAddressType' is supported on Network Load Balancers only",
    ),
]


@pytest.mark.parametrize(("conditions", "message"), WRONG_CONDITIONS, ids=[text[:40] for _, text in WRONG_CONDITIONS])
def test_conditions_that_elb_refuses(aws: Aws, listener: str, conditions: list[dict[str, Any]], message: str):
    error = aws.refused(create_rule, ListenerArn=listener, Priority=1, Conditions=conditions, Actions=[FIXED])
    assert (error.code, error.message) == ("ValidationError", message)


@pytest.mark.parametrize(
    "transforms",
    [
        [{"Type": "url-rewrite"}],
        [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": []}}],
        [{"Type": "url-rewrite", "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": "a", "Replace": "b"}]}}],
        [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "(", "Replace": "b"}]}}],
        [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "a", "Replace": "b"}]}}] * 2,
    ],
    ids=["no config", "no rewrite", "another's config", "no regex", "twice"],
)
def test_transforms_that_elb_refuses(aws: Aws, listener: str, transforms: list[dict[str, Any]]):
    params = {"Conditions": [PATH], "Actions": [FIXED], "Transforms": transforms}
    assert aws.refused(create_rule, ListenerArn=listener, Priority=1, **params).code == "ValidationError"


def test_default_actions_of_a_listener_are_those_of_its_default_rule(aws: Aws, listener: str):
    (default,) = aws.do(describe_rules, ListenerArn=listener)["Rules"]
    (answered,) = aws.do(describe_listeners, ListenerArns=[listener])["Listeners"]
    assert answered["DefaultActions"] == default["Actions"]
