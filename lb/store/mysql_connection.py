"""A connection to the MySQL or MariaDB server that holds the shared store, and what its errors mean."""

import shlex
import struct
from dataclasses import dataclass, field
from typing import Final

from asyncmy.connection import Connection
from asyncmy.errors import MySQLError

from lb.net.mysql import TLSWhereOffered
from lb.store.store import StoreError

# What a session can raise.
FAILURES: Final = (MySQLError, OSError)
# What a login can raise besides. RuntimeError is asyncmy's "package X is required for login method Y"; the others are what
# its parser raises where the other side does not speak MySQL.
_LOGIN_FAILURES: Final = (RuntimeError, ValueError, TypeError, LookupError, struct.error)

# Errors after which the same work may do well over a new connection. Source: the server error references of both servers.
_LOST: Final = frozenset(
    {
        0,  # asyncmy: not connected
        1040,  # ER_CON_COUNT_ERROR
        1053,  # ER_SERVER_SHUTDOWN
        1158,  # ER_NET_READ_ERROR
        1159,  # ER_NET_READ_INTERRUPTED
        1160,  # ER_NET_ERROR_ON_WRITE
        1161,  # ER_NET_WRITE_INTERRUPTED
        1205,  # ER_LOCK_WAIT_TIMEOUT
        1213,  # ER_LOCK_DEADLOCK
        1927,  # ER_CONNECTION_KILLED (MariaDB)
        2003,  # CR_CONN_HOST_ERROR
        2006,  # CR_SERVER_GONE_ERROR
        2013,  # CR_SERVER_LOST
        4031,  # ER_CLIENT_INTERACTION_TIMEOUT (MySQL)
    }
)

_FORBIDDEN: Final = frozenset({1142, 1143})  # ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR

_SESSION: Final = (
    # A server of another mode would read the driver's quoting differently, or shorten what is too long for its column.
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES'",
    # A balancer that vanished within a commit (a pulled cable) holds the lock on the version until the server gives it up.
    # That must be sooner than the others lose their patience; who is idle for so long just connects again.
    "SET SESSION wait_timeout = 5",
    "SET SESSION innodb_lock_wait_timeout = 8",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
)


@dataclass(frozen=True, slots=True)
class MysqlAddress:
    """Where the database is and who asks."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str


async def connect(address: MysqlAddress) -> Connection:
    """A session of its own, each statement a transaction unless one is begun. Raises one of `FAILURES`, StoreError."""
    connection = TLSWhereOffered(  # type: ignore[no-untyped-call]
        host=address.host,
        port=address.port,
        user=address.user,
        # asyncmy would encode a text as Latin-1 and fail on the rest of the world's letters.
        password=address.password.encode(),
        database=address.database,
        autocommit=True,
        program_name="lb store",
    )
    try:
        await connection.connect()
        async with connection.cursor() as cursor:
            for statement in _SESSION:
                await cursor.execute(statement)
    except _LOGIN_FAILURES as error:
        connection.close()
        raise explained(address, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def is_lost(error: BaseException) -> bool:
    """Whether the connection or the server is gone for now, rather than unwilling."""
    if isinstance(error, MySQLError):
        return _number(error) in _LOST
    return isinstance(error, OSError)


def explained(address: MysqlAddress, error: BaseException | None, waited_s: float | None = None) -> StoreError:
    """What `error` (None: silence) means for who runs the balancer; `waited_s` where the server was waited for in vain."""
    where = f"the store on MySQL, {address.host}:{address.port}, database '{address.database}'"
    happened = "failed" if waited_s is None else f"could not be used for {waited_s:g} s"
    if _number(error) in _FORBIDDEN:
        return StoreError(f"{where}, {happened}: {_text(error)}; GRANT ALL ON `{address.database}`.* to that user")
    check = ["lb", "db", "check", "--host", address.host, "--port", str(address.port)]
    check += ["--user", address.user, "--database", address.database]
    return StoreError(f"{where}, {happened}: {_text(error)}; to find out why: {shlex.join(check)}")


def _number(error: BaseException | None) -> int | None:
    return error.args[0] if isinstance(error, MySQLError) and error.args else None


def _text(error: BaseException | None) -> str:
    if error is None:
        return "no answer"
    if isinstance(error, MySQLError) and len(error.args) > 1:
        text = f"{error.args[1]} (error {_number(error)})"
    else:
        text = str(error) or type(error).__name__
    # A server's message goes to a terminal, as one line: it must not move the cursor there.
    return "".join(letter if letter.isprintable() else " " for letter in text)
