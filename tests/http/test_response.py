"""Response heads of targets: read, refused, framed anew, and written for the client."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lb.http import limits, response
from lb.http.body import ChunkedBody, LengthBody, UntilCloseBody
from lb.http.response import BadResponse, ResponseHead, ResponseReader

DATE = b"\r\nDate: Tue, 06 Jan 2026 10:20:30 GMT"


def read(data: bytes) -> ResponseHead | None:
    return ResponseReader().read(data)


def head_of(data: bytes) -> ResponseHead:
    head = read(data)
    assert head is not None
    return head


def facts(head: ResponseHead) -> dict[str, object]:
    names = ("status", "keep_alive", "content_length", "chunked", "size")
    return {
        **{name: getattr(head, name) for name in names},
        "to_client": response.to_client(head, b"", b"\r\nConnection: close", DATE, head.rest),
    }


def outcome(data: bytes, reader: ResponseReader | None = None) -> object:
    try:
        head = (reader or ResponseReader()).read(data)
    except BadResponse:
        return "bad"
    return None if head is None else facts(head)


def written(data: bytes) -> list[bytes]:
    """The lines of the head as a client gets it, framed by the balancer, connection kept."""
    head = head_of(data)
    line, _, _, _ = response.frame(head, head_only=False, modern=True)
    message = response.to_client(head, line, b"\r\nConnection: keep-alive", DATE, head.rest)
    assert message.endswith(b"\r\n\r\n")
    return message[:-4].split(b"\r\n")


GOOD = {
    "the smallest": b"HTTP/1.1 204 No Content\r\n\r\n",
    "Apache's": b"HTTP/1.1 200 OK\r\nDate: Tue, 06 Jan 2026 10:20:30 GMT\r\nServer: Apache\r\nContent-Length: 3\r\n"
    b"Keep-Alive: timeout=65\r\nConnection: Keep-Alive\r\nContent-Type: text/html\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n",
    "no reason phrase": b"HTTP/1.1 200\r\n\r\n",
    "an empty reason phrase": b"HTTP/1.1 200 \r\n\r\n",
    "a status of its own": b"HTTP/1.1 799 What \xed\x95\x9c\r\nX:\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD.keys())
def test_a_good_head_is_incomplete_at_every_byte_and_what_follows_does_not_matter(data: bytes):
    for end in range(len(data)):
        assert read(data[:end]) is None
    assert head_of(data).size == len(data)
    for behind in (b"abc", b"\r\n\r\n", b"HTTP/1.1 500 No\r\n\r\n", b"\0" * 40_000):
        assert outcome(data + behind) == outcome(data)


def test_the_parts_of_a_head():
    head = head_of(b"HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\nX-A: b\r\n\r\nbody")
    assert (head.status, head.content_length, head.chunked, head.keep_alive) == (404, 12, False, True)


BAD = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status 0": b"HTTP/1.1 000 OK\r\n\r\n",
    "a tab for the space": b"HTTP/1.1\t200\tOK\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nX-A\r\n\r\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
    "no name": b"HTTP/1.1 200 OK\r\n: b\r\n\r\n",
    "NUL": b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    "a bare CR": b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
    "a bare line feed": b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
    "an empty length": b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "a list of lengths that differ": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
}


@pytest.mark.parametrize("behind", [b"", b"more\r\n\r\n"], ids=["whole", "trailing"])
@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_malformed_head_is_refused(data: bytes, behind: bytes):
    with pytest.raises(BadResponse):
        read(data + behind)


@pytest.mark.parametrize("data", [b"X", b"HTTP/2", b"\0"])
def test_what_cannot_become_a_head_is_refused_at_once(data: bytes):
    with pytest.raises(BadResponse):
        read(data)


def test_a_head_has_a_limit():
    def head(size: int) -> bytes:
        start = b"HTTP/1.1 200 OK\r\nX: "
        return start + b"a" * (size - len(start) - 4) + b"\r\n\r\n"

    assert head_of(head(limits.RESPONSE_HEADERS) + b"body").size == limits.RESPONSE_HEADERS
    assert read(head(limits.RESPONSE_HEADERS)[:-1]) is None
    for data in (head(limits.RESPONSE_HEADERS + 1), head(limits.RESPONSE_HEADERS * 2)[: limits.RESPONSE_HEADERS + 1]):
        with pytest.raises(BadResponse):
            read(data)


@pytest.mark.parametrize(
    ("version", "connection", "keep_alive"),
    [
        (b"1.1", [], True),
        (b"1.1", [b"close"], False),
        (b"1.1", [b"Close"], False),
        (b"1.1", [b"x-a, close"], False),
        (b"1.1", [b"x-a,\tclose"], False),
        (b"1.1", [b"keep-alive, close"], False),
        (b"1.1", [b"close", b"keep-alive"], False),
        (b"1.1", [b"keep-alive", b"close"], False),
        (b"1.1", [b"closed"], True),
        (b"1.0", [], False),
        (b"1.0", [b"keep-alive"], True),
        (b"1.0", [b"Keep-Alive"], True),
        (b"1.0", [b"keep-alive, close"], False),
    ],
)
def test_whether_the_target_connection_can_be_used_again(version: bytes, connection: list[bytes], keep_alive: bool):
    lines = b"".join(b"\r\nConnection: " + value for value in connection)
    assert head_of(b"HTTP/" + version + b" 200 OK\r\nContent-Length: 0" + lines + b"\r\n\r\n").keep_alive is keep_alive


# --- what the client gets ---


def test_the_order_of_headers():
    # Fact sheet 7.5: Date, Content-Type, framing, Connection, then the target's others in their order.
    lines = written(
        b"HTTP/1.1 200 Fine\r\nX-First: 1\r\nContent-Length: 3\r\nContent-Type: text/plain\r\nServer: Apache\r\n"
        b"Connection: close\r\nDate: Mon, 05 Jan 2026 00:00:00 GMT\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a\r\n"
        b"Set-Cookie: b\r\n\r\n"
    )
    assert lines == [
        b"HTTP/1.1 200 Fine",
        b"Date: Mon, 05 Jan 2026 00:00:00 GMT",
        b"Content-Type: text/plain",
        b"Content-Length: 3",
        b"Connection: keep-alive",
        b"X-First: 1",
        b"Server: Apache",
        b"Set-Cookie: a",
        b"Set-Cookie: b",
    ]


def test_a_date_is_added_where_the_target_sent_none():
    assert written(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")[1] == DATE[2:]


@pytest.mark.parametrize("reason", [b" OK", b" Something Else", b" ", b""])
def test_the_status_line_says_http_1_1_and_keeps_the_reason(reason: bytes):
    line = written(b"HTTP/1.0 200" + reason + b"\r\nContent-Length: 0\r\n\r\n")[0]
    assert line == b"HTTP/1.1 200" + (reason or b" ")


@pytest.mark.parametrize(
    "name", [b"Connection", b"Keep-Alive", b"Proxy-Connection", b"Upgrade", b"Trailer", b"TRAILER"]
)
def test_hop_by_hop_headers_of_the_target_stay_here(name: bytes):
    lines = written(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + name + b": x-value\r\n\r\n")
    assert not any(b"x-value" in line for line in lines)


def test_headers_that_the_target_names_in_connection_stay_here():
    # RFC 9110 7.6.1: an intermediary must take them out, in answers as in requests.
    lines = written(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n")
    assert b"X-End: 2" in lines
    assert b"X-Hop: 1" not in lines


def test_no_server_header_is_added_to_answers_of_targets():
    assert not any(line.lower().startswith(b"server:") for line in written(GOOD["chunks"]))


# --- framing (RFC 9112 6.3; fact sheet 7.5) ---

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"
LENGTH_LINE = b"\r\nContent-Length: 3"
CHUNKS_LINE = b"\r\nTransfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("data", "modern", "line", "reader", "encode", "bounded"),
    [
        (LENGTH, True, LENGTH_LINE, LengthBody, False, True),
        (LENGTH, False, LENGTH_LINE, LengthBody, False, True),
        (CHUNKS, True, CHUNKS_LINE, ChunkedBody, False, True),
        (CHUNKS, False, b"", ChunkedBody, False, False),
        (CLOSE, True, CHUNKS_LINE, UntilCloseBody, True, True),
        (CLOSE, False, b"", UntilCloseBody, False, False),
    ],
)
def test_how_a_body_comes_and_goes(data: bytes, modern: bool, line: bytes, reader: type, encode: bool, bounded: bool):
    framing = response.frame(head_of(data), head_only=False, modern=modern)
    assert (framing[0], type(framing[1]), framing[2], framing[3]) == (line, reader, encode, bounded)


def test_chunks_are_taken_apart_for_a_client_that_does_not_know_them():
    _, body, _, _ = response.frame(head_of(CHUNKS), head_only=False, modern=False)
    assert body.feed(b"3\r\nabc\r\n0\r\n\r\n") == b"abc"
    _, body, _, _ = response.frame(head_of(CHUNKS), head_only=False, modern=True)
    assert body.feed(b"3\r\nabc\r\n0\r\n\r\n") == b"3\r\nabc\r\n0\r\n\r\n"


@pytest.mark.parametrize("modern", [True, False])
@pytest.mark.parametrize("data", [LENGTH, CHUNKS, CLOSE], ids=["length", "chunks", "close"])
def test_an_answer_to_head_has_no_body(data: bytes, modern: bool):
    line, body, _, bounded = response.frame(head_of(data), head_only=True, modern=modern)
    assert body.done
    assert bounded
    assert line == (LENGTH_LINE if data is LENGTH else CHUNKS_LINE if data is CHUNKS and modern else b"")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_answers_that_never_have_a_body(status: bytes):
    for data in (LENGTH, CHUNKS, CLOSE):
        _, body, encode, bounded = response.frame(
            head_of(data.replace(b"200 OK", status)), head_only=False, modern=True
        )
        assert (body.done, encode, bounded) == (True, False, True)


def test_204_goes_out_without_transfer_encoding():
    # RFC 9112 6.1: a server must not send Transfer-Encoding with 204; some clients then wait for chunks.
    line, _, _, _ = response.frame(head_of(CHUNKS.replace(b"200 OK", b"204 No")), head_only=False, modern=True)
    assert b"Transfer-Encoding" not in line


@pytest.mark.parametrize(
    "lines",
    [b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"transfer-encoding: Chunked\r\ncontent-length: 3"],
)
def test_chunks_win_over_a_length_and_the_connection_is_not_used_again(lines: bytes):
    head = head_of(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\nConnection: keep-alive\r\n\r\n")
    assert (head.chunked, head.content_length, head.keep_alive) == (True, -1, False)


def test_the_same_length_twice_is_one_length():
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n"
    assert head_of(data).content_length == 3
    assert sum(line.lower().startswith(b"content-length") for line in written(data)) == 1


def test_identity_is_no_coding():
    head = head_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\n")
    assert (head.chunked, head.content_length) == (False, 3)


# --- any bytes, and readers that remember ---

STROKES = st.sampled_from(
    (b"\r\n", b"\n", b"\r", b"\0", b":", b" ", b"\r\nContent-Length: 4", b"\r\nConnection: close", b"\xff")
)


@st.composite
def mutated(draw) -> bytes:
    data = draw(st.sampled_from(list(GOOD.values())))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(STROKES) + data[at + draw(st.integers(0, 4)) :]
    return data


@settings(deadline=None, max_examples=500)
@given(mutated() | st.binary(max_size=60))
def test_reading_raises_nothing_but_bad_response(data: bytes):
    try:
        head = read(data)
    except BadResponse:
        return
    if head is not None:
        assert 0 < head.size <= len(data)
        assert 100 <= head.status <= 999
        lines = response.to_client(head, b"", b"", DATE, head.rest)
        assert lines.count(b"\r") == lines.count(b"\n") == lines.count(b"\r\n")


@settings(deadline=None, max_examples=300)
@given(st.lists(mutated(), min_size=2, max_size=8))
@example([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"])
@example([b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
@example([b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"] * 2)
@example([b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"] * 2)
def test_a_reader_that_has_read_before_reads_the_same(answers: list[bytes]):
    reader = ResponseReader()
    for data in answers:
        assert outcome(data, reader) == outcome(data)


def test_a_reader_stays_correct_after_more_different_lines_than_it_remembers():
    reader = ResponseReader()
    for number in range(6000):
        data = b"HTTP/1.1 200 OK\r\nSet-Cookie: id=%d\r\nContent-Length: %d\r\n\r\n" % (number, number % 7)
        head = reader.read(data)
        assert head is not None
        assert head.content_length == number % 7


def test_chunked_for_one_answer_is_not_chunked_for_the_next():
    reader = ResponseReader()
    for data, chunked, length in ((CHUNKS, True, -1), (LENGTH, False, 3), (CHUNKS, True, -1), (CLOSE, False, -1)):
        head = reader.read(data)
        assert head is not None
        assert (head.chunked, head.content_length) == (chunked, length)
