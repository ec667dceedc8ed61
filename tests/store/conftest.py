"""Fixtures of the stores' tests."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from lb.store.mysql import MysqlStore
from lb.store.open import mysql_address
from lb.store.sqlite import SqliteStore
from lb.store.store import Store
from tests.support.mariadb import MariaDB, mariadb

__all__ = ["mariadb"]


@pytest.fixture
def mysql_url(mariadb: MariaDB) -> str:
    """A database without tables of lb."""
    mariadb.administer(f"DROP DATABASE {mariadb.database}; CREATE DATABASE {mariadb.database};")
    return f"mysql://{mariadb.user}:{quote(mariadb.password)}@{mariadb.host}:{mariadb.port}/{mariadb.database}"


Opener = Callable[..., Store]


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.mysql)])
async def shared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Makes stores that share one file or one database; closes them."""
    address = mysql_address(request.getfixturevalue("mysql_url")) if request.param == "mysql" else None
    made: list[Store] = []

    def make(**options: int) -> Store:
        file = tmp_path / "lb.sqlite3"
        made.append(SqliteStore(file, **options) if address is None else MysqlStore(address, **options))
        return made[-1]

    yield make
    for store in made:
        await store.close()
