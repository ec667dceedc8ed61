"""What every store that keeps records does: on a real SQLite file and on a real MariaDB server."""

import asyncio
import dataclasses
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lb.resources.records import Change, Key, Kind, Record, Records
from lb.store.memory import MemoryStore
from lb.store.mysql import MysqlStore
from lb.store.open import mysql_address, store_of
from lb.store.sqlite import SqliteStore
from lb.store.store import ConflictError, Store, StoreError
from tests.store.conftest import Opener
from tests.store.writer import number_in, puts, record

ALL_KINDS = tuple(Kind)


def delete(name: str) -> Change:
    return Change((Kind.RULE, name), None)


def everything(records: Records) -> list[Record]:
    return [each for kind in ALL_KINDS for each in records.all(kind)]


class Reader:
    """What a balancer does with a store: it keeps the records and follows."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.version = 0
        self.records = Records()

    async def start(self) -> "Reader":
        loaded = await self.store.open()
        self.version, self.records = loaded.version, Records(loaded.records)
        return self

    async def follow(self) -> list[Change]:
        self.version, changes = await self.store.changes_since(self.version)
        self.records.apply(changes)
        return changes

    async def commit(self, *changes: Change) -> None:
        self.version = await self.store.commit(self.version, changes)
        self.records.apply(changes)


async def test_what_is_committed_is_there_for_the_next_one_in_order_of_creation(shared: Opener):
    one = await Reader(shared()).start()
    assert (one.version, everything(one.records)) == (0, [])
    await one.commit(*puts(record("b"), record("a")))
    await one.commit(*puts(record("c"), record("b", 2)))
    await one.commit(delete("a"))
    await one.commit(*puts(record("a", 3)))
    two = await Reader(shared()).start()
    assert two.version == one.version == 4
    assert everything(two.records) == everything(one.records) == [record("b", 2), record("c"), record("a", 3)]


async def test_a_store_is_opened_again_after_it_was_closed_by_a_restart(shared: Opener):
    first = await Reader(shared()).start()
    await first.commit(*puts(record("a")))
    await first.store.close()
    second = await Reader(shared()).start()
    await second.commit(*puts(record("b")))
    assert [each.id for each in everything((await Reader(shared()).start()).records)] == ["a", "b"]


async def test_a_commit_for_an_old_version_is_a_conflict_and_writes_nothing(shared: Opener):
    one, two = await Reader(shared()).start(), await Reader(shared()).start()
    await one.commit(*puts(record("a", 1)))
    with pytest.raises(ConflictError):
        await two.commit(*puts(record("a", 2), record("b")))
    assert await one.follow() == []
    assert await two.follow() == puts(record("a", 1))
    await two.commit(*puts(record("a", 2)))
    assert await one.follow() == puts(record("a", 2))


async def test_a_value_that_is_no_json_writes_nothing(shared: Opener):
    one = await Reader(shared()).start()
    bad = dataclasses.replace(record("bad"), shape={"when": object()})
    with pytest.raises(TypeError):
        await one.commit(*puts(record("a"), bad))
    assert await one.follow() == []
    await one.commit(*puts(record("a")))


async def test_a_follower_is_told_of_each_change(shared: Opener):
    one, two = await Reader(shared()).start(), await Reader(shared()).start()
    assert await two.follow() == []
    await one.commit(*puts(record("a"), record("b"), record("c")))
    await one.commit(delete("b"))
    assert await two.follow() == [delete("b"), *puts(record("a"), record("c"))]
    await one.commit(delete("a"))
    await one.commit(*puts(record("a", 2)))
    # Its place is a new one: the deletion comes before the record.
    assert await two.follow() == [delete("a"), *puts(record("a", 2))]
    assert everything(two.records) == everything(one.records)
    assert await two.follow() == []


async def test_a_follower_that_was_away_for_long_gets_everything_anew(shared: Opener):
    one, two = await Reader(shared(kept_versions=3)).start(), await Reader(shared(kept_versions=3)).start()
    await one.commit(*puts(*(record(name) for name in "abcd")))
    await two.follow()
    await one.commit(delete("b"))
    for number in range(3):
        await one.commit(*puts(record("c", number)))
    # The deletion of b is forgotten by now: it is version 2 of 5.
    assert await two.follow() == [delete("b"), *puts(record("a"), record("c", 2), record("d"))]
    assert everything(two.records) == everything(one.records)
    await one.commit(delete("c"))
    assert await two.follow() == [delete("c")]


async def test_a_follower_that_knows_more_than_the_store_gets_everything_anew(shared: Opener):
    one = await Reader(shared()).start()
    await one.commit(*puts(record("a")))
    assert await one.store.changes_since(17) == (1, puts(record("a")))


NAMES = st.sampled_from(["a", "A", "a ", "ä", "a\u0308", "\ud800", "", "'", "\\", "\x00", "%s", "\U0001f600"])
STEPS = st.lists(
    st.tuples(st.booleans(), st.dictionaries(NAMES, st.none() | st.text(st.characters(codec=None)), max_size=4)),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_two_that_write_and_follow_in_turn_always_agree(shared: Opener, steps):
    readers = [await Reader(shared()).start() for _ in range(2)]
    for who, wanted in steps:
        writer = readers[who]
        await writer.follow()
        changes = []
        for name, text in wanted.items():
            key: Key = Kind.TARGET, name
            if text is not None:
                changes.append(Change(key, Record(*key, "eu", "1", {"Text": text}, parent="tg")))
            elif writer.records.get(*key) is not None:
                changes.append(Change(key, None))
        await writer.commit(*changes)
    for reader in readers:
        await reader.follow()
    fresh = await Reader(shared()).start()
    assert everything(readers[0].records) == everything(readers[1].records) == everything(fresh.records)
    for reader in [*readers, fresh]:
        await reader.store.close()


async def test_two_that_write_at_once_lose_no_update(shared: Opener):
    times = 60
    conflicts = 0

    async def count(reader: Reader) -> None:
        nonlocal conflicts
        done = 0
        while done < times:
            known = {each.key: each for each in reader.records.all(Kind.RULE)}
            try:
                await reader.commit(*puts(record("counter", number_in(known, "counter") + 1)))
            except ConflictError:
                conflicts += 1
                await reader.follow()
            else:
                done += 1

    readers = [await Reader(shared()).start() for _ in range(2)]
    async with asyncio.timeout(180):
        await asyncio.gather(*map(count, readers))
    last = await Reader(shared()).start()
    assert everything(last.records) == [record("counter", 2 * times)]
    assert conflicts > 0


async def test_stores_that_are_opened_at_once_make_the_schema_once(shared: Opener):
    stores = [shared() for _ in range(4)]
    loaded = await asyncio.gather(*(store.open() for store in stores))
    assert [each.version for each in loaded] == [0] * 4
    assert await stores[3].commit(0, puts(record("a"))) == 1
    assert [await store.changes_since(0) for store in stores[:3]] == [(1, puts(record("a")))] * 3


async def test_memory_counts_versions_and_keeps_nothing(tmp_path: Path):
    store = store_of("memory", tmp_path)
    assert isinstance(store, MemoryStore)
    loaded = await store.open()
    assert (loaded.version, loaded.records) == (0, [])
    assert await store.commit(0, puts(record("a"))) == 1
    assert await store.changes_since(1) == (1, [])
    with pytest.raises(ConflictError):
        await store.commit(0, puts(record("b")))
    await store.close()


async def test_each_name_of_a_store_gives_that_store(tmp_path: Path):
    assert isinstance(store_of("mysql://web:secret@db/shop", tmp_path), MysqlStore)
    store = store_of("sqlite", tmp_path / "data")
    await store.open()
    await store.close()
    assert isinstance(store, SqliteStore)
    assert (tmp_path / "data" / "lb.sqlite3").exists()


def test_the_parts_of_an_address_are_decoded():
    address = mysql_address("mysql://w%40b:p%2F%C3%A4ss@[::1]:3307/sh%20op")
    assert (address.user, address.password, address.host) == ("w@b", "p/äss", "::1")
    assert (address.port, address.database) == (3307, "sh op")
    assert "p/äss" not in repr(address)
    assert mysql_address("mysql://web@db/shop").port == 3306


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgres://web:secret@db/shop",
        "mysql://db/shop",
        "mysql://web:secret@db",
        "mysql://web:secret@/shop",
        "mysql://web:secret@db/shop?ssl=1",
        "mysql://web:secret@db:99999/shop",
        "mysql://web:sec/secret@db/shop",
        "mysql://web:secret@[::1/shop",
    ],
)
def test_a_store_that_has_no_such_name_is_refused_without_repeating_the_password(url: str, tmp_path: Path):
    with pytest.raises(StoreError) as caught:
        store_of(url, tmp_path)
    text = str(caught.value)
    assert "mysql://user:password@host:port/database" in text
    assert "secret" not in text
    assert "\n" not in text
