"""The SQLite store on real files: killed processes, competing processes, damaged and foreign files."""

import asyncio
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from lb.resources.records import Change, Kind
from lb.store.sqlite import STEPS, SqliteStore
from lb.store.store import Loaded, StoreError
from tests.store.writer import MARKED, number_in, puts, record

ROOT = Path(__file__).parents[2]
KILLS = 60
# What the first schema wrote; it stays as it is for ever, so that every later version is tested to read it.
VERSION_1 = (Path(__file__).parent / "version1.sql").read_text("utf-8")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "lb.sqlite3"


def writer(what: str, path: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.writer", what, str(path), *more],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def load(path: Path) -> Loaded:
    store = SqliteStore(path)
    try:
        return await store.open()
    finally:
        await store.close()


def failure(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        asyncio.run(load(path))
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_killed_process_loses_nothing_acknowledged_and_leaves_nothing_half_written(path: Path):
    moments = random.Random(20261122)
    acknowledged = 0
    for _ in range(KILLS):
        with writer("marks", path) as child:
            assert child.stdout is not None
            acknowledged = int(child.stdout.readline())
            time.sleep(moments.uniform(0, 0.03))
            child.kill()
            acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
        loaded = asyncio.run(load(path))
        records = {each.key: each for each in loaded.records}
        written = number_in(records, MARKED[0])
        # A commit that was under way may have been written; no more than one was.
        assert acknowledged <= written <= acknowledged + 1
        assert {number_in(records, name) for name in MARKED} == {written}
        assert loaded.version == written
        assert [each.id for each in loaded.records] == [*MARKED, *(f"n{number}" for number in range(1, written + 1))]
    assert acknowledged > KILLS


def test_processes_that_share_the_file_lose_no_update(path: Path):
    times = 150
    with ExitStack() as running:
        children = [running.enter_context(writer("count", path, str(times))) for _ in range(2)]
        for child in children:
            running.callback(child.kill)
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n", child.communicate()[1]
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        ends = [child.communicate(timeout=180) for child in children]
    assert [child.returncode for child in children] == [0, 0], ends
    assert sum(int(output) for output, _ in ends) > 0, "they never met: this run has tested nothing"
    with closing(sqlite3.connect(path)) as file:
        (number,) = file.execute("SELECT json_extract(body, '$.shape.Number') FROM record").fetchone()
        assert file.execute("SELECT version FROM state").fetchone() == (2 * times,)
    assert number == 2 * times


async def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path):
    for number in range(25):
        stores = [SqliteStore(tmp_path / f"{number}.sqlite3") for _ in range(4)]
        loaded = await asyncio.gather(*(store.open() for store in stores))
        assert {each.version for each in loaded} == {0}
        assert await stores[0].commit(0, puts(record("a"))) == 1
        assert {(await store.changes_since(0))[0] for store in stores} == {1}
        await asyncio.gather(*(store.close() for store in stores))


async def test_only_its_owner_can_read_the_file(path: Path):
    store = SqliteStore(path)
    version = (await store.open()).version
    await store.commit(version, puts(record("a")))
    files = list(path.parent.iterdir())
    assert {file.name for file in files} == {"lb.sqlite3", "lb.sqlite3-wal", "lb.sqlite3-shm"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    await store.close()


async def test_a_file_of_version_1_is_read(path: Path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as file:
        file.executescript(VERSION_1)
    store = SqliteStore(path)
    loaded = await store.open()
    assert loaded.version == 3
    assert [(each.kind, each.id) for each in loaded.records] == [
        (Kind.LOAD_BALANCER, "arn:lb"),
        (Kind.TARGET, "tg/ü:80"),
    ]
    assert loaded.records[0].tags == {"team": "web"}
    assert (await store.changes_since(2))[1] == [Change((Kind.RULE, "arn:gone"), None)]
    assert await store.commit(3, puts(record("new"))) == 4
    await store.close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (len(STEPS),)


def test_a_file_of_a_newer_schema_is_left_alone(path: Path):
    asyncio.run(load(path))
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    assert "newer version of lb (schema 99" in failure(path)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_left_alone(path: Path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE state (colour TEXT)")
    before = path.read_bytes()
    assert "another program" in failure(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_named(path: Path):
    path.parent.mkdir()
    path.write_text("access log " * 1000)
    text = failure(path)
    assert str(path) in text
    assert "damaged or no database" in text


def test_a_row_that_holds_no_record_is_named(path: Path):
    asyncio.run(load(path))
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("INSERT INTO record (kind, id, version, body) VALUES ('rule', x'61', 1, '{\"region\":')")
    assert "damaged" in failure(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    text = failure(tmp_path / "file" / "lb.sqlite3")
    assert "cannot be written (File exists)" in text
    assert "--data" in text


def test_a_folder_where_the_file_should_be_is_named(path: Path):
    path.mkdir(parents=True)
    assert "cannot be written (unable to open database file)" in failure(path)


async def test_a_full_disk_fails_the_commit_alone(path: Path):
    store = SqliteStore(path)
    await store.open()
    # SQLite's own limit of pages answers as a full disk does.
    await store._run(lambda: store._file._sql.execute("PRAGMA max_page_count = 40"))
    with pytest.raises(StoreError, match="no space left"):
        await store.commit(0, puts(*(record(f"r{number}") for number in range(500))))
    assert await store.commit(0, puts(record("small"))) == 1
    assert await store.changes_since(0) == (1, puts(record("small")))
    await store.close()


async def test_a_file_that_another_process_keeps_locked_is_named(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lb.store.sqlite._BUSY_S", 0.1)
    store = SqliteStore(path)
    await store.open()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"another process has kept .* locked for 0\.1 s"):
            await store.commit(0, puts(record("a")))
        assert await store.changes_since(0) == (0, [])
    assert await store.commit(0, puts(record("a"))) == 1
    await store.close()
