"""A stand-in for MySQL 8's login, which MariaDB lacks: caching_sha2_password for a password not cached yet, over TLS.

One connection, blocking, in a thread. Enough of the protocol for a login and `SELECT VERSION()`.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = b"8.4.3"

_SSL, _PLUGIN_AUTH = 0x800, 0x80000
_CAPABILITIES = 0x1 | 0x8 | 0x200 | _SSL | 0x8000 | _PLUGIN_AUTH
_EOF = b"\xfe\x00\x00\x02\x00"


@contextmanager
def mysql8(certificate: Path, key: Path, password: str) -> Iterator[int]:
    """The port of a server that takes one login with `password`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context, password.encode()))
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


def _serve(listener: socket.socket, context: ssl.SSLContext, password: bytes) -> None:
    connection, _ = listener.accept()
    connection.settimeout(5)
    with connection:
        connection.sendall(greeting())
        request = _receive(connection)
        assert len(request) == 32
        assert struct.unpack("<I", request[:4])[0] & _SSL
        with context.wrap_socket(connection, server_side=True) as tls:
            assert b"caching_sha2_password\0" in _receive(tls)
            _send(tls, 3, b"\x01\x04")  # not cached: send the password itself
            if _receive(tls) != password + b"\0":
                _send(tls, 5, b"\xff\x15\x04#28000Access denied for user 'web'@'here' (using password: YES)")
                return
            _send(tls, 5, b"\x00\x00\x00\x02\x00\x00\x00")
            assert _receive(tls) == b"\x03SELECT VERSION()"
            column = b"\x03def\x00\x00\x00\x09VERSION()\x00\x0c" + struct.pack("<HIBHB", 255, 60, 0xFD, 0, 31) + b"\0\0"
            for number, payload in enumerate((b"\x01", column, _EOF, bytes([len(VERSION)]) + VERSION, _EOF), 1):
                _send(tls, number, payload)
            assert _receive(tls) == b"\x01"  # COM_QUIT


def greeting() -> bytes:
    """The first packet of a server that offers TLS and logs in with caching_sha2_password."""
    salt = b"abcdefghijklmnopqrst"
    low, high = _CAPABILITIES & 0xFFFF, _CAPABILITIES >> 16
    payload = b"\x0a" + VERSION + b"\0" + struct.pack("<I", 7) + salt[:8] + b"\0"
    payload += struct.pack("<HBHHB", low, 255, 2, high, 21) + bytes(10) + salt[8:] + b"\0caching_sha2_password\0"
    return len(payload).to_bytes(3, "little") + b"\0" + payload


def _send(connection: socket.socket, number: int, payload: bytes) -> None:
    connection.sendall(len(payload).to_bytes(3, "little") + bytes([number]) + payload)


def _receive(connection: socket.socket) -> bytes:
    header = _exactly(connection, 4)
    return _exactly(connection, int.from_bytes(header[:3], "little"))


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        assert more, "closed within a packet"
        data += more
    return data
