"""Serves the API application inside the balancer's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from lb.net.tasks import Tasks


class _Embedded(uvicorn.Server):
    """uvicorn would take over SIGINT and SIGTERM; here they belong to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ApiServer:
    """The API on a socket that is bound already."""

    def __init__(self, app: ASGIApp, bound: socket.socket) -> None:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=1
        )
        self._server = _Embedded(config)
        self._bound = bound
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to answer."""
        self._task = self._tasks.spawn(self._server.serve(sockets=[self._bound]), name="api server")

    async def close(self) -> None:
        """Answers what it has begun and ends."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._bound.close()
