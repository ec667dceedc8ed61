"""The stream of finished requests behind a real recorder: exact counts, bounded queues, no work without readers."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from lb.observe.metrics.collector import Metrics
from lb.observe.recorder import Recorder
from lb.observe.request_filter import RequestFilter
from lb.observe.request_stream import MOST_READERS, RequestStream, TooManyReadersError
from lb.observe.target_names import TargetNames
from tests.health.scripted import until
from tests.observe.metrics.made import finished

ALL = RequestFilter()


@asynccontextmanager
async def streaming(folder):
    metrics = Metrics(lambda: ())
    recorder = Recorder(folder, metrics)
    recorder.start()
    stream = RequestStream(recorder, TargetNames())
    try:
        yield recorder, stream
    finally:
        stream.close()
        await recorder.close()
        metrics.close()


def told(event):
    assert event.startswith(b"data: ")
    assert event.endswith(b"\n\n")
    assert event.count(b"\n") == 2
    return json.loads(event[6:])


async def batches(reader, count):
    """Batches until they tell of `count` requests."""
    found = []
    async with asyncio.timeout(30):
        while sum(each["count"] for each in found) < count:
            event = told(await reader.next())
            assert event["type"] in ("batch", "dropped")
            found.append(event)
    return found


async def opened(stream, wanted=ALL, limit=200):
    reader = stream.open(wanted, limit)
    assert told(await reader.next())["type"] == "hello"
    return reader


async def test_requests_come_in_a_batch_in_order(tmp_path):
    async with streaming(tmp_path) as (recorder, stream):
        recorder.record(finished(b"GET /before HTTP/1.1\r\nHost: a\r\n\r\n"))
        reader = await opened(stream)
        for number in range(5):
            recorder.record(finished(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number))
        (batch,) = await batches(reader, 5)
        assert [each["path"] for each in batch["requests"]] == ["/0", "/1", "/2", "/3", "/4"]
        assert [edge["count"] for edge in batch["edges"]] == [5]


async def test_above_the_limit_a_sample_comes_with_exact_counts(tmp_path):
    async with streaming(tmp_path) as (recorder, stream):
        reader = await opened(stream, limit=10)
        for number in range(1000):
            recorder.record(finished(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number))
        found = await batches(reader, 1000)
        shown = [each["path"] for batch in found for each in batch["requests"]]
        # One batch, or two where the machine paused between them; the second may tell as many as time allows for.
        assert 10 <= len(found[0]["requests"]) <= 12
        assert int(shown[9][1:]) >= 0.9 * found[0]["count"], "the sample is of all of it, not of its beginning"
        assert len(shown) < 100
        assert sum(edge["count"] for batch in found for edge in batch["edges"]) == 1000


async def test_each_reader_gets_what_it_asked_for(tmp_path):
    async with streaming(tmp_path) as (recorder, stream):
        errors, everything = await opened(stream, RequestFilter(status="error")), await opened(stream)
        for status in (200, 502, 200, 404):
            recorder.record(finished(status=status))
        assert sum(each["count"] for each in await batches(everything, 4)) == 4
        (batch,) = await batches(errors, 2)
        assert [each["status"] for each in batch["requests"]] == [502, 404]


async def test_a_slow_reader_loses_batches_and_is_told_how_many(tmp_path):
    async with streaming(tmp_path) as (recorder, stream):
        slow, quick = await opened(stream), await opened(stream)
        for _ in range(30):
            recorder.record(finished())
            await batches(quick, 1)
        found = await batches(slow, 30)
        assert found[0] == {"type": "dropped", "batches": 10, "count": 10}
        assert [each["type"] for each in found[1:]] == ["batch"] * 20


async def test_nothing_is_done_while_nobody_reads(tmp_path):
    async with streaming(tmp_path) as (recorder, stream):
        shown = []
        recorder.watch(shown.append)
        first, second = await opened(stream), await opened(stream, limit=7)
        assert len(recorder._watchers) == 2
        first.close()
        second.close()
        assert recorder._watchers == [shown.append]
        assert stream.readers == 0
        again = await opened(stream)
        recorder.record(finished())
        assert await batches(again, 1)


async def test_close_ends_every_reader_and_lets_nobody_in(tmp_path):
    async with streaming(tmp_path) as (recorder, stream):
        reader = await opened(stream)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(reader.next())
            await asyncio.sleep(0)
            stream.close()
        assert waiting.result() is None
        assert await reader.next() is None
        reader.close()
        assert recorder._watchers == []
        with pytest.raises(TooManyReadersError):
            stream.open(ALL, 200)


async def test_there_is_room_for_so_many_readers(tmp_path):
    async with streaming(tmp_path) as (_, stream):
        readers = [stream.open(ALL, 1 + number % 3) for number in range(MOST_READERS)]
        with pytest.raises(TooManyReadersError):
            stream.open(ALL, 200)
        readers[0].close()
        stream.open(ALL, 200)


async def test_a_quiet_reader_gets_a_sign_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr("lb.observe.request_stream._ALIVE_EVERY_S", 0.05)
    async with streaming(tmp_path) as (_, stream):
        reader = await opened(stream)
        assert await reader.next() == b": still here\n\n"


async def test_the_last_requests_are_found_the_last_one_first(tmp_path):
    async with streaming(tmp_path) as (recorder, _):
        records = [finished(status=status) for status in (200, 502, 200, 503)]
        for record in records:
            recorder.record(record)
        assert recorder.last(3, lambda _: True) == records[:0:-1]
        assert recorder.last(5, lambda record: record.status >= 500) == [records[3], records[1]]
        await until(lambda: len((tmp_path / "logs" / "access.log").read_text().splitlines()) == 4)
