"""The tables of the shared store, for MySQL 8 and MariaDB, and how they become what this version needs.

The database may be shared with an application, so every table begins with `lb_`.
"""

from typing import Final

from asyncmy.cursors import Cursor

from lb.store.store import StoreError

# The statements that lead from each version of the schema to the next one; released steps never change. Each statement can be
# run again: these servers commit with every CREATE or ALTER, so a balancer that is killed leaves a step half done.
STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE IF NOT EXISTS lb_state (id INT PRIMARY KEY, version BIGINT NOT NULL) ENGINE=InnoDB",
        "INSERT INTO lb_state (id, version) VALUES (1, 0) ON DUPLICATE KEY UPDATE id = 1",
        # Who made a version: how a balancer learns whether the commit came through whose answer it never got.
        "CREATE TABLE IF NOT EXISTS lb_commit (version BIGINT PRIMARY KEY, token CHAR(32) NOT NULL) ENGINE=InnoDB",
        """CREATE TABLE IF NOT EXISTS lb_record (
            place BIGINT AUTO_INCREMENT PRIMARY KEY, kind VARCHAR(40) NOT NULL, id VARBINARY(1024) NOT NULL,
            version BIGINT NOT NULL, body LONGTEXT NOT NULL, UNIQUE KEY (kind, id), KEY (version)
        ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
        """CREATE TABLE IF NOT EXISTS lb_gone (
            kind VARCHAR(40) NOT NULL, id VARBINARY(1024) NOT NULL, version BIGINT NOT NULL,
            PRIMARY KEY (kind, id), KEY (version)
        ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
    ),
)

# Locks have names of the whole server, of 64 characters at most; a database's own name may have as many.
_LOCK = "SHA1(CONCAT('schema of lb in ', DATABASE()))"
_LOCK_S = 8


async def migrate(cursor: Cursor) -> None:
    """Makes or migrates the tables, one balancer at a time. Raises StoreError and the driver's errors.

    The lock ends with the session where a statement fails.
    """
    if not await _number(cursor, f"SELECT GET_LOCK({_LOCK}, {_LOCK_S})"):
        raise StoreError("another balancer has been migrating the store for long; try again when it has started")
    # Asked first, so that a user who may not create tables can use a store that is ready.
    is_there = await _number(
        cursor,
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'lb_schema'",
    )
    if not is_there:
        await cursor.execute("CREATE TABLE lb_schema (step INT PRIMARY KEY) ENGINE=InnoDB")
    done = await _number(cursor, "SELECT COALESCE(MAX(step), 0) FROM lb_schema")
    if done > len(STEPS):
        raise StoreError(
            f"the store was written by a newer version of lb (schema {done}, this one knows {len(STEPS)}); "
            "update lb, or give another database"
        )
    for number, statements in enumerate(STEPS[done:], done + 1):
        for statement in statements:
            await cursor.execute(statement)
        await cursor.execute("INSERT INTO lb_schema (step) VALUES (%s)", (number,))
    await cursor.execute(f"SELECT RELEASE_LOCK({_LOCK})")


async def _number(cursor: Cursor, query: str) -> int:
    await cursor.execute(query)
    (number,) = await cursor.fetchone()
    return int(number or 0)
