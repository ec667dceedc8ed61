"""Scripted origin servers on loopback: a script says, connection by connection, what is read and what is answered.

They speak bytes, not HTTP: a script may answer garbage, stop half-way, reset, read slowly or never answer. An origin records
what each connection received and counts connections and requests.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

from lb.net.tasks import Tasks

_BLOCK = b"0123456789abcde\n" * 4096
_GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as an origin received it. `raw_body` is the body with its chunk framing, `body` without."""

    head: bytes
    body: bytes
    raw_body: bytes

    @property
    def line(self) -> bytes:
        """The request line."""
        return self.head.split(b"\r\n", 1)[0]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Name and value of each header line, in order, names as they came."""
        pairs = (line.split(b":", 1) for line in self.head[:-4].split(b"\r\n")[1:])
        return [(name, value.strip()) for name, value in pairs]

    def values(self, name: bytes) -> list[bytes]:
        """All values of a header."""
        return [value for found, value in self.headers if found.lower() == name.lower()]

    def value(self, name: bytes) -> bytes | None:
        """The only value of a header, None where it is absent."""
        values = self.values(name)
        assert len(values) < 2, f"{name!r} came {len(values)} times"
        return values[0] if values else None


class OriginConnection:
    """One connection that an origin accepted."""

    def __init__(self, origin: "Origin", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = len(origin.connections) + 1
        self.origin = origin
        self.received = bytearray()
        self.received_bytes = 0
        self.requests = 0
        self.open = True
        self._reader = reader
        self._writer = writer

    async def read(self, limit: int = 65536) -> bytes:
        """What came, at most `limit` bytes; empty at the end."""
        return self._note(await self._reader.read(limit))

    def _note(self, data: bytes) -> bytes:
        self.received_bytes += len(data)
        if self.origin.keep_received:
            self.received += data
        return data

    async def read_head(self) -> bytes:
        """A request head with its blank line. Raises IncompleteReadError at the end of the connection."""
        head = self._note(await self._reader.readuntil(b"\r\n\r\n"))
        self.requests += 1
        self.origin.requests += 1
        return head

    async def read_request(self) -> Request:
        """A request with its body."""
        head = await self.read_head()
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if re.search(rb"\r\ntransfer-encoding: *chunked", head, re.IGNORECASE):
            return Request(head, *await self._chunks())
        body = self._note(await self._reader.readexactly(int(length[1]))) if length else b""
        return Request(head, body, body)

    async def _chunks(self) -> tuple[bytes, bytes]:
        body = raw = b""
        while True:
            line = self._note(await self._reader.readuntil(b"\r\n"))
            size = int(line.split(b";")[0], 16)
            raw += line
            if not size:
                while line != b"\r\n":
                    line = self._note(await self._reader.readuntil(b"\r\n"))
                    raw += line
                return body, raw
            chunk = self._note(await self._reader.readexactly(size + 2))
            assert chunk.endswith(b"\r\n")
            body += chunk[:-2]
            raw += chunk

    async def send(self, data: bytes) -> None:
        """Writes, and waits while the peer is behind."""
        self._writer.write(data)
        await self._writer.drain()

    async def send_in_pieces(self, data: bytes, size: int, pause_s: float = 0.0) -> None:
        """Writes `size` bytes at a time."""
        for at in range(0, len(data), size):
            await self.send(data[at : at + size])
            await asyncio.sleep(pause_s)

    async def send_body(self, size: int, *, chunked: bool = False) -> None:
        """Writes a body of `size` bytes, which are generated, not stored."""
        left = size
        while left:
            block = _BLOCK[:left]
            left -= len(block)
            await self.send(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
        if chunked:
            await self.send(b"0\r\n\r\n")

    async def ended(self) -> None:
        """Waits until the peer has closed the connection, and reads nothing of interest meanwhile."""
        while await self.read():
            continue

    def send_end(self) -> None:
        """Sends FIN; the other direction stays open."""
        self._writer.write_eof()

    def close(self) -> None:
        """Sends FIN after what has been written."""
        self._writer.close()

    def reset(self) -> None:
        """Sends RST."""
        plain: socket.socket = self._writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Script = Callable[[OriginConnection], Awaitable[None]]
"""What happens on one connection. Ends with the connection closed; a peer that goes away ends it too."""


class Origin:
    """A listening origin. `open` is the number of connections that are open now."""

    def __init__(self, script: Script, *, keep_received: bool) -> None:
        self.script = script
        self.keep_received = keep_received
        self.port = 0
        self.requests = 0
        self.connections: list[OriginConnection] = []
        self._tasks = Tasks()

    @property
    def target(self) -> str:
        """The origin as a target in `lb.yaml`."""
        return f"127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """How many connections are open."""
        return sum(connection.open for connection in self.connections)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """asyncio.start_server: a connection came."""
        connection = OriginConnection(self, reader, writer)
        self.connections.append(connection)
        self._tasks.spawn(self._serve(connection, writer), name=f"origin {self.port} #{connection.number}")

    async def _serve(self, connection: OriginConnection, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(*_GONE):
                await self.script(connection)
        finally:
            connection.open = False
            writer.close()
            with contextlib.suppress(*_GONE):
                await writer.wait_closed()

    async def close(self) -> None:
        """Ends every script."""
        await self._tasks.close()


@contextlib.asynccontextmanager
async def running_origin(
    script: Script, *, keep_received: bool = True, receive_buffer: int = 0, segment: int = 0, port: int = 0
) -> AsyncIterator[Origin]:
    """Runs an origin.

    `receive_buffer` bounds its socket's buffer and `segment` its TCP segments: both make the kernel hold less, as on a real
    network, so that a peer sees back-pressure early.
    """
    origin = Origin(script, keep_received=keep_received)
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if receive_buffer:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if segment:
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
    bound.bind(("127.0.0.1", port))
    origin.port = bound.getsockname()[1]
    limit = receive_buffer or 2**20
    server = await asyncio.start_server(origin.accept, sock=bound, limit=limit, backlog=512)
    try:
        yield origin
    finally:
        server.close()
        await origin.close()
        await server.wait_closed()


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """A port that refuses connections and that nobody else takes meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A port whose backlog is full: a connection attempt gets no answer at all."""
    with contextlib.ExitStack() as opened:
        bound = opened.enter_context(socket.socket())
        bound.bind(("127.0.0.1", 0))
        bound.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(bound.getsockname())
        yield bound.getsockname()[1]


def answer(body: bytes = b"ok", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A response with Content-Length; `headers` are lines without their CRLF."""
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


def answering(raw: bytes) -> Script:
    """Answers each request with the same bytes and keeps the connection open."""

    async def script(connection: OriginConnection) -> None:
        while True:
            await connection.read_request()
            await connection.send(raw)

    return script


def naming(name: bytes) -> Script:
    """Answers each request with `name`."""
    return answering(answer(name))


def echoing() -> Script:
    """Answers each request with its own request line, a newline, and its body."""

    async def script(connection: OriginConnection) -> None:
        while True:
            request = await connection.read_request()
            await connection.send(answer(request.line + b"\n" + request.body))

    return script


def once(raw: bytes, *, reset: bool = False) -> Script:
    """Reads one request, answers with the bytes as they are (may be none), and closes or resets the connection."""

    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        if raw:
            await connection.send(raw)
        if reset:
            connection.reset()

    return script


async def silent(connection: OriginConnection) -> None:
    """Takes everything and never answers."""
    await connection.ended()
