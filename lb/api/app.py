"""The HTTP application on the API port: status as JSON, the status page, and whatever routes it is given."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import BaseRoute, Route


def api_app(status: Callable[[], dict[str, Any]], page: Path, routes: Iterable[BaseRoute]) -> Starlette:
    """`status` gives the picture of the moment; `page` is the file served at `/`."""

    async def show_status(_: Request) -> JSONResponse:
        return JSONResponse(status())

    async def show_page(_: Request) -> FileResponse:
        return FileResponse(page, headers={"Cache-Control": "no-cache"})

    return Starlette(routes=[Route("/", show_page), Route("/_lb/status", show_status), *routes])
