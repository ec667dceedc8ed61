"""Records in an SQLite file, for one machine: several processes may share it.

A commit has reached the disk when it is acknowledged (write-ahead log, synchronous=FULL): it survives `kill -9`, and a power
cut as far as the disk keeps what it has confirmed.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from lb.resources.records import Change, Key, Record
from lb.store.rows import anew, columns_of, key_of, note, record_of, row_of
from lb.store.store import KEPT_VERSIONS, ConflictError, Loaded, StoreError

T = TypeVar("T")

# "lb01": marks the file as ours in SQLite's header.
APPLICATION_ID: Final = 0x6C623031

# The statements that lead from each version of the schema to the next one; released steps never change.
STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE state (version INTEGER NOT NULL)",
        "INSERT INTO state VALUES (0)",
        """CREATE TABLE record (
            place INTEGER PRIMARY KEY, kind TEXT NOT NULL, id BLOB NOT NULL,
            version INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id))""",
        "CREATE INDEX record_by_version ON record (version)",
        "CREATE TABLE gone (kind TEXT NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (kind, id))",
        "CREATE INDEX gone_by_version ON gone (version)",
    ),
)

# How long a commit waits for another process that is committing.
_BUSY_S = 5.0

_PUT = """INSERT INTO record (kind, id, body, version) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, version = excluded.version"""


class SqliteStore:
    """A store in the file `path`, which only its owner can read: it holds private keys. See `lb.store.store.Store`."""

    def __init__(self, path: Path, kept_versions: int = KEPT_VERSIONS) -> None:
        self._path = path
        self._file = _File(path, kept_versions)
        # SQLite blocks while it waits for the disk, and a connection belongs to one thread.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lb-store")
        self._is_closed = False

    async def open(self) -> Loaded:
        """Makes or migrates the file and reads it. Raises StoreError."""
        return await self._run(self._file.open)

    async def commit(self, version: int, changes: Sequence[Change]) -> int:
        """Writes all changes or none; returns the new version. Raises ConflictError, StoreError."""
        return await self._run(self._file.commit, version, changes)

    async def changes_since(self, version: int) -> tuple[int, list[Change]]:
        """The newest version and what leads there. Raises StoreError."""
        return await self._run(self._file.changes_since, version)

    async def close(self) -> None:
        """Closes the file and ends the thread."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._run(self._file.close)
        finally:
            self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except sqlite3.Error as error:
            raise StoreError(_explain(self._path, error)) from error
        except OSError as error:
            raise StoreError(_not_writable(self._path, error.strerror or str(error))) from error


class _File:
    """The file itself; every call blocks, and all of them come from one thread."""

    def __init__(self, path: Path, kept_versions: int) -> None:
        self._path = path
        self._kept_versions = kept_versions
        self._held: set[Key] = set()
        self._connection: sqlite3.Connection | None = None

    @property
    def _sql(self) -> sqlite3.Connection:
        assert self._connection is not None, "open() comes first"
        return self._connection

    def open(self) -> Loaded:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives its -wal and -shm files the mode of the file itself. touch() opens only a file that is new: closing one
        # that exists would end the locks that another connection of this process has on it.
        self._path.touch(mode=0o600)
        self._connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        try:
            self._check()
            self._migrate()
            with self._transaction("DEFERRED"):
                loaded = Loaded(self._version(), self._records())
        except BaseException:
            self.close()
            raise
        self._held = {record.key for record in loaded.records}
        return loaded

    def commit(self, version: int, changes: Sequence[Change]) -> int:
        # Before the transaction: a value that is no JSON shall not hold up the others.
        rows = [
            (columns_of(change.key), None if change.record is None else row_of(change.record)) for change in changes
        ]
        new = version + 1
        with self._transaction("IMMEDIATE"):
            if self._version() != version:
                raise ConflictError
            for key, row in rows:
                if row is not None:
                    self._sql.execute(_PUT, (*row, new))
                else:
                    self._sql.execute("DELETE FROM record WHERE kind = ? AND id = ?", key)
                    self._sql.execute("INSERT OR REPLACE INTO gone VALUES (?, ?, ?)", (*key, new))
            self._sql.execute("DELETE FROM gone WHERE version <= ?", (new - self._kept_versions,))
            self._sql.execute("UPDATE state SET version = ?", (new,))
        note(self._held, changes)
        return new

    def changes_since(self, version: int) -> tuple[int, list[Change]]:
        if self._version() == version:
            return version, []
        with self._transaction("DEFERRED"):
            newest = self._version()
            # Newer than the newest: the file is an older copy of what the reader knows.
            if newest - self._kept_versions <= version <= newest:
                deleted = self._rows(key_of, "SELECT kind, id FROM gone WHERE version > ?", version)
                changes = [Change(key, None) for key in deleted]
                changes += [Change(record.key, record) for record in self._records(version)]
            else:
                changes = anew(self._held, self._records())
        note(self._held, changes)
        return newest, changes

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _version(self) -> int:
        return self._number("SELECT version FROM state")

    def _records(self, after: int = -1) -> list[Record]:
        return self._rows(record_of, "SELECT kind, id, body FROM record WHERE version > ? ORDER BY place", after)

    def _rows(self, decode: Callable[[Any], T], query: str, after: int) -> list[T]:
        try:
            return [decode(row) for row in self._sql.execute(query, (after,))]
        except ValueError as error:
            raise StoreError(_damaged(self._path, str(error))) from error

    def _check(self) -> None:
        """Raises StoreError for a file that is not for us to write."""
        is_empty = self._number("SELECT COUNT(*) FROM sqlite_master") == 0
        if not is_empty and self._number("PRAGMA application_id") != APPLICATION_ID:
            raise StoreError(f"{self._path} is a database of another program; give another folder with --data")
        if (done := self._number("PRAGMA user_version")) > len(STEPS):
            raise StoreError(
                f"{self._path} was written by a newer version of lb (schema {done}, this one knows {len(STEPS)}); "
                "update lb, or give another folder with --data"
            )

    def _use_wal(self) -> None:
        """Waits for another process that opens the new file at the same moment, which SQLite does not do by itself here."""
        deadline = time.monotonic() + _BUSY_S
        while True:
            try:
                self._sql.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if _kind(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(0.01)

    def _migrate(self) -> None:
        self._use_wal()
        self._sql.execute("PRAGMA synchronous = FULL")
        # Writes in any case, so that a file that cannot be written fails now and not with the first commit.
        with self._transaction("IMMEDIATE"):
            for step in STEPS[self._number("PRAGMA user_version") :]:
                for statement in step:
                    self._sql.execute(statement)
            self._sql.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._sql.execute(f"PRAGMA user_version = {len(STEPS)}")

    def _number(self, query: str) -> int:
        return int(self._sql.execute(query).fetchone()[0])

    @contextmanager
    def _transaction(self, mode: str) -> Iterator[None]:
        self._sql.execute(f"BEGIN {mode}")
        try:
            yield
            self._sql.execute("COMMIT")
        except BaseException:
            # Some errors (a full disk) have rolled back already.
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")
            raise


def _kind(error: sqlite3.Error) -> int:
    """The primary result code, the lowest byte. Without a code the error is one of Python's own making."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _explain(path: Path, error: sqlite3.Error) -> str:
    match _kind(error):
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _damaged(path, str(error))
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return _not_writable(path, str(error))
        case sqlite3.SQLITE_FULL:
            return f"no space left for {path}: nothing was written; make room on the disk"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                f"another process has kept {path} locked for {_BUSY_S:g} s; end it, or give another folder with --data"
            )
    return f"{path} failed: {error}; look at the disk and the system's log"


def _damaged(path: Path, why: str) -> str:
    return f"{path} is damaged or no database ({why}); put a copy of it back, or move it away to start empty"


def _not_writable(path: Path, why: str) -> str:
    return f"{path} cannot be written ({why}); make it writable, or give another folder with --data"
