"""Request heads as tables: what is read, what is refused and how, and what goes on to the target."""

from time import process_time

import pytest

from lb.http.desync import Tier
from lb.http.head import Rejected
from tests.http.messages import MODES, head_of, outcome, read, to_target, values

LINE = 16 * 1024
HEADER = 16 * 1024
HEADERS = 64 * 1024

GOOD = {
    "the smallest": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a browser's": b"GET /info.php?x=1&y=%20 HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: Mozilla/5.0 (X11)\r\n"
    b"Accept: text/html,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nCookie: a=b; c=d\r\n\r\n",
    "a body of known length": b"POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
    "a chunked body": b"PUT /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.0 without Host": b"GET / HTTP/1.0\r\n\r\n",
    "no space after the colon": b"GET / HTTP/1.1\r\nHost:a\r\nX-A:b\r\n\r\n",
    "white space around values": b"GET / HTTP/1.1\r\nHost: \t a \t\r\nX-A:   \r\n\r\n",
    "every token byte in a name": b"GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09Az: v\r\n\r\n",
    "a method of its own": b"PURGE /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS *": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute-form": b"GET http://b.example:81/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes above ASCII": b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\nX-Name: \xed\x95\x9c\r\n\r\n",
    "unusual: a space in the URI": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "unusual: both framings": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "unusual: a name with a space": b"GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
    "unusual: HTTP/1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "unusual: no version": b"GET /\r\n\r\n",
}
BEHIND = (
    b"",
    b"x",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"\x00\xff" * 8,
    b"GET /2 HTTP/1.1\r\nHost: b\r\n\r\n",
    b"y" * 70_000,
)


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD.keys())
def test_a_good_head_is_incomplete_at_every_byte_and_then_read_to_its_last(data: bytes):
    for end in range(len(data)):
        assert read(data[:end]) is None, data[:end]
    found = read(data)
    assert found is not None
    head, end = found
    assert (end, head.size) == (len(data), len(data))


@pytest.mark.parametrize("behind", BEHIND, ids=range(len(BEHIND)))
@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD.keys())
def test_what_follows_a_head_does_not_change_it(data: bytes, behind: bytes):
    assert outcome(data + behind) == outcome(data)


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD.keys())
def test_a_head_is_read_where_it_begins(data: bytes):
    before = b"POST /1 HTTP/1.1\r\nHost: b\r\n\r\nX-Not-Mine: 1\r\n"
    assert outcome(before + data, at=len(before)) == outcome(data)
    found = read(before + data + b"z", at=len(before))
    assert found is not None
    assert found[1] == len(before) + len(data)


def test_the_parts_of_a_head():
    head = head_of(
        b"POST /p?q=1 HTTP/1.1\r\nHost: Example.com:81\r\nContent-Length: 7\r\nX-Forwarded-For: 192.0.2.9\r\n"
        b"x-forwarded-for: 198.51.100.1\r\nX-Amzn-Trace-Id: Root=1-a-b\r\nExpect: 100-Continue\r\nUser-Agent: curl/8\r\n\r\n"
    )
    assert (head.method, head.uri, head.minor) == (b"POST", b"/p?q=1", 1)
    assert (head.host, head.authority) == (b"Example.com:81", None)
    assert (head.content_length, head.chunked) == (7, False)
    assert head.forwarded_for == b"192.0.2.9, 198.51.100.1"
    assert head.trace_id == b"Root=1-a-b"
    assert head.expect_continue
    assert head.user_agent == b"curl/8"
    assert (head.tier, head.reason) == (Tier.COMPLIANT, "")


def test_a_value_is_not_mistaken_for_a_header():
    head = head_of(b"GET /user-agent: HTTP/1.1\r\nHost: a\r\nX-A: user-agent: no\r\nUser-Agent: yes\r\n\r\n")
    assert head.user_agent == b"yes"
    assert head_of(b"GET / HTTP/1.1\r\nHost: a\r\nX-User-Agent: no\r\n\r\n").user_agent is None


# Refused whatever the mode: status alone, since nothing could be classified.
UNREADABLE = {
    "nothing but a word": b"GARBAGE\r\n\r\n",
    "no URI": b"GET HTTP/1.1\r\nHost: a\r\n\r\n",
    "an empty URI": b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n",
    "a folded header with a colon": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\tc: d\r\n\r\n",
    "white space before the first header": b"GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n",
    "a framing header in a fold": b"POST / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n Transfer-Encoding: chunked\r\n\r\n",
    "a folded coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
    "HTTP/1.1 without Host": b"GET / HTTP/1.1\r\n\r\n",
    "HTTP/1.1 without Host, absolute-form": b"GET http://a/ HTTP/1.1\r\n\r\n",
    "a relative URI": b"GET index.html HTTP/1.1\r\nHost: a\r\n\r\n",
    "another scheme": b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute-form without a host": b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute-form with a user": b"GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "authority-form without CONNECT": b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_head_is_answered_with_400_in_every_mode(data: bytes, mode: str):
    with pytest.raises(Rejected) as raised:
        read(data + b"behind", mode)
    assert raised.value.status == 400


REFUSED = [
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadVersion"),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "monitor", 505, None, None),
    (b"GET / HTTP/3\r\nHost: a\r\n\r\n", "monitor", 505, None, None),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadVersion"),
    (b"GET / http/1.1\r\nHost: a\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadVersion"),
    (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadVersion"),
    (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "strictest", 400, Tier.ACCEPTABLE, "NonCompliantVersion"),
    (b"GET /\r\n\r\n", "strictest", 400, Tier.ACCEPTABLE, "NonCompliantVersion"),
    (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "strictest", 400, Tier.ACCEPTABLE, "SpaceInUri"),
    (b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadMethod"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadHeader"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadHeader"),
    (b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadUri"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadContentLength"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", "defensive", 400, Tier.SEVERE, "BadContentLength"),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", "monitor", 400, None, None),
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "defensive",
        400,
        Tier.SEVERE,
        "MultipleContentLength",
    ),
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "monitor",
        400,
        None,
        None,
    ),
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "defensive",
        400,
        Tier.SEVERE,
        "BadTransferEncoding",
    ),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", "monitor", 400, None, None),
    # A coding that is known but not decoded (fact sheet 7.10: 501; end of section 8).
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "defensive", 501, None, None),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "defensive", 501, None, None),
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "defensive",
        400,
        Tier.SEVERE,
        "MultipleTransferEncodingChunked",
    ),
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "strictest",
        400,
        Tier.AMBIGUOUS,
        "BothTeClPresent",
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
        "strictest",
        400,
        Tier.AMBIGUOUS,
        "UndefinedContentLengthSemantics",
    ),
]


@pytest.mark.parametrize("behind", [b"", b"\r\n\r\nmore"], ids=["whole", "trailing"])
@pytest.mark.parametrize(("data", "mode", "status", "tier", "reason"), REFUSED)
def test_a_refusal_has_status_tier_and_reason(
    data: bytes, mode: str, status: int, tier: Tier | None, reason: str | None, behind: bytes
):
    with pytest.raises(Rejected) as raised:
        read(data + behind, mode)
    assert raised.value.status == status
    if tier is not None:
        assert (raised.value.tier, raised.value.reason) == (tier, reason)


# --- limits ---


def line_of(size: int, end: bytes = b"\r\n") -> bytes:
    """A request whose first line is `size` bytes, line end not counted."""
    line = b"GET /" + b"a" * (size - len(b"GET / HTTP/1.1")) + b" HTTP/1.1"
    assert len(line) == size
    return line + end + b"Host: a" + end + end


def header_of(size: int) -> bytes:
    """A request with a header line of `size` bytes, line end not counted."""
    return b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * (size - len(b"X-Long: ")) + b"\r\n\r\n"


def headers_of(size: int) -> bytes:
    """A request whose header section is `size` bytes, as the reader counts: each line with one CRLF."""
    line = b"X: " + b"a" * 8187 + b"\r\n"
    block = b"Host: a\r\n" + line * ((size - 20) // len(line))
    return b"GET / HTTP/1.1\r\n" + block + b"Y: " + b"a" * (size - len(block) - 5) + b"\r\n\r\n"


LIMITS = {
    "request line": (line_of, LINE, 414),
    "one header": (header_of, HEADER, 400),
    "all headers": (headers_of, HEADERS, 400),
}


@pytest.mark.parametrize(("make", "limit", "status"), LIMITS.values(), ids=LIMITS.keys())
def test_a_head_at_its_limit_is_read_and_one_byte_more_is_refused(make, limit: int, status: int):
    assert head_of(make(limit)).size == len(make(limit))
    with pytest.raises(Rejected) as raised:
        read(make(limit + 1))
    assert (raised.value.status, raised.value.tier) == (status, Tier.COMPLIANT)


@pytest.mark.parametrize(("make", "limit", "status"), LIMITS.values(), ids=LIMITS.keys())
def test_a_head_at_its_limit_is_not_refused_before_its_last_byte(make, limit: int, status: int):
    data = make(limit)
    for missing in (1, 2, 3, 4, 5, 6, 20, 100):
        assert outcome(data[:-missing]) is None, f"{missing} bytes before the end"
    line_end = data.index(b"\r\n")
    for end in (line_end - 1, line_end, line_end + 1, line_end + 2):
        assert outcome(data[:end]) is None, f"at byte {end}"


@pytest.mark.parametrize(("make", "limit", "status"), LIMITS.values(), ids=LIMITS.keys())
def test_an_endless_head_is_refused_before_its_end_comes(make, limit: int, status: int):
    data = make(limit * 3)
    sent = data[: limit + limit // 4]
    with pytest.raises(Rejected) as raised:
        read(sent)
    assert raised.value.status == status


@pytest.mark.parametrize(("make", "limit", "status"), LIMITS.values(), ids=LIMITS.keys())
def test_limits_count_from_where_the_head_begins(make, limit: int, status: int):
    before = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n" * 40
    data = before + make(limit)
    assert outcome(data, at=len(before)) == outcome(make(limit))
    assert outcome(data[:-5], at=len(before)) is None


def test_limits_hold_for_heads_that_need_a_closer_look():
    unusual = b"X Y: z\r\n\r\n"
    for make, limit, status in LIMITS.values():
        data = make(limit * 2).removesuffix(b"\r\n") + unusual
        with pytest.raises(Rejected) as raised:
            read(data)
        assert raised.value.status == status


# --- Host ---


@pytest.mark.parametrize(
    ("data", "host", "authority", "uri"),
    [
        (b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n", b"a.example", None, b"/x"),
        (b"GET /x HTTP/1.0\r\n\r\n", None, None, b"/x"),
        (b"GET http://B.example/x?y HTTP/1.1\r\nHost: a\r\n\r\n", b"a", b"B.example", b"/x?y"),
        (b"GET HTTP://b:81 HTTP/1.1\r\nHost: a\r\n\r\n", b"a", b"b:81", b"/"),
        (b"GET https://b?y HTTP/1.1\r\nHost: a\r\n\r\n", b"a", b"b", b"/?y"),
        (b"GET http://[::1]:81/ HTTP/1.1\r\nHost: a\r\n\r\n", b"a", b"[::1]:81", b"/"),
        (b"GET http://b/ HTTP/1.0\r\n\r\n", None, b"b", b"/"),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"a", None, b"*"),
    ],
)
def test_the_host_and_the_uri(data: bytes, host: bytes | None, authority: bytes | None, uri: bytes):
    head = head_of(data)
    assert (head.host, head.authority, head.uri) == (host, authority, uri)


def test_of_two_hosts_the_first_counts():
    head = head_of(b"GET / HTTP/1.1\r\nHost: first\r\nHost: second\r\n\r\n")
    assert head.host == b"first"
    assert values(to_target(head), b"host") == [b"first"]


# --- Connection and hop-by-hop headers ---


@pytest.mark.parametrize(
    ("version", "connection", "keep_alive"),
    [
        (b"1.1", [], True),
        (b"1.1", [b"keep-alive"], True),
        (b"1.1", [b"close"], False),
        (b"1.1", [b"Close"], False),
        (b"1.1", [b"keep-alive, close"], False),
        (b"1.1", [b"close,keep-alive"], False),
        (b"1.1", [b"keep-alive", b"close"], False),
        (b"1.1", [b"x-a,\tclose"], False),
        (b"1.1", [b"close\t, x-a"], False),
        (b"1.1", [b"Upgrade"], True),
        (b"1.1", [b"closed"], True),
        (b"1.1", [b""], True),
        (b"1.0", [], False),
        (b"1.0", [b"keep-alive"], True),
        (b"1.0", [b"Keep-Alive"], True),
        (b"1.0", [b"keep-alive, close"], False),
        (b"1.0", [b"x-a"], False),
        (b"1.0", [b""], False),
    ],
)
def test_whether_the_client_connection_lives_on(version: bytes, connection: list[bytes], keep_alive: bool):
    lines = b"".join(b"Connection: " + value + b"\r\n" for value in connection)
    assert head_of(b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + lines + b"\r\n").keep_alive is keep_alive


@pytest.mark.parametrize(
    ("upgrade", "opens"),
    [
        ([b"websocket"], True),
        ([b"WebSocket"], True),
        ([b"websocket, h2c"], True),
        ([b"h2c,\tWEBSOCKET"], True),
        ([b"h2c , websocket ,"], True),
        ([b"h2c", b"websocket"], True),
        ([b"websocket", b"h2c"], True),
        ([], False),
        ([b""], False),
        ([b"h2c"], False),
        ([b"websockets"], False),
        ([b"web, socket"], False),
        ([b"h2c websocket"], False),
        ([b"websocket/13"], False),
    ],
)
@pytest.mark.parametrize("odd", [b"", b"X Y: z\r\n"], ids=["usual", "tolerant reader"])
def test_a_websocket_handshake_names_websocket_among_its_protocols(upgrade: list[bytes], opens: bool, odd: bytes):
    lines = b"".join(b"Upgrade: " + value + b"\r\n" for value in upgrade)
    head = head_of(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n" + odd + lines + b"\r\n")
    assert head.opens_websocket is opens
    # Of the protocols listed, the target is asked for the one that can be passed on.
    assert values(to_target(head), b"upgrade") == ([b"websocket"] if opens else [])


HOP_BY_HOP = (
    b"Connection: x-one, X-Two\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n"
    b"Trailer: X-End\r\nUpgrade: h2c\r\nX-One: 1\r\nx-two: 2\r\nX-Three: 3\r\nVia: 1.1 x\r\nForwarded: for=192.0.2.1\r\n"
)


@pytest.mark.parametrize("drop_invalid", [False, True])
def test_hop_by_hop_headers_stay_here_and_the_others_go_on(drop_invalid: bool):
    head = head_of(b"GET / HTTP/1.1\r\nHost: a\r\n" + HOP_BY_HOP + b"\r\n", drop_invalid=drop_invalid)
    sent = to_target(head)
    names = {line.partition(b":")[0].lower() for line in sent.split(b"\r\n")[1:] if line}
    assert names == {
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-port",
        b"host",
        b"x-amzn-trace-id",
        b"x-three",
        b"via",
        b"forwarded",
    }


def test_connection_cannot_name_away_what_the_balancer_says_or_how_a_body_ends():
    head = head_of(
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: host, content-length, x-forwarded-for, x-forwarded-proto, "
        b"x-amzn-trace-id, transfer-encoding\r\nX-Forwarded-For: 192.0.2.9\r\nContent-Length: 3\r\n\r\n"
    )
    sent = to_target(head)
    assert values(sent, b"host") == [b"a"]
    assert values(sent, b"content-length") == [b"3"]
    assert values(sent, b"x-forwarded-for") == [b"192.0.2.9, 192.0.2.1"]
    assert values(sent, b"x-forwarded-proto") == [b"http"]
    assert len(values(sent, b"x-amzn-trace-id")) == 1


def test_connection_cannot_name_away_chunks():
    head = head_of(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert head.chunked
    assert values(to_target(head), b"transfer-encoding") == [b"chunked"]


def test_names_in_connection_are_matched_whole():
    head = head_of(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x-a, .*\r\nX-A-B: 1\r\nY-X-A: 2\r\nX-A: 3\r\n\r\n")
    sent = to_target(head)
    assert values(sent, b"x-a-b") == [b"1"]
    assert values(sent, b"y-x-a") == [b"2"]
    assert values(sent, b"x-a") == []


# --- Expect ---


@pytest.mark.parametrize(
    ("value", "expected"), [(b"100-continue", True), (b"100-Continue", True), (b"200-ok", False), (b"", False)]
)
def test_expect_is_kept_here(value: bytes, expected: bool):
    head = head_of(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: " + value + b"\r\n\r\n")
    assert head.expect_continue is expected
    assert values(to_target(head), b"expect") == []


# --- framing ---


@pytest.mark.parametrize(
    ("lines", "content_length", "chunked"),
    [
        (b"", -1, False),
        (b"Content-Length: 0\r\n", 0, False),
        (b"Content-Length: 5\r\n", 5, False),
        (b"content-LENGTH:\t5 \t\r\n", 5, False),
        (b"Content-Length: 007\r\n", 7, False),
        (b"Content-Length: 18446744073709551615\r\n", 2**64 - 1, False),
        (b"Transfer-Encoding: chunked\r\n", -1, True),
        (b"transfer-encoding: CHUNKED\r\n", -1, True),
        (b"Transfer-Encoding: identity\r\n", -1, False),
        (b"Transfer-Encoding: identity, chunked\r\n", -1, True),
        # Ambiguous or worse, and passed on by the defensive mode: chunks win, and only they are written (RFC 9112 6.3).
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", -1, True),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", -1, True),
        (b"Content-Length: 5\r\nContent-Length: 5\r\n", 5, False),
        (b"Transfer-Encoding : chunked\r\n", -1, True),
        (b"Content-Length : 5\r\n", 5, False),
    ],
)
def test_framing(lines: bytes, content_length: int, chunked: bool):
    head = head_of(b"POST / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")
    assert (head.content_length, head.chunked) == (content_length, chunked)
    sent = to_target(head)
    assert [value.lstrip(b"0") or b"0" for value in values(sent, b"content-length")] == (
        [] if content_length < 0 else [b"%d" % content_length]
    )
    assert values(sent, b"transfer-encoding") == ([b"chunked"] if chunked else [])
    assert not any(b" :" in line for line in sent.split(b"\r\n")[1:])


# --- unusual heads ---


@pytest.mark.parametrize(
    ("data", "minor"),
    [
        (b"GET /\r\n\r\n", 0),
        (b"GET / HTTP/0.9\r\n\r\n", 0),
        (b"GET / HTTP/1.0\r\n\r\n", 0),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 1),
        (b"GET / HTTP/1.9\r\nHost: a\r\n\r\n", 1),
        (b"GET / \t HTTP/1.1 \r\nHost: a\r\n\r\n", 1),
    ],
)
def test_versions(data: bytes, minor: int):
    head = head_of(data)
    assert head.minor == minor
    assert to_target(head).startswith(b"GET / HTTP/1.1\r\n")
    assert head.keep_alive is (minor == 1)


@pytest.mark.parametrize(
    ("uri", "written"),
    [(b"/a b", b"/a%20b"), (b"/a\tb", b"/a%09b"), (b"/a\x7fb", b"/a%7Fb"), (b"/a\x01", b"/a%01")],
)
def test_what_has_no_place_in_a_uri_is_written_escaped(uri: bytes, written: bytes):
    head = head_of(b"GET " + uri + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert head.tier > Tier.COMPLIANT
    assert to_target(head).startswith(b"GET " + written + b" HTTP/1.1\r\n")


def test_bare_line_feeds_are_read_and_written_as_line_ends():
    head = head_of(b"POST /x HTTP/1.1\nHost: a\nContent-Length: 2\nX-A: 1\n\n")
    assert (head.uri, head.host, head.content_length) == (b"/x", b"a", 2)
    sent = to_target(head)
    assert sent.count(b"\n") == sent.count(b"\r\n")
    assert values(sent, b"x-a") == [b"1"]


def test_bare_line_feeds_are_not_for_the_strictest_mode():
    # The library that ALB is built on calls them NonCrLfLineTermination, Acceptable (fact sheet 8.2).
    with pytest.raises(Rejected) as raised:
        read(b"GET / HTTP/1.1\nHost: a\n\n", "strictest")
    assert raised.value.status == 400


def test_a_header_without_a_name_does_not_go_on():
    head = head_of(b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n")
    assert (head.tier, head.reason) == (Tier.AMBIGUOUS, "EmptyHeader")
    assert b"\r\n:" not in to_target(head)


@pytest.mark.parametrize("line", [b"X: a\x00b", b"X: a\rTransfer-Encoding: chunked", b"X\x00: a", b"X\r: a"])
def test_nul_and_bare_cr_do_not_go_on_even_in_monitor_mode(line: bytes):
    head = head_of(b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n\r\n", "monitor")
    assert (head.tier, head.reason) == (Tier.SEVERE, "BadHeader")
    sent = to_target(head)
    assert b"\x00" not in sent
    assert sent.count(b"\r") == sent.count(b"\r\n")


@pytest.mark.parametrize("method", [b"GE\rT", b"GE\x00T", b"GET\r", b""])
def test_no_mode_writes_a_method_that_breaks_the_request_line(method: bytes):
    # A bare CR ends a line for some targets: what is behind it would be theirs to read as they like (RFC 9112 2.2).
    try:
        found = read(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n", "monitor")
    except Rejected:
        return
    assert found is not None
    line = to_target(found[0]).partition(b"\r\n")[0]
    assert b"\r" not in line
    assert b"\x00" not in line
    assert not line.startswith(b" ")


def test_invalid_names_go_on_unless_they_are_to_be_dropped():
    data = b"GET / HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nX.Y: 2\r\nX Y: 3\r\nX-Y: 4\r\nUser-Agent: c\r\n\r\n"
    kept = to_target(head_of(data))
    assert [values(kept, name) for name in (b"X_Y", b"X.Y", b"X Y", b"X-Y")] == [[b"1"], [b"2"], [b"3"], [b"4"]]
    dropped = to_target(head_of(data, drop_invalid=True))
    assert [values(dropped, name) for name in (b"X_Y", b"X.Y", b"X Y", b"X-Y")] == [[], [], [], [b"4"]]
    assert values(dropped, b"user-agent") == [b"c"]


def test_dropping_invalid_names_changes_nothing_else():
    data = b"POST /p HTTP/1.1\r\nHost: A\r\nContent-Length: 3\r\nX-Forwarded-For: 192.0.2.9\r\nX-A:  b \r\n\r\n"
    dropping, keeping = head_of(data, drop_invalid=True), head_of(data)
    for name in ("host", "uri", "content_length", "chunked", "forwarded_for", "tier", "minor", "size", "keep_alive"):
        assert getattr(dropping, name) == getattr(keeping, name), name
    assert values(to_target(dropping), b"x-a") == [b"b"]


REPLACED = (b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Port", b"Host", b"X-Amzn-Trace-Id")


@pytest.mark.parametrize("name", REPLACED)
def test_a_padded_name_does_not_smuggle_in_what_the_balancer_says_itself(name: bytes):
    # A target that trims names (RFC 9112 5.1 warns of them) would find the client's word beside the balancer's.
    try:
        found = read(b"GET / HTTP/1.1\r\nHost: a\r\n" + name + b" : spoofed\r\n\r\n")
    except Rejected:
        return
    assert found is not None
    lines = to_target(found[0]).split(b"\r\n")[1:]
    trimmed = [line.partition(b":")[0].strip().lower() for line in lines]
    assert trimmed.count(name.lower()) == 1


@pytest.mark.parametrize("name", [b"Connection", b"Keep-Alive", b"TE", b"Trailer", b"Upgrade", b"Expect"])
def test_a_padded_name_does_not_carry_a_hop_by_hop_header_on(name: bytes):
    try:
        found = read(b"GET / HTTP/1.1\r\nHost: a\r\n" + name + b" : x\r\n\r\n")
    except Rejected:
        return
    assert found is not None
    trimmed = [line.partition(b":")[0].strip().lower() for line in to_target(found[0]).split(b"\r\n")[1:]]
    assert name.lower() not in trimmed


def test_no_head_takes_long_to_read():
    """Nobody else is served meanwhile."""
    base = b"POST / HTTP/1.1\r\nHost: a\r\n"
    slow = {}
    for title, data in {
        "spaces in a name like Transfer-Encoding": base + b"transfer" + b" " * 8000 + b"x: y\r\n\r\n",
        "spaces in a name like Content-Length": base + b"content" + b"\t" * 8000 + b"x: y\r\n\r\n",
        "punctuation around such a name": base + b"-" * 8000 + b"transfer-encodin" + b"-" * 8000 + b": y\r\n\r\n",
        "commas in Transfer-Encoding": base + b"Transfer-Encoding: " + b"," * 16000 + b"\r\n\r\n",
        "many names in Connection": base
        + b"".join(
            b"Connection: " + b",".join(b"%c%d" % (97 + line, number) for number in range(2700)) + b"\r\n"
            for line in range(4)
        )
        + b"\r\n",
        "many short headers": base + b"a:\r\n" * 16000 + b"\r\n",
        "many invalid headers": base + b"a b:\r\n" * 10000 + b"\r\n",
    }.items():
        began = process_time()
        outcome(data)
        if (took := process_time() - began) > 0.2:
            slow[title] = round(took, 2)
    assert not slow
