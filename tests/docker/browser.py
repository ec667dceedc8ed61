"""What a browser keeps between requests, as tests need it: cookies; redirects are shown, not followed."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import CookieJar
from typing import IO


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    headers: Message
    text: str

    @property
    def server(self) -> str:
        """Which WordPress server sent it."""
        return str(self.headers["X-Web-Server"])


class _ShowRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


class Browser:
    """Asks one site, each time on a connection of its own."""

    def __init__(self, port: int) -> None:
        self.site = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _ShowRedirects(), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def ask(self, path: str, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> Page:
        """GET, or POST with `data`."""
        request = urllib.request.Request(self.site + path, data, dict(headers or {}))
        try:
            answer = self._opener.open(request, timeout=90)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Page(answer.status, answer.headers, answer.read().decode(errors="replace"))
