"""What rules look at in a request, worked out once for all of them and only when a rule asks.

`path` and the query pairs are for comparing; `raw_path` and `raw_query` are as the client sent them, for answers.
Sources: fact sheet 3.2; RFC 3986 6.2.2 for the normal form of a path, which is documented as used but not which one it is.
"""

import ipaddress
import re
from typing import Final

from lb.http.head import RequestHead

_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = re.compile(rb"[A-Za-z0-9._~-]")


class RequestView:
    """A request as its listener's rules see it.

    `client_ip` is the address of the TCP peer; `default_host` stands in where an HTTP/1.0 request names no host.
    """

    __slots__ = ("_headers", "_host", "_lowered", "_pairs", "_path", "_source", "client_ip", "default_host", "head")

    def __init__(self, head: RequestHead, client_ip: str, default_host: bytes = b"") -> None:
        self.head = head
        self.client_ip = client_ip
        self.default_host = default_host
        self._host: bytes | None = None
        self._path: bytes | None = None
        self._pairs: tuple[tuple[bytes, bytes], ...] | None = None
        self._lowered: bytes | None = None
        self._headers: dict[bytes, tuple[bytes, ...]] | None = None
        self._source: tuple[int, int] | None = None

    @property
    def host(self) -> bytes:
        """The host without its port, in lower case; an absolute URI's authority comes before the Host header."""
        host = self._host
        if host is None:
            host = self._host = _without_port((self.head.authority or self.head.host or self.default_host).lower())
        return host

    @property
    def path(self) -> bytes:
        """The path in its normal form, without the query."""
        path = self._path
        if path is None:
            path = self._path = normalized_path(self.raw_path)
        return path

    @property
    def raw_path(self) -> bytes:
        """The path as it came, without the query."""
        return _before_fragment(self.head.uri).partition(b"?")[0]

    @property
    def raw_query(self) -> bytes:
        """The query as it came, without its question mark; empty where there is none."""
        return _before_fragment(self.head.uri).partition(b"?")[2]

    @property
    def query_pairs(self) -> tuple[tuple[bytes, bytes], ...]:
        """Keys and values of the query in lower case, not percent-decoded; a key without `=` has an empty value."""
        pairs = self._pairs
        if pairs is None:
            split = (part.partition(b"=") for part in self.raw_query.lower().split(b"&") if part)
            pairs = self._pairs = tuple((key, value) for key, _, value in split)
        return pairs

    @property
    def source(self) -> tuple[int, int]:
        """IP version and number of the client's address; an IPv4 address mapped into IPv6 counts as IPv4."""
        source = self._source
        if source is None:
            address = ipaddress.ip_address(self.client_ip)
            mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
            source = self._source = (4, int(mapped)) if mapped is not None else (address.version, int(address))
        return source

    def header_values(self, start: bytes) -> tuple[bytes, ...]:
        """The values of a header in lower case, one for each line.

        `start` is how such a line begins: CRLF, the name in lower case, a colon.
        """
        if self._headers is None:
            self._headers = {}
            self._lowered = self.head.block.lower()
        values = self._headers.get(start)
        if values is None:
            values = self._headers[start] = _values(self._lowered or b"", start)
        return values


def header_start(name: str) -> bytes:
    """How the lines of a header begin, in the form that `RequestView.header_values` takes."""
    return b"\r\n%b:" % name.lower().encode()


def normalized_path(path: bytes) -> bytes:
    """A path with needless escapes decoded and dot segments removed (RFC 3986 6.2.2.2 and 6.2.2.3)."""
    if b"%" in path:
        path = _ESCAPE.sub(_unescaped, path)
    if b"/." not in path or not path.startswith(b"/"):
        return path
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def _unescaped(found: re.Match[bytes]) -> bytes:
    character = bytes.fromhex(found[1].decode())
    return character if _UNRESERVED.fullmatch(character) else found[0].upper()


def _before_fragment(uri: bytes) -> bytes:
    """No client should send a fragment; the query ends where one does."""
    return uri.partition(b"#")[0] if b"#" in uri else uri


def _without_port(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    return name if colon and (not port or port.isdigit()) else host


def _values(block: bytes, start: bytes) -> tuple[bytes, ...]:
    values: list[bytes] = []
    at = block.find(start)
    while at >= 0:
        end = block.find(b"\r\n", at + 2)
        if end < 0:
            end = len(block)
        values.append(block[at + len(start) : end].strip(b" \t"))
        at = block.find(start, end)
    return tuple(values)
