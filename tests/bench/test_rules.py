"""The scenario `rules`: its hundred rules, its request, its cookies and its ratios."""

import pytest

from bench import closed, origins, rules
from bench.peers import BalancerWithRules, Site
from bench.pinning import Pinning
from bench.rig import Rig
from bench.ruleset import COUNT, HEADERS, HUNDRED_RULES, PATH
from lb.configfile.reader import load_config
from lb.http.head import HeadReader
from lb.routing.decide import view_of
from lb.routing.plan import compile_plan
from lb.routing.walk import explain_walk


def test_only_the_last_of_the_hundred_rules_matches_the_request(tmp_path):
    BalancerWithRules().prepare(Site(port=1111, spare_port=2222, origin_ports=(3333, 4444), directory=tmp_path))
    (listener,) = compile_plan(load_config(tmp_path / "lb.yaml"), {}).listeners
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS)
    found = HeadReader().read(f"GET {PATH} HTTP/1.1\r\n{lines}\r\n".encode(), 0, "defensive", drop_invalid=False)
    walk = explain_walk(listener.rules, view_of(listener, found[0], "127.0.0.1"))
    *before, last, default = walk.steps
    assert len(before) + 1 == COUNT
    assert walk.chosen is last.rule
    assert not any(step.matched for step in before)
    assert default.rule.rule.priority is None


def test_the_rules_ask_for_host_path_header_and_method():
    asked = [set(rule["conditions"]) for rule in HUNDRED_RULES]
    kinds = {"host-header", "path-pattern", "http-header", "http-request-method"}
    assert set().union(*asked) == asked[-1] == kinds
    assert all(sum(kind in each for each in asked) >= 20 for kind in kinds)


def test_a_balancer_with_sticky_sessions_gives_cookies_and_another_none():
    reason = origins.missing()
    if reason is not None:
        pytest.skip(reason)
    with Rig(Pinning((), (), "tests"), body_sizes=()) as rig:
        cookies = rules.sticky_cookies(rig.start(BalancerWithRules()).port)
        assert [cookie.partition("=")[0] for cookie in cookies.split("; ")] == ["AWSALB", "AWSALBCORS"]
        with pytest.raises(ValueError, match=r"its answer \(200\) sets no sticky cookies"):
            rules.sticky_cookies(rig.origin_ports[0])


def _sample(peer, pair, requests_per_s, cpu_us):
    return closed.Sample(
        peer=peer,
        pair=pair,
        requests=1000,
        seconds=2.0,
        requests_per_s=requests_per_s,
        body_mib_per_s=0.0,
        cpu_user_us=cpu_us,
        cpu_system_us=None if cpu_us is None else 10.0,
        busy_share=0.95,
        p50_ms=1.0,
        p99_ms=2.0,
        failed=0,
        peak_growth_mib=None,
    )


def _table(samples):
    return closed.section(closed.cells_of("small")[0], samples, ["said"])


def test_ratios_are_medians_of_pairs():
    samples = []
    for pair, share in enumerate((0.5, 0.6, 0.9), 1):
        samples += [_sample("nginx", pair, 100.0, 10.0), _sample("lb", pair, 50.0 * pair, 30.0)]
        samples += [_sample("lb-bare", pair, 80.0, 15.0), _sample("lb-rules", pair, 80.0 * share, 40.0)]
    table = rules.with_ratios(_table(samples))
    assert table.remarks[0] == "said"
    assert table.remarks[1] == "lb-rules / lb-bare: 0.60 requests/s, 2.00 CPU per request"
    assert table.data["ratios"]["nginx"] == {"requests_per_s": pytest.approx(0.48), "cpu_us": 2.5}


def test_ratios_of_what_was_not_measured_are_dashes():
    table = rules.with_ratios(_table([_sample("nginx", 1, 100.0, None), _sample("lb-rules", 1, 50.0, None)]))
    assert "lb-rules / lb: - requests/s, - CPU per request" in table.remarks
    assert "lb-rules / nginx: 0.50 requests/s, - CPU per request" in table.remarks


def test_without_a_balancer_with_rules_the_table_is_empty_and_says_why():
    table = rules.measure(None, [], seconds=1, pairs=1, progress=print)
    assert table.rows == ()
    assert table.remarks == ("lb-rules does not run, so there is nothing to compare",)
