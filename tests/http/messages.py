"""Reading heads and writing them for a target, and two foreign parsers to compare with: shared by the tests beside it."""

import re
from dataclasses import dataclass

import h11
import httptools

from lb.http import forwarded
from lb.http.forwarded import ForwardedSettings
from lb.http.head import HeadReader, Rejected, RequestHead

MODES = ("monitor", "defensive", "strictest")
SETTINGS = ForwardedSettings(port=80, default_host=b"web.elb.localhost")
NEXT = b"GET /the-next-request HTTP/1.1\r\nHost: next\r\n\r\n"
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def read(data: bytes, mode: str = "defensive", *, drop_invalid: bool = False, at: int = 0):
    """What a fresh reader returns: (head, end), or None."""
    return HeadReader().read(data, at, mode, drop_invalid=drop_invalid)


def head_of(data: bytes, mode: str = "defensive", *, drop_invalid: bool = False) -> RequestHead:
    """The head of a complete, acceptable request."""
    found = read(data, mode, drop_invalid=drop_invalid)
    assert found is not None, f"still incomplete: {data[:200]!r}"
    return found[0]


def facts(head: RequestHead) -> dict[str, object]:
    """Everything that a head tells, for comparing two of them."""
    return {
        "method": head.method,
        "uri": head.uri,
        "minor": head.minor,
        "authority": head.authority,
        "host": head.host,
        "keep_alive": head.keep_alive,
        "content_length": head.content_length,
        "chunked": head.chunked,
        "expect_continue": head.expect_continue,
        "forwarded_for": head.forwarded_for,
        "trace_id": head.trace_id,
        "user_agent": head.user_agent,
        "tier": head.tier,
        "reason": head.reason,
        "size": head.size,
        "to_target": to_target(head),
    }


def outcome(
    data: bytes, mode: str = "defensive", *, drop_invalid: bool = False, at: int = 0, reader: HeadReader | None = None
) -> object:
    """What came of reading, as a value: None, a refusal, or the head's facts and its length."""
    try:
        found = (reader or HeadReader()).read(data, at, mode, drop_invalid=drop_invalid)
    except Rejected as refusal:
        return refusal.status, refusal.tier.name, refusal.reason
    if found is None:
        return None
    head, end = found
    return facts(head), end - at


def to_target(head: RequestHead, settings: ForwardedSettings = SETTINGS) -> bytes:
    """The head as the balancer writes it to a target."""
    added = forwarded.added_headers(head, settings, b"192.0.2.1")
    return forwarded.to_target(head, head.uri, added, b"Root=1-5759e988-bd862e3fe1be46a994272793")


def header_lines(message: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values of a written head."""
    lines = message.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return [(name, value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)]


def values(message: bytes, name: bytes) -> list[bytes]:
    """All values of a header in a written head."""
    return [value for each, value in header_lines(message) if each.lower() == name.lower()]


def body_for(head: RequestHead) -> tuple[bytes, bytes]:
    """A body that fits the framing that the balancer found: as sent, and its payload."""
    if head.chunked:
        return b"3\r\nabc\r\n0\r\n\r\n", b"abc"
    payload = b"x" * max(head.content_length, 0)
    return payload, payload


class RefusedElsewhere(Exception):
    """The foreign parser does not take the message."""


@dataclass
class Seen:
    """The first request as a foreign parser sees it, and whether it found the next one where it begins."""

    method: bytes
    target: bytes
    minor: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    next_target: bytes | None


class _Events:
    def __init__(self) -> None:
        self.urls: list[bytes] = []
        self.headers: list[list[tuple[bytes, bytes]]] = []
        self.bodies: list[bytes] = []
        self.finished = 0
        self.first: tuple[bytes, str] | None = None
        self.parser: httptools.HttpRequestParser

    def on_message_begin(self) -> None:
        self.urls.append(b"")
        self.headers.append([])
        self.bodies.append(b"")

    def on_url(self, url: bytes) -> None:
        self.urls[-1] += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[-1].append((name, value))

    def on_headers_complete(self) -> None:
        if self.first is None:
            self.first = (self.parser.get_method(), self.parser.get_http_version())

    def on_body(self, body: bytes) -> None:
        self.bodies[-1] += body

    def on_message_complete(self) -> None:
        self.finished += 1


def with_httptools(message: bytes) -> Seen:
    """`message` is a head, its body and NEXT."""
    events = _Events()
    events.parser = httptools.HttpRequestParser(events)
    try:
        events.parser.feed_data(message)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        raise RefusedElsewhere(repr(error)) from error
    if events.first is None:
        raise RefusedElsewhere("no end of the head found")
    method, version = events.first
    return Seen(
        method,
        events.urls[0],
        int(version[-1]),
        events.headers[0],
        events.bodies[0],
        events.urls[1] if len(events.urls) == 2 and events.finished == 2 else None,
    )


def with_h11(message: bytes) -> Seen:
    """`message` is a head, its body and NEXT."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=100_000)
    server.receive_data(message)
    try:
        request = server.next_event()
        if not isinstance(request, h11.Request):
            raise RefusedElsewhere(f"no request: {request!r}")
        body = b""
        while isinstance(event := server.next_event(), h11.Data):
            body += bytes(event.data)
    except h11.RemoteProtocolError as error:
        raise RefusedElsewhere(repr(error)) from error
    rest = bytes(server.trailing_data[0])
    ended = isinstance(event, h11.EndOfMessage)
    return Seen(
        bytes(request.method),
        bytes(request.target),
        int(request.http_version[-1:]),
        [(bytes(name), bytes(value)) for name, value in request.headers.raw_items()],
        body,
        b"/the-next-request" if ended and rest == NEXT else None,
    )
