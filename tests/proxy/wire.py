"""A client that writes raw bytes and reads responses as they are framed, strictly."""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Response:
    """One response. `raw_body` is the body with its chunk framing, `body` without."""

    head: bytes
    body: bytes
    raw_body: bytes

    @property
    def raw(self) -> bytes:
        """All of it, as it came."""
        return self.head + self.raw_body

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.head.split(b" ", 2)[1])

    @property
    def names(self) -> list[bytes]:
        """The header names in order, as they came."""
        return [line.split(b":", 1)[0] for line in self.head[:-4].split(b"\r\n")[1:]]

    def values(self, name: bytes) -> list[bytes]:
        """All values of a header."""
        lines = (line.split(b":", 1) for line in self.head[:-4].split(b"\r\n")[1:])
        return [value.strip() for found, value in lines if found.lower() == name.lower()]

    def value(self, name: bytes) -> bytes | None:
        """The only value of a header, None where it is absent."""
        values = self.values(name)
        assert len(values) < 2, f"{name!r} came {len(values)} times"
        return values[0] if values else None


class Client:
    """One connection to the balancer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self.socket: socket.socket = writer.get_extra_info("socket")

    @property
    def name(self) -> str:
        """The client as logs name it."""
        host, port = self._writer.get_extra_info("sockname")[:2]
        return f"{host}:{port}"

    async def send(self, data: bytes) -> None:
        """Writes, and waits while the balancer is behind."""
        self._writer.write(data)
        await self._writer.drain()

    async def ask(self, request: bytes, *, method: bytes = b"") -> Response:
        """Sends a request and reads its response."""
        await self.send(request)
        return await self.response(method or request.split(b" ", 1)[0])

    async def response(self, method: bytes = b"GET") -> Response:
        """The next response, by its framing. Raises IncompleteReadError when the connection ends within it."""
        async with asyncio.timeout(WAIT_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            if method == b"HEAD" or status in (204, 304) or status < 200:
                return Response(head, b"", b"")
            if re.search(rb"\r\ntransfer-encoding: *chunked\r\n", head, re.IGNORECASE):
                return Response(head, *await self._chunks())
            length = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.IGNORECASE)
            body = await (self.reader.readexactly(int(length[1])) if length else self.reader.read())
            return Response(head, body, body)

    async def _chunks(self) -> tuple[bytes, bytes]:
        body = raw = b""
        while True:
            line = await self.reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            chunk = await self.reader.readexactly(size + 2)
            assert chunk.endswith(b"\r\n")
            body += chunk[:-2]
            raw += line + chunk
            if not size:
                return body, raw

    async def rest(self) -> bytes:
        """Everything until the balancer closes the connection. A reset is raised, silence is a TimeoutError."""
        async with asyncio.timeout(WAIT_S):
            return await self.reader.read()

    async def ended(self) -> bool:
        """Whether the balancer closes or resets the connection now, with nothing more to say."""
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True

    async def silent_for(self, pause_s: float) -> bool:
        """Whether nothing comes for so long, not even an end."""
        try:
            async with asyncio.timeout(pause_s):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False

    def send_end(self) -> None:
        """Sends FIN; the other direction stays open."""
        self._writer.write_eof()

    def close(self) -> None:
        """Sends FIN."""
        self._writer.close()

    def reset(self) -> None:
        """Sends RST."""
        if not self._writer.is_closing():
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


@contextlib.asynccontextmanager
async def connected(port: int, *, receive_buffer: int = 0, segment: int = 0) -> AsyncIterator[Client]:
    """A connection to the balancer, closed on leaving.

    `receive_buffer` and `segment` make the kernel hold less, so that a client that does not read is felt early.
    """
    plain = socket.socket()
    if receive_buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if segment:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
    plain.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    except OSError:
        plain.close()
        raise
    reader, writer = await asyncio.open_connection(sock=plain, limit=receive_buffer or 2**20)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def ask_once(port: int, request: bytes) -> Response:
    """Sends a request over a connection of its own and reads the response."""
    async with connected(port) as client:
        return await client.ask(request)


def get(path: bytes = b"/", *headers: bytes, host: bytes = b"example.com", version: bytes = b"1.1") -> bytes:
    """A GET request; `headers` are lines without their CRLF."""
    return b"\r\n".join([b"GET %b HTTP/%b" % (path, version), b"Host: " + host, *headers, b"", b""])


def post(body: bytes, path: bytes = b"/", *headers: bytes) -> bytes:
    """A POST request with Content-Length."""
    lines = [b"POST %b HTTP/1.1" % path, b"Host: example.com", b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)
