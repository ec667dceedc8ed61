"""A small HTTP client for `POST /_lb/try`: one request on a connection of its own, and what came back, in words."""

import asyncio
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from time import monotonic
from typing import Final

from lb.http.body import BodyError
from lb.http.response import BadResponse, ResponseHead, ResponseReader, frame
from lb.model.said import Said, in_seconds, said

# Longer than the idle timeout of a load balancer, whose 504 is to be seen.
_TIMEOUT_S: Final = 75.0
_READ_BYTES: Final = 16 * 1024
_MOST_BYTES: Final = 1024 * 1024
_KEPT_BYTES: Final = 32 * 1024
_LONGEST_TEXT: Final = 200
_SET_COOKIE: Final = re.compile(rb"\r\nset-cookie:[ \t]*([^=;\r\n]+)=([^;\r\n]*)", re.IGNORECASE)


@dataclass(slots=True)
class Answer:
    """One answer. `status` is None where none came, `error` says why it is none or not whole.

    `client` is the address and port that the request came from, `cookies` those that the answer sets.
    """

    client: str = ""
    status: int | None = None
    latency_ms: float = 0.0
    size: int = 0
    title: str = ""
    text: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    error: Said | None = None


async def send(host: str, port: int, message: bytes) -> Answer:
    """Sends a request that asks to close the connection. What goes wrong is in the answer; only cancellation is raised."""
    answer = Answer()
    body = bytearray()
    begun = monotonic()
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            head = await _exchange(host, port, message, answer, body)
            _describe(answer, head, bytes(body))
    except TimeoutError:
        answer.error = said("no whole answer within {limit}", limit=in_seconds(f"{_TIMEOUT_S:g}"))
    except BadResponse:
        answer.error = said("what came is not a valid HTTP/1 answer")
    except (OSError, EOFError, BodyError):
        if answer.status:
            answer.error = said("the connection ended before the answer did")
        else:
            answer.error = said("the connection ended without an answer")
    answer.latency_ms = round((monotonic() - begun) * 1000, 3)
    return answer


async def _exchange(host: str, port: int, message: bytes, answer: Answer, body: bytearray) -> ResponseHead:
    """Raises OSError, EOFError, BadResponse, BodyError."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        name, number, *_ = writer.get_extra_info("sockname")
        answer.client = f"[{name}]:{number}" if ":" in name else f"{name}:{number}"
        writer.write(message)
        head, data = await _head(reader)
        answer.status = head.status
        _, framing, _, has_end = frame(head, head_only=message.startswith(b"HEAD "), modern=False)
        while True:
            payload = framing.feed(data) if data else b""
            answer.size += len(payload)
            body += payload[: _KEPT_BYTES - len(body)]
            if framing.done or answer.size > _MOST_BYTES:
                return head
            data = await reader.read(_READ_BYTES)
            if not data:
                if has_end or head.chunked:
                    raise EOFError
                return head
    finally:
        writer.close()


async def _head(reader: asyncio.StreamReader) -> tuple[ResponseHead, bytes]:
    """The head of the final answer, and what came behind it."""
    responses = ResponseReader()
    data = b""
    while True:
        head = responses.read(data)
        if head is not None:
            data = data[head.size :]
            if head.status >= 200:
                return head, data
            continue
        more = await reader.read(_READ_BYTES)
        if not more:
            raise EOFError
        data += more


def _describe(answer: Answer, head: ResponseHead, body: bytes) -> None:
    cookies = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in _SET_COOKIE.findall(head.rest)]
    answer.cookies = dict(cookies)
    text = body.decode("utf-8", "replace")
    if b"html" in head.content_type.lower():
        page = _Page()
        page.feed(text)
        answer.title = _shortened(page.title)
        text = " ".join(page.words)
    answer.text = _shortened(text)


def _shortened(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_TEXT]


class _Page(HTMLParser):
    """The title and the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.words: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in ("title", "script", "style") else self._inside

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        elif not self._inside:
            self.words.append(data)
