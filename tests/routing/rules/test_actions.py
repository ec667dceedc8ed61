"""Redirects, fixed responses and weights: what the client gets, byte for byte, and which group a request goes to."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.model.rule_checks import InvalidRule, check_action
from lb.model.rules import Forward, Redirect, WeightedGroup
from lb.routing.fixed import FixedAnswer
from lb.routing.redirect import LONGEST_LOCATION, LocationTooLong, RedirectTemplate
from lb.routing.walk import compile_rules
from lb.routing.weights import GroupChoice
from tests.routing.rules.tables import GROUPS, cases, request, rules_of

DATE = b"Sun, 22 Nov 2026 10:00:00 GMT"


def action_of(action: dict[str, Any]) -> Any:
    """A compiled action from what lb.yaml says."""
    rules = rules_of([{"priority": 1, "conditions": {"path-pattern": "*"}, "action": action}])
    return compile_rules(rules).rules[0].action


@pytest.mark.parametrize("case", cases("redirects.yaml"))
def test_where_a_redirect_leads(case: dict[str, Any]):
    redirect = action_of({"redirect": case["redirect"]})
    assert isinstance(redirect, RedirectTemplate)
    listener = {"protocol": "http", "port": 80} | case.get("listener", {})
    location = redirect.location(request(case["request"]), listener["protocol"].encode(), listener["port"])
    assert location.decode() == case["location"]


@pytest.mark.parametrize(("status", "line", "length"), [(301, "301 Moved Permanently", 134), (302, "302 Found", 110)])
def test_the_answer_of_a_redirect(status: int, line: str, length: int):
    redirect = action_of({"redirect": {"status_code": status, "path": "/x"}})
    answer = redirect.answer(b"http://a:80/x", DATE, keep_alive=True, head_only=False, server=True)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        f"HTTP/1.1 {line}",
        "Server: awselb/2.0",
        f"Date: {DATE.decode()}",
        "Content-Type: text/html",
        f"Content-Length: {length}",
        "Connection: keep-alive",
        "Location: http://a:80/x",
    ]
    assert len(body) == length
    assert f"<h1>{line}</h1>".encode() in body


def test_the_answer_of_a_redirect_without_body_and_server():
    redirect = action_of({"redirect": {"status_code": 301, "path": "/x"}})
    answer = redirect.answer(b"http://a:80/x", DATE, keep_alive=False, head_only=True, server=False)
    assert answer.endswith(b"\r\nConnection: close\r\nLocation: http://a:80/x\r\n\r\n")
    assert b"Server" not in answer


def test_a_location_over_8_k_is_refused():
    redirect = action_of({"redirect": {"status_code": 301, "port": 81}})
    start = len("http://example.com:81/")
    location = redirect.location(request(uri="/" + "a" * (LONGEST_LOCATION - start)), b"http", 80)
    assert len(location) == 8192
    with pytest.raises(LocationTooLong):
        redirect.location(request(uri="/" + "a" * (LONGEST_LOCATION - start + 1)), b"http", 80)


@given(
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=20),
    st.binary(max_size=40).map(lambda uri: uri.translate(None, bytes(range(33)) + b"\x7f").decode("latin-1")),
)
def test_a_location_is_one_visible_line_whatever_goes_in(host: str, path: str, query: str, uri: str):
    redirect = RedirectTemplate(Redirect("HTTP_302", host=host, path="/" + path, query=query))
    location = redirect.location(request(uri="/" + uri), b"http", 80)
    assert all(0x21 <= byte <= 0x7E for byte in location)
    assert location.startswith(b"http://")


@given(
    st.sampled_from(["#{protocol}", "HTTPS"]),
    st.sampled_from(["#{host}", "a.b"]),
    st.sampled_from(["#{port}", "81"]),
    st.sampled_from(["/#{path}", "/x"]),
    st.sampled_from(["#{query}", "", "a=b"]),
    st.sampled_from(["", "?q=1"]),
)
def test_what_leads_back_is_refused_and_nothing_else(
    protocol: str, host: str, port: str, path: str, query: str, asked: str
):
    action = Redirect("HTTP_301", protocol, host, port, path, query)
    location = RedirectTemplate(action).location(request(uri="/p" + asked, host="c.d"), b"http", 80)
    leads_back = location.partition(b"?")[0] == b"http://c.d:80/p"
    refused = None
    try:
        check_action(action)
    except InvalidRule as error:
        refused = error.code
    assert refused == ("InvalidLoadBalancerAction" if leads_back else None)


def test_a_redirect_back_to_plain_http_is_refused():
    action = Redirect("HTTP_301", protocol="HTTP", port="80")
    check_action(action, "HTTP")
    with pytest.raises(InvalidRule, match="HTTPS to HTTP"):
        check_action(action, "HTTPS")


@pytest.mark.parametrize("case", cases("fixed_responses.yaml"))
def test_fixed_responses(case: dict[str, Any]):
    fixed = action_of({"fixed-response": case["fixed-response"]})
    assert isinstance(fixed, FixedAnswer)
    ask = case.get("ask", [])
    answer = fixed.answer(DATE, keep_alive="close" not in ask, head_only="head" in ask, server="no-server" not in ask)
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines.pop(1 if "no-server" in ask else 2) == f"Date: {DATE.decode()}"
    assert lines == case["lines"]
    assert body.decode() == case["body"]


def choice(*weights: int) -> GroupChoice:
    return GroupChoice(Forward(tuple(WeightedGroup(f"g{number}", weight) for number, weight in enumerate(weights))))


def test_shares_follow_the_weights_exactly():
    split = choice(90, 10, 0)
    picked = Counter(split.pick(number / 1000) for number in range(1000))
    assert picked == {"g0": 900, "g1": 100}


@given(st.lists(st.integers(0, 999), min_size=1, max_size=5), st.floats(0, 1, exclude_max=True))
def test_a_group_without_weight_gets_nothing(weights: list[int], number: float):
    split = choice(*weights)
    picked = split.pick(number)
    if not any(weights):
        assert picked is None
    else:
        assert picked is not None
        at = int(picked[1:])
        assert weights[at] > 0
        assert sum(weights[:at]) <= number * sum(weights) + 1e-9 <= sum(weights[: at + 1]) + 1e-6
    assert str(split.explain(number))
    assert [split.holds(f"g{position}") for position in range(len(weights))] == [weight > 0 for weight in weights]


def test_the_highest_number_below_one_stays_within():
    below_one = 1 - 2**-53
    for weight in range(1, 1000):
        assert choice(weight, 999, 999, 999, weight).pick(below_one) == "g4"
        assert choice(weight, 1, 0).pick(below_one) == "g1"


def test_a_single_group_gets_everything_unless_its_weight_is_zero():
    assert {choice(1).pick(number / 10) for number in range(10)} == {"g0"}
    assert choice(0).pick(0.5) is None
    assert choice().pick(0.5) is None


def test_the_choice_in_words():
    split = action_of({"forward": {"web": 90, "canary": 10, "old": 0}})
    assert str(split.explain(0.95)) == (
        "canary by weight (web 90, canary 10, old 0): 10% of requests; the random number was 0.9500"
    )
    assert split.pick(0.95) == GROUPS["canary"]
    assert str(action_of({"forward": "web"}).explain(0.5)) == "the only target group of the action"
    assert str(choice(0, 0).explain(0.5)) == "all weights are 0: no target group gets any traffic"
