"""The real API server, showing whatever picture it is given."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import lb.console
from lb.api.app import api_app
from lb.api.server import ApiServer

PAGE = Path(lb.console.__file__).parent / "status.html"


class Stage:
    """`shown` is what GET /_lb/status answers from now on; `close` ends the server before its time."""

    def __init__(self, shown: dict[str, Any], bound: socket.socket) -> None:
        self.shown = shown
        self.port = bound.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = ApiServer(api_app(lambda: self.shown, PAGE, ()), bound)
        self._server.start()
        self._open = True

    async def close(self) -> None:
        """Nobody answers any more."""
        if self._open:
            self._open = False
            await self._server.close()


@asynccontextmanager
async def stage(shown: dict[str, Any], port: int = 0) -> AsyncIterator[Stage]:
    """Serves a picture on this loopback port, or on a free one."""
    set_up = Stage(shown, socket.create_server(("127.0.0.1", port)))
    try:
        yield set_up
    finally:
        await set_up.close()
