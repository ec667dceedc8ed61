"""Request heads: bytes in; a head, a refusal, or "need more" out.

Two regular expressions read a head that follows the RFCs to the letter, which is nearly all of them, and one pass over its
special headers finds everything that framing, routing and forwarding want to know. Any other head goes through the
tolerant reader below it, which is slower, names what is wrong (`lb.http.desync`), and rebuilds a clean head so that
nothing ambiguous is passed on.

Sources: RFC 9112 sections 2-3, 5-6; fact sheet 7.1, 7.6 and 8.
"""

import re
from typing import Final

from lb.http import desync, limits
from lb.http.desync import COMPLIANT, Header, Tier

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_VALUE = rb"[\t\x20-\x7e\x80-\xff]"
_REQUEST_LINE: Final = re.compile(rb"(" + _TOKEN + rb"++) ([\x21-\x7e\x80-\xff]++) HTTP/1\.([01])(?=\r\n)")
# Header names as ELB calls valid, which is fewer than the RFC: nearly every block; the other pattern takes the rest.
_PLAIN_BLOCK: Final = re.compile(rb"((?:\r\n[-A-Za-z0-9]++:" + _VALUE + rb"*+)*+)\r\n\r\n")
_BLOCK: Final = re.compile(rb"((?:\r\n" + _TOKEN + rb"++:" + _VALUE + rb"*+)*+)\r\n\r\n")
# Splits the header block at the headers that mean something to a proxy. The open ends (`content...`, names that begin
# with punctuation) catch every look-alike of Content-Length and Transfer-Encoding that a clean head can hold.
_SPECIAL: Final = re.compile(
    rb"\r\n(host|user-agent|connection|keep-alive|proxy-connection|te|trailer|upgrade|expect|content[^:\r]*|transfer[^:\r]*|"
    rb"x-forwarded-(?:for|proto|port)|x-amzn-trace-id|[^a-z0-9\r][^:\r]*):([^\r]*)",
    re.IGNORECASE,
)
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_VALID_NAME: Final = re.compile(rb"[-A-Za-z0-9]+")
_DROPPED: Final = frozenset(
    (b"keep-alive", b"proxy-connection", b"te", b"trailer", b"x-forwarded-proto", b"x-forwarded-port")
)
_DECODED_CODINGS: Final = frozenset((b"chunked", b"identity"))
_BODILESS_METHODS: Final = (b"GET", b"HEAD")
_ABSOLUTE: Final = re.compile(rb"https?://([^/?#@]+)([/?].*|)", re.IGNORECASE | re.DOTALL)


class Rejected(Exception):
    """A request that gets an answer instead of a head."""

    def __init__(self, status: int, tier: Tier = Tier.COMPLIANT, reason: str = "") -> None:
        super().__init__(status, tier, reason)
        self.status = status
        self.tier = tier
        self.reason = reason


class RequestHead:
    """One request head. Bytes are as they came unless said otherwise."""

    __slots__ = (
        "authority",  # of an absolute-form URI; None for the usual form
        "block",  # the header lines, each with the CRLF that comes before it
        "chunked",
        "connection",  # Connection, lower case, trimmed; repeated lines joined with commas
        "content_length",  # -1 where there is none
        "expect_continue",
        "forwarded_for",  # X-Forwarded-For values, repeated lines joined; None where absent
        "has_invalid_names",  # header names beyond letters, digits and hyphens: dropped or passed on, as the attribute says
        "host",  # the first Host value, None where absent
        "method",
        "minor",  # 0 or 1; HTTP/0.9 counts as 0
        "more_hosts",  # further Host lines, each with the CRLF before it
        "reason",
        "rest",  # the block less the headers that the balancer replaces or does not pass on
        "size",  # bytes on the wire
        "tier",
        "trace_id",
        "upgrade",  # Upgrade, lower case, trimmed; repeated lines joined with commas; empty where absent
        "uri",  # path and query; an absolute-form URI without its scheme and authority
        "user_agent",
    )

    def __init__(self, method: bytes, uri: bytes, minor: int, block: bytes, size: int) -> None:
        self.method = method
        self.uri = uri
        self.minor = minor
        self.block = block
        self.size = size
        self.content_length = -1
        self.chunked = False
        self.authority: bytes | None = None
        self.host: bytes | None = None
        self.more_hosts = b""
        self.connection = b""
        self.expect_continue = False
        self.has_invalid_names = False
        self.forwarded_for: bytes | None = None
        self.trace_id: bytes | None = None
        self.upgrade = b""
        self.user_agent: bytes | None = None
        self.rest = block
        self.tier, self.reason = COMPLIANT

    @property
    def unusual_host(self) -> bool:
        """Whether more than one Host line, or the URI itself, has a say in where the request is meant to go."""
        return self.authority is not None or self.more_hosts != b""

    @property
    def opens_websocket(self) -> bool:
        """Whether this is the opening handshake of a WebSocket (RFC 6455 4.1), perhaps beside other protocols."""
        return (
            b"websocket" in connection_tokens(self.upgrade)
            and self.minor == 1
            and self.method == b"GET"
            and not self.chunked
            and self.content_length <= 0
            and b"upgrade" in connection_tokens(self.connection)
        )

    @property
    def keep_alive(self) -> bool:
        """Whether the client lets the connection live on (RFC 9112 9.3)."""
        if not self.connection:
            return self.minor == 1
        tokens = connection_tokens(self.connection)
        return b"close" not in tokens and (self.minor == 1 or b"keep-alive" in tokens)


def may_be_complete(data: bytearray, seen: int) -> bool:
    """Whether reading is worth another try now that more than the first `seen` bytes of a head are there.

    Only a blank line completes a head; without this, a client that sends byte by byte would have its head read from the
    start for each byte. The limits are looked at once a KiB.
    """
    tail = data[max(0, seen - 3) :]
    return b"\n\r\n" in tail or b"\n\n" in tail or len(data) // 1024 != seen // 1024


class HeadReader:
    """Reads the request heads of one connection.

    A client sends mostly the same headers again and again (HPACK rests on that too), so the last header block that was
    clean and announced no body is remembered, and is not taken apart anew when it comes again.
    """

    __slots__ = ("_again", "_tail")

    def __init__(self) -> None:
        self._tail = b"\0"  # the remembered block and the empty line behind it; no head contains NUL here
        self._again: RequestHead | None = None

    def read(self, data: bytes, at: int, mode: str, *, drop_invalid: bool) -> tuple[RequestHead, int] | None:
        """Reads the request head that begins at `at`.

        Returns the head and where it ends, or None while it is incomplete. `mode` is the desync mitigation mode,
        `drop_invalid` the attribute `routing.http.drop_invalid_header_fields.enabled`. Raises Rejected.
        """
        found = _REQUEST_LINE.match(data, at)
        if found is None:
            return _read_other(data, at, mode, drop_invalid)
        method, uri, minor = found.groups()
        line_end = found.end()
        if line_end - at > limits.REQUEST_LINE:
            raise Rejected(414)
        again = self._again
        if (
            again is not None
            and not (drop_invalid and again.has_invalid_names)
            and data.startswith(self._tail, line_end)
        ):
            end = line_end + len(self._tail)
            head = RequestHead(method, uri, 1 if minor == b"1" else 0, again.block, end - at)
            head.host = again.host
            head.more_hosts = again.more_hosts
            head.connection = again.connection
            head.upgrade = again.upgrade
            head.user_agent = again.user_agent
            head.has_invalid_names = again.has_invalid_names
            head.expect_continue = again.expect_continue
            head.forwarded_for = again.forwarded_for
            head.trace_id = again.trace_id
            head.rest = again.rest
        else:
            found = _PLAIN_BLOCK.match(data, line_end)
            odd = found is None
            if found is None:
                found = _BLOCK.match(data, line_end)
            if found is None or (odd and drop_invalid):
                return _read_other(data, at, mode, drop_invalid)
            block = found[1]
            end = found.end()
            head = RequestHead(method, uri, 1 if minor == b"1" else 0, block, end - at)
            if end - line_end > limits.REQUEST_HEADER:
                _check_limits(block)
            if not _take_special(head):
                return _read_other(data, at, mode, drop_invalid)
            head.has_invalid_names = odd
            if head.content_length < 0 and not head.chunked:
                self._again = head
                self._tail = data[line_end:end]
        if head.host is None or uri[0] != 0x2F:
            _check_host_and_uri(head)
        return head, end


def _take_special(head: RequestHead) -> bool:
    """One pass over the special headers; False when the tolerant reader must look closer."""
    # text, name, value, text, name, value, ..., text
    parts = _SPECIAL.split(head.block)
    kept = [parts[0]]
    named = False
    plain = True
    for at in range(1, len(parts), 3):
        name = parts[at].lower()
        value = parts[at + 1].strip(b" \t")
        if name == b"host":
            if head.host is None:
                head.host = value
            else:
                head.more_hosts += b"\r\nHost: " + value
        elif name == b"user-agent":
            head.user_agent = value
            kept.append(b"\r\n%b:%b" % (parts[at], parts[at + 1]))
        elif name == b"connection":
            value = value.lower()
            head.connection = head.connection + b"," + value if head.connection else value
            named = named or value not in (b"keep-alive", b"close")
        elif name == b"content-length":
            kept.append(b"\r\n%b:%b" % (parts[at], parts[at + 1]))
            if head.content_length >= 0 or not value.isdigit() or len(value) > 19:
                plain = False
            else:
                head.content_length = int(value)
        elif name == b"transfer-encoding":
            plain = plain and not head.chunked and head.minor == 1 and value.lower() == b"chunked"
            head.chunked = True
        elif name == b"x-forwarded-for":
            head.forwarded_for = value if head.forwarded_for is None else head.forwarded_for + b", " + value
        elif name == b"x-amzn-trace-id":
            head.trace_id = value
        elif name == b"expect":
            head.expect_continue = value.lower() == b"100-continue"
        elif name == b"upgrade":
            head.upgrade = head.upgrade + b"," + value.lower() if head.upgrade else value.lower()
        elif name not in _DROPPED:
            kept.append(b"\r\n%b:%b" % (parts[at], parts[at + 1]))
            plain = plain and not desync.looks_like_framing(name)
        kept.append(parts[at + 2])
    head.rest = b"".join(kept)
    if named:
        _drop_named(head)
    if head.chunked:
        return plain and head.content_length < 0 and head.method not in _BODILESS_METHODS
    return plain and (head.content_length < 0 or head.method not in _BODILESS_METHODS)


def _check_host_and_uri(head: RequestHead) -> None:
    """Host is required from HTTP/1.1 on; a URI is a path, `*`, or absolute, and then names the host (RFC 9112 3.2)."""
    if head.host is None and head.minor == 1:
        raise Rejected(400, head.tier, head.reason)
    if head.uri.startswith(b"/") or head.uri == b"*" or head.method == b"CONNECT":
        return
    found = _ABSOLUTE.fullmatch(head.uri)
    if not found:
        raise Rejected(400, head.tier, head.reason)
    head.authority = found[1]
    head.uri = found[2] if found[2].startswith(b"/") else b"/" + found[2]


def _drop_named(head: RequestHead) -> None:
    """Takes away the headers that Connection names (RFC 9110 7.6.1)."""
    named = frozenset(connection_tokens(head.connection)) - {b"close", b"keep-alive", b"content-length"}
    head.rest = without(head.rest, named)


def without(block: bytes, names: frozenset[bytes]) -> bytes:
    """A header block less the headers of these names, which are in lower case."""
    lines = block.split(b"\r\n")
    return b"\r\n".join(line for line in lines if line[: line.find(b":")].lower() not in names or not line)


def connection_tokens(connection: bytes) -> list[bytes]:
    """What a Connection or Upgrade value in lower case lists."""
    return [token.strip(b" \t") for token in connection.split(b",")]


def _check_limits(block: bytes) -> None:
    if len(block) > limits.REQUEST_HEADERS or any(len(field) > limits.REQUEST_HEADER for field in block.split(b"\r\n")):
        raise Rejected(400)


def _read_other(data: bytes, at: int, mode: str, drop_invalid: bool) -> tuple[RequestHead, int] | None:
    """The tolerant reader: for heads that are incomplete, malformed, or merely unusual."""
    blank = _BLANK_LINE.search(data, at)
    if blank is None:
        _check_incomplete(data, at)
        return None
    end = blank.end()
    lines = [line.removesuffix(b"\r") for line in data[at : blank.start()].split(b"\n")]
    request_line = lines[0]
    if len(request_line) > limits.REQUEST_LINE:
        raise Rejected(414)
    if end - at - len(request_line) > limits.REQUEST_HEADERS + 4:
        raise Rejected(400)
    method, uri, version = _split_request_line(request_line)
    headers: list[Header] = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or line[0:1] in (b" ", b"\t") or len(line) > limits.REQUEST_HEADER:
            raise Rejected(400)
        headers.append((name, value.strip(b" \t")))
    tier, reason = desync.classify(method, uri, version, headers)
    if tier is Tier.COMPLIANT and data.count(b"\r\n", at, end) != len(lines) + 1:
        # NonCrLfLineTermination in Amazon's library; ALB's log has no name for it.
        tier = Tier.ACCEPTABLE
    if desync.is_blocked(tier, mode):
        raise Rejected(400, tier, reason)
    try:
        head = _rebuild(method, uri, version.strip(b" \t"), headers, drop_invalid, end - at)
    except Rejected as refusal:
        raise Rejected(refusal.status, tier, reason) from None
    head.tier, head.reason = tier, reason
    head.has_invalid_names = any(not _VALID_NAME.fullmatch(name) for name, _ in headers)
    _check_host_and_uri(head)
    return head, end


def _check_incomplete(data: bytes, at: int) -> None:
    """Raises Rejected once no end that may still come could make a head within the limits."""
    if len(data) - at <= limits.REQUEST_LINE:
        return
    line_end = data.find(b"\n", at)
    # One byte more than the limit may be the CR of a line end that is not complete yet.
    if (len(data) if line_end < 0 else line_end) - at > limits.REQUEST_LINE + 1:
        raise Rejected(414)
    if line_end < 0:
        return
    block_start = line_end - 1
    last_line = data.rfind(b"\n") + 1
    if len(data) - block_start > limits.REQUEST_HEADERS + 4 or len(data) - last_line > limits.REQUEST_HEADER + 1:
        raise Rejected(400)


def _split_request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Method, URI and version; spaces inside the URI stay in it. Raises Rejected where there is no URI."""
    method, space, rest = line.partition(b" ")
    if not space or not rest.strip(b" \t"):
        raise Rejected(400)
    trimmed = rest.rstrip(b" \t")
    cut = max(trimmed.rfind(b" "), trimmed.rfind(b"\t"))
    if not trimmed[cut + 1 :].upper().startswith(b"HTTP/"):
        return method, rest, b""
    uri = trimmed[:cut] if cut >= 0 else b""
    if not uri.strip(b" \t"):
        raise Rejected(400)
    # White space beyond the one separator belongs to the version: the classifier wants to see it there.
    return method, uri.rstrip(b" \t"), rest[len(uri.rstrip(b" \t")) + 1 :]


def _rebuild(
    method: bytes, uri: bytes, version: bytes, headers: list[Header], drop_invalid: bool, size: int
) -> RequestHead:
    """A clean head from what was read: framing headers agree, and nothing goes on that a target could read two ways."""
    lengths: list[int] = []
    codings: list[bytes] = []
    lines: list[bytes] = []
    for name, value in headers:
        lowered = name.strip(b" \t").lower()
        if lowered == b"content-length":
            number = desync.parse_content_length(value)
            if number is None:
                raise Rejected(400)
            lengths.append(number)
        elif lowered == b"transfer-encoding":
            codings.extend(part.split(b";", 1)[0].strip(b" \t").lower() for part in value.split(b","))
        elif _may_go_on(name, value) and (not drop_invalid or _VALID_NAME.fullmatch(name)):
            # White space around a name would hide what the header is from us, but perhaps not from the target.
            lines.append(b"\r\n" + name.strip(b" \t") + b": " + value)
    if not _DECODED_CODINGS.issuperset(codings):
        raise Rejected(501 if _known(codings) else 400)
    chunked = b"chunked" in codings
    # Where chunked is not the last coding, the body has no end that all would agree on (RFC 9112 6.3).
    if codings.count(b"chunked") > 1 or (chunked and codings[-1] != b"chunked"):
        raise Rejected(400)
    if lengths and lengths.count(lengths[0]) != len(lengths):
        raise Rejected(400)
    if lengths and not chunked:
        lines.append(b"\r\nContent-Length: %d" % lengths[0])
    if not method or re.search(rb"[\0-\x20\x7f]", method):
        raise Rejected(400)
    if version and not re.fullmatch(rb"HTTP/(?:1\.\d|0\.9)", version):
        raise Rejected(505)
    escaped = re.sub(rb"[\0-\x20\x7f]", lambda found: b"%%%02X" % found[0][0], uri)
    minor = 0 if version in (b"", b"HTTP/0.9", b"HTTP/1.0") else 1
    head = RequestHead(method, escaped, minor, b"".join(lines), size)
    _take_special(head)
    head.chunked = chunked
    head.content_length = lengths[0] if lengths and not chunked else -1
    return head


def _may_go_on(name: bytes, value: bytes) -> bool:
    """False for a header without a name and for one that a target could take for two."""
    return bool(name.strip(b" \t")) and not re.search(rb"[\0\r]", name + value)


def _known(codings: list[bytes]) -> bool:
    return all(coding in (b"compress", b"deflate", b"gzip", *_DECODED_CODINGS) for coding in codings)
