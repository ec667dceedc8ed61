"""The web console's files: `GET /` is the page, `GET /console/...` what it is made of.

Starlette's StaticFiles keeps to the files of the package and answers ETags; the headers here make browsers ask again
every time, so that a page never runs against another version's modules, and run nothing that is not from here.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC: Final = Path(__file__).parent / "static"

# Not left to the machine's own table, which may say anything: with `nosniff` a module of another type does not run.
TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".svg": "image/svg+xml",
    }
)
_WORTH_IT: Final = 1000
_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": (
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
)


def console_routes() -> list[BaseRoute]:
    """The console, to be mounted at the root of the API; other methods on `/` stay free for others."""
    files = _Files(directory=STATIC)

    async def page(request: Request) -> Response:
        return await files.get_response("index.html", request.scope)

    # Text travels at a third of its size; all of it together stays below 200 KB.
    return [Route("/", page), Mount("/console", GZipMiddleware(files, minimum_size=_WORTH_IT))]


class _Files(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """With the headers of the console, also where the browser has the file already."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(_HEADERS)
        if isinstance(response, FileResponse):
            response.headers["Content-Type"] = TYPES[Path(response.path).suffix]
        return response
