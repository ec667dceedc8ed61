"""A process that writes to an SQLite file, for tests that kill it or let several compete: `python -m tests.store.writer`.

marks FILE       commits without end; each commit says the same number in three records and adds a fourth.
                 Prints the number once it is acknowledged.
count FILE N     adds 1 to a shared number, N times, trying again after each conflict. Prints the conflicts.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from lb.resources.records import Change, Key, Kind, Record
from lb.store.sqlite import SqliteStore
from lb.store.store import ConflictError, Store

MARKED = ("a", "b", "c")


def record(name: str, number: int = 0) -> Record:
    return Record(Kind.RULE, name, "eu-west-1", "123456789012", {"Number": number, "Filling": "x" * 2000})


def puts(*records: Record) -> list[Change]:
    return [Change(each.key, each) for each in records]


def number_in(records: dict[Key, Record], name: str) -> int:
    found = records.get((Kind.RULE, name))
    return 0 if found is None else found.shape["Number"]


async def mark(store: Store) -> None:
    loaded = await store.open()
    version = loaded.version
    number = number_in({each.key: each for each in loaded.records}, MARKED[0])
    while True:
        number += 1
        marks = [record(name, number) for name in MARKED]
        version = await store.commit(version, puts(*marks, record(f"n{number}", number)))
        print(number, flush=True)


async def count(store: Store, times: int) -> int:
    loaded = await store.open()
    version, records = loaded.version, {each.key: each for each in loaded.records}
    print("ready", flush=True)
    sys.stdin.readline()
    conflicts = done = 0
    while done < times:
        try:
            version = await store.commit(version, puts(one := record("counter", number_in(records, "counter") + 1)))
        except ConflictError:
            conflicts += 1
            version, changes = await store.changes_since(version)
            records |= {change.key: change.record for change in changes if change.record is not None}
        else:
            done += 1
            records[one.key] = one
    await store.close()
    return conflicts


def main(arguments: Sequence[str]) -> None:
    what, file, *rest = arguments
    store = SqliteStore(Path(file))
    if what == "marks":
        asyncio.run(mark(store))
    else:
        print(asyncio.run(count(store, int(rest[0]))))


if __name__ == "__main__":
    main(sys.argv[1:])
