"""Response heads of targets: bytes in; a head or "need more" out; and the head that goes to the client.

Sources: RFC 9112 sections 4 and 6.3; fact sheet 7.5 (header order and which headers are rebuilt).
"""

import re
from typing import Final

from lb.http import limits

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_CLEAN: Final = re.compile(
    rb"HTTP/1\.([01]) ([1-9]\d\d)((?: [\t\x20-\x7e\x80-\xff]*+)?)"
    rb"((?:\r\n" + _TOKEN + rb"++:[\t\x20-\x7e\x80-\xff]*+)*+)\r\n\r\n"
)
_SPECIAL: Final = re.compile(
    rb"\r\n(date|content-type|content-length|transfer-encoding|connection|keep-alive|proxy-connection|upgrade|"
    rb"trailer):([^\r]*)",
    re.IGNORECASE,
)


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
        "minor",
        "reason",
        "rest",  # the header lines less those the balancer places or rebuilds
        "size",
        "status",
    )

    def __init__(self, minor: int, status: int, reason: bytes, block: bytes, size: int) -> None:
        self.minor = minor
        self.status = status
        self.reason = reason
        self.rest = block
        self.size = size
        self.chunked = False
        self.content_length = -1
        self.content_type = b""
        self.date = b""
        self.keep_alive = minor == 1


def read_response(data: bytes) -> ResponseHead | None:
    """Reads the response head at the beginning of `data`; None while it is incomplete. Raises BadResponse."""
    found = _CLEAN.match(data)
    if found is None:
        if b"\r\n\r\n" in data or len(data) > limits.RESPONSE_HEADERS or not _may_become_head(data):
            raise BadResponse
        return None
    minor, status, reason, block = found.groups()
    size = found.end()
    if size > limits.RESPONSE_HEADERS:
        raise BadResponse
    head = ResponseHead(1 if minor == b"1" else 0, int(status), reason, block, size)
    _take_special(head, block)
    return head


def _may_become_head(data: bytes) -> bool:
    start = b"HTTP/1."
    return data.startswith(start) or start.startswith(data)


def _take_special(head: ResponseHead, block: bytes) -> None:
    # text, name, value, text, name, value, ..., text
    parts = _SPECIAL.split(block)
    head.rest = b"".join(parts[::3])
    for at in range(1, len(parts), 3):
        name = parts[at].lower()
        if name == b"content-length":
            value = parts[at + 1].strip(b" \t")
            if not value.isdigit() or len(value) > 19 or head.content_length not in (-1, int(value)):
                raise BadResponse
            head.content_length = int(value)
        elif name == b"date":
            head.date = b"\r\n%b:%b" % (parts[at], parts[at + 1])
        elif name == b"content-type":
            head.content_type = b"\r\n%b:%b" % (parts[at], parts[at + 1])
        elif name == b"connection":
            tokens = parts[at + 1].lower()
            if b"close" in tokens:
                head.keep_alive = False
            elif b"keep-alive" in tokens:
                head.keep_alive = True
        elif name == b"transfer-encoding":
            coding = parts[at + 1].strip(b" \t").lower()
            if coding not in (b"chunked", b"identity"):
                raise BadResponse
            head.chunked = head.chunked or coding == b"chunked"
    if head.chunked and head.content_length >= 0:
        # Which of the two the target meant cannot be known: the connection is not used again (RFC 9112 6.3).
        head.content_length = -1
        head.keep_alive = False


def to_client(head: ResponseHead, framing: bytes, connection: bytes, date: bytes) -> bytes:
    """The head that goes to the client.

    `framing` is the Content-Length or Transfer-Encoding line or empty, `connection` the Connection line, each with the
    CRLF before it; `date` is the line to add where the target sent none.
    """
    return b"HTTP/1.1 %d%b%b%b%b%b%b\r\n\r\n" % (
        head.status,
        head.reason or b" ",
        head.date or date,
        head.content_type,
        framing,
        connection,
        head.rest,
    )
