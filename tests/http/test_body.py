"""Body framing: each body fed whole, byte by byte and in any pieces gives the same bytes, the same end, the same error."""

import re
from collections.abc import Callable, Sequence

import h11
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lb.http import limits
from lb.http.body import LAST_CHUNK, BodyError, BodyReader, ChunkedBody, LengthBody, UntilCloseBody, encode_chunk

NEXT = b"GET /next HTTP/1.1\r\n"


def feed(reader: BodyReader, pieces: Sequence[bytes]) -> tuple[bytes, bytes]:
    """What was passed on and what was left over, once all pieces have come."""
    passed = b""
    for at, piece in enumerate(pieces):
        passed += reader.feed(piece)
        if reader.done:
            return passed, reader.leftover + b"".join(pieces[at + 1 :])
    return passed, b""


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@st.composite
def cuts(draw, data: bytes) -> list[bytes]:
    """The same bytes in pieces of any size."""
    places = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)))
    return [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]


def decoded(data: bytes) -> tuple[bytes, bytes]:
    """A decoder as small as RFC 9112 7.1 allows: the payload of well-formed chunks without trailers, and the rest."""
    payload = b""
    while True:
        line, found, data = data.partition(b"\r\n")
        assert found, "no end of the chunk-size line"
        size = int(re.match(rb"[0-9A-Fa-f]+", line)[0], 16)  # type: ignore[index]
        chunk, end, data = data[:size], data[size : size + 2], data[size + 2 :]
        assert end == b"\r\n"
        if size == 0:
            return payload, data
        assert len(chunk) == size
        payload += chunk


# --- bodies of known length ---


@pytest.mark.parametrize("length", [0, 1, 5, 20])
def test_a_body_of_known_length_ends_where_it_ends(length: int):
    body = bytes(range(length))
    for pieces in ([body + NEXT], byte_by_byte(body + NEXT), [body, NEXT], [body[:2], body[2:] + NEXT]):
        reader = LengthBody(length)
        assert reader.done is (length == 0)
        if reader.done:
            continue
        assert feed(reader, pieces) == (body, NEXT)
        assert reader.done


def test_a_body_without_bytes_leaves_everything():
    reader = LengthBody(0)
    assert reader.feed(NEXT) == b""
    assert (reader.done, reader.leftover) == (True, NEXT)


def test_a_short_body_is_not_done():
    reader = LengthBody(5)
    assert reader.feed(b"abcd") == b"abcd"
    assert not reader.done
    assert reader.feed(b"") == b""
    assert not reader.done
    assert reader.feed(b"e") == b"e"
    assert (reader.done, reader.leftover) == (True, b"")


def test_a_huge_length_is_counted_exactly():
    reader = LengthBody(2**64 - 1)
    assert reader.feed(b"x" * 100) == b"x" * 100
    assert not reader.done


def test_a_body_until_close_is_never_done():
    reader = UntilCloseBody()
    assert feed(reader, [b"a", b"", b"0\r\n\r\n"]) == (b"a0\r\n\r\n", b"")
    assert not reader.done


# --- chunks ---

GOOD = {
    "nothing": (b"0\r\n\r\n", b""),
    "one chunk": (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "two chunks": (b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", b"abcd"),
    "hexadecimal of both cases": (b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", b"0123456789" * 2),
    "leading zeros": (b"0003\r\nabc\r\n000\r\n\r\n", b"abc"),
    "sixteen digits": (b"0000000000000003\r\nabc\r\n0000000000000000\r\n\r\n", b"abc"),
    "an extension": (b"3;name=value\r\nabc\r\n0;last\r\n\r\n", b"abc"),
    "an extension in quotes": (b'3;n="a;b"\r\nabc\r\n0\r\n\r\n', b"abc"),
    "white space before an extension": (b"3 \t;n\r\nabc\r\n0\r\n\r\n", b"abc"),
    "line ends in the data": (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
    "an end of chunks in the data": (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    "a trailer": (b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", b"abc"),
    "trailers that matter in a head": (b"0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: b\r\n\r\n", b""),
}


@pytest.mark.parametrize("decode", [False, True], ids=["raw", "decode"])
@pytest.mark.parametrize(("body", "payload"), GOOD.values(), ids=GOOD.keys())
def test_chunks(body: bytes, payload: bytes, decode: bool):
    for pieces in ([body + NEXT], [*byte_by_byte(body), NEXT], byte_by_byte(body + NEXT)):
        reader = ChunkedBody(decode=decode)
        passed, leftover = feed(reader, pieces)
        assert reader.done
        assert leftover == NEXT
        assert (passed if decode else decoded(passed)) == (payload if decode else (payload, b""))


@pytest.mark.parametrize("decode", [False, True], ids=["raw", "decode"])
@settings(deadline=None)
@given(data=st.data())
def test_chunks_in_any_pieces(decode: bool, data: st.DataObject):
    body, payload = data.draw(st.sampled_from(list(GOOD.values())))
    pieces = data.draw(cuts(body + NEXT))
    reader = ChunkedBody(decode=decode)
    passed, leftover = feed(reader, pieces)
    assert (reader.done, leftover) == (True, NEXT)
    assert (passed if decode else decoded(passed)[0]) == payload


@pytest.mark.parametrize("decode", [False, True], ids=["raw", "decode"])
@pytest.mark.parametrize("body", [body for body, _ in GOOD.values()], ids=GOOD.keys())
def test_chunks_are_not_done_before_their_last_byte(body: bytes, decode: bool):
    for end in range(len(body)):
        for pieces in ([body[:end]], byte_by_byte(body[:end])):
            reader = ChunkedBody(decode=decode)
            feed(reader, pieces)
            assert not reader.done
            assert reader.leftover == b""


BAD = {
    "no size": b"\r\nabc\r\n",
    "a word": b"abcx\r\n",
    "a sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "a minus": b"-1\r\n\r\n",
    "0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "an underscore": b"1_0\r\n0123456789012345\r\n0\r\n\r\n",
    "a space before": b" 3\r\nabc\r\n0\r\n\r\n",
    "a space inside": b"1 0\r\n0123456789012345\r\n0\r\n\r\n",
    "seventeen digits": b"00000000000000003\r\nabc\r\n0\r\n\r\n",
    "a bare line feed": b"3\nabc\r\n0\r\n\r\n",
    "a bare CR": b"3\rabc\r\n0\r\n\r\n",
    "two CR": b"3\r\r\nabc\r\n0\r\n\r\n",
    "a CR in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "a NUL in an extension": b"3;\0\r\nabc\r\n0\r\n\r\n",
    "a bare line feed behind an extension": b"3;a\nabc\r\n0\r\n\r\n",
    "more data than the size": b"3\r\nabcd\r\n0\r\n\r\n",
    "less data than the size": b"4\r\nabc\r\n0\r\n\r\n",
    "a bare line feed behind the data": b"3\r\nabc\n0\r\n\r\n",
    "nothing behind the data": b"3\r\nabc0\r\n\r\n",
    "CR and something behind the data": b"3\r\nabc\rx",
    "a bare line feed as the end": b"0\r\n\n",
    "a bare line feed behind a trailer": b"0\r\nX: a\n\r\n",
}


@pytest.mark.parametrize("decode", [False, True], ids=["raw", "decode"])
@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_broken_chunks(body: bytes, decode: bool):
    for pieces in ([body + NEXT], byte_by_byte(body + NEXT)):
        with pytest.raises(BodyError):
            feed(ChunkedBody(decode=decode), pieces)


@pytest.mark.parametrize("pieces", [lambda data: [data], byte_by_byte], ids=["whole", "bytewise"])
def test_a_chunk_size_line_has_a_limit(pieces: Callable[[bytes], list[bytes]]):
    def body(size: int) -> bytes:
        return b"1;" + b"e" * (size - 4) + b"\r\nx\r\n0\r\n\r\n"

    reader = ChunkedBody()
    feed(reader, pieces(body(limits.CHUNK_LINE)))
    assert reader.done
    with pytest.raises(BodyError):
        feed(ChunkedBody(), pieces(body(limits.CHUNK_LINE + 1)))


def test_an_endless_chunk_size_line_is_refused_before_its_end():
    with pytest.raises(BodyError):
        feed(ChunkedBody(), [b"1;"] + [b"e" * 100] * 50)


@pytest.mark.parametrize("line", [b"X: " + b"a" * 97 + b"\r\n", b"a" * 100])
def test_endless_trailers_are_refused(line: bytes):
    with pytest.raises(BodyError):
        feed(ChunkedBody(), [b"0\r\n"] + [line] * (limits.TRAILERS // 100 + 1))


def test_trailers_have_a_limit_however_they_come():
    trailers = b"X: " + b"a" * (limits.TRAILERS - 7) + b"\r\n\r\n"
    assert len(trailers) == limits.TRAILERS
    for pieces in ([b"0\r\n" + trailers], [b"0\r\n", *byte_by_byte(trailers)]):
        reader = ChunkedBody()
        feed(reader, pieces)
        assert reader.done
    for pieces in ([b"0\r\nY" + trailers], [b"0\r\n", *byte_by_byte(b"Y" + trailers)]):
        with pytest.raises(BodyError):
            feed(ChunkedBody(), pieces)


def test_a_large_chunk_is_passed_on_as_it_comes_and_not_collected():
    reader = ChunkedBody()
    assert reader.feed(b"100000\r\n") == b"100000\r\n"
    for _ in range(16):
        assert len(reader.feed(b"x" * 65536)) == 65536
    assert reader.feed(b"\r\n0\r\n\r\n") == b"\r\n0\r\n\r\n"
    assert reader.done


def result(decode: bool, pieces: Sequence[bytes]) -> object:
    reader = ChunkedBody(decode=decode)
    try:
        passed, leftover = feed(reader, pieces)
    except BodyError:
        return "broken"
    return (passed if reader.done or decode else b"", reader.done, leftover)


noise = st.lists(
    st.sampled_from((b"3\r\nabc\r\n", b"0\r\n", b"\r\n", b"\n", b"\r", b"1", b";x", b"x", b"A: b\r\n", b"\0", b" "))
    | st.binary(max_size=3),
    max_size=8,
).map(b"".join)


@settings(deadline=None, max_examples=500)
@given(st.data(), noise, st.booleans())
def test_anything_ends_or_breaks_alike_in_any_pieces(data: st.DataObject, body: bytes, decode: bool):
    whole = result(decode, [body])
    assert result(decode, byte_by_byte(body)) == whole
    assert result(decode, data.draw(cuts(body))) == whole


@settings(deadline=None, max_examples=500)
@given(noise)
def test_what_raw_mode_passes_on_decodes_to_what_decode_mode_gives(body: bytes):
    raw, payload = result(False, [body]), result(True, [body])
    if raw == "broken" or payload == "broken":
        assert raw == payload
        return
    assert isinstance(raw, tuple)
    assert isinstance(payload, tuple)
    assert raw[1:] == payload[1:]
    if raw[1]:
        assert decoded(raw[0]) == (payload[0], b"")


@settings(deadline=None, max_examples=300)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.booleans())
def test_another_implementation_finds_the_same_end(chunks: list[bytes], extended: bool):
    body = b"".join(b"%X%b\r\n%b\r\n" % (len(c), b";e" if extended else b"", c) for c in chunks)
    body += b"0\r\nX-Trailer: dropped\r\n\r\n"
    reader = ChunkedBody()
    passed, leftover = feed(reader, [body + NEXT])
    assert leftover == NEXT
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + passed + NEXT)
    assert isinstance(server.next_event(), h11.Request)
    payload = b""
    while isinstance(event := server.next_event(), h11.Data):
        payload += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert event.headers.raw_items() == []
    assert payload == b"".join(chunks)
    assert server.trailing_data[0] == NEXT


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6))
def test_chunks_made_here_are_read_here(payloads: list[bytes]):
    message = b"".join(encode_chunk(payload) for payload in payloads) + LAST_CHUNK
    assert feed(ChunkedBody(decode=True), [message + NEXT]) == (b"".join(payloads), NEXT)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=200), st.integers(0, 220), st.data())
def test_known_lengths_in_any_pieces(body: bytes, length: int, data: st.DataObject):
    assume(length > 0)
    reader = LengthBody(length)
    passed, leftover = feed(reader, data.draw(cuts(body)))
    assert passed == body[:length]
    assert reader.done is (len(body) >= length)
    assert leftover == (body[length:] if reader.done else b"")
