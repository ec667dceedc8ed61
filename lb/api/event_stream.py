"""Server-sent events as a Starlette response, which ends when its events do or its client goes."""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HEADERS: Final[Mapping[str, str]] = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}


class Events(Protocol):
    """Where the events come from (`lb.observe.request_stream.Reader`)."""

    async def next(self) -> bytes | None:
        """The next event as bytes, None at the end."""

    def close(self) -> None:
        """No more are wanted: `next` returns None."""


class EventStream(Response):
    """Sends each event as soon as the client has taken the one before."""

    def __init__(self, events: Events) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._until_gone(receive))
                while (event := await self._events.next()) is not None:
                    await send({"type": "http.response.body", "body": event, "more_body": True})
                watching.cancel()
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._events.close()

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._events.close()
