"""Request heads from any bytes: nothing but refusals is raised, and foreign parsers see the same request."""

import itertools
import re

import pytest
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from lb.http.desync import Tier
from lb.http.head import HeadReader, Rejected
from tests.http.messages import (
    MODES,
    NEXT,
    TOKEN,
    RefusedElsewhere,
    Seen,
    body_for,
    facts,
    header_lines,
    outcome,
    read,
    to_target,
    with_h11,
    with_httptools,
)

PARSERS = {"httptools": with_httptools, "h11": with_h11}
# The methods that llhttp has in its tables; h11 takes any token.
KNOWN_METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"PROPFIND", b"PURGE")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
ASCII_TARGET = re.compile(rb"[\x21-\x7e]+")

GOOD = (
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /form?x=1 HTTP/1.1\r\nHost: a:8080\r\nContent-Length: 3\r\nX-A: b\r\nUser-Agent: c/1\r\n\r\n",
    b"PUT /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, X-A\r\nX-A: b\r\n\r\n",
    b"GET http://b/x HTTP/1.0\r\nConnection: keep-alive\r\nX-Forwarded-For: 192.0.2.7\r\nX-Amzn-Trace-Id: Root=1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTE: trailers\r\nUpgrade: h2c\r\n\r\n",
)
INSERTS = st.sampled_from(
    (
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\n\n",
        b"\x00",
        b":",
        b" ",
        b"\t",
        b",",
        b";",
        b"\x7f",
        b"\xff",
        b"HTTP/1.1 ",
        b"0",
        b"\r\nTransfer-Encoding: chunked",
        b"\r\nContent-Length: 7",
        b"\r\n ",
        b"\r\nHost: z",
        b"\xc5\xbf",
        b"\xc4\xb1",
    )
)


@st.composite
def mutated(draw) -> bytes:
    """A good head after a few strokes of bad luck."""
    data = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 4)):
            case 0:
                data = data[:at] + bytes((draw(st.integers(0, 255)),)) + data[at + 1 :]
            case 1:
                data = data[:at] + draw(INSERTS) + data[at:]
            case 2:
                data = data[:at] + data[at + draw(st.integers(1, 8)) :]
            case 3:
                data = data[:at] + data[at : at + draw(st.integers(1, 30))] + data[at:]
            case _:
                data = data[:at] + data[at:].swapcase()
    return data


modes = st.sampled_from(MODES)


@settings(deadline=None, max_examples=600)
@given(mutated() | st.binary(max_size=200), modes, st.booleans())
def test_reading_raises_nothing_but_refusals(data: bytes, mode: str, drop_invalid: bool):
    try:
        found = read(data, mode, drop_invalid=drop_invalid)
    except Rejected as refusal:
        found = None
        event(f"refused with {refusal.status}")
        if refusal.status not in (400, 414, 501, 505):
            raise
    if found is None:
        return
    head, end = found
    assert 0 < end <= len(data)
    assert head.size == end
    assert head.minor in (0, 1)
    assert not (head.chunked and head.content_length >= 0)


@settings(deadline=None, max_examples=400)
@given(mutated(), st.binary(max_size=40), modes, st.booleans())
def test_reading_does_not_depend_on_what_follows(data: bytes, behind: bytes, mode: str, drop_invalid: bool):
    blank = re.search(rb"\n\r?\n", data)
    assume(blank is not None)
    assert blank is not None
    whole = data[: blank.end()]
    assert outcome(whole + behind, mode, drop_invalid=drop_invalid) == outcome(whole, mode, drop_invalid=drop_invalid)
    for cut in range(len(whole)):
        assert outcome(whole[:cut], mode, drop_invalid=drop_invalid) is None


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(GOOD) | mutated(), modes, st.booleans()), min_size=2, max_size=8))
@example([(GOOD[0], "defensive", False), (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "defensive", False)])
@example(
    [
        (b"GET / HTTP/1.0\r\nX-A: b\r\n\r\n", "defensive", False),
        (b"GET / HTTP/1.1\r\nX-A: b\r\n\r\n", "defensive", False),
    ]
)
@example([(b"GET http://q/ HTTP/1.1\r\nHost: a\r\n\r\n", "defensive", False), (GOOD[0], "defensive", False)])
@example([(b"GET / HTTP/1.1\r\nHost: a\r\nX_A: b\r\n\r\n", "monitor", drop) for drop in (False, True, False)])
def test_a_reader_that_has_read_before_reads_the_same(requests: list[tuple[bytes, str, bool]]):
    """What a connection carried earlier must not show in what it carries now."""
    reader = HeadReader()
    for data, mode, drop_invalid in requests:
        used = outcome(data, mode, drop_invalid=drop_invalid, reader=reader)
        assert used == outcome(data, mode, drop_invalid=drop_invalid)


def test_a_head_that_was_read_does_not_change_when_the_next_is_read():
    reader = HeadReader()
    first = reader.read(GOOD[0], 0, "defensive", drop_invalid=False)
    assert first is not None
    before = facts(first[0])
    for data in (*GOOD, GOOD[0]):
        reader.read(data, 0, "defensive", drop_invalid=False)
    assert facts(first[0]) == before


# --- the same request to everyone ---

NAMES = st.sampled_from(
    (
        b"X-A",
        b"x-b",
        b"Accept",
        b"Content-Type",
        b"Cookie",
        b"!#$%&'*+-.^_`|~",
        b"Contents",
        b"Transfer",
        b"Te-st",
        b"9",
    )
)
TEXT = st.binary(max_size=12).map(lambda raw: bytes(b for b in raw if b == 9 or 0x20 <= b <= 0x7E).strip(b" \t"))


@st.composite
def compliant(draw) -> bytes:
    """A head by the grammar of RFC 9112, in its many allowed spellings."""
    method = draw(st.sampled_from(KNOWN_METHODS))
    path = b"/" + draw(st.binary(max_size=12).map(lambda raw: bytes(b for b in raw if 0x21 <= b <= 0x7E)))
    lines = [(b"Host", draw(st.sampled_from((b"a", b"A.example:8080", b"[::1]:81"))))]
    lines += draw(st.lists(st.tuples(NAMES, TEXT), max_size=4))
    if method not in (b"GET", b"HEAD") and draw(st.booleans()):
        lines.append(
            draw(
                st.sampled_from(
                    (
                        (b"Content-Length", b"3"),
                        (b"content-length", b"0"),
                        (b"Transfer-Encoding", b"chunked"),
                        (b"CONTENT-LENGTH", b"007"),
                        (b"transfer-encoding", b"Chunked"),
                    )
                )
            )
        )
    lines = draw(st.permutations(lines))
    spaces = (b"", b" ", b"\t", b" \t ")
    # llhttp refuses `chunked` with a tab behind it, which the grammar allows.
    block = b"".join(
        name
        + b":"
        + draw(st.sampled_from(spaces))
        + value
        + draw(st.sampled_from(spaces[:2] if name.lower() == b"transfer-encoding" else spaces))
        + b"\r\n"
        for name, value in lines
    )
    return method + b" " + path + b" HTTP/1.1\r\n" + block + b"\r\n"


def sees(parser: str, message: bytes) -> Seen:
    return PARSERS[parser](message)


@pytest.mark.parametrize("parser", PARSERS)
@settings(deadline=None, max_examples=300)
@given(data=compliant())
def test_foreign_parsers_agree_on_what_is_compliant(parser: str, data: bytes):
    found = read(data, "strictest")
    assert found is not None
    head, end = found
    assert end == len(data)
    assert head.tier is Tier.COMPLIANT
    sent, payload = body_for(head)
    seen = sees(parser, data + sent + NEXT)
    assert (seen.method, seen.target, seen.minor) == (head.method, head.uri, head.minor)
    assert (seen.body, seen.next_target) == (payload, b"/the-next-request")
    # h11 writes codings in lower case.
    assert [(name.lower(), value.strip(b" \t").lower()) for name, value in seen.headers] == [
        (name.lower(), value.lower()) for name, value in header_lines(data)
    ]


def must_be_understood(message: bytes) -> bool:
    """Whether a written head follows the grammar to the letter, so that a target has no ground to refuse it."""
    method, target, _ = message.partition(b"\r\n")[0].split(b" ")
    return (
        method in KNOWN_METHODS
        and ASCII_TARGET.fullmatch(target) is not None
        and all(TOKEN.fullmatch(name) and VALUE.fullmatch(value) for name, value in header_lines(message))
    )


def check_no_smuggling(data: bytes, mode: str, drop_invalid: bool) -> None:
    """What the balancer passes on ends for a target where it ends for the balancer, or the target refuses it."""
    try:
        found = read(data, mode, drop_invalid=drop_invalid)
    except Rejected:
        return
    if found is None or found[0].method == b"CONNECT" or found[0].content_length > 1000:
        return
    head = found[0]
    written = to_target(head)
    assert written.endswith(b"\r\n\r\n")
    assert written.count(b"\r\n\r\n") == 1
    assert written.count(b"\n") == written.count(b"\r") == written.count(b"\r\n"), "a bare CR or LF went on"
    assert b"\0" not in written
    sent, payload = body_for(head)
    for parser in PARSERS:
        try:
            seen = sees(parser, written + sent + NEXT)
        except RefusedElsewhere:
            if must_be_understood(written):
                raise
            continue
        assert (seen.body, seen.next_target) == (payload, b"/the-next-request"), f"{parser} reads {written!r}"
        assert (seen.method, seen.target) == (head.method, head.uri)
        assert len([value for name, value in seen.headers if name.lower() == b"host"]) == 1


FRAMING_NAMES = (
    *(b"Transfer-Encoding", b"transfer-encoding", b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding"),
    *(
        b"Transfer_Encoding",
        b"Transfer Encoding",
        b"TransferEncoding",
        b"Tran\xc5\xbffer-Encoding",
        b"-Transfer-Encoding",
    ),
    *(
        b"Transfer-Encoding\x0b",
        b"\x0bTransfer-Encoding",
        b"Transfer-\0Encoding",
        b"Transfer-Encoding\r",
        b"X-Transfer-Encoding",
    ),
    *(
        b"Content-Length",
        b"content-length",
        b"Content-Length ",
        b"Content_Length",
        b"Content--Length",
        b"ContentLength",
    ),
    *(b"Content-Length\x0c", b"Content Length", b"\tContent-Length", b"X-Content-Length", b"", b":Content-Length"),
)
CODINGS = (
    *(
        b"chunked",
        b"Chunked",
        b"identity",
        b"identity, chunked",
        b"chunked, identity",
        b"chunked, chunked",
        b"gzip, chunked",
    ),
    *(
        b"\x0bchunked",
        b"chunked\x0b",
        b"x",
        b"",
        b"chunked;q=1",
        b",chunked",
        b"chunked,",
        b"xchunked",
        b'"chunked"',
        b"chun\rked",
    ),
)
LENGTHS = (
    b"3",
    b"0",
    b"00",
    b"03",
    b"+3",
    b"-3",
    b"3, 3",
    b"3,4",
    b"0x3",
    b"3 3",
    b"",
    b"\x0b3",
    b"3\x00",
    b"4",
    b"3;",
)

FRAMING_LINES = st.tuples(st.sampled_from(FRAMING_NAMES), st.sampled_from(CODINGS + LENGTHS))


@settings(deadline=None, max_examples=1500)
@given(
    st.sampled_from((b"POST", b"GET", b"HEAD", b"PUT")),
    st.sampled_from((b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/0.9")),
    st.lists(FRAMING_LINES, min_size=1, max_size=4),
    st.sampled_from((b"\r\n", b"\n")),
    modes,
    st.booleans(),
)
def test_no_pair_of_framing_headers_smuggles(
    method: bytes, version: bytes, lines: list[tuple[bytes, bytes]], end: bytes, mode: str, drop_invalid: bool
):
    block = b"".join(name + b": " + value + end for name, value in lines)
    check_no_smuggling(method + b" /x " + version + end + b"Host: a" + end + block + end, mode, drop_invalid)


@pytest.mark.parametrize("mode", MODES)
def test_no_single_framing_header_smuggles(mode: str):
    for name, value in itertools.product(FRAMING_NAMES, CODINGS + LENGTHS):
        check_no_smuggling(b"POST /x HTTP/1.1\r\nHost: a\r\n" + name + b": " + value + b"\r\n\r\n", mode, False)


@settings(deadline=None, max_examples=800)
@given(mutated(), modes, st.booleans())
def test_no_mutation_smuggles(data: bytes, mode: str, drop_invalid: bool):
    check_no_smuggling(data, mode, drop_invalid)
