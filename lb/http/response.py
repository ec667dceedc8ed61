"""Response heads of targets: bytes in; a head or "need more" out; and the head that goes to the client.

Sources: RFC 9112 sections 4 and 6.3; fact sheet 7.5 (header order and which headers are rebuilt).
"""

import re
from typing import Final

from lb.http import limits
from lb.http.body import BodyReader, ChunkedBody, LengthBody, UntilCloseBody
from lb.http.head import connection_tokens, without

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
CHUNKED_LINE: Final = b"\r\nTransfer-Encoding: chunked"
_CLEAN: Final = re.compile(
    rb"HTTP/1\.([01]) ([1-9]\d\d)((?: [\t\x20-\x7e\x80-\xff]*+)?)"
    rb"((?:\r\n" + _TOKEN + rb"++:[\t\x20-\x7e\x80-\xff]*+)*+)\r\n\r\n"
)
# What a header line means to the balancer; a number from 0 up is a content length.
_PLAIN: Final = -1
_DROPPED: Final = -2
_DATE: Final = -3
_CONTENT_TYPE: Final = -4
_CLOSE: Final = -5
_KEEP_ALIVE: Final = -6
_CHUNKED: Final = -7
_CONNECTION: Final = -8  # Connection with more in it than one of the two
_BAD: Final = -9
_UNKNOWN: Final = -10
_MEANINGS: Final = {
    b"date": _DATE,
    b"content-type": _CONTENT_TYPE,
    b"keep-alive": _DROPPED,
    b"proxy-connection": _DROPPED,
    b"upgrade": _DROPPED,
    b"trailer": _DROPPED,
}
_REMEMBERED_LINES: Final = 4096
_REMEMBERED_BYTES: Final = 256


class BadResponse(Exception):
    """The target's answer is not an HTTP/1 response, or its head is too large."""


class ResponseHead:
    """One response head of a target."""

    __slots__ = (
        "chunked",
        "content_length",  # -1 where there is none
        "content_type",  # the line with the CRLF before it, empty where absent; likewise date
        "date",
        "keep_alive",
        "reason",
        "rest",  # the header lines less those the balancer places or rebuilds
        "size",
        "status",
    )

    def __init__(self, minor: int, status: int, reason: bytes, size: int) -> None:
        self.status = status
        self.reason = reason
        self.rest = b""
        self.size = size
        self.chunked = False
        self.content_length = -1
        self.content_type = b""
        self.date = b""
        self.keep_alive = minor == 1


class ResponseReader:
    """Reads response heads.

    Targets send the same lines again and again, and within a second often the very same head: what a line means is
    remembered, and so is the last head.
    """

    __slots__ = ("_again", "_again_bytes", "_lines")

    def __init__(self) -> None:
        self._lines: dict[bytes, int] = {}
        self._again: ResponseHead | None = None
        self._again_bytes = b""

    def read(self, data: bytes) -> ResponseHead | None:
        """Reads the response head at the beginning of `data`; None while it is incomplete. Raises BadResponse.

        The head may be shared with other answers: it must not be changed.
        """
        if self._again is not None and data.startswith(self._again_bytes):
            return self._again
        found = _CLEAN.match(data)
        if found is None:
            if (
                b"\r\n\r\n" in data
                or b"\n\n" in data
                or len(data) > limits.RESPONSE_HEADERS
                or not _may_become_head(data)
            ):
                raise BadResponse
            return None
        minor, status, reason, block = found.groups()
        size = found.end()
        if size > limits.RESPONSE_HEADERS:
            raise BadResponse
        head = ResponseHead(1 if minor == b"1" else 0, int(status), reason, size)
        self._take_lines(head, block)
        self._again = head
        self._again_bytes = data[:size]
        return head

    def _take_lines(self, head: ResponseHead, block: bytes) -> None:
        known = self._lines
        kept = []
        named: list[bytes] = []
        closing = False
        for line in block.split(b"\r\n"):
            meaning = known.get(line, _UNKNOWN)
            if meaning == _UNKNOWN:
                meaning = self._learn(line)
            if meaning == _PLAIN:
                kept.append(line)
            elif meaning == _DATE:
                head.date = b"\r\n" + line
            elif meaning == _CONTENT_TYPE:
                head.content_type = b"\r\n" + line
            elif meaning >= 0:
                if head.content_length not in (-1, meaning):
                    raise BadResponse
                head.content_length = meaning
            elif meaning == _CLOSE:
                closing = True
            elif meaning == _KEEP_ALIVE:
                head.keep_alive = True
            elif meaning == _CONNECTION:
                named += connection_tokens(line.partition(b":")[2].strip(b" \t").lower())
            elif meaning == _CHUNKED:
                head.chunked = True
            elif meaning == _BAD:
                raise BadResponse
        # The block begins with CRLF, so the first line is empty and the join begins with CRLF again.
        head.rest = b"\r\n".join(kept)
        if named:
            head.keep_alive = head.keep_alive or b"keep-alive" in named
            closing = closing or b"close" in named
            head.rest = without(head.rest, frozenset(named))
        if closing:
            head.keep_alive = False
        if head.chunked and head.content_length >= 0:
            # Which of the two the target meant cannot be known: the connection is not used again (RFC 9112 6.3).
            head.content_length = -1
            head.keep_alive = False

    def _learn(self, line: bytes) -> int:
        meaning = _meaning(line)
        if len(line) <= _REMEMBERED_BYTES:
            if len(self._lines) >= _REMEMBERED_LINES:
                self._lines.clear()
            self._lines[line] = meaning
        return meaning


def _may_become_head(data: bytes) -> bool:
    start = b"HTTP/1."
    return data.startswith(start) or start.startswith(data)


def _meaning(line: bytes) -> int:
    name, _, value = line.partition(b":")
    name = name.lower()
    value = value.strip(b" \t").lower()
    if name == b"content-length":
        return int(value) if value.isdigit() and len(value) <= 19 else _BAD
    if name == b"transfer-encoding":
        return _CHUNKED if value == b"chunked" else _DROPPED if value == b"identity" else _BAD
    if name == b"connection":
        return {b"close": _CLOSE, b"keep-alive": _KEEP_ALIVE}.get(value, _CONNECTION)
    return _MEANINGS.get(name, _PLAIN)


Framing = tuple[bytes, BodyReader, bool, bool]
"""How an answer's body comes and goes: the framing line for the client with the CRLF before it, or empty; the reader of
the target's bytes; whether the payload goes out in chunks made here; whether the client can tell its end without the
connection being closed."""


def frame(head: ResponseHead, *, head_only: bool, modern: bool) -> Framing:
    """Decides the framing (RFC 9112 6.3). `head_only`: the request was HEAD; `modern`: the client speaks HTTP/1.1."""
    length = head.content_length
    if head_only or head.status in (204, 304):
        line = b""
        if length >= 0 and head.status != 204:
            line = b"\r\nContent-Length: %d" % length
        elif head.chunked and modern and head.status != 204:
            line = CHUNKED_LINE
        return line, LengthBody(0), False, True
    if length >= 0:
        return b"\r\nContent-Length: %d" % length, LengthBody(length), False, True
    if modern:
        return CHUNKED_LINE, ChunkedBody() if head.chunked else UntilCloseBody(), not head.chunked, True
    return b"", ChunkedBody(decode=True) if head.chunked else UntilCloseBody(), False, False


def to_client(head: ResponseHead, framing: bytes, connection: bytes, date: bytes, rest: bytes) -> bytes:
    """The head that goes to the client.

    `framing` is the Content-Length or Transfer-Encoding line or empty, `connection` the Connection line and what comes
    right behind it, `rest` the target's other headers as they go on; each line with the CRLF before it. `date` is the line
    to add where the target sent none.
    """
    return b"HTTP/1.1 %d%b%b%b%b%b%b\r\n\r\n" % (
        head.status,
        head.reason or b" ",
        head.date or date,
        head.content_type,
        framing,
        connection,
        rest,
    )
