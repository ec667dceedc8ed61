"""A WebSocket client and server of a few lines (RFC 6455): the handshake, and text frames below 126 bytes."""

import base64
import os
from hashlib import sha1

from tests.proxy.wire import Client, Response
from tests.support.origins import OriginConnection, Request

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = base64.b64encode(bytes(range(16)))


def handshake(path: bytes = b"/chat", *headers: bytes, host: bytes = b"example.com") -> bytes:
    """The opening handshake; `headers` are lines without their CRLF."""
    lines = [
        b"GET %b HTTP/1.1" % path,
        b"Host: " + host,
        b"Upgrade: websocket",
        b"Connection: keep-alive, Upgrade",
        b"Sec-WebSocket-Key: " + KEY,
        b"Sec-WebSocket-Version: 13",
        *headers,
    ]
    return b"\r\n".join([*lines, b"", b""])


def accept_of(key: bytes) -> bytes:
    """Sec-WebSocket-Accept for a key."""
    return base64.b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def frame(text: bytes, *, masked: bool) -> bytes:
    """One text frame."""
    assert len(text) < 126
    if not masked:
        return bytes((0x81, len(text))) + text
    mask = os.urandom(4)
    return bytes((0x81, 0x80 | len(text))) + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))


async def accept(connection: OriginConnection, *headers: bytes, behind: bytes = b"") -> Request:
    """Server side of the handshake. Fails unless what came is one."""
    request = await connection.read_request()
    assert request.line.startswith(b"GET ")
    assert (request.value(b"upgrade") or b"").lower() == b"websocket"
    assert (request.value(b"connection") or b"").lower() == b"upgrade"
    key = request.value(b"sec-websocket-key")
    assert key is not None
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept_of(key),
        *headers,
    ]
    await connection.send(b"\r\n".join([*lines, b"", behind]))
    return request


async def chat(connection: OriginConnection) -> None:
    """A server that accepts and sends every byte back."""
    await accept(connection, b"X-Port: %d" % connection.origin.port)
    while data := await connection.read():
        await connection.send(data)


async def opened(client: Client, request: bytes = b"") -> Response:
    """Client side of the handshake."""
    response = await client.ask(request or handshake())
    assert response.status == 101, response.head
    assert response.value(b"upgrade") == b"websocket"
    assert (response.value(b"connection") or b"").lower() == b"upgrade"
    assert response.value(b"sec-websocket-accept") == accept_of(KEY)
    return response
