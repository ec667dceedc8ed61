"""Three servers that tell how they read a request: h11, a real nginx, a real Apache with PHP; all on loopback.

Each answers 200 with `X-Read` (`Reading.encode`) and counts the requests that it believes it got, refused ones included.
nginx hands what it read to an origin in the test's process, which tells; Apache's own PHP tells.
"""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import h11
import pytest

from tests.proxy.desync_corpus import Reading
from tests.support.apache import running_apache
from tests.support.balancer import free_port, until
from tests.support.origins import OriginConnection, answer, running_origin

_TRACE = re.compile(rb"\r\nX-Amzn-Trace-Id: ([^\r]*)")

# One process, so that nothing is given up or needed: no user is switched to.
_NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 256; }}
http {{
    log_format asked '$status $request';
    access_log access.log asked;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    client_header_buffer_size 16k;
    client_body_buffer_size 64k;
    keepalive_requests 100000;
    server {{
        listen 127.0.0.1:{port} backlog=256;
        location / {{
            proxy_pass http://127.0.0.1:{reader};
        }}
    }}
}}
"""

_APACHE = """\
LogFormat "%>s %r" asked
CustomLog access.log asked
KeepAliveTimeout 60
MaxKeepAliveRequests 0
StartServers 24
MaxSpareServers 40
AllowEncodedSlashes NoDecode
FallbackResource /read.php
"""

_READ_PHP = """\
<?php
$parts = [$_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], file_get_contents('php://input')];
header('X-Read: ' . implode('.', array_map('bin2hex', $parts)));
"""


@dataclass
class Server:
    """A running server. `asked` is the number of requests that it believes it got."""

    port: int
    asked: Callable[[], int]
    # h11 only: what came for each request, by its X-Amzn-Trace-Id.
    received: dict[bytes, bytes] = field(default_factory=dict)


class _H11Connection(asyncio.Protocol):
    """One connection to the h11 server."""

    def __init__(self, server: Server, count: Callable[[], None]) -> None:
        self._server = server
        self._count = count
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=100_000)
        self._raw = b""
        self._request: h11.Request | None = None
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        self._raw += data
        self._parser.receive_data(data)
        try:
            while self._take(self._parser.next_event()):
                continue
        except h11.RemoteProtocolError:
            self._answered()
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            self._transport.close()

    def _take(self, event: object) -> bool:
        if isinstance(event, h11.Request):
            self._request = event
        elif isinstance(event, h11.Data):
            self._body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            self._tell()
        else:
            return False
        return True

    def _tell(self) -> None:
        assert self._request is not None
        reading = Reading(bytes(self._request.method), bytes(self._request.target), self._body)
        self._answered()
        headers = [(b"X-Read", reading.encode()), (b"Content-Length", b"0")]
        answer = h11.Response(status_code=200, headers=headers)
        self._transport.write((self._parser.send(answer) or b"") + (self._parser.send(h11.EndOfMessage()) or b""))
        if self._parser.our_state is h11.DONE and self._parser.their_state is h11.DONE:
            self._parser.start_next_cycle()
        else:
            self._transport.close()

    def _answered(self) -> None:
        self._count()
        if found := _TRACE.search(self._raw):
            self._server.received[found[1]] = self._raw
        self._raw = self._body = b""


@contextlib.asynccontextmanager
async def running_h11() -> AsyncIterator[Server]:
    """A server made of h11."""
    asked = 0

    def count() -> None:
        nonlocal asked
        asked += 1

    running = Server(0, lambda: asked)
    listening = await asyncio.get_running_loop().create_server(lambda: _H11Connection(running, count), "127.0.0.1", 0)
    running.port = listening.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        listening.close()
        await listening.wait_closed()


async def _reader(connection: OriginConnection) -> None:
    """The origin behind nginx: what comes from there is in nginx's own words, which leave no doubt."""
    request = await connection.read_request()
    method, uri, _ = request.line.split(b" ")
    await connection.send(answer(b"", b"X-Read: " + Reading(method, uri, request.body).encode()))


@contextlib.asynccontextmanager
async def running_nginx(directory: Path) -> AsyncIterator[Server]:
    """nginx with a configuration of its own in `directory`. Skips the test where there is none."""
    program = shutil.which("nginx", path=f"{os.defpath}:/usr/sbin:{os.environ.get('PATH', '')}")
    if program is None:
        pytest.skip("no nginx on this machine (Debian: apt-get install nginx-light)")
    async with running_origin(_reader, keep_received=False) as origin:
        port = free_port()
        (directory / "nginx.conf").write_text(_NGINX.format(port=port, reader=origin.port))
        process = await asyncio.create_subprocess_exec(
            program, "-p", directory, "-c", "nginx.conf", "-e", "error.log", stderr=subprocess.DEVNULL
        )
        try:
            await until(lambda: _listens(port), f"nginx listens: {directory / 'error.log'}")
            log = directory / "access.log"
            yield Server(port, lambda: log.read_bytes().count(b"\n"))
        finally:
            process.terminate()
            await process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return False
    return True


@contextlib.asynccontextmanager
async def running_php(directory: Path) -> AsyncIterator[Server]:
    """Apache with PHP. Skips the test where there is none."""
    docroot = directory / "docroot"
    docroot.mkdir()
    (docroot / "read.php").write_text(_READ_PHP)
    (snippet := directory / "read.conf").write_text(_APACHE)
    with running_apache(docroot, snippets=[snippet]) as apache:
        log = apache.root / "access.log"
        yield Server(apache.port, lambda: log.read_bytes().count(b"\n"))


def running(name: str, directory: Path) -> AbstractAsyncContextManager[Server]:
    """One of `h11`, `nginx`, `apache`."""
    if name == "h11":
        return running_h11()
    return running_nginx(directory) if name == "nginx" else running_php(directory)
