"""Records in MySQL 8 or MariaDB: the store that several balancers share.

The row of the version is the lock: who commits holds it, and sees there whether somebody else was faster. A commit brings a
token along which is written with its version. Where the connection is lost on the way, the same commit is tried again over
a new one: it waits for the lock, and so for the end of the first attempt; then the token tells whether that one was written.
What is acknowledged survives what the server survives (with innodb_flush_log_at_trx_commit=1, its default: a power cut).
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from asyncmy.connection import Connection
from asyncmy.cursors import Cursor

from lb.resources.records import Change, Key, Record
from lb.store.mysql_connection import FAILURES, MysqlAddress, connect, explained, is_lost
from lb.store.mysql_schema import migrate
from lb.store.rows import Row, anew, columns_of, key_of, note, record_of, row_of
from lb.store.store import KEPT_VERSIONS, ConflictError, Loaded, StoreError

T = TypeVar("T")

# For how long a server that cannot be reached is waited for: long enough for one that is being restarted.
PATIENCE_S: Final = 10.0
_RETRY_S: Final = 0.2
_GOODBYE_S: Final = 1.0

_VERSION: Final = "SELECT version FROM lb_state"
_VERSION_LOCKED: Final = "SELECT version FROM lb_state FOR UPDATE"


class MysqlStore:
    """A store in the database at `address`. See `lb.store.store.Store`.

    One connection, used by one call at a time. Each call ends within `patience_s`.
    """

    def __init__(
        self, address: MysqlAddress, patience_s: float = PATIENCE_S, kept_versions: int = KEPT_VERSIONS
    ) -> None:
        self._address = address
        self._patience_s = patience_s
        self._kept_versions = kept_versions
        self._held: set[Key] = set()
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None

    async def open(self) -> Loaded:
        """Makes or migrates the tables and reads everything. Raises StoreError."""

        async def read(cursor: Cursor) -> Loaded:
            await migrate(cursor)
            await cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            loaded = Loaded(await _version(cursor), await self._records(cursor))
            await cursor.execute("COMMIT")
            return loaded

        loaded = await self._patiently(read)
        self._held = {record.key for record in loaded.records}
        return loaded

    async def commit(self, version: int, changes: Sequence[Change]) -> int:
        """Writes all changes or none; returns the new version. Raises ConflictError, StoreError."""
        rows = [
            (columns_of(change.key), None if change.record is None else row_of(change.record)) for change in changes
        ]
        new, token = version + 1, secrets.token_hex(16)
        was_sent = False

        async def attempt(cursor: Cursor) -> bool:
            nonlocal was_sent
            await cursor.execute("START TRANSACTION")
            if await _version(cursor, _VERSION_LOCKED) != version:
                await cursor.execute("SELECT COUNT(*) FROM lb_commit WHERE version = %s AND token = %s", (new, token))
                (is_ours,) = await cursor.fetchone()
                await cursor.execute("ROLLBACK")
                return bool(is_ours)
            await _write(cursor, new, rows)
            await cursor.execute("DELETE FROM lb_gone WHERE version <= %s", (new - self._kept_versions,))
            await cursor.execute("DELETE FROM lb_commit WHERE version <= %s", (new - self._kept_versions,))
            await cursor.execute("INSERT INTO lb_commit VALUES (%s, %s)", (new, token))
            await cursor.execute("UPDATE lb_state SET version = %s", (new,))
            was_sent = True
            await cursor.execute("COMMIT")
            return True

        try:
            is_written = await self._patiently(attempt)
        except StoreError as error:
            if was_sent:
                raise StoreError(f"{error}; it is not known whether the last change was written") from error
            raise
        if not is_written:
            raise ConflictError
        note(self._held, changes)
        return new

    async def changes_since(self, version: int) -> tuple[int, list[Change]]:
        """The newest version and what leads there. Raises StoreError."""

        async def read(cursor: Cursor) -> tuple[int, list[Change]]:
            if await _version(cursor) == version:
                return version, []
            await cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            newest = await _version(cursor)
            # Newer than the newest: the database is an older copy of what the reader knows.
            if newest - self._kept_versions <= version <= newest:
                deleted = await self._rows(cursor, key_of, "SELECT kind, id FROM lb_gone WHERE version > %s", version)
                changes = [Change(key, None) for key in deleted]
                changes += [Change(record.key, record) for record in await self._records(cursor, version)]
            else:
                changes = anew(self._held, await self._records(cursor))
            await cursor.execute("COMMIT")
            return newest, changes

        newest, changes = await self._patiently(read)
        note(self._held, changes)
        return newest, changes

    async def close(self) -> None:
        """Ends the session."""
        async with self._lock:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            try:
                async with asyncio.timeout(_GOODBYE_S):
                    await connection.ensure_closed()
            except FAILURES:
                # The server is gone, so there is nobody to say goodbye to.
                connection.close()

    async def _records(self, cursor: Cursor, after: int = -1) -> list[Record]:
        query = "SELECT kind, id, body FROM lb_record WHERE version > %s ORDER BY place"
        return await self._rows(cursor, record_of, query, after)

    async def _rows(self, cursor: Cursor, decode: Callable[[Any], T], query: str, after: int) -> list[T]:
        await cursor.execute(query, (after,))
        try:
            return [decode(row) for row in await cursor.fetchall()]
        except ValueError as error:
            raise StoreError(
                f"the tables of lb in database '{self._address.database}' on {self._address.host} are damaged ({error}); "
                "put a copy of them back, or give another database"
            ) from error

    async def _patiently(self, work: Callable[[Cursor], Awaitable[T]]) -> T:
        """Does `work`, again over a new connection where one was lost. Raises StoreError."""
        lost: BaseException | None = None
        try:
            async with asyncio.timeout(self._patience_s), self._lock:
                while True:
                    try:
                        return await self._once(work)
                    except FAILURES as error:
                        if not is_lost(error):
                            raise explained(self._address, error) from error
                        if lost is not None:
                            await asyncio.sleep(_RETRY_S)
                        # The first time at once: the server may just have closed a session that was idle.
                        lost = error
        except TimeoutError as error:
            raise explained(self._address, lost, self._patience_s) from error

    async def _once(self, work: Callable[[Cursor], Awaitable[T]]) -> T:
        if self._connection is None:
            self._connection = await connect(self._address)
        try:
            async with self._connection.cursor() as cursor:
                return await work(cursor)
        except BaseException:
            # What state the session is in is not known; its end rolls back what it has begun.
            self._connection.close()
            self._connection = None
            raise


async def _version(cursor: Cursor, query: str = _VERSION) -> int:
    await cursor.execute(query)
    (version,) = await cursor.fetchone()
    return int(version)


async def _write(cursor: Cursor, version: int, rows: Sequence[tuple[tuple[str, bytes], Row | None]]) -> None:
    for key, row in rows:
        if row is None:
            await cursor.execute("DELETE FROM lb_record WHERE kind = %s AND id = %s", key)
            await cursor.execute("REPLACE INTO lb_gone VALUES (%s, %s, %s)", (*key, version))
            continue
        # An upsert would use up a place each time, and the two servers have no form of it in common.
        update = "UPDATE lb_record SET body = %s, version = %s WHERE kind = %s AND id = %s"
        if not await cursor.execute(update, (row[2], version, *key)):
            insert = "INSERT INTO lb_record (kind, id, body, version) VALUES (%s, %s, %s, %s)"
            await cursor.execute(insert, (*row, version))
