"""Which store a setting names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from lb.store.memory import MemoryStore
from lb.store.mysql import MysqlStore
from lb.store.mysql_connection import MysqlAddress
from lb.store.sqlite import SqliteStore
from lb.store.store import Store, StoreError

FILE_NAME = "lb.sqlite3"
_DEFAULT_PORT = 3306
_FORMS = "give sqlite, memory, or mysql://user:password@host:port/database"


def store_of(url: str, data_dir: Path) -> Store:
    """The store for `sqlite` (the file lb.sqlite3 in `data_dir`), `memory`, or `mysql://user:password@host:port/database`.

    Nothing is opened yet. User and password are percent-encoded where they hold one of `:/?#@%`. Raises StoreError, which
    does not repeat the text: it may hold a password.
    """
    if url == "sqlite":
        return SqliteStore(data_dir / FILE_NAME)
    if url == "memory":
        return MemoryStore()
    if url.startswith("mysql://"):
        return MysqlStore(mysql_address(url))
    raise StoreError(f"the store's name is none that lb knows; {_FORMS}")


def mysql_address(url: str) -> MysqlAddress:
    """The parts of a mysql:// URL. Raises StoreError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        # Its text repeats a part of the URL, which may be one of the password with a `/` that is not encoded.
        raise StoreError(f"the port in the store's URL is no number from 0 to 65535; {_FORMS}") from None
    database = unquote(parts.path.removeprefix("/"))
    if not (host and parts.username and database) or parts.query or parts.fragment:
        raise StoreError(
            "the store's URL needs a user, a host and a database, and nothing after them; "
            f"{_FORMS}, with %XX for each of :/?#@% in user and password"
        )
    return MysqlAddress(
        host=host,
        port=port or _DEFAULT_PORT,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        database=database,
    )
