"""Carries out the fault of an embedded web server: around its application, and at its connections."""

import asyncio
import socket
import struct
from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from lb.compute.faults import Fault, FaultSetting

# The half of the answer must have reached the other side: a reset overtakes what is still waiting to be sent.
_ON_ITS_WAY_S: Final = 0.05
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class FaultLayer:
    """An ASGI application around another; `setting` is the fault, which new requests meet from then on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.setting = FaultSetting()
        # By the client's address: ASGI has no way from a request to its connection.
        self.transports: dict[tuple[str, int], asyncio.Transport] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        setting = self.setting
        if scope["type"] == "http" and setting.fault is Fault.ERROR:
            await PlainTextResponse("This server was told to fail.\n", 500)(scope, receive, send)
        elif scope["type"] == "http" and setting.fault is Fault.RESET:
            await self._cut(scope, receive, send)
        else:
            if setting.fault is Fault.SLOW:
                await asyncio.sleep(setting.duration_s)
            await self._app(scope, receive, send)

    async def _cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the head and half of the body, and resets the connection."""
        cut = False

        async def send_half(message: Message) -> None:
            nonlocal cut
            if cut:
                return
            if message["type"] == "http.response.body":
                cut = True
                body = message.get("body", b"")
                message = {**message, "body": body[: len(body) // 2], "more_body": True}
            await send(message)

        await self._app(scope, receive, send_half)
        await asyncio.sleep(_ON_ITS_WAY_S)
        transport = self.transports.get(scope["client"])
        if transport is not None:
            _reset(transport)
        while (await receive())["type"] != "http.disconnect":
            pass


class FaultyConnection(H11Protocol):
    """uvicorn's connection, which can be idle for too long. The application of its Config must be a FaultLayer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert isinstance(self.config.app, FaultLayer)
        self._layer = self.config.app
        self._idle_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """asyncio."""
        super().connection_made(transport)
        if self.client is not None:
            self._layer.transports[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio."""
        if self.client is not None:
            self._layer.transports.pop(self.client, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """asyncio.

        A server that closes an idle connection at the very moment at which the next request is sent: a race that is lost
        once in thousands of times. Here the close waits for the request, so that it is lost every time.
        """
        since, self._idle_since = self._idle_since, None
        setting = self._layer.setting
        if since is not None and setting.fault is Fault.DROP_IDLE and self.loop.time() - since >= setting.duration_s:
            self.transport.abort()
            return
        super().data_received(data)

    def on_response_complete(self) -> None:
        """uvicorn."""
        self._idle_since = self.loop.time()
        super().on_response_complete()


def _reset(transport: asyncio.Transport) -> None:
    plain: socket.socket = transport.get_extra_info("socket")
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
