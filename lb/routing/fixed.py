"""Fixed-response actions as bytes (fact sheet 3.7)."""

from http import HTTPStatus
from typing import Final

from lb.http import pages
from lb.model.rules import FixedResponse

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus} | pages.TITLES


class FixedAnswer:
    """A fixed-response action, ready for requests."""

    __slots__ = ("_body", "_middle", "_start", "status")

    def __init__(self, action: FixedResponse) -> None:
        self.status = int(action.status_code)
        self._start = b"HTTP/1.1 %d %b\r\n" % (self.status, _PHRASES.get(self.status, "").encode())
        if self.status == HTTPStatus.NO_CONTENT:
            # RFC 9110 15.3.5, 8.6: an answer without content has no length either.
            self._body = self._middle = b""
        else:
            self._body = action.message_body.encode()
            content_type = (action.content_type or "text/plain").encode()
            self._middle = b"Content-Type: %b; charset=utf-8\r\nContent-Length: %d\r\n" % (
                content_type,
                len(self._body),
            )

    def answer(self, date: bytes, *, keep_alive: bool, head_only: bool, server: bool) -> bytes:
        """The whole answer. `date` is an HTTP date; `server` whether the listener lets the Server header out.

        For HTTP/1.0 clients `keep_alive` must be False, whatever they ask for.
        """
        return b"%b%bDate: %b\r\n%bConnection: %b\r\n\r\n%b" % (
            self._start,
            b"Server: awselb/2.0\r\n" if server else b"",
            date,
            self._middle,
            b"keep-alive" if keep_alive else b"close",
            b"" if head_only else self._body,
        )
