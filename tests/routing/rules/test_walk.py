"""The walk: which rule decides. The index must never change that."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lb.model import rules
from lb.model.regexes import InvalidRegex, RegexFault
from lb.routing import index
from lb.routing.request import RequestView
from lb.routing.walk import CompiledRule, RuleTable, compile_rules, explain_walk, walk
from tests.routing.rules.tables import LISTENER, cases, request, rules_of

FORWARD = rules.Forward((rules.WeightedGroup("web"),))
DEFAULT = rules.Rule("default", None, (), FORWARD)


def rule(priority: int, *conditions: rules.Condition) -> rules.Rule:
    return rules.Rule(f"rule-{priority}", priority, conditions, FORWARD)


def naive_walk(table: RuleTable, asked: RequestView) -> CompiledRule:
    """What the walk means."""
    return next((each for each in table.rules if each.matches(asked)), table.default)


@pytest.mark.parametrize("case", cases("walks.yaml"))
def test_which_rule_decides(case: dict[str, Any]):
    table = compile_rules(rules_of(case["rules"]))
    for described in case["requests"]:
        expected = described["rule"]
        asked = request({key: value for key, value in described.items() if key != "rule"})
        assert walk(table, asked).logged_priority == expected, described
        assert explain_walk(table, asked).chosen.logged_priority == expected, described


HOSTS = ["a.example.com", "b.example.com", "A.example.org", "example.com", "*.example.com", "?.example.*", "*exam*"]
PATHS = ["/", "/a", "/a/*", "/a/b", "*/b", "*b*", "/?/b", "/*/b/*", "/A*", "*", "/a*/b*", "*?b"]
WORDS = ["v1", "V2", "v*", "*1", "*v*", "v?", "*", "?*2"]
TEXTS = st.sampled_from
REGEXES = ["^/a", "b$", "a|v", "[0-9]", "^.$", "EXAMPLE"]


def some(texts: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(TEXTS(texts), min_size=1, max_size=2).map(tuple)


def values_and_regexes(texts: list[str]) -> st.SearchStrategy[tuple[tuple[str, ...], tuple[str, ...]]]:
    return st.one_of(
        st.tuples(some(texts), st.just(())),
        st.tuples(some(texts), some(REGEXES)),
        st.tuples(st.just(()), some(REGEXES)),
    )


CONDITIONS = st.one_of(
    values_and_regexes(HOSTS).map(lambda both: rules.HostHeader(*both)),
    values_and_regexes(PATHS).map(lambda both: rules.PathPattern(*both)),
    st.builds(
        lambda name, both: rules.HttpHeader(name, *both), TEXTS(["X-A", "x-a", "X-B"]), values_and_regexes(WORDS)
    ),
    some(["GET", "POST"]).map(rules.HttpRequestMethod),
    st.lists(
        st.builds(rules.QueryPair, st.none() | TEXTS(["k", "K", "k*", "?", "l"]), TEXTS(WORDS)), min_size=1, max_size=2
    ).map(lambda pairs: rules.QueryString(tuple(pairs))),
    some(["10.0.0.0/8", "10.1.0.0/16", "::/0", "fd00::/8", "0.0.0.0/0", "10.1.2.3/32"]).map(rules.SourceIp),
)
TABLES = st.lists(st.lists(CONDITIONS, min_size=1, max_size=3), max_size=12).map(
    lambda all_conditions: compile_rules(
        [*(rule(priority, *conditions) for priority, conditions in enumerate(all_conditions, 1)), DEFAULT]
    )
)
REQUESTS = st.builds(
    lambda method, host, path, query, headers, client: request(
        {"method": method, "host": host, "uri": path + query, "headers": headers, "from": client}
    ),
    TEXTS(["GET", "POST", "get"]),
    TEXTS(["a.example.com", "B.EXAMPLE.COM:80", "a.example.org", "example.com", "x"]),
    TEXTS(["/", "/a", "/a/b", "/A/b", "/a/b/c", "/b", "/ab", "/a/../b", "/%61/b"]),
    TEXTS(["", "?", "?k=v1", "?K=V2&l=x", "?kk=v1", "?l&k=v1&k=v2", "?=v1", "?v1"]),
    st.lists(TEXTS(["X-A: v1", "x-a: V2", "X-B: b", "X-B:", "Other: v1"]), max_size=3),
    TEXTS(["10.0.0.1", "10.1.2.3", "192.0.2.1", "fd00::1", "::1", "::ffff:10.1.2.3"]),
)


@settings(max_examples=400)
@given(TABLES, st.lists(REQUESTS, min_size=1, max_size=4))
def test_the_index_never_changes_which_rule_decides(table: RuleTable, asked: list[RequestView]):
    for each in asked:
        chosen = walk(table, each)
        assert chosen is naive_walk(table, each)
        explained = explain_walk(table, each)
        assert explained.chosen is chosen
        first = next(step for step in explained.steps if step.matched)
        assert first.rule is chosen
        assert [step.reached for step in explained.steps] == [
            step.rule.position <= chosen.position for step in explained.steps
        ]


def test_the_index_is_of_use():
    many = [rule(number, rules.PathPattern((f"/app{number}/*",))) for number in range(1, 101)]
    table = compile_rules([*many, DEFAULT])
    assert table.index.first(request(uri="/app100/x")) == 1 << 99
    assert table.index.first(request(uri="/other")) == 0


@pytest.mark.parametrize(
    "condition",
    [
        lambda number: rules.PathPattern((f"*/app{number}/*",)),
        lambda number: rules.PathPattern((f"/api/*/app{number}/?/*",)),
        lambda number: rules.PathPattern((), (f"/app{number}/[a-z]+/",)),
    ],
)
def test_patterns_that_need_a_search_are_searched_together(condition: Any):
    table = compile_rules([*(rule(number, condition(number)) for number in range(1, 101)), DEFAULT])
    assert table.index.first(request(uri="/api/v1/app77/x/y")) == 1 << 76


def test_a_set_that_gives_up_leaves_the_rules_to_be_asked_one_by_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(index.RegexSet, "found", lambda *_: None)
    table = compile_rules([*(rule(number, rules.PathPattern((f"*/{number}/*",))) for number in range(1, 11)), DEFAULT])
    assert table.index.first(request(uri="/x/7/y")) == 1 << 6
    assert walk(table, request(uri="/x/7/y")).rule.priority == 7
    assert walk(table, request(uri="/x/77/y")) is table.default


def test_a_set_that_cannot_be_joined_leaves_the_rules_to_be_asked_one_by_one(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise InvalidRegex(RegexFault.TOO_BIG, "too big together")

    monkeypatch.setattr(index.RegexSet, "__init__", refuse)
    table = compile_rules([*(rule(number, rules.PathPattern((f"*/{number}/*",))) for number in range(1, 11)), DEFAULT])
    assert walk(table, request(uri="/x/7/y")).rule.priority == 7


def test_an_expression_that_swallows_its_surroundings_does_not_spoil_the_others():
    # \Q quotes up to the end of the expression, and so would quote what is put behind it.
    texts = [r"\Qa)", "^b", "c$", "d", "e"]
    table = compile_rules([*(rule(n, rules.HostHeader((), (text,))) for n, text in enumerate(texts, 1)), DEFAULT])
    assert walk(table, request(host="xa)")).rule.priority == 1
    assert walk(table, request(host="xxc")).rule.priority == 3


def test_a_listener_needs_one_default_rule_and_different_priorities():
    one = rule(1, rules.PathPattern(("/a",)))
    for wrong in ([], [one], [one, DEFAULT, DEFAULT], [one, one, DEFAULT]):
        with pytest.raises(ValueError, match="rule"):
            compile_rules(wrong)


def test_explaining_shows_every_rule_and_how_far_the_walk_came():
    table = compile_rules(rules_of([{"priority": n, "conditions": {"path-pattern": f"/{n}*"}} for n in (1, 2, 3)]))
    steps = explain_walk(table, request(uri="/2x")).steps
    assert [(step.rule.rule.priority, step.reached, step.matched) for step in steps] == [
        (1, True, False),
        (2, True, True),
        (3, False, False),
        (None, False, True),
    ]
    assert steps[3].rule.rule.arn.startswith(LISTENER.replace(":listener/", ":listener-rule/") + "/")
