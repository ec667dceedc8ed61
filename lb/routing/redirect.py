"""Redirect actions: the Location and the answer, as ALB makes them (fact sheet 3.6, 7.9 and 7.10)."""

import re
from typing import Final

from lb.http import pages
from lb.model.rules import Redirect
from lb.routing.request import RequestView

LONGEST_LOCATION: Final = 8 * 1024

_KEYWORD: Final = re.compile(rb"#\{(protocol|host|port|path|query)\}")
_NOT_VISIBLE: Final = re.compile(rb"[^\x21-\x7e]")


class LocationTooLong(Exception):
    """The Location would be longer than 8 K; the answer is 507."""


class RedirectTemplate:
    """A redirect action, ready for requests. `status` is 301 or 302."""

    __slots__ = ("_host", "_path", "_port", "_protocol", "_query", "status")

    def __init__(self, action: Redirect) -> None:
        self.status = int(action.status_code.removeprefix("HTTP_"))
        self._protocol = _split(action.protocol.lower())
        self._host = _split(action.host)
        self._port = _split(action.port)
        self._path = _split(action.path)
        self._query = _split(action.query)

    def location(self, request: RequestView, protocol: bytes, port: int) -> bytes:
        """Where the client is sent: always with a port, and with a question mark only before a query.

        `protocol` (`http` or `https`) and `port` are the listener's. Raises LocationTooLong.
        """
        known = {
            b"protocol": protocol,
            b"host": request.host,
            b"port": b"%d" % port,
            b"path": request.raw_path.removeprefix(b"/"),
            b"query": request.raw_query,
        }
        query = _filled(self._query, known)
        location = b"%b://%b:%b%b%b%b" % (
            _filled(self._protocol, known),
            _filled(self._host, known).lower(),
            _filled(self._port, known),
            _filled(self._path, known),
            b"?" if query else b"",
            query,
        )
        # A header value: whatever the client or the configuration brought in must not end the line, or break in two.
        location = _NOT_VISIBLE.sub(lambda found: b"%%%02X" % found[0][0], location)
        if len(location) > LONGEST_LOCATION:
            raise LocationTooLong(len(location))
        return location

    def answer(self, location: bytes, date: bytes, *, keep_alive: bool, head_only: bool, server: bool) -> bytes:
        """The whole answer. `date` is an HTTP date; `server` whether the listener lets the Server header out."""
        body = pages.page(self.status, None)
        head = (
            b"HTTP/1.1 %d %b\r\n%bDate: %b\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: %b\r\n"
            b"Location: %b\r\n\r\n"
        ) % (
            self.status,
            pages.TITLES[self.status].encode(),
            b"Server: awselb/2.0\r\n" if server else b"",
            date,
            len(body),
            b"keep-alive" if keep_alive else b"close",
            location,
        )
        return head if head_only else head + body


def _split(text: str) -> tuple[bytes, ...]:
    """Text, keyword, text, keyword, ..., text."""
    return tuple(_KEYWORD.split(text.encode()))


def _filled(parts: tuple[bytes, ...], known: dict[bytes, bytes]) -> bytes:
    if len(parts) == 1:
        return parts[0]
    return b"".join(known[part] if position % 2 else part for position, part in enumerate(parts))
