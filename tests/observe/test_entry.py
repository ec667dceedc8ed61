"""Access log entries, field by field (fact sheet 9.1), and the special shapes of 9.2."""

import re
import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lb.http.desync import Tier
from lb.http.record import Origin, RequestRecord
from lb.observe.entry import EntryFormatter
from tests.http.messages import head_of

ORIGIN = Origin("app/web/0123456789abcdef", "web-0123456789.us-east-1.elb.localhost", 8080)
GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/tg/fedcba9876543210"
TID = "TID_" + "0123456789abcdef" * 2
CREATED_S = 1767694830.125  # 2026-01-06T10:20:30.125Z; instants here are binary fractions, which are exact
HEAD = b"GET /info.php?x=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/8.5.0\r\n\r\n"
FIELDS = (
    *("type", "time", "elb", "client", "target", "request_s", "target_s", "response_s", "elb_status", "target_status"),
    *(
        "received",
        "sent",
        "request",
        "agent",
        "cipher",
        "protocol",
        "group",
        "trace",
        "domain",
        "cert",
        "rule",
        "created",
    ),
    *(
        "actions",
        "redirect",
        "error",
        "target_list",
        "status_list",
        "classification",
        "reason",
        "tid",
        "host",
        "uri",
        "transform",
    ),
)
QUOTED = {
    *("request", "agent", "trace", "domain", "cert", "actions", "redirect", "error", "target_list", "status_list"),
    *("classification", "reason", "host", "uri", "transform"),
}


def record_of(head: bytes | None = HEAD, **changes: Any) -> RequestRecord:
    """A request that a target answered with 200, changed as asked."""
    parsed = None if head is None else head_of(head, "monitor")
    origin = changes.pop("origin", ORIGIN)
    record = RequestRecord(origin, "203.0.113.7:40112", TID, parsed, changes.pop("created_s", CREATED_S), 1000.0)
    values: dict[str, Any] = {
        "sent_at": 1000.0078125,
        "responded_at": 1000.03125,
        "ended_at": 1000.0625,
        "status": 200,
        "target_status": 200,
        "target": "10.0.1.5:80",
        "target_group_arn": GROUP,
        "trace_id": b"Root=1-695cdfae-0123456789abcdef01234567",
        "action": "forward",
        "rule_priority": 0,
        "received_bytes": 83,
        "sent_bytes": 312,
    }
    for name, value in (values | changes).items():
        setattr(record, name, value)
    return record


def fields_of(record: RequestRecord, formatter: EntryFormatter | None = None) -> dict[str, str]:
    line = (formatter or EntryFormatter()).format(record)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    raw = re.findall(r'"[^"]*"|[^ ]+', line[:-1])
    assert " ".join(raw) == line[:-1], "one space between fields"
    assert len(raw) >= len(FIELDS)
    for name, text in zip(FIELDS, raw, strict=False):
        assert text.startswith('"') is (name in QUOTED), name
    return {name: text.strip('"') for name, text in zip(FIELDS, raw, strict=False)}


def test_an_entry_is_one_line():
    assert EntryFormatter().format(record_of()) == (
        "http 2026-01-06T10:20:30.187500Z app/web/0123456789abcdef 203.0.113.7:40112 10.0.1.5:80 0.007 0.023 0.031 "
        '200 200 83 312 "GET http://example.com:8080/info.php?x=1 HTTP/1.1" "curl/8.5.0" - - '
        f'{GROUP} "Root=1-695cdfae-0123456789abcdef01234567" "-" "-" 0 2026-01-06T10:20:30.125000Z "forward" "-" "-" '
        f'"10.0.1.5:80" "200" "-" "-" {TID} "-" "-" "-"\n'
    )


def test_all_fields_of_an_answered_request():
    assert fields_of(record_of()) == {
        "type": "http",
        "time": "2026-01-06T10:20:30.187500Z",
        "elb": "app/web/0123456789abcdef",
        "client": "203.0.113.7:40112",
        "target": "10.0.1.5:80",
        "request_s": "0.007",
        "target_s": "0.023",
        "response_s": "0.031",
        "elb_status": "200",
        "target_status": "200",
        "received": "83",
        "sent": "312",
        "request": "GET http://example.com:8080/info.php?x=1 HTTP/1.1",
        "agent": "curl/8.5.0",
        "cipher": "-",
        "protocol": "-",
        "group": GROUP,
        "trace": "Root=1-695cdfae-0123456789abcdef01234567",
        "domain": "-",
        "cert": "-",
        "rule": "0",
        "created": "2026-01-06T10:20:30.125000Z",
        "actions": "forward",
        "redirect": "-",
        "error": "-",
        "target_list": "10.0.1.5:80",
        "status_list": "200",
        "classification": "-",
        "reason": "-",
        "tid": TID,
        "host": "-",
        "uri": "-",
        "transform": "-",
    }


# --- times ---


@pytest.mark.parametrize(
    ("created_s", "created", "ended"),
    [
        (1767694830.0, "2026-01-06T10:20:30.000000Z", "2026-01-06T10:20:30.000000Z"),
        (1767694830.5, "2026-01-06T10:20:30.500000Z", "2026-01-06T10:20:30.500000Z"),
        (1767694830.9375, "2026-01-06T10:20:30.937000Z", "2026-01-06T10:20:30.937500Z"),
        (0.0, "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_the_clock(created_s: float, created: str, ended: str):
    fields = fields_of(record_of(created_s=created_s, ended_at=1000.0, responded_at=1000.0, sent_at=1000.0))
    assert (fields["created"], fields["time"]) == (created, ended)


def test_an_answer_in_a_later_second():
    fields = fields_of(record_of(created_s=1767694830.75, sent_at=1000.25, responded_at=1061.5, ended_at=1062.75))
    assert fields["created"] == "2026-01-06T10:20:30.750000Z"
    assert fields["time"] == "2026-01-06T10:21:33.500000Z"
    assert (fields["request_s"], fields["target_s"], fields["response_s"]) == ("0.250", "61.250", "1.250")


def test_entries_do_not_inherit_the_time_of_the_one_before():
    formatter = EntryFormatter()
    for created_s in (1767694830.5, 1767694890.5, 1767694830.5, 1767694831.0):
        assert fields_of(record_of(created_s=created_s), formatter) == fields_of(record_of(created_s=created_s))


# --- the request line ---


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (b"POST /a HTTP/1.0\r\nHost: b\r\n\r\n", "POST http://b:8080/a HTTP/1.0"),
        (b"GET / HTTP/1.1\r\nHost: b:81\r\n\r\n", "GET http://b:8080/ HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", "GET http://[::1]:8080/ HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost: [::1]:81\r\n\r\n", "GET http://[::1]:8080/ HTTP/1.1"),
        (b"GET http://c/x HTTP/1.1\r\nHost: b\r\n\r\n", "GET http://c:8080/x HTTP/1.1"),
        (b"GET / HTTP/1.0\r\n\r\n", f"GET http://{ORIGIN.dns_name}:8080/ HTTP/1.0"),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", f"GET http://{ORIGIN.dns_name}:8080/ HTTP/1.1"),
    ],
)
def test_the_request_line(head: bytes, line: str):
    assert fields_of(record_of(head))["request"] == line


def test_long_fields_are_cut():
    head = b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: b\r\nUser-Agent: " + b"m" * 10_000 + b"\r\n\r\n"
    fields = fields_of(record_of(head))
    assert fields["request"] == "GET http://b:8080/" + "a" * 8191 + " HTTP/1.1"
    assert fields["agent"] == "m" * 8192


def test_a_load_balancer_that_was_renamed_is_logged_under_its_new_name():
    formatter = EntryFormatter()
    head = b"GET / HTTP/1.0\r\n\r\n"
    renamed = Origin("app/new/0123456789abcdef", "new-0123456789.us-east-1.elb.localhost", 8080)
    assert fields_of(record_of(head), formatter)["request"] == f"GET http://{ORIGIN.dns_name}:8080/ HTTP/1.0"
    assert fields_of(record_of(head, origin=renamed), formatter)["request"] == (
        f"GET http://{renamed.dns_name}:8080/ HTTP/1.0"
    )


def test_hosts_of_different_listeners_are_not_mixed_up():
    formatter = EntryFormatter()
    other = Origin(ORIGIN.load_balancer, ORIGIN.dns_name, 9090)
    for origin in (ORIGIN, other, ORIGIN):
        assert fields_of(record_of(origin=origin), formatter)["request"].startswith(
            f"GET http://example.com:{origin.port}/"
        )


def test_more_hosts_than_are_remembered():
    formatter = EntryFormatter()
    for number in range(1500):
        head = b"GET / HTTP/1.1\r\nHost: h%d\r\n\r\n" % (number % 1100)
        assert fields_of(record_of(head), formatter)["request"] == f"GET http://h{number % 1100}:8080/ HTTP/1.1"


# --- special shapes (fact sheet 9.2) ---


def test_a_malformed_request():
    blank = RequestRecord(ORIGIN, "203.0.113.7:40112", TID, None, CREATED_S, 1000.0)
    blank.status, blank.sent_bytes, blank.tier, blank.reason = 400, 272, int(Tier.SEVERE), "BadHeader"
    fields = fields_of(blank)
    assert fields["request"] == f"- http://{ORIGIN.dns_name}:8080- -"
    for name in ("target", "target_status", "agent", "group", "trace", "rule", "actions", "target_list", "status_list"):
        assert fields[name] == "-", name
    assert (fields["request_s"], fields["target_s"], fields["response_s"]) == ("-1", "-1", "-1")
    assert (fields["elb_status"], fields["received"], fields["sent"]) == ("400", "0", "272")
    assert (fields["classification"], fields["reason"]) == ("Severe", "BadHeader")


NO_ANSWER = {"target_status": 0, "responded_at": 0.0}
NOT_FORWARDED = {"target": "", "target_group_arn": "", "sent_at": 0.0, **NO_ANSWER}


@pytest.mark.parametrize(
    ("changes", "times", "target", "group"),
    [
        # 503, no target
        ({"status": 503, "target": "", "sent_at": 0.0, **NO_ANSWER}, "-1 -1 -1", "-", GROUP),
        # 502, the target closed after it had taken the request
        ({"status": 502, "target_status": 0}, "0.007 0.023 -1", "10.0.1.5:80", GROUP),
        # 502, refused; 504, no connection; 460
        ({"status": 502, "sent_at": 0.0, **NO_ANSWER}, "-1 -1 -1", "10.0.1.5:80", GROUP),
        ({"status": 504, "sent_at": 0.0, **NO_ANSWER}, "-1 -1 -1", "10.0.1.5:80", GROUP),
        ({"status": 460, "sent_at": 0.0, "sent_bytes": 0, **NO_ANSWER}, "-1 -1 -1", "10.0.1.5:80", GROUP),
        # 504, the target was silent
        ({"status": 504, **NO_ANSWER}, "0.007 -1 -1", "10.0.1.5:80", GROUP),
        # 405, before any rule
        (
            {"status": 405, "target": "", "target_group_arn": "", "action": "", "sent_at": 0.0, **NO_ANSWER},
            "-1 -1 -1",
            "-",
            "-",
        ),
        # redirect and fixed response
        ({"status": 301, "action": "redirect", **NOT_FORWARDED}, "-1 -1 -1", "-", "-"),
        ({"status": 200, "action": "fixed-response", **NOT_FORWARDED}, "-1 -1 -1", "-", "-"),
    ],
)
def test_requests_that_no_target_answered(changes: dict[str, Any], times: str, target: str, group: str):
    fields = fields_of(record_of(**changes))
    assert f"{fields['request_s']} {fields['target_s']} {fields['response_s']}" == times
    assert (fields["target"], fields["target_list"], fields["group"]) == (target, target, group)
    assert (fields["target_status"], fields["status_list"]) == ("-", "-")
    assert fields["elb_status"] == str(changes["status"])
    assert fields["actions"] == (changes.get("action", "forward") or "-")


@pytest.mark.parametrize(
    ("head", "classification", "reason"),
    [
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "Acceptable", "SpaceInUri"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "Ambiguous", "UndefinedContentLengthSemantics"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0\r\n\r\n", "Severe", "BadHeader"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "-", "-"),
    ],
)
def test_the_classification(head: bytes, classification: str, reason: str):
    fields = fields_of(record_of(head))
    assert (fields["classification"], fields["reason"]) == (classification, reason)


# --- rules, actions and transforms ---

# what the record says -> rule, actions, redirect, error, host, uri, transform
OUTCOMES = [
    ({"rule_priority": None, "action": ""}, '- "-" "-" "-" "-" "-" "-"'),
    ({"rule_priority": -1, "action": ""}, '-1 "-" "-" "-" "-" "-" "-"'),
    ({"rule_priority": 0}, '0 "forward" "-" "-" "-" "-" "-"'),
    ({"rule_priority": 50000}, '50000 "forward" "-" "-" "-" "-" "-"'),
    (
        {"rule_priority": 5, "action": "redirect", "redirect_url": b"https://example.test:443/a?b=c"},
        '5 "redirect" "https://example.test:443/a?b=c" "-" "-" "-" "-"',
    ),
    (
        {"rule_priority": 5, "action": "redirect", "redirect_url": b'http://a:80/"'},
        r'5 "redirect" "http://a:80/\x22" "-" "-" "-" "-"',
    ),
    (
        {"rule_priority": 7, "error_reason": "AWSALBTGCookieInvalid"},
        '7 "forward" "-" "AWSALBTGCookieInvalid" "-" "-" "-"',
    ),
    (
        {
            "rule_priority": 7,
            "action": "rewrite,forward",
            "transformed_host": b"new.test",
            "transformed_uri": b"/new?x=1",
            "transform_status": "TransformSuccess",
        },
        '7 "rewrite,forward" "-" "-" "new.test" "/new?x=1" "TransformSuccess"',
    ),
    (
        {
            "rule_priority": 7,
            "action": "rewrite,forward",
            "transformed_uri": b'/"\xed',
            "transform_status": "TransformSuccess",
        },
        r'7 "rewrite,forward" "-" "-" "-" "/\x22\xed" "TransformSuccess"',
    ),
    (
        {"rule_priority": 7, "action": "rewrite", "transform_status": "TransformInvalidHost"},
        '7 "rewrite" "-" "-" "-" "-" "TransformInvalidHost"',
    ),
]


@pytest.mark.parametrize(("changes", "expected"), OUTCOMES)
def test_what_came_of_the_rules(changes: dict[str, Any], expected: str):
    line = EntryFormatter().format(record_of(**changes))
    fields = re.findall(r'"[^"]*"|[^ ]+', line[:-1])
    assert len(fields) == len(FIELDS)
    assert " ".join([fields[20], *fields[22:25], *fields[30:33]]) == expected


def test_a_long_uri_is_cut_after_a_transform_too():
    fields = fields_of(record_of(transform_status="TransformSuccess", transformed_uri=b"/" + b"a" * 10_000))
    assert fields["uri"] == "/" + "a" * 8191


def test_a_websocket_connection():
    """Its entry comes when it closes, and the answer took no time although the connection lasted for an hour."""
    fields = fields_of(record_of(kind="ws", status=101, target_status=101, ended_at=4600.0))
    assert fields["type"] == "ws"
    assert (fields["elb_status"], fields["target_status"]) == ("101", "101")
    assert (fields["request_s"], fields["target_s"], fields["response_s"]) == ("0.007", "0.023", "0.000")
    assert fields["time"] == "2026-01-06T11:20:30.125000Z"
    assert fields["request"] == "GET http://example.com:8080/info.php?x=1 HTTP/1.1"


# --- nothing a client sends breaks the line ---

hostile = st.binary(max_size=30).map(lambda raw: bytes(b for b in raw if b == 9 or (b >= 0x20 and b != 0x7F)))


@settings(deadline=None, max_examples=300)
@given(hostile, hostile, hostile, st.binary(max_size=30))
def test_whatever_the_client_sends_the_fields_stay_apart(host: bytes, agent: bytes, uri: bytes, trace: bytes):
    head = b"GET /" + uri.replace(b" ", b"").replace(b"\t", b"") + b" HTTP/1.1\r\nHost: " + host
    record = record_of(head + b"\r\nUser-Agent: " + agent + b"\r\n\r\n", trace_id=trace)
    fields = fields_of(record)
    assert fields["tid"] == TID
    assert EntryFormatter().format(record).isascii()
    assert len(shlex.split(EntryFormatter().format(record).replace("\\", "/").replace("'", "/"))) == len(FIELDS)


@pytest.mark.parametrize("agent", [b'a" "b', b"a\\b", b"a\tb", b"\xed\x95\x9c", b'"', b"'"])
def test_a_quote_in_a_header_does_not_end_the_field(agent: bytes):
    fields = fields_of(record_of(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + agent + b"\r\n\r\n"))
    assert '"' not in fields["agent"]
    assert "\t" not in fields["agent"]
    assert fields["tid"] == TID
