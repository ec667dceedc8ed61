"""Each condition by itself: who meets it, who does not, and what the explanation says."""

from typing import Any

import pytest

from lb.routing.walk import compile_rules, explain_walk, walk
from tests.routing.rules.tables import cases, request, rules_of


@pytest.mark.parametrize("case", cases("conditions.yaml"))
def test_who_meets_a_condition(case: dict[str, Any]):
    table = compile_rules(rules_of([{"priority": 7, "conditions": case["condition"]}]))
    for expected, described in [(True, each) for each in case["meet"]] + [(False, each) for each in case["miss"]]:
        asked = request(described)
        assert table.rules[0].matches(asked) is expected, described
        assert walk(table, asked).rule.priority == (7 if expected else None), described
        verdicts = explain_walk(table, asked).steps[0].verdicts
        assert all(verdict.matched for verdict in verdicts) is expected, described
        assert all(str(verdict.why) for verdict in verdicts)


@pytest.mark.parametrize("case", cases("reasons.yaml"))
def test_why(case: dict[str, Any]):
    table = compile_rules(rules_of([{"priority": 7, "conditions": case["condition"]}]))
    verdict = table.rules[0].conditions[0].explain(request(case["request"]))

    assert str(verdict.why) == case["why"]
    assert verdict.field == next(iter(case["condition"]))


def test_a_long_value_is_cut_in_explanations():
    table = compile_rules(rules_of([{"priority": 7, "conditions": {"path-pattern": "/x"}}]))
    why = str(table.rules[0].conditions[0].explain(request(uri="/" + "a" * 16_000)).why)
    assert len(why) < 200
    assert why.startswith('"/aaa')


def test_what_a_request_is_asked_is_worked_out_once():
    asked = request(uri="/%41?A=b", headers=["X-A: b"])
    assert asked.path is asked.path
    assert asked.query_pairs is asked.query_pairs
    assert asked.header_values(b"\r\nx-a:") is asked.header_values(b"\r\nx-a:")
    assert (asked.path, asked.raw_path, asked.raw_query) == (b"/A", b"/%41", b"A=b")
