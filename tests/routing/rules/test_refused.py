"""Rules that ELB refuses, and where lb.yaml's reader says so."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lb.configfile.problems import dotted
from lb.configfile.rules_schema import NamedGroup, RuleKeys, build_rules, double_priorities, named_groups
from lb.model import rules
from lb.model.rule_checks import InvalidRule, check_rule
from tests.routing.rules.tables import FORWARD, GROUPS, LISTENER, cases, rules_of


@pytest.mark.parametrize("case", cases("refused.yaml"))
def test_what_is_refused(case: dict[str, Any]):
    described = {"priority": 1, "conditions": {"path-pattern": "/x"}, "action": FORWARD} | case
    complaints = described.pop("complaints")
    del described["name"]
    with pytest.raises(ValidationError) as refused:
        RuleKeys.model_validate(described)
    assert [f"{dotted(error['loc'])}: {error['msg']}" for error in refused.value.errors()] == complaints


def test_a_rule_with_everything():
    described = {
        "priority": 10,
        "conditions": {
            "path-pattern": ["/img/*", {"regex": "^/v[0-9]+/"}],
            "http-header": {"User-Agent": "*Chrome*"},
            "query-string": [{"key": "version", "value": "v1"}, {"value": 7}],
        },
        "transforms": {"url-rewrite": {"regex": "^/api/(.*)$", "replace": "/$1"}},
        "action": {"forward": {"target_groups": {"web": 90, "canary": 10}, "stickiness": 60}},
    }
    first, default = rules_of([described])
    assert first.conditions == (
        rules.PathPattern(("/img/*",), ("^/v[0-9]+/",)),
        rules.HttpHeader("User-Agent", ("*Chrome*",)),
        rules.QueryString((rules.QueryPair("version", "v1"), rules.QueryPair(None, "7"))),
    )
    assert first.transforms == (rules.UrlRewrite("^/api/(.*)$", "/$1"),)
    groups = (rules.WeightedGroup(GROUPS["web"], 90), rules.WeightedGroup(GROUPS["canary"], 10))
    assert first.action == rules.Forward(groups, 60)
    assert (default.priority, default.action) == (None, rules.Forward((rules.WeightedGroup(GROUPS["old"]),)))
    check_rule(first)
    check_rule(default)


def test_escaped_wildcards_do_not_count():
    pairs = [{"key": r"\*\?", "value": r"\**\?"}, {"value": r"\\*"}]
    described = [{"priority": 1, "conditions": {"query-string": pairs, "path-pattern": "/*?*?"}}]
    assert len(rules_of(described)) == 2


def test_rules_come_in_the_order_of_their_priorities_with_lasting_ids():
    keys = [
        RuleKeys.model_validate({"priority": n, "conditions": {"path-pattern": "/x"}, "action": FORWARD})
        for n in (9, 3)
    ]
    built = build_rules(LISTENER, keys, keys[0].action, GROUPS)
    assert [each.priority for each in built] == [3, 9, None]
    assert len({each.arn for each in built}) == 3
    assert built == build_rules(LISTENER, keys[::-1], keys[0].action, GROUPS)
    listener_part = LISTENER.partition(":listener/")[2]
    assert all(f":listener-rule/{listener_part}/" in each.arn for each in built)


def test_a_default_rule_has_no_conditions():
    with pytest.raises(InvalidRule) as refused:
        check_rule(rules.Rule("arn", None, (rules.PathPattern(("/x",)),), rules.FixedResponse("200")))
    assert refused.value.code == "OperationNotPermitted"


@pytest.mark.parametrize(
    "wrong",
    [
        rules.Rule("arn", 0, (rules.PathPattern(("/x",)),), rules.FixedResponse("200")),
        rules.Rule("arn", 1, (), rules.FixedResponse("200")),
        rules.Rule("arn", 1, (rules.PathPattern(()),), rules.FixedResponse("200")),
        rules.Rule("arn", 1, (rules.PathPattern(("/x",)),), rules.FixedResponse("200", message_body="a" * 1025)),
        rules.Rule("arn", 1, (rules.PathPattern(("/x",)),), rules.Forward((rules.WeightedGroup("a"),) * 2)),
        rules.Rule("arn", 1, (rules.PathPattern(("/x",)),), rules.Forward(())),
        rules.Rule(
            "arn", 1, (rules.PathPattern(("/x",)),), rules.FixedResponse("200"), (rules.UrlRewrite("a", "b"),) * 2
        ),
        rules.Rule(
            "arn", 1, (rules.PathPattern(("/x",)),), rules.FixedResponse("200"), (rules.UrlRewrite("a" * 1025, "b"),)
        ),
    ],
)
def test_what_the_api_must_refuse_too(wrong: rules.Rule):
    with pytest.raises(InvalidRule):
        check_rule(wrong)


KEYS = (
    *("path-pattern", "http-header", "query-string", "source-ip", "regex", "replace", "key", "value", "forward"),
    *("redirect", "fixed-response", "status_code", "port", "target_groups", "stickiness", "url-rewrite"),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_whatever_stands_there_gives_a_rule_or_complaints(conditions: object, transforms: object, action: object):
    described = {"priority": 1, "conditions": conditions, "transforms": transforms, "action": action}
    try:
        keys = RuleKeys.model_validate(described)
    except ValidationError as refused:
        # Every key path must exist in what was given, but for keys that are missing.
        for error in refused.errors():
            node: Any = described
            for step in error["loc"]:
                if error["msg"] == "is required" and step == error["loc"][-1]:
                    break
                node = node[step]
            assert json.dumps(error["msg"])
    else:
        named = {each.name: each.name for each in named_groups(action, ())}
        for rule in build_rules(LISTENER, [keys], keys.action, named):
            check_rule(rule)


def test_named_groups():
    path = ("rules", 0, "action")
    assert list(named_groups({"forward": "web"}, path)) == [NamedGroup((*path, "forward"), "web")]
    assert list(named_groups({"forward": {"web": 1, "api": 2}}, path)) == [
        NamedGroup((*path, "forward", "web"), "web"),
        NamedGroup((*path, "forward", "api"), "api"),
    ]
    assert list(named_groups({"forward": {"target_groups": {"web": 1}, "stickiness": 5}}, path)) == [
        NamedGroup((*path, "forward", "target_groups", "web"), "web")
    ]
    for other in (None, "web", [], {}, {"forward": 5}, {"redirect": {}}):
        assert list(named_groups(other, path)) == []


def test_double_priorities():
    described = [{"priority": 1}, {"priority": 2}, {"priority": True}, {"priority": "1"}, "x", {"priority": 1}]
    assert list(double_priorities(described, ("rules",))) == [(("rules", 5, "priority"), ("rules", 0, "priority"), 1)]
    assert list(double_priorities(None, ("rules",))) == []
