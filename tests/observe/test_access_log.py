"""The access log file: every request once, in order, across batches, rotation, full disks and the end."""

import asyncio
import contextlib
import logging
import re
import resource
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic, thread_time, time

import pytest

from lb.app import App
from lb.configfile.reader import read_config
from lb.http.head import HeadReader
from lb.http.record import Origin, RequestRecord
from lb.observe.live_file import LiveFile
from lb.observe.metrics.collector import Metrics
from lb.observe.recorder import Recorder
from lb.settings import Settings
from tests.health.scripted import until
from tests.support.balancer import free_port
from tests.support.origins import answer, answering, running_origin

ORIGIN = Origin("app/web/0123456789abcdef", "web-1.us-east-1.elb.localhost", 8080)
NUMBER = re.compile(r'"GET http://test:8080/(\d+) HTTP/1.1"')


def started(path, **rotation):
    """A recorder whose access log is `path`."""
    recorder = Recorder(path.parent.parent, Metrics(lambda: ()), **rotation)
    recorder.start()
    return recorder


def record(number):
    """A finished request for /NUMBER."""
    head, _ = HeadReader().read(b"GET /%d HTTP/1.1\r\nHost: test\r\n\r\n" % number, 0, "defensive", drop_invalid=False)
    now = monotonic()
    made = RequestRecord(ORIGIN, "127.0.0.1:40000", "TID_" + "0" * 32, head, time(), now)
    made.sent_at = made.responded_at = made.ended_at = now + 0.001
    made.status = made.target_status = 200
    made.target = "127.0.0.1:8081"
    return made


def numbers(path):
    """The request numbers in a log file; every line must be a whole entry."""
    found = []
    for line in path.read_text().splitlines(keepends=True):
        assert line.startswith("http 2"), line
        assert line.endswith('"-" "-" "-"\n'), line
        (number,) = NUMBER.findall(line)
        found.append(int(number))
    return found


def all_numbers(path):
    """Those of the rotated files too, oldest first."""
    files = sorted(path.parent.glob(path.name + ".*"), key=lambda each: -int(each.suffix[1:]))
    return [number for each in (*files, path) for number in numbers(each)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logs" / "access.log"


async def test_the_folder_is_made_and_requests_are_written_while_it_runs(path):
    log = started(path)
    log.record(record(1))
    await until(lambda: numbers(path) == [1])
    log.record(record(2))
    await until(lambda: numbers(path) == [1, 2])
    await log.close()


async def test_close_writes_everything_in_order(path):
    log = started(path)
    for number in range(2000):
        log.record(record(number))
    await log.close()
    assert numbers(path) == list(range(2000))


async def test_close_right_after_a_batch_has_begun_loses_and_repeats_nothing(path):
    for pause_s in (0.0, 0.1, 0.11, 0.12):
        log = started(path)
        for number in range(1000):
            log.record(record(number))
        await asyncio.sleep(pause_s)
        await log.close()
        assert numbers(path) == list(range(1000))
        path.unlink()


async def test_an_existing_log_is_continued(path):
    for number in (1, 2):
        log = started(path)
        log.record(record(number))
        await log.close()
    assert numbers(path) == [1, 2]


async def test_requests_are_written_in_batches_and_not_by_the_event_loop(path, monkeypatch):
    batches = []
    append = LiveFile._append

    def watched(log, batch):
        batches.append((threading.current_thread().name, len(batch)))
        append(log, batch)

    monkeypatch.setattr(LiveFile, "_append", watched)
    log = started(path)
    for number in range(500):
        log.record(record(number))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await until(lambda: sum(count for _, count in batches) == 500)
    assert len(batches) <= 5
    assert all(name.startswith("logs") for name, _ in batches)
    await log.close()


async def test_a_burst_is_formatted_in_stretches_that_let_traffic_through(path):
    log = started(path)
    for number in range(20_000):
        log.record(record(number))
    begun = monotonic()
    # Of this thread's own time: a busy machine gives the thread none for a while.
    longest, last = 0.0, thread_time()
    while path.stat().st_size == 0 or len(log._requests._waiting):
        await asyncio.sleep(0)
        now = thread_time()
        longest, last = max(longest, now - last), now
        assert monotonic() - begun < 120
    # All of it at once takes a fifth of a second, and a stretch some milliseconds.
    print(f"  the longest stretch took {1000 * longest:.1f} ms")
    assert longest < 0.1
    await log.close()


async def test_files_are_rotated_by_size_and_the_oldest_goes(path):
    log = started(path, max_bytes=4000, keep=3)
    for number in range(60):
        log.record(record(number))
        if number % 5 == 4:
            await until(lambda number=number: number in numbers(path))
    await log.close()
    files = sorted(path.parent.glob("access*"))
    assert [each.name for each in files] == ["access.log", "access.log.1", "access.log.2", "access.log.3"]
    assert all(each.stat().st_size <= 4000 for each in files)
    kept = all_numbers(path)
    assert kept == list(range(kept[0], 60))


async def test_no_request_is_lost_or_cut_at_a_rotation(path):
    log = started(path, max_bytes=20_000, keep=50)
    for number in range(1000):
        log.record(record(number))
        if number % 50 == 0:
            await asyncio.sleep(0.03)
    await log.close()
    assert len(list(path.parent.glob("access*"))) > 3
    assert all_numbers(path) == list(range(1000))


async def test_a_rotation_that_fails_is_said_and_the_log_goes_on_once_it_can(path, caplog):
    log = started(path, max_bytes=2000, keep=1)
    in_the_way = path.with_name("access.log.1")
    in_the_way.mkdir()
    number = 0
    while "cannot be written" not in caplog.text:
        log.record(record(number))
        number += 1
        assert number < 1500
        await asyncio.sleep(0.02)
    in_the_way.rmdir()
    for later in range(1000, 1003):
        log.record(record(later))
        await asyncio.sleep(0.15)
    await log.close()
    assert all_numbers(path)[-3:] == [1000, 1001, 1002]


class SmallDisk:
    """Files of this process cannot grow beyond a size: the kernel answers EFBIG, much as it answers ENOSPC."""

    def __init__(self, size):
        self._size = size

    def __enter__(self):
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._size, self._before[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


async def test_a_full_disk_is_logged_and_later_entries_are_whole_again(path, caplog):
    log = started(path)
    for number in range(300):
        log.record(record(number))
    await until(lambda: path.stat().st_size > 0 and len(numbers(path)) == 300)
    with SmallDisk(path.stat().st_size + 700):
        for number in range(1000, 1010):
            log.record(record(number))
        await until(lambda: "cannot be written" in caplog.text)
    for number in range(2000, 2003):
        log.record(record(number))
    await log.close()
    text = path.read_text()
    # What did not fit is lost, maybe in the middle of a line; what came later is there, each entry on a line of its own.
    whole = [line for line in text.splitlines() if line.startswith("http 2") and line.endswith('"-" "-" "-"')]
    found = [int(NUMBER.findall(line)[0]) for line in whole if len(NUMBER.findall(line)) == 1]
    assert found[-3:] == [2000, 2001, 2002]
    assert len(found) == len(set(found))
    lost = 310 - (len(found) - 3)
    assert f"entries can be written again, {lost} were lost" in caplog.text


@pytest.fixture
def full_disk(tmp_path):
    """A data directory whose access log cannot be written."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this machine to write to")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "access.log").symlink_to("/dev/full")
    return tmp_path


async def test_a_full_disk_is_said_and_does_not_stop_traffic(full_disk, caplog):
    async with balancer(full_disk) as (port, _):
        for _ in range(30):
            assert await get(port) == 200
            await asyncio.sleep(0.01)
        await until(lambda: "access log: entries cannot be written and are lost" in caplog.text)
        assert "No space left on device" in caplog.text


async def test_a_full_disk_does_not_flood_the_screen(full_disk, caplog):
    """Not ten tracebacks a second for as long as it lasts."""
    log = started(full_disk / "logs" / "access.log")
    try:
        for number in range(100):
            log.record(record(number))
            await asyncio.sleep(0.01)
        await until(lambda: "cannot be written" in caplog.text)
        assert sum("cannot be written" in each.getMessage() for each in caplog.records) == 1
    finally:
        with contextlib.suppress(OSError):
            await log.close()


async def test_a_full_disk_does_not_break_the_end(full_disk):
    log = started(full_disk / "logs" / "access.log")
    log.record(record(1))
    await log.close()


async def test_the_disk_is_slow_and_requests_go_on(path, monkeypatch):
    release = threading.Event()
    append = LiveFile._append

    def slow(log, batch):
        assert release.wait(30), "the event loop waited for the disk"
        append(log, batch)

    monkeypatch.setattr(LiveFile, "_append", slow)
    log = started(path)
    for number in range(100):
        log.record(record(number))
        await asyncio.sleep(0.003)
    assert not release.is_set()
    release.set()
    await log.close()
    assert numbers(path) == list(range(100))


async def test_entries_that_had_to_be_dropped_are_reported(path, monkeypatch, caplog):
    monkeypatch.setattr("lb.observe.log._MOST_WAITING", 10)
    with caplog.at_level(logging.WARNING):
        log = started(path)
        for number in range(25):
            log.record(record(number))
        await until(lambda: numbers(path) == list(range(10)))
        log.record(record(100))
        await log.close()
    assert numbers(path) == [*range(10), 100]
    assert "15 entries were dropped" in caplog.text


async def test_a_record_that_cannot_be_formatted_is_logged_and_stops_no_other(path, caplog):
    log = started(path)
    bad = record(1)
    bad.created_s = None
    log.record(bad)
    await until(lambda: caplog.records)
    log.record(record(2))
    try:
        await until(lambda: path.exists() and 2 in numbers(path))
    finally:
        await log.close()
    assert caplog.records


# In a running balancer


@asynccontextmanager
async def balancer(data_dir, script=None, grace_s=0.3):
    async with running_origin(script or answering(answer())) as web:
        port = free_port()
        config = read_config(
            f"""
load_balancers:
  web: {{listeners: [{{port: {port}, forward: servers}}]}}
target_groups:
  servers: {{targets: ["127.0.0.1:{web.port}"]}}
""",
            "lb.yaml",
        )
        app = App(Settings(api_port=free_port(), data_dir=data_dir, shutdown_grace_s=grace_s))
        try:
            await app.start(config)
            yield port, web
        finally:
            async with asyncio.timeout(30):
                await app.close()


async def get(port, path="/"):
    """The status of a request on a connection of its own, 0 where the connection was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(30):
            line = await reader.readline()
        return int(line.split()[1]) if line else 0
    except ConnectionError:
        return 0
    finally:
        writer.close()


async def test_one_line_for_each_request_and_none_for_probes(tmp_path):
    async with balancer(tmp_path) as (port, _):
        for number in range(5):
            assert await get(port, f"/{number}") == 200
    lines = (tmp_path / "logs" / "access.log").read_text().splitlines()
    assert [line.split('"')[1].split()[1].rpartition("/")[2] for line in lines] == ["0", "1", "2", "3", "4"]


async def test_a_request_that_the_end_of_the_balancer_cuts_off_has_its_line_too(tmp_path):
    async def never(connection):
        request = await connection.read_head()
        if not request.startswith(b"GET /hangs "):
            await connection.send(answer())
        await connection.ended()

    async with asyncio.TaskGroup() as group:
        async with balancer(tmp_path, never) as (port, web):
            asked = group.create_task(get(port, "/hangs"))
            await until(lambda: any(each.received.startswith(b"GET /hangs ") for each in web.connections))
        assert await asked in (0, 502)
    assert "/hangs HTTP/1.1" in (tmp_path / "logs" / "access.log").read_text()
