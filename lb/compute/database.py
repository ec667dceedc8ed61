"""The lesson's question "can the web server reach the database?", answered step by step: name, port, greeting, login.

The steps are taken here one by one, because the error of a MySQL client library no longer tells which of them
failed. What a failure means is in `lb.compute.database_diagnosis`. The password is never part of a message.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asyncmy.errors import MySQLError

from lb.compute.database_diagnosis import (
    HTTPServerError,
    NotMySQLError,
    Outcome,
    Stage,
    diagnose,
    error_text,
)
from lb.compute.mysql_greeting import is_mysql_greeting
from lb.net.mysql import TLSWhereOffered

DEFAULT_PORT = 3306

# Family and address as `socket.connect` takes them.
_Address = tuple[socket.AddressFamily, Any]

# Part of the time kept back for asking a silent server whether it speaks HTTP: it is on a loopback or local
# network in practice, so an answer takes milliseconds.
_HTTP_SHARE = 0.2
_HTTP_PROBE = b"HEAD / HTTP/1.0\r\n\r\n"

_FIRST_BYTES = 1024

# What resolving, connecting and asyncmy can raise. RuntimeError is asyncmy's "package X is required for login
# method Y"; the last four are what its parser raises on a malformed packet.
_FAILURES = (
    MySQLError, NotMySQLError, OSError, EOFError, RuntimeError, ValueError, TypeError, LookupError, struct.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the database is and who asks. `database` None: log in only."""

    host: str
    user: str
    port: int = DEFAULT_PORT
    password: str = field(default="", repr=False)
    database: str | None = None


@dataclass(frozen=True, slots=True)
class DatabaseCheck:
    """What a check found. `server_version` is set on success only, `cause` and `next_step` on failure only."""

    outcome: Outcome
    message: str
    cause: str = ""
    next_step: str = ""
    server_version: str | None = None


def settings_from_environment(environment: Mapping[str, str]) -> DatabaseSettings | None:
    """The database named by LB_DB_HOST, LB_DB_PORT, LB_DB_USER, LB_DB_PASSWORD and LB_DB_NAME; None without LB_DB_HOST.

    Raises ValueError, naming the variable, for a port that is none.
    """
    host = environment.get("LB_DB_HOST", "")
    if not host:
        return None
    port = environment.get("LB_DB_PORT") or str(DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"LB_DB_PORT is '{port}'; a port is a number from 1 to 65535")
    return DatabaseSettings(
        host=host,
        port=int(port),
        user=environment.get("LB_DB_USER") or "root",
        password=environment.get("LB_DB_PASSWORD", ""),
        database=environment.get("LB_DB_NAME") or None,
    )


async def check_database(settings: DatabaseSettings, timeout_s: float) -> DatabaseCheck:
    """Logs in to the database and asks for its version; all steps together end within `timeout_s`.

    Returns what was found; failing to reach the database is a result, not an exception.
    """
    attempt = _Attempt(settings, asyncio.get_running_loop().time() + timeout_s, timeout_s)
    try:
        version = await attempt.run()
    except _FAILURES as error:
        diagnosis = diagnose(attempt.stage, error)
        words = {
            "host": settings.host,
            "port": settings.port,
            "user": settings.user,
            "database": settings.database,
        }
        happened = diagnosis.happened.format(**words)
        detail = f"no answer within {timeout_s:g} s" if isinstance(error, TimeoutError) else error_text(error)
        return DatabaseCheck(
            outcome=diagnosis.outcome,
            message=f"{happened}: {detail}" if detail else happened,
            cause=diagnosis.cause.format(**words),
            next_step=diagnosis.next_step.format(**words),
        )
    using = f" and may use database '{settings.database}'" if settings.database else ""
    where = f"{settings.host}:{settings.port}"
    return DatabaseCheck(
        outcome=Outcome.OK,
        message=f"MySQL on {where} answers; '{settings.user}' is logged in{using}; server version {version}",
        server_version=version,
    )


class _Attempt:
    """One check on its way: `stage` tells how far it came."""

    def __init__(self, settings: DatabaseSettings, deadline: float, timeout_s: float) -> None:
        self.stage = Stage.RESOLVE
        self._settings = settings
        self._deadline = deadline
        self._timeout_s = timeout_s

    async def run(self) -> str:
        """The server's version. Raises one of `_FAILURES`."""
        async with asyncio.timeout_at(self._deadline):
            addresses = await _resolve(self._settings.host, self._settings.port)
        self.stage = Stage.CONNECT
        connected = await _connect(addresses, self._deadline)
        try:
            self.stage = Stage.GREETING
            await _await_greeting(connected, self._deadline, self._timeout_s * _HTTP_SHARE)
        except BaseException:
            connected.close()
            raise
        self.stage = Stage.LOGIN
        async with asyncio.timeout_at(self._deadline):
            return await _log_in(connected, self._settings)


async def _resolve(host: str, port: int) -> list[_Address]:
    """The addresses of `host`. Raises OSError, or ValueError for a text that cannot be a name.

    In a daemon thread of its own: the loop's executor is joined when the loop ends, so a name server that does not
    answer would hold the command back long after its timeout.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[_Address]] = loop.create_future()

    def deliver(addresses: list[_Address], error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(addresses)
        else:
            answer.set_exception(error)

    def ask() -> None:
        addresses: list[_Address] = []
        error: Exception | None = None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = [(family, address) for family, _, _, _, address in found]
        except (OSError, ValueError) as failure:
            error = failure
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, addresses, error)

    threading.Thread(target=ask, name="resolve database host", daemon=True).start()
    return await answer


async def _connect(addresses: list[_Address], deadline: float) -> socket.socket:
    """A connection to the first address that takes one. Raises the most telling OSError if none does."""
    loop = asyncio.get_running_loop()
    errors: list[OSError] = []
    for tried, (family, address) in enumerate(addresses):
        # Each address gets its share, so that one silent address does not use up the time of the next.
        share_s = max(deadline - loop.time(), 0) / (len(addresses) - tried)
        candidate = socket.socket(family, socket.SOCK_STREAM)
        try:
            candidate.setblocking(False)
            async with asyncio.timeout(share_s):
                await loop.sock_connect(candidate, address)
        except OSError as error:
            candidate.close()
            errors.append(error)
        except BaseException:
            candidate.close()
            raise
        else:
            return candidate
    # A refusal comes from the host itself and so says more than silence; silence says more than a missing route (a
    # host without IPv6 has none to the name's IPv6 address).
    refused = [error for error in errors if isinstance(error, ConnectionRefusedError)]
    silent = [error for error in errors if isinstance(error, TimeoutError)]
    raise (refused or silent or errors)[0]


async def _await_greeting(connected: socket.socket, deadline: float, http_share_s: float) -> None:
    """Returns once a MySQL greeting is there to be read; it stays unread, for asyncmy.

    Raises TimeoutError (silence), EOFError (closed), NotMySQLError, HTTPServerError or OSError.
    """
    loop = asyncio.get_running_loop()
    seen = b""
    try:
        async with asyncio.timeout_at(deadline - http_share_s):
            while (verdict := is_mysql_greeting(seen)) is None:
                before = seen
                seen = await _peek(connected)
                if seen == before:
                    # Readable without a new byte: the end of the stream after half a packet. Peeking again would spin.
                    await asyncio.sleep(0.02)
    except TimeoutError:
        if seen:
            raise NotMySQLError(seen) from None
        async with asyncio.timeout_at(deadline):
            await loop.sock_sendall(connected, _HTTP_PROBE)
            heard = await loop.sock_recv(connected, _FIRST_BYTES)
        if heard.startswith(b"HTTP/"):
            raise HTTPServerError(heard) from None
        if heard:
            raise NotMySQLError(heard) from None
        raise
    if not verdict:
        raise NotMySQLError(seen)


async def _peek(connected: socket.socket) -> bytes:
    """The bytes that wait in the socket, without taking them. Raises EOFError if it was closed."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(connected, wake)
    try:
        await readable
    finally:
        loop.remove_reader(connected)
    data = connected.recv(_FIRST_BYTES, socket.MSG_PEEK)
    if not data:
        raise EOFError("closed before it said anything")
    return data


async def _log_in(connected: socket.socket, settings: DatabaseSettings) -> str:
    """Logs in over `connected`, which asyncmy closes from here on, and returns the server's version."""
    connection = TLSWhereOffered(  # type: ignore[no-untyped-call]
        sock=connected,
        # asyncmy would encode a text as Latin-1 and fail on the rest of the world's letters.
        password=settings.password.encode(),
        host=settings.host,
        user=settings.user,
        database=settings.database,
        autocommit=None,
        program_name="lb db check",
    )
    try:
        await connection.connect()
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT VERSION()")
            (version,) = await cursor.fetchone()
        await connection.ensure_closed()
    finally:
        await connection.abort()
    return str(version)
