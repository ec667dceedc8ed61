"""Which metrics a finished request raises: the rules as a table."""

import pytest

from lb.model.metric_table import Mark
from lb.observe.metrics.tally import raised, tally
from tests.observe.metrics.made import finished

ABSENT = {"target": "", "target_status": 0, "sent": False}
FIXED = {**ABSENT, "group": "", "action": "fixed-response"}
REDIRECT = {**ABSENT, "group": "", "action": "redirect"}
AMBIGUOUS = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"

# What happened, fields of the record, metrics that go up by one.
CASES = (
    ("the target answered 200", {}, "RequestCount HTTPCode_Target_2XX_Count"),
    ("the target answered 301", {"status": 301, "target_status": 301}, "RequestCount HTTPCode_Target_3XX_Count"),
    ("the target answered 404", {"status": 404, "target_status": 404}, "RequestCount HTTPCode_Target_4XX_Count"),
    ("the target answered 460", {"status": 460, "target_status": 460}, "RequestCount HTTPCode_Target_4XX_Count"),
    ("the target answered 503", {"status": 503, "target_status": 503}, "RequestCount HTTPCode_Target_5XX_Count"),
    ("the target answered 599", {"status": 599, "target_status": 599}, "RequestCount HTTPCode_Target_5XX_Count"),
    ("the target answered 999", {"status": 999, "target_status": 999}, "RequestCount"),
    ("a WebSocket ended", {"status": 101, "target_status": 101}, "RequestCount"),
    (
        "the target closed unanswered",
        {"status": 502, "target_status": 0},
        "RequestCount HTTPCode_ELB_5XX_Count HTTPCode_ELB_502_Count",
    ),
    (
        "the target was silent",
        {"status": 504, "target_status": 0},
        "RequestCount HTTPCode_ELB_5XX_Count HTTPCode_ELB_504_Count",
    ),
    (
        "the target refused to connect",
        {"status": 502, "target_status": 0, "sent": False},
        "RequestCount HTTPCode_ELB_5XX_Count HTTPCode_ELB_502_Count TargetConnectionErrorCount",
    ),
    (
        "connecting took too long",
        {"status": 504, "target_status": 0, "sent": False},
        "RequestCount HTTPCode_ELB_5XX_Count HTTPCode_ELB_504_Count TargetConnectionErrorCount",
    ),
    ("the client left", {"status": 460, "target_status": 0, "sent": False}, "RequestCount HTTPCode_ELB_4XX_Count"),
    ("the client left before a target", {**ABSENT, "status": 460}, "HTTPCode_ELB_4XX_Count"),
    ("no target", {**ABSENT, "status": 503}, "HTTPCode_ELB_5XX_Count HTTPCode_ELB_503_Count"),
    ("too many addresses", {**ABSENT, "status": 463}, "HTTPCode_ELB_4XX_Count"),
    ("method not allowed", {**ABSENT, "status": 405, "action": "", "group": ""}, "HTTPCode_ELB_4XX_Count"),
    ("not implemented", {**ABSENT, "status": 501, "action": "", "group": ""}, "HTTPCode_ELB_5XX_Count"),
    (
        "a transform failed",
        {**ABSENT, "status": 500, "action": "rewrite"},
        "HTTPCode_ELB_5XX_Count HTTPCode_ELB_500_Count",
    ),
    ("nothing could be answered", {**ABSENT, "status": 0}, ""),
    ("an unreadable request", {**ABSENT, "request": None, "status": 400}, "HTTPCode_ELB_4XX_Count"),
    (
        "a severe one",
        {**ABSENT, "request": None, "status": 400, "tier": 3},
        "HTTPCode_ELB_4XX_Count DesyncMitigationMode_NonCompliant_Request_Count",
    ),
    (
        "an ambiguous one passed on",
        {"request": AMBIGUOUS},
        "RequestCount HTTPCode_Target_2XX_Count DesyncMitigationMode_NonCompliant_Request_Count",
    ),
    ("a fixed response 200", {**FIXED, "status": 200}, "HTTP_Fixed_Response_Count"),
    ("a fixed response 503", {**FIXED, "status": 503}, "HTTP_Fixed_Response_Count"),
    (
        "a fixed response, rewritten",
        {**FIXED, "status": 404, "action": "rewrite,fixed-response"},
        "HTTP_Fixed_Response_Count",
    ),
    ("a redirect 301", {**REDIRECT, "status": 301}, "HTTP_Redirect_Count HTTPCode_ELB_3XX_Count"),
    ("a redirect 302", {**REDIRECT, "status": 302}, "HTTP_Redirect_Count HTTPCode_ELB_3XX_Count"),
    (
        "a redirect that is too long",
        {**REDIRECT, "status": 507},
        "HTTP_Redirect_Url_Limit_Exceeded_Count HTTPCode_ELB_5XX_Count",
    ),
    ("a redirect, a wrong body", {**REDIRECT, "status": 400}, "HTTPCode_ELB_4XX_Count"),
    ("a rewrite, then forward", {"action": "rewrite,forward"}, "RequestCount HTTPCode_Target_2XX_Count"),
    ("an IPv6 client", {"client": "[2001:db8::1]:4000"}, "RequestCount HTTPCode_Target_2XX_Count IPv6RequestCount"),
    (
        "an IPv6 client, fixed response",
        {**FIXED, "status": 200, "client": "[::1]:4000"},
        "HTTP_Fixed_Response_Count IPv6RequestCount",
    ),
    (
        "an IPv4 client of an IPv6 socket",
        {"client": "[::ffff:192.0.2.1]:4000"},
        "RequestCount HTTPCode_Target_2XX_Count",
    ),
    (
        "no session could be used",
        {"marks": Mark.NON_STICKY},
        "RequestCount HTTPCode_Target_2XX_Count NonStickyRequestCount",
    ),
    (
        "the group failed open",
        {"marks": Mark.FAIL_OPEN},
        "RequestCount HTTPCode_Target_2XX_Count UnhealthyRoutingRequestCount",
    ),
    (
        "invalid headers dropped",
        {"marks": Mark.HEADERS_DROPPED},
        "RequestCount HTTPCode_Target_2XX_Count DroppedInvalidHeaderRequestCount",
    ),
    (
        "invalid headers forwarded",
        {"marks": Mark.HEADERS_FORWARDED},
        "RequestCount HTTPCode_Target_2XX_Count ForwardedInvalidHeaderRequestCount",
    ),
    (
        "two marks",
        {"marks": Mark.FAIL_OPEN + Mark.NON_STICKY},
        "RequestCount HTTPCode_Target_2XX_Count UnhealthyRoutingRequestCount NonStickyRequestCount",
    ),
)


@pytest.mark.parametrize(("fields", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_request_raises_its_metrics_and_no_others(fields, expected):
    record = finished(**fields)
    ((shape, _),) = tally([record])
    names = raised(shape)
    assert sorted(names) == sorted(expected.split())


@pytest.mark.parametrize("action", ["", "forward", "rewrite,forward", "redirect", "fixed-response"])
def test_codes_of_targets_and_of_the_balancer_are_never_mixed(action):
    for status in range(100, 1000):
        ((by_target, _),) = tally([finished(status=status, target_status=status, action=action)])
        assert not [name for name in raised(by_target) if name.startswith("HTTPCode_ELB")]
        ((by_balancer, _),) = tally([finished(status=status, target_status=0, action=action)])
        assert not [name for name in raised(by_balancer) if name.startswith("HTTPCode_Target")]


def test_a_tally_adds_up_what_requests_of_one_kind_share():
    records = [
        finished(received_bytes=100 + number, sent_bytes=1000, rules_evaluated=number, took_s=number / 4)
        for number in range(4)
    ]
    ((shape, tallied),) = tally(records)
    assert (shape.load_balancer, shape.has_target, shape.was_sent) == ("app/web/0123456789abcdef", True, True)
    assert (tallied.requests, tallied.processed_bytes, tallied.rules) == (4, 4406, 6)
    assert tallied.times == [0.0, 0.25, 0.5, 0.75]


def test_a_request_that_was_not_sent_has_no_response_time():
    ((_, tallied),) = tally([finished(status=502, target_status=0, sent=False)])
    assert tallied.times == []
