"""What the console lists of finished requests, which ones, and how it adds them up."""

import re
from pathlib import Path

import pytest

from lb.http.outcomes import Failure, Moment
from lb.http.record import Trouble
from lb.model.config import Target
from lb.observe.edges import BOUNDS_MS, MOST_EDGES, Edges
from lb.observe.request_filter import RequestFilter
from lb.observe.request_view import LONGEST_PATH, view
from lb.observe.target_names import TargetNames
from lb.routing.plan import Endpoint, GroupPlan, Plan
from tests.health.scripted import health_check
from tests.observe.metrics.made import BALANCER, GROUP, finished

ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:" + GROUP
CUT = Trouble(Failure.TARGET_CLOSED, Moment.ANSWERING, True, 100.0, None, 10, 60)
GONE = Trouble(Failure.CLIENT_GONE, Moment.ANSWERING, True, 100.0, None, 10, 60)
REQUEST = b"POST /Cart?id=1 HTTP/1.1\r\nHost: Shop.test\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def names():
    known = TargetNames()
    endpoint = Endpoint(Target("i-0abc", 8081), "127.0.0.1")
    known.publish(Plan(groups=(GroupPlan(ARN, "shop", (endpoint,), health_check(), 30, in_use=True),)))
    return known


def test_a_request_has_all_that_the_documentation_names_and_no_more(names):
    text = Path("docs/local-api.md").read_text()
    example = text.partition("## `GET /_lb/requests`")[2].partition("```json")[2].partition("```")[0]
    assert list(view(finished(), names)) == re.findall(r'"(\w+)":', example)[1:]


def test_a_request_that_a_target_answered(names):
    told = view(finished(REQUEST, rule_priority=0, ended_at=100.02, trace_id=b"Root=1-a"), names)
    assert (told["method"], told["host"], told["path"]) == ("POST", "Shop.test", "/Cart?id=1")
    assert (told["rule"], told["target"], told["target_id"], told["target_port"]) == (
        *("default", "127.0.0.1:8081"),
        *("i-0abc", 8081),
    )
    assert (told["outcome"], told["by"], told["error"]) == ("2xx", "target", None)
    assert told["total_ms"] == pytest.approx(20, abs=0.01)
    assert told["target_ms"] == pytest.approx(10, abs=1.01)


def test_a_request_that_nobody_could_read(names):
    record = finished(
        None, group=None, target="", status=400, target_status=0, sent=False, action="", rule_priority=None
    )
    told = view(record, names)
    for field in ("method", "host", "path", "trace_id", "rule", "target", "target_group", "target_id", "target_port"):
        assert told[field] is None, field
    for field in ("request_ms", "target_ms", "response_ms", "actions", "target_status"):
        assert told[field] is None, field
    assert (told["outcome"], told["by"]) == ("4xx", "balancer")
    assert told["error"].startswith("400: ")


def test_an_answer_that_was_cut_is_an_error_and_one_whose_client_left_is_not(names):
    assert view(finished(trouble=CUT), names)["outcome"] == "cut"
    assert view(finished(trouble=CUT), names)["error"].startswith("cut: ")
    assert view(finished(trouble=GONE), names)["outcome"] == "2xx"
    assert view(finished(trouble=GONE), names)["error"] is None


def test_a_long_path_is_cut(names):
    told = view(finished(b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 500)), names)
    assert len(told["path"]) == LONGEST_PATH
    assert told["path"].endswith("x…")


def test_a_target_that_is_gone_is_named_by_its_address(names):
    assert names.of(ARN, "[::1]:90") == ("::1", 90)
    names.publish(Plan())
    assert names.of(ARN, "127.0.0.1:8081") == ("127.0.0.1", 8081)


@pytest.mark.parametrize(
    ("given", "passes"),
    [
        ({}, True),
        ({"load_balancer": BALANCER}, True),
        ({"load_balancer": "web"}, True),
        ({"load_balancer": f"arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/{BALANCER}"}, True),
        ({"load_balancer": "we"}, False),
        ({"target_group": ARN}, True),
        ({"target_group": "shop"}, True),
        ({"target_group": "sho"}, False),
        ({"target": "127.0.0.1:8081"}, True),
        ({"target": "i-0abc"}, True),
        ({"target": "127.0.0.1:8082"}, False),
        ({"status": "5xx"}, True),
        ({"status": "503"}, True),
        ({"status": "ERROR"}, True),
        ({"status": "502"}, False),
        ({"status": "2xx"}, False),
        ({"text": "cart?ID"}, True),
        ({"text": "shop.TEST"}, True),
        ({"text": "post"}, True),
        ({"text": "127.0.0.1:40"}, True),
        ({"text": "1-a"}, True),
        ({"text": "nowhere"}, False),
        ({"text": "cart", "status": "2xx"}, False),
        ({"text": "cart", "status": "5xx", "target": "i-0abc"}, True),
    ],
)
def test_a_filter_lets_through(names, given, passes):
    record = finished(REQUEST, status=503, target_status=503, trace_id=b"Root=1-a")
    assert all(test(record) for test in RequestFilter.read(given).tests(names)) is passes


def test_an_error_is_also_what_was_cut(names):
    (test,) = RequestFilter.read({"status": "error"}).tests(names)
    assert test(finished(trouble=CUT))
    assert not test(finished(trouble=GONE))
    assert not test(finished())


@pytest.mark.parametrize("status", ["6xx", "2x", "0", "99", "1000", "errors", "2xx,3xx"])
def test_a_status_that_is_none_is_refused(status):
    with pytest.raises(ValueError, match="status must be"):
        RequestFilter.read({"status": status})


def test_edges_add_up_exactly(names):
    edges = Edges()
    for number in range(100):
        edges.add([finished(status=200 + 300 * (number % 2), rule_priority=number % 3, ended_at=100 + number / 1000)])
    told = edges.take(names)
    assert len(told) == 6
    assert sum(edge["count"] for edge in told) == 100
    assert sum(edge["total_ms"] for edge in told) == pytest.approx(sum(range(100)), abs=0.1)
    assert {edge["rule"] for edge in told} == {"default", 1, 2}
    assert all(sum(edge["buckets"]) == edge["count"] for edge in told)
    assert [sum(column) for column in zip(*(edge["buckets"] for edge in told), strict=True)][-4:] == [0, 0, 0, 0]
    assert edges.take(names) == []


def test_a_bucket_holds_what_took_at_most_its_bound(names):
    edges = Edges()
    edges.add([finished(ended_at=100 + ms / 1000) for ms in (0.5, 1.5, 9_000, 20_000)])
    (edge,) = edges.take(names)
    assert [BOUNDS_MS[place] if place < len(BOUNDS_MS) else None for place, n in enumerate(edge["buckets"]) if n] == [
        *(1, 2.5),
        *(10_000, None),
    ]


def test_very_many_edges_are_added_up_by_load_balancer(names):
    edges = Edges()
    edges.add([finished(target=f"10.0.{number // 256}.{number % 256}:80") for number in range(MOST_EDGES + 50)])
    told = edges.take(names)
    assert len(told) == MOST_EDGES + 1
    assert (told[-1]["count"], told[-1]["target"], told[-1]["load_balancer"]) == (50, None, BALANCER)
