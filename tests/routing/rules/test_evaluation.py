"""Evaluating rules cannot fail, whatever request the head reader lets through: so the log's priority -1 never comes up."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lb.http.head import Rejected
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
from lb.routing.request import RequestView
from lb.routing.walk import compile_rules, explain_walk, walk
from tests.http.messages import read

# One of each kind, none of which the requests below meet, so that every one is asked.
CONDITIONS: tuple[Condition, ...] = (
    HostHeader(("*.no.where", "no?.where"), ("^(no|where)+$",)),
    PathPattern(("/no/*/where?", "*/nowhere"), ("^/(no|where)+$",)),
    HttpHeader("X-Nowhere", ("*no*where*",), ("^(no|where)+$",)),
    HttpHeader("X-A", ("*no*where*",), ("^(no|where)+$",)),
    HttpRequestMethod(("NOWHERE",)),
    QueryString((QueryPair("no*", "where"), QueryPair(None, "no?where"))),
    SourceIp(("192.0.2.0/24", "2001:db8::/32")),
)
OK = FixedResponse("200")
TABLE = compile_rules(
    [*(Rule(f"r{n}", n, (each,), OK) for n, each in enumerate(CONDITIONS, 1)), Rule("d", None, (), OK)]
)

PIECES = st.sampled_from(
    [
        b"%",
        b"%zz",
        b"%00",
        b"%2F",
        b"/",
        b"//",
        b"/.",
        b"/..",
        b"?",
        b"&",
        b"=",
        b"#",
        b"*",
        b"a",
        b"\xff",
        b"\xc3\xa9",
        b":",
        b"@",
    ]
)
URIS = st.one_of(
    st.lists(PIECES, max_size=8).map(b"".join).map(b"/%b".__mod__),
    st.sampled_from([b"*", b"http://a:b@c:/?", b"http://[::1"]),
)
HOSTS = st.sampled_from(
    [b"a", b"", b":", b":80", b"[::1]:80", b"[::1", b"a:b:c", b"\xff.\xff", b"*.no.where", b"a" * 5000]
)
VALUES = st.binary(max_size=30).map(lambda value: value.translate(None, b"\r\n"))
CLIENTS = st.sampled_from(["203.0.113.9", "::1", "::ffff:203.0.113.9", "fe80::1%eth0"])


@given(method=st.sampled_from([b"GET", b"get", b"!", b"OPTIONS"]), uri=URIS, host=HOSTS, value=VALUES, client=CLIENTS)
@example(method=b"GET", uri=b"/", host=b"a", value=b"", client="fe80::1%eth0")
@settings(max_examples=600, deadline=None)
def test_every_request_that_is_read_can_be_compared_with_every_rule(method, uri, host, value, client):
    data = b"%b %b HTTP/1.1\r\nHost: %b\r\nX-A: %b\r\nX-A:\r\n\r\n" % (method, uri, host, value)
    try:
        found = read(data, "monitor")
    except Rejected:
        return
    assert found is not None
    view = RequestView(found[0], client, b"web.elb.localhost")
    chosen = walk(TABLE, view)
    assert all(condition.matches(view) in (True, False) for rule in TABLE.rules for condition in rule.conditions)
    assert explain_walk(TABLE, view).chosen is chosen
