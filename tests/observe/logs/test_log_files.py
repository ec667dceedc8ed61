"""Log files in S3's form: every entry once, in whole gzip files that appear under their names only when complete."""

import asyncio
import gzip
import random
import resource
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from lb.observe.log_files import IntervalFile, LogFiles, LogKind, LogSource
from tests.health.scripted import until

SOURCE = LogSource(LogKind.ACCESS, "123456789012", "us-east-1", "app/demo/0123456789abcdef", "10.0.0.5")
START_S = 1_767_694_800.0  # 2026-01-06T10:20:00Z, the beginning of an interval


@pytest.fixture
def writer():
    with ThreadPoolExecutor(1) as made:
        yield made


class Clock:
    """A wall clock that is set by hand."""

    def __init__(self, now_s):
        self.now_s = now_s

    def __call__(self):
        return self.now_s


def finished(folder):
    """Ends of intervals and texts of the complete files, in order."""
    found = sorted((path for path in folder.rglob("*.log.gz")), key=lambda path: path.name)
    return [(path.name.split("_")[4], gzip.decompress(path.read_bytes()).decode()) for path in found]


def parts(folder):
    return list(folder.rglob(".*.part"))


def interval_file(folder):
    return IntervalFile(folder, SOURCE, random.Random(1))


def test_a_file_appears_when_its_interval_is_over(tmp_path):
    file = interval_file(tmp_path)
    file.write("one\n", START_S)
    file.write("two\n", START_S + 299.9)
    assert finished(tmp_path) == []
    assert len(parts(tmp_path)) == 1
    file.end_interval(START_S + 299.9)
    assert finished(tmp_path) == []
    file.end_interval(START_S + 300)
    assert finished(tmp_path) == [("20260106T1025Z", "one\ntwo\n")]
    assert parts(tmp_path) == []


def test_an_entry_of_the_next_interval_completes_the_file_too(tmp_path):
    file = interval_file(tmp_path)
    file.write("one\n", START_S)
    file.write("two\n", START_S + 300)
    assert finished(tmp_path) == [("20260106T1025Z", "one\n")]
    file.close()
    assert finished(tmp_path) == [("20260106T1025Z", "one\n"), ("20260106T1030Z", "two\n")]


def test_an_interval_without_entries_has_no_file(tmp_path):
    file = interval_file(tmp_path)
    file.end_interval(START_S)
    file.write("one\n", START_S)
    file.end_interval(START_S + 3000)
    file.end_interval(START_S + 6000)
    file.close()
    file.close()
    assert finished(tmp_path) == [("20260106T1025Z", "one\n")]


def test_a_clock_that_is_set_back_begins_a_new_file(tmp_path):
    file = interval_file(tmp_path)
    file.write("later\n", START_S + 300)
    file.write("earlier\n", START_S)
    file.close()
    assert finished(tmp_path) == [("20260106T1025Z", "earlier\n"), ("20260106T1030Z", "later\n")]


def test_what_is_written_can_be_read_before_the_file_is_complete(tmp_path):
    file = interval_file(tmp_path)
    file.write("one\n", START_S)
    file.write("two\n", START_S + 1)
    (part,) = parts(tmp_path)
    assert zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(part.read_bytes()) == b"one\ntwo\n"
    file.close()


def test_files_of_one_interval_do_not_overwrite_each_other(tmp_path):
    rng = random.Random(1)
    for number in range(5):
        file = IntervalFile(tmp_path, SOURCE, rng)
        file.write(f"{number}\n", START_S)
        file.close()
    assert sorted(text for _, text in finished(tmp_path)) == [f"{number}\n" for number in range(5)]


def test_after_a_failed_write_a_new_file_begins(tmp_path):
    file = interval_file(tmp_path)
    file.write("one\n", START_S)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            file.write("lost\n", START_S + 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    file.write("two\n", START_S + 2)
    file.close()
    assert finished(tmp_path) == [("20260106T1025Z", "two\n")]
    (part,) = parts(tmp_path)
    assert part.stat().st_size > 0


async def test_close_loses_nothing(tmp_path, writer):
    files = LogFiles(tmp_path, SOURCE, writer, clock=Clock(START_S))
    files.start()
    for number in range(5000):
        files.append(f"{number}\n")
    await files.close()
    assert finished(tmp_path) == [("20260106T1025Z", "".join(f"{number}\n" for number in range(5000)))]
    assert parts(tmp_path) == []


@pytest.mark.parametrize("pause_s", [0.0, 0.9, 1.0, 1.05])
async def test_close_while_a_batch_is_written_loses_and_repeats_nothing(tmp_path, writer, pause_s):
    files = LogFiles(tmp_path, SOURCE, writer, clock=Clock(START_S))
    files.start()
    files.append("one\n" * 100_000)
    await asyncio.sleep(pause_s)
    files.append("two\n")
    await files.close()
    assert finished(tmp_path) == [("20260106T1025Z", "one\n" * 100_000 + "two\n")]


async def test_entries_come_into_the_file_of_the_interval_in_which_they_were_made(tmp_path, writer):
    clock = Clock(START_S + 299.4)
    files = LogFiles(tmp_path, SOURCE, writer, clock=clock)
    files.start()
    files.append("before\n")
    clock.now_s = START_S + 300.1
    async with asyncio.timeout(30):
        while not finished(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    files.append("after\n")
    await files.close()
    assert finished(tmp_path) == [("20260106T1025Z", "before\n"), ("20260106T1030Z", "after\n")]


async def test_close_without_entries_leaves_no_file(tmp_path, writer):
    files = LogFiles(tmp_path, SOURCE, writer)
    await files.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_test_file_shows_at_once_where_the_log_will_come(tmp_path, writer):
    files = LogFiles(tmp_path, SOURCE, writer, clock=Clock(START_S))
    files.start()
    await files.close()
    (only,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert only == tmp_path / "AWSLogs" / SOURCE.account_id / "ELBAccessLogTestFile"
    assert only.read_text() == f"Enable AccessLog for ELB: {SOURCE.load_balancer} at 2026-01-06T10:20:00.000Z"


async def test_a_folder_that_cannot_be_written_is_told_as_soon_as_the_log_is_switched_on(tmp_path, writer, caplog):
    (tmp_path / "AWSLogs").write_text("in the way")
    files = LogFiles(tmp_path, SOURCE, writer)
    files.start()
    await files.close()
    assert caplog.messages == [
        f"log files of {SOURCE.load_balancer}: entries cannot be written and are lost: Not a directory"
    ]


async def test_a_folder_that_cannot_be_written_is_told_once_and_again_when_it_can(tmp_path, writer, caplog):
    (tmp_path / "AWSLogs").write_text("in the way")
    files = LogFiles(tmp_path, SOURCE, writer)
    files.start()
    for lost in range(1, 4):
        files.append("one\n")
        await until(lambda lost=lost: files._lost._number == lost)
    (told,) = caplog.messages
    assert told.startswith("log files of app/demo/0123456789abcdef: entries cannot be written and are lost: ")
    (tmp_path / "AWSLogs").unlink()
    files.append("two\n")
    await files.close()
    assert "entries can be written again, 3 were lost" in caplog.text
    ((_, text),) = finished(tmp_path)
    assert text == "two\n"


async def test_entries_beyond_what_memory_may_hold_are_dropped_and_counted(tmp_path, writer, caplog):
    files = LogFiles(tmp_path, SOURCE, writer, clock=Clock(START_S))
    line = "x" * 1_000_000 + "\n"
    for _ in range(70):
        files.append(line)
    files.start()
    async with asyncio.timeout(60):
        while "2 entries were dropped" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await files.close()
    ((_, text),) = finished(tmp_path)
    assert text == line * 68
