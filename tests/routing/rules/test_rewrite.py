"""Transforms: what the target gets, and what the log says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.model.rules import HostHeaderRewrite, UrlRewrite
from lb.routing.rewrite import TransformStatus, compile_rewrite
from lb.routing.walk import compile_rules
from tests.routing.rules.tables import cases, rules_of

URI = b"/path?query"
HOST = b"example.com"


@pytest.mark.parametrize("case", cases("rewrites.yaml"))
def test_what_a_transform_makes_of_a_request(case: dict[str, Any]):
    rules = rules_of([{"priority": 1, "conditions": {"path-pattern": "*"}, "transforms": case["transforms"]}])
    rewrite = compile_rules(rules).rules[0].rewrite
    assert rewrite is not None
    made = rewrite.apply(case.get("uri", URI.decode()).encode(), case.get("host", HOST.decode()).encode())
    gives = {"uri": None, "host": None, "status": "TransformSuccess"} | case["gives"]
    shown = {
        "uri": made.uri.decode() if made.uri is not None else None,
        "host": made.host.decode() if made.host is not None else None,
        "status": made.status.value,
    }
    assert shown == gives


@pytest.mark.parametrize(
    ("transform", "status"),
    [
        (UrlRewrite("(", "/"), TransformStatus.SYNTAX_ERROR),
        (UrlRewrite("(?:abc|bcd|cde){900}", "/"), TransformStatus.COMPILE_TOO_BIG),
        (UrlRewrite("path", "$1"), TransformStatus.REPLACE_ERROR),
        (HostHeaderRewrite("(e)", "$1$2"), TransformStatus.REPLACE_ERROR),
    ],
)
def test_a_transform_that_nobody_checked_fails_for_every_request(transform: Any, status: TransformStatus):
    rewrite = compile_rewrite([transform])
    assert rewrite is not None
    made = rewrite.apply(URI, HOST)
    assert (made.status, made.uri, made.host) == (status, None, None)


def test_a_uri_beyond_the_request_line_is_too_much():
    rewrite = compile_rewrite([UrlRewrite("^/(.*)$", "/" + "$1" * 9)])
    assert rewrite is not None
    assert rewrite.apply(b"/" + b"a" * 1800, HOST).status is TransformStatus.SUCCESS
    assert rewrite.apply(b"/" + b"a" * 1900, HOST).status is TransformStatus.BUFFER_TOO_SMALL


def test_without_transforms_there_is_nothing_to_do():
    assert compile_rewrite([]) is None


@given(st.binary(max_size=30), st.text(max_size=12), st.text(max_size=12))
def test_what_comes_out_can_always_be_sent(uri: bytes, new_uri: str, new_host: str):
    rewrite = compile_rewrite([UrlRewrite("x", new_uri.replace("$", "")), HostHeaderRewrite("example", new_host)])
    assert rewrite is not None
    made = rewrite.apply(b"/" + uri, HOST)
    for sent in (made.uri, made.host):
        assert sent is None or (sent and not any(byte <= 0x20 or byte == 0x7F for byte in sent))
    assert made.uri is None or made.uri.startswith(b"/")
