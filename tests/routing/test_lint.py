"""What `lb lint` finds in a configuration: subsumption of rules, redirects in a circle, and everything else in words."""

import random
import string
from collections.abc import Callable
from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lb.configfile.reader import read_config
from lb.model.config import Config
from lb.model.rules import (
    Condition,
    FixedResponse,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    PathPattern,
    QueryPair,
    QueryString,
    Rule,
    SourceIp,
)
from lb.routing.lint import CODES, lint
from lb.routing.patterns import compile_wildcard
from lb.routing.subsumption import Cover, Prover, Undecided, covers, symbols
from lb.routing.walk import compile_rules, walk
from tests.routing.rules.tables import request

OK = FixedResponse("200")
LETTERS = string.ascii_letters + string.digits + "_-.$"


def config(listener: str, groups: str = "a: {targets: ['web1:80']}", attributes: str = "{}") -> Config:
    """A configuration with one listener on port 8080."""
    return read_config(
        f"load_balancers: {{web: {{attributes: {attributes}, listeners: [{{port: 8080, {listener}}}]}}}}\n"
        f"target_groups: {{{groups}}}\n",
        "lb.yaml",
    )


def rule(priority: int, conditions: str, action: str = "{forward: a}") -> str:
    return f"{{priority: {priority}, conditions: {conditions}, action: {action}}}"


def found(*args: str, **options: str) -> list[str]:
    return [str(finding) for finding in lint(config(*args, **options)).findings]


def with_rules(*rules: str) -> list[str]:
    return found(f"forward: a, rules: [{', '.join(rules)}]")


def test_a_plain_configuration_has_no_findings():
    assert with_rules(rule(10, "{path-pattern: /img/*}"), rule(20, "{path-pattern: /css/*}")) == []


# Rules that are never reached


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("{path-pattern: /img/*}", "{path-pattern: /img/*.png}"),
        ("{path-pattern: /img/*}", "{path-pattern: /img/a}"),
        ("{path-pattern: '/i?g/*'}", "{path-pattern: /img/a}"),
        ("{path-pattern: '/*a*'}", "{path-pattern: '/*ba?'}"),
        ("{path-pattern: [/a, /b]}", "{path-pattern: [/b, /a]}"),
        ("{path-pattern: ['/a*', '/b*']}", "{path-pattern: [/bb, /aa]}"),
        ("{path-pattern: /img/*}", "{path-pattern: /img/*, http-request-method: GET}"),
        ("{path-pattern: '*'}", "{http-request-method: GET}"),
        ("{source-ip: [0.0.0.0/0, '::/0']}", "{http-request-method: GET}"),
        ("{path-pattern: {regex: '^/v[0-9]'}}", "{path-pattern: /v1}"),
        ("{path-pattern: {regex: '^/v[0-9]'}}", "{path-pattern: {regex: '^/v[0-9]'}, source-ip: 10.0.0.0/8}"),
        ("{host-header: '*.Shop.example'}", "{host-header: www.shop.example}"),
        ("{http-header: {User-Agent: '*curl*'}}", "{http-header: {user-agent: 'CURL/8*'}}"),
        ("{http-request-method: [GET, HEAD]}", "{http-request-method: GET}"),
        ("{source-ip: 10.0.0.0/8}", "{source-ip: [10.1.0.0/16, 10.2.3.4/32]}"),
        ("{source-ip: [10.0.0.0/9, 10.128.0.0/9]}", "{source-ip: 10.0.0.0/8}"),
        ("{query-string: {value: 'x*'}}", "{query-string: {key: a, value: xy}}"),
        ("{query-string: {key: 'a*', value: '*'}}", "{query-string: {key: ab, value: 'x?'}}"),
    ],
)
def test_a_rule_behind_a_wider_one_is_never_reached(earlier: str, later: str):
    assert with_rules(rule(10, earlier), rule(20, later))[0].startswith(
        "listener 8080, rule 20: never reached: rule 10 ("
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("{path-pattern: /img/*}", "{path-pattern: /img}"),
        ("{path-pattern: '/img/?*'}", "{path-pattern: /img/*}"),
        ("{path-pattern: /IMG/*}", "{path-pattern: /img/*}"),
        ("{path-pattern: /img/*, http-request-method: GET}", "{path-pattern: /img/*}"),
        ("{path-pattern: {regex: '^/v[0-9]'}}", "{path-pattern: {regex: '^/v1'}}"),
        ("{path-pattern: /*}", "{http-request-method: GET}"),
        ("{host-header: '*.shop.example'}", "{host-header: shop.example}"),
        ("{http-header: {User-Agent: '*'}}", "{http-request-method: GET}"),
        ("{http-header: {User-Agent: '*'}}", "{http-header: {Accept: '*'}}"),
        ("{query-string: {key: a, value: x}}", "{query-string: {value: x}}"),
        ("{query-string: {key: a, value: '\\*'}}", "{query-string: {key: a, value: 'x'}}"),
        ("{source-ip: 0.0.0.0/0}", "{source-ip: '::/0'}"),
        ("{source-ip: 10.1.0.0/16}", "{source-ip: 10.0.0.0/8}"),
    ],
)
def test_a_rule_that_can_be_reached_is_no_finding(earlier: str, later: str):
    assert with_rules(rule(10, earlier), rule(20, later)) == []


def test_several_rules_together_can_cover_one():
    assert with_rules(
        rule(50, "{http-request-method: GET}"),
        rule(60, "{http-request-method: POST}"),
        rule(70, "{http-request-method: [POST, GET], source-ip: 10.0.0.0/8}"),
    ) == [
        (
            "listener 8080, rule 70: never reached: rule 50 (http-request-method GET), rule 60 (http-request-method POST)"
            " together match everything it does"
        )
    ]


def test_one_value_of_a_rule_can_be_covered():
    assert with_rules(rule(10, "{path-pattern: /img/*}"), rule(20, "{path-pattern: [/img/a, /css/*]}")) == [
        (
            "listener 8080, rule 20: path-pattern /img/a has no effect: rule 10 (path-pattern /img/*) matches those"
            " requests first"
        )
    ]


def test_a_rule_for_everything_leaves_nothing_for_the_default_rule():
    assert with_rules(rule(10, "{path-pattern: '*'}")) == [
        "listener 8080, default rule: never reached: rule 10 (path-pattern *) matches everything it does"
    ]


def test_conditions_that_no_request_meets():
    assert with_rules(rule(10, "{path-pattern: img/*}"), rule(20, "{http-request-method: TRACE}")) == [
        "listener 8080, rule 10: never reached: path-pattern img/* does not begin with '/', as every path does",
        "listener 8080, rule 20: never reached: TRACE requests are refused with 405 before any rule",
    ]


# The proofs hold

WILDCARDS = st.text("ab*?", max_size=5)
VALUES = st.text("abc", max_size=5)


@given(wide=st.lists(WILDCARDS, min_size=1, max_size=3), narrow=WILDCARDS, value=VALUES)
@settings(max_examples=600, deadline=None)
def test_what_includes_a_pattern_matches_all_its_values(wide: list[str], narrow: str, value: str):
    holds = Prover().includes([symbols(each) for each in wide], symbols(narrow))
    if holds and compile_wildcard(narrow).matches(value.encode()):
        assert any(compile_wildcard(each).matches(value.encode()) for each in wide)


@given(wide=WILDCARDS, narrow=WILDCARDS)
@settings(max_examples=300, deadline=None)
def test_where_it_does_not_include_there_is_a_value_that_shows_it(wide: str, narrow: str):
    if Prover().includes([symbols(wide)], symbols(narrow)):
        return
    pattern, other = compile_wildcard(narrow), compile_wildcard(wide)
    # Each star for up to six characters, one of which is none that the patterns name.
    rng = random.Random(0)
    for _ in range(5000):
        text = "".join(
            "".join(rng.choices("abz", k=rng.randrange(6))) if c == "*" else rng.choice("abz") if c == "?" else c
            for c in narrow
        ).encode()
        assert pattern.matches(text)
        if not other.matches(text):
            return
    pytest.fail(f"nothing found that {narrow!r} matches and {wide!r} does not")


@given(text=st.text("ab*?\\", max_size=6), value=st.text("ab*?\\", max_size=6))
@settings(max_examples=400, deadline=None)
def test_symbols_read_a_pattern_as_requests_meet_it(text: str, value: str):
    literal = value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    matches = compile_wildcard(text, fold=True, escapes=True).matches(value.encode())
    assert (
        Prover().includes([symbols(text, fold=True, escapes=True)], symbols(literal, fold=True, escapes=True))
        == matches
    )


def test_what_is_not_a_match_sign_by_sign_is_searched_for():
    assert Prover().includes([symbols("?*")], symbols("*?"))
    assert Prover().includes([symbols("*a*"), symbols("*b*"), symbols("b*")], symbols("*?b*"))
    assert not Prover().includes([symbols("?")], symbols("*"))
    assert not Prover().includes([symbols("a?")], symbols("a*"))


def test_a_search_that_takes_too_long_ends_without_a_claim():
    prover = Prover()
    # The second one includes everything with a character in it, but not sign by sign.
    assert not prover.includes([symbols("?*" + "a" * 60 + "*"), symbols("*?")], symbols("*" + "a" * 120 + "*?"))
    assert prover.gave_up


def test_all_proofs_together_have_their_limit():
    prover = Prover(1000)
    pair = [symbols("?*")], symbols("*" + "abc" * 20 + "*")
    while not prover.gave_up:
        prover.includes(*pair)
    # What needs no search is proved for longer, but not for ever.
    easy = [symbols("/*")], symbols("/" + "a" * 90)
    assert prover.includes(*easy)
    assert [prover.includes(*easy) for _ in range(20)][-1] is False


def hostile(number: int) -> Condition:
    """Three values that no rule with another number covers; that takes thousands of steps for each to find out."""
    first, second = LETTERS[number % 60], LETTERS[number // 60]
    return PathPattern(tuple(f"*{'a' * 90}{first}{second}{last}*" for last in "123"))


def test_rules_that_were_not_decided_are_named():
    rules = [Rule(f"r{n}", n, (hostile(n // 2),), OK) for n in range(2, 60)]
    results = list(covers(rules, Prover(100_000)))
    undecided = [each.rule.priority for each in results if isinstance(each, Undecided)]
    covered = [each.rule.priority for each in results if isinstance(each, Cover) and each.whole]
    assert undecided
    assert not {*undecided} & {*covered}
    assert 2 not in undecided, "there is no rule before it"
    assert 3 in covered, "there were steps enough for it"


@pytest.mark.parametrize(
    "condition",
    [
        hostile,
        lambda n: PathPattern((f"*{LETTERS[n % 40 :]}*?", f"?*{LETTERS[n % 9]}*?")),
        lambda n: PathPattern(tuple(f"?*{LETTERS[(n * step) % 50]}*" for step in (1, 3))),
        lambda n: PathPattern(tuple("/" + "a" * (100 + n % 20) + last for last in "abcde")),
        lambda n: PathPattern(("/*" + "a" * 60 + "*",) if n % 2 else tuple("/" + "a" * 59 + x * 60 for x in "bcdef")),
        lambda n: PathPattern(("/" + "a" * 100,), tuple(f"(a|b){{1,{50 + n % 40 + at}}}c" for at in range(4))),
        lambda n: SourceIp(tuple(f"10.{n}.{at}.0/24" for at in range(5))),
        lambda n: QueryString(
            tuple(QueryPair(f"*{'a' * (50 + n % 50)}{x}", f"*{'a' * (50 + n % 50)}{x}") for x in "bc")
        ),
    ],
)
def test_a_hundred_rules_end_in_time_whatever_their_wildcards(condition: Callable[[int], Condition]):
    rules = [Rule(f"r{n}", n, (condition(n),), OK) for n in range(1, 101)]
    begun = process_time()
    list(covers(rules, Prover()))
    assert process_time() - begun < 10  # about 1 on a machine that has nothing else to do


PATHS = st.sampled_from(["*", "/*", "/a*", "/a", "/ab", "/a?", "/*b", "/b/*", "/?"])
BLOCKS = st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "0.0.0.0/0", "::/0", "::1/128"])
NAMES = st.sampled_from(["a", "A*", "*", "b?", "ab"])
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(
        PathPattern,
        st.lists(PATHS, min_size=1, max_size=3).map(tuple),
        st.lists(st.sampled_from(["^/a", "b$"]), max_size=1).map(tuple),
    ),
    st.builds(HostHeader, st.lists(st.sampled_from(["*.x.y", "a.x.y", "A.X.*"]), min_size=1, max_size=2).map(tuple)),
    st.builds(HttpHeader, st.sampled_from(["X-A", "x-a", "X-B"]), st.lists(NAMES, min_size=1, max_size=2).map(tuple)),
    st.builds(HttpRequestMethod, st.lists(st.sampled_from(["GET", "PUT"]), min_size=1, max_size=2).map(tuple)),
    st.builds(SourceIp, st.lists(BLOCKS, min_size=1, max_size=2).map(tuple)),
    st.builds(
        QueryString,
        st.lists(st.builds(QueryPair, st.none() | NAMES, NAMES), min_size=1, max_size=2).map(tuple),
    ),
)
RULES = st.lists(st.lists(CONDITIONS, min_size=1, max_size=3), min_size=1, max_size=5)
REQUESTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "PUT"]),
        "uri": st.tuples(
            st.sampled_from(["/", "/a", "/ab", "/b/", "/abb", "/c"]), st.sampled_from(["", "?a=a", "?ab=b&b=ab", "?x="])
        ).map("".join),
        "host": st.sampled_from(["a.x.y", "x.y", "b.x.y"]),
        "headers": st.lists(st.sampled_from(["X-A: a", "X-A: ab", "X-B: bx", "x-b: c"]), max_size=2),
        "from": st.sampled_from(["10.1.2.3", "10.2.0.1", "192.0.2.1", "::1", "2001:db8::1"]),
    }
)


@given(described=RULES, requests=st.lists(REQUESTS, min_size=1, max_size=10))
@settings(max_examples=400, deadline=None)
def test_the_walk_never_chooses_a_rule_that_is_called_unreachable(described, requests):
    rules = [Rule(f"r{n}", n, tuple(each), OK) for n, each in enumerate(described, 1)]
    rules.append(Rule("default", None, (), OK))
    unreachable = {cover.rule.arn for cover in covers(rules, Prover()) if isinstance(cover, Cover) and cover.whole}
    table = compile_rules(rules)
    for each in requests:
        assert walk(table, request(each)).rule.arn not in unreachable


@given(described=RULES, requests=st.lists(REQUESTS, min_size=1, max_size=10))
@settings(max_examples=300, deadline=None)
def test_the_walk_never_chooses_a_rule_for_a_value_without_effect(described, requests):
    rules = [Rule(f"r{n}", n, tuple(each), OK) for n, each in enumerate(described, 1)]
    rules.append(Rule("default", None, (), OK))
    for cover in covers(rules, Prover()):
        assert isinstance(cover, Cover), "rules this small are decided"
        for lost in cover.lost:
            kinds = [type(condition) for condition in cover.rule.conditions]
            if kinds.count(type(lost)) == 1:
                kept = tuple(lost if type(c) is type(lost) else c for c in cover.rule.conditions)
                narrowed = [replace(each, conditions=kept) if each is cover.rule else each for each in rules]
                table = compile_rules(narrowed)
                assert all(walk(table, request(each)).rule.arn != cover.rule.arn for each in requests)


# Redirects


def redirects(*rules: str, default: str = "forward: a") -> list[str]:
    return found(f"{default}, rules: [{', '.join(rules)}]")


def test_a_redirect_to_a_page_that_it_redirects_too():
    assert found("redirect: {status_code: 302, path: /maintenance.html}", "") == [
        "listener 8080, default rule: http://any-host.example:8080/maintenance.html is redirected to itself, without end"
    ]


def test_a_page_with_a_rule_of_its_own_ends_the_redirect():
    page = rule(10, "{path-pattern: /maintenance.html}", "{fixed-response: {status_code: 503}}")
    assert found(f"redirect: {{status_code: 302, path: /maintenance.html}}, rules: [{page}]", "") == []


def test_two_rules_that_redirect_to_each_other():
    to_b = rule(1, "{path-pattern: /a}", "{redirect: {status_code: 301, path: /b}}")
    to_a = rule(2, "{path-pattern: /b}", "{redirect: {status_code: 301, path: /a}}")
    circle = redirects(to_b, to_a)
    assert circle[0] == (
        "listener 8080, rule 1: http://any-host.example:8080/a to http://any-host.example:8080/b to"
        " http://any-host.example:8080/a: redirected in a circle, without end"
    )
    assert len(circle) == 2


def test_a_redirect_that_adds_to_the_path_each_time():
    assert redirects(rule(1, "{path-pattern: /e*}", "{redirect: {status_code: 301, path: '/#{path}/'}}")) == [
        "listener 8080, rule 1: http://any-host.example:8080/e is redirected again and again, without end"
    ]


def test_https_on_a_port_that_speaks_http():
    (only,) = redirects(rule(1, "{path-pattern: /c}", "{redirect: {status_code: 301, protocol: HTTPS}}"))
    assert only.endswith("is redirected to https://any-host.example:8080/c, but port 8080 speaks plain HTTP here")


@pytest.mark.parametrize(
    "target",
    ["{protocol: HTTPS, port: 443}", "{host: www.example.com}", "{port: 9999}", "{path: /other}"],
)
def test_redirects_that_lead_elsewhere(target: str):
    action = f"{{redirect: {{status_code: 301, {target[1:]}}}"
    assert redirects(rule(1, "{path-pattern: /c}", action)) == []


# Everything else


@pytest.mark.parametrize(
    ("listener", "message"),
    [
        ("forward: {a: 0}", "default rule: the weight is 0 (a): every request is answered with 503"),
        ("forward: {a: 0, b: 0}", "default rule: all weights are 0 (a, b): every request is answered with 503"),
    ],
)
def test_weights_that_sum_to_zero(listener: str, message: str):
    assert found(listener, "a: {}, b: {}")[:1] == [f"listener 8080, {message}"]


def test_stickiness_between_one_group():
    (only,) = found("forward: {target_groups: {a: 1}, stickiness: 60}")
    assert only.startswith("listener 8080, default rule: stickiness of the action has no effect")


@pytest.mark.parametrize("path", ["/var/www/html", "/usr/share/nginx/html/", "/srv/www"])
def test_a_health_path_on_the_disk(path: str):
    (only,) = found("forward: a", f"a: {{health_check: {{path: {path}}}}}")
    assert only.startswith(f"target group a: the health check path {path} looks like a directory")


@pytest.mark.parametrize("path", ["/", "/health.php", "/various", "/user/health", "/home"])
def test_a_health_path_that_is_a_url(path: str):
    assert found("forward: a", f"a: {{health_check: {{path: {path}}}}}") == []


@pytest.mark.parametrize("targets", ["['localhost:80', '127.0.0.1:80']", "['10.0.0.1:80', '[::ffff:10.0.0.1]:80']"])
def test_a_target_by_two_names(targets: str):
    (only,) = found("forward: a", f"a: {{targets: {targets}}}")
    assert only.endswith("are one and the same")


def test_one_target_in_two_groups_or_on_two_ports_is_fine():
    assert found("forward: {a: 1, b: 1}", "a: {targets: ['web1:80', 'web1:81']}, b: {targets: ['web1:80']}") == []


def test_a_target_group_that_nothing_uses():
    assert found("forward: a", "a: {}, b: {}") == [
        "target group b: no rule forwards to it: its targets get neither requests nor health checks"
    ]


def zoned(zones: str, targets: str, attributes: str = "{}") -> list[str]:
    text = (
        f"load_balancers: {{web: {{zones: {zones}, listeners: [{{port: 8080, forward: a}}]}}}}\n"
        f"target_groups: {{a: {{attributes: {attributes}, targets: [{targets}]}}}}\n"
    )
    return [str(finding) for finding in lint(read_config(text, "lb.yaml")).findings]


def test_targets_in_zones_that_are_not_enabled():
    targets = (
        "{target: 'w1:80', zone: us-east-1a}, {target: 'w2:80', zone: us-east-1c}, {target: 'w3:80', zone: us-east-1c}"
    )
    assert zoned("[us-east-1a, us-east-1b]", targets) == [
        (
            "target group a: w2:80, w3:80 are in us-east-1c, which is not enabled for load balancer web (us-east-1a,"
            " us-east-1b): they are unused and get no requests"
        )
    ]


CROSS_ZONE_OFF = "{load_balancing.cross_zone.enabled: false}"


@pytest.mark.parametrize(
    ("targets", "attributes", "findings"),
    [
        ("{target: 'w1:80', zone: us-east-1a}", CROSS_ZONE_OFF, 1),
        ("{target: 'w1:80', zone: us-east-1a}", "{}", 0),
        ("{target: 'w1:80', zone: us-east-1a}, 'w2:80'", CROSS_ZONE_OFF, 0),
        ("{target: 'w1:80', zone: us-east-1a}, {target: 'w2:80', zone: all}", CROSS_ZONE_OFF, 0),
        ("{target: 'w1:80', zone: us-east-1a}, {target: 'w2:80', zone: us-east-1b}", CROSS_ZONE_OFF, 0),
    ],
)
def test_enabled_zones_without_a_target_while_cross_zone_is_off(targets: str, attributes: str, findings: int):
    message = (
        "target group a: it has no target in us-east-1b, which is enabled for load balancer web (us-east-1a, us-east-1b),"
        " and cross-zone load balancing is off: a node in that zone answers with 503"
    )
    assert zoned("[us-east-1a, us-east-1b]", targets, attributes) == [message] * findings


def test_stickiness_that_is_not_on():
    duration = "stickiness.lb_cookie.duration_seconds: 60"
    assert found("forward: a", f"a: {{attributes: {{{duration}}}}}") == [
        "target group a: stickiness.lb_cookie.duration_seconds has no effect, since stickiness.enabled is not set"
    ]
    assert found("forward: a", f"a: {{attributes: {{stickiness.enabled: true, {duration}}}}}") == []
    assert found("forward: a", f"a: {{attributes: {{stickiness.enabled: false, {duration}}}}}") == []


def test_a_duration_of_the_other_kind_of_stickiness():
    values = "stickiness.enabled: true, stickiness.app_cookie.duration_seconds: 60"
    assert found("forward: a", f"a: {{attributes: {{{values}}}}}") == [
        "target group a: stickiness.app_cookie.duration_seconds has no effect, since stickiness.type is lb_cookie"
    ]


def test_timeouts_in_the_wrong_order():
    findings = found(
        "forward: a",
        "a: {attributes: {deregistration_delay.timeout_seconds: 100}}",
        "{idle_timeout.timeout_seconds: 120, client_keep_alive.seconds: 60}",
    )
    assert [finding.partition(":")[0] for finding in findings] == ["load balancer web", "target group a"]
    assert "client_keep_alive.seconds (60) is shorter than idle_timeout.timeout_seconds (120)" in findings[0]
    assert "deregistration_delay.timeout_seconds (100) is shorter" in findings[1]


def test_every_kind_of_finding_is_known():
    text = "a: {health_check: {path: /var/www}, targets: ['localhost:1', '127.0.0.1:1']}, b: {}"
    assert {finding.code for finding in lint(config("forward: {a: 0}", text)).findings} <= set(CODES)
