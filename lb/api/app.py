"""The HTTP application on the API port: status as JSON, and whatever routes it is given."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from lb.api.language import UnknownLanguageError, language_of
from lb.api.refusal import refusal
from lb.model.said import Language


def api_app(status: Callable[[Language], dict[str, Any]], routes: Iterable[BaseRoute]) -> Starlette:
    """`status` gives the picture of the moment."""

    async def show_status(request: Request) -> JSONResponse:
        return JSONResponse(status(language_of(request)))

    return Starlette(
        routes=[Route("/_lb/status", show_status), *routes],
        middleware=[Middleware(LocalOnly)],
        exception_handlers={UnknownLanguageError: _bad_request},
    )


async def _bad_request(_: Request, error: Exception) -> JSONResponse:
    return refusal(400, "bad-request", str(error))


class LocalOnly:
    """Refuses what a browser sends on behalf of another site's page: such a page could stop servers here.

    The page may be of another origin, or of a site whose name was made to lead to this machine (DNS rebinding): so the
    name that is asked for must be an address, `localhost`, or a name of one word, which no site on the internet has.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            host = headers.get("host", "")
            origin = headers.get("origin")
            if not _is_local_name(host) or (origin is not None and origin != f"http://{host}"):
                refused = refusal(403, "cross-origin", f"this API is not for pages of {origin or host}")
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_local_name(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if "." not in name or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
