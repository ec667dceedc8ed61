"""The answers that the balancer makes itself, byte for byte as ALB's (fact sheet 7.9 and 7.10)."""

from typing import Final

# Status -> reason phrase and page title. 460 is never sent; 463 has neither phrase nor page.
TITLES: Final[dict[int, str]] = {
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    405: "Not Allowed",
    408: "Request Time-out",
    414: "Request-URI Too Large",
    463: "",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
_PADDING: Final = b"<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n" * 6
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def page(status: int, user_agent: bytes | None) -> bytes:
    """The HTML page; browsers that would hide a short one get it padded."""
    title = TITLES[status]
    if not title:
        return b""
    text = f"{status} {title}".encode()
    body = (
        b"<html>\r\n<head><title>%b</title></head>\r\n<body>\r\n<center><h1>%b</h1></center>\r\n</body>\r\n</html>\r\n"
    ) % (text, text)
    padded = user_agent is not None and (b"Chrome/" in user_agent or b"MSIE " in user_agent)
    return body + _PADDING if padded else body


def answer(
    status: int, date: bytes, *, keep_alive: bool, head_only: bool, user_agent: bytes | None, server: bool
) -> bytes:
    """The whole answer. `date` is an HTTP date; `server` whether the listener lets the Server header out."""
    body = page(status, user_agent)
    head = (
        b"HTTP/1.1 %d %b\r\n%bDate: %b\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: %b\r\n\r\n"
        % (
            status,
            TITLES[status].encode(),
            b"Server: awselb/2.0\r\n" if server else b"",
            date,
            len(body),
            b"keep-alive" if keep_alive else b"close",
        )
    )
    return head if head_only else head + body
