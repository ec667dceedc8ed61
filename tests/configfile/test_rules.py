"""Rules and default actions of a valid file."""

import pytest

from lb.configfile.reader import read_config
from lb.model.config import Config, Listener
from lb.model.rule_checks import check_rule
from lb.model.rules import (
    Action,
    FixedResponse,
    Forward,
    HostHeader,
    HttpHeader,
    PathPattern,
    QueryPair,
    QueryString,
    Redirect,
    SourceIp,
    UrlRewrite,
    WeightedGroup,
)

GROUPS = "target_groups: {web: {}, canary: {}, api: {}}\n"


def config_of(listener: str) -> Config:
    """A file with a load balancer `lb` of one listener, which has these lines below its port."""
    head = "load_balancers:\n  lb:\n    listeners:\n      - port: 80\n"
    return read_config(GROUPS + head + "".join(f"        {line}\n" for line in listener.splitlines()), "lb.yaml")


def listener_of(listener: str) -> Listener:
    return config_of(listener).load_balancers[0].listeners[0]


def weighted(*weights: tuple[str, int], stickiness_s: int | None = None) -> Forward:
    arns = {group.name: group.arn for group in config_of("forward: web").target_groups}
    return Forward(tuple(WeightedGroup(arns[name], weight) for name, weight in weights), stickiness_s)


@pytest.mark.parametrize(
    ("written", "action"),
    [
        ("forward: web", weighted(("web", 1))),
        ("forward: {web: 90, canary: 10}", weighted(("web", 90), ("canary", 10))),
        ("forward: {web: 0, canary: 0}", weighted(("web", 0), ("canary", 0))),
        ("forward: {target_groups: {web: 9, api: 1}}", weighted(("web", 9), ("api", 1))),
        (
            "forward: {target_groups: {web: 9, api: 1}, stickiness: 3600}",
            weighted(("web", 9), ("api", 1), stickiness_s=3600),
        ),
        ("redirect: {status_code: 301, protocol: HTTPS, port: 443}", Redirect("HTTP_301", "HTTPS", port="443")),
        ('redirect: {status_code: HTTP_302, path: "/x/#{path}"}', Redirect("HTTP_302", path="/x/#{path}")),
        ("fixed-response: {status_code: 503}", FixedResponse("503")),
        (
            "fixed-response: {status_code: 200, content_type: text/html, message_body: <p>}",
            FixedResponse("200", "text/html", "<p>"),
        ),
    ],
)
def test_actions_are_the_same_as_default_action_and_in_a_rule(written: str, action: Action):
    (default,) = listener_of(written).rules
    assert (default.priority, default.action) == (None, action)
    rule = f"rules: [{{priority: 1, conditions: {{path-pattern: /x}}, action: {{{written}}}}}]\nforward: web"
    first, _ = listener_of(rule).rules
    assert (first.priority, first.action) == (1, action)


def test_rules_go_by_priority_with_the_default_rule_at_the_end():
    listener = listener_of(
        """\
rules:
  - priority: 20
    conditions:
      host-header: "*.shop.example"
      path-pattern: ["/img/*", {regex: "^/v[0-9]+/"}]
      http-header: {User-Agent: "*Chrome*"}
      query-string: [{key: a, value: on}]
    transforms: {url-rewrite: {regex: "^/v1(.*)$", replace: "$1"}}
    action: {forward: api}
  - {priority: 3, conditions: {path-pattern: /old}, action: {redirect: {status_code: 301, path: /new}}}
  - priority: 4
    conditions: [{query-string: {value: a}}, {query-string: {value: b}, source-ip: [10.0.0.0/8, "::1/128"]}]
    action: {fixed-response: {status_code: 404}}
forward: web
"""
    )
    assert [rule.priority for rule in listener.rules] == [3, 4, 20, None]
    old, gone, api, default = listener.rules
    assert old.action == Redirect("HTTP_301", path="/new")
    assert HostHeader(("*.shop.example",)) in api.conditions
    assert PathPattern(("/img/*",), ("^/v[0-9]+/",)) in api.conditions
    assert HttpHeader("User-Agent", ("*Chrome*",)) in api.conditions
    assert QueryString((QueryPair("a", "on"),)) in api.conditions
    assert gone.conditions == (
        QueryString((QueryPair(None, "a"),)),
        QueryString((QueryPair(None, "b"),)),
        SourceIp(("10.0.0.0/8", "::1/128")),
    )
    assert api.transforms == (UrlRewrite("^/v1(.*)$", "$1"),)
    assert default.action == weighted(("web", 1))
    for rule in listener.rules:
        check_rule(rule)


def test_ids_of_rules_differ_and_last():
    text = """\
target_groups: {a: {}}
load_balancers:
  web:
    listeners:
      - {port: 80, forward: a, rules: [{priority: 1, conditions: {path-pattern: /x}, action: {forward: a}}]}
      - {port: 81, forward: a, rules: [{priority: 1, conditions: {path-pattern: /x}, action: {forward: a}}]}
"""
    first, again = (
        [rule.arn for listener in read_config(text, name).load_balancers[0].listeners for rule in listener.rules]
        for name in ("lb.yaml", "other.yaml")
    )
    assert first == again
    assert len(set(first)) == 4
    assert all(":listener-rule/app/web/" in arn for arn in first)


def test_a_hundred_rules_and_the_default_rules_of_every_listener():
    def rules(count: int) -> str:
        one = "{{priority: {}, conditions: {{path-pattern: /x}}, action: {{forward: a}}}}"
        return ", ".join(one.format(n + 1) for n in range(count))

    listeners = f"[{{port: 80, forward: a, rules: [{rules(60)}]}}, {{port: 81, forward: a, rules: [{rules(40)}]}}]"
    text = f"target_groups: {{a: {{}}}}\nload_balancers: {{web: {{listeners: {listeners}}}}}\n"
    (balancer,) = read_config(text, "lb.yaml").load_balancers
    assert [len(listener.rules) for listener in balancer.listeners] == [61, 41]


def test_sticky_target_groups_in_weighted_actions():
    text = """\
load_balancers:
  web:
    listeners:
      - {port: 80, forward: {target_groups: {a: 1, b: 1}, stickiness: 60}}
      - {port: 81, forward: {c: 1}}
      - {port: 82, forward: {b: 1, d: 1}}
target_groups:
  a: {attributes: {stickiness.enabled: true}}
  b: {}
  c: {attributes: {stickiness.enabled: true, stickiness.type: app_cookie, stickiness.app_cookie.cookie_name: id}}
  d: {attributes: {stickiness.type: app_cookie}}
"""
    assert len(read_config(text, "lb.yaml").load_balancers[0].listeners) == 3
