"""One log: everything is seen once and written once, whatever the disk does."""

import logging
from collections import deque

import pytest

from lb.observe.log import Log


class Live:
    """A live file that is busy when it is told to be."""

    name = "some log"

    def __init__(self):
        self.busy = False
        self.batches = []

    def write(self, entries):
        assert not self.busy
        assert entries
        self.batches.append(entries)

    async def close(self, entries):
        self.batches.append(entries)

    @property
    def entries(self):
        return [int(entry) for batch in self.batches for entry in batch]


class Files:
    """A load balancer's log files."""

    def __init__(self):
        self.entries = []

    def append(self, text):
        self.entries.append(int(text))


def entry(item):
    if item < 0:
        raise ValueError(item)
    return f"{item}\n"


@pytest.fixture
def live():
    return Live()


@pytest.fixture
def seen():
    return []


@pytest.fixture
def log(live, seen):
    return Log(live, entry, lambda item: "even" if item % 2 == 0 else "odd", seen.extend)


def work_through(log):
    """Stretches until there is nothing to do at once; how many."""
    stretches = 1
    while log.work():
        stretches += 1
    return stretches


def test_taking_an_item_is_one_call_of_the_interpreter(log):
    """No frame, no timer: the data path pays for an append."""
    assert isinstance(log.record.__self__, deque)
    assert log.record.__name__ == "append"


@pytest.mark.parametrize("number", [0, 1, 127, 128, 129, 511, 512, 513, 5000, 20_000])
def test_every_item_is_seen_and_written_once_in_order(log, live, seen, number):
    for item in range(number):
        log.record(item)
    while log.work() or len(live.entries) < number:
        pass
    assert live.entries == seen == list(range(number))


def test_a_stretch_is_short(log, live):
    for item in range(4000):
        log.record(item)
    before = len(log._waiting)
    log.work()
    assert before - len(log._waiting) == 128


def test_traffic_that_brings_more_than_a_stretch_each_turn_is_caught_up_with(log, live):
    """As with a thousand busy connections."""
    item = 0
    for _ in range(400):
        for _ in range(1000):
            log.record(item)
            item += 1
        log.work()
    assert len(log._waiting) < 40_000
    assert len(live.entries) > 300_000
    assert max(map(len, live.batches)) <= 4096


def test_items_are_seen_at_once_when_asked(log, live, seen):
    for item in range(700):
        log.record(item)
    log.see_all()
    assert seen == list(range(700))
    log.see_all()
    log.record(700)
    work_through(log)
    log.see_all()
    assert live.entries == seen == list(range(701))


def test_nothing_is_written_while_the_disk_is_busy(log, live, seen):
    live.busy = True
    for item in range(10_000):
        log.record(item)
    work_through(log)
    assert live.batches == []
    assert len(log._text) == 4096
    live.busy = False
    while len(live.entries) < 10_000:
        work_through(log)
    assert live.entries == list(range(10_000))


def test_a_log_without_a_looker_on_works_too(live):
    log = Log(live, entry, str)
    for item in range(1000):
        log.record(item)
    work_through(log)
    assert live.entries == list(range(1000))


def test_what_does_not_fit_is_dropped_told_and_seen_nevertheless(log, live, seen, monkeypatch, caplog):
    monkeypatch.setattr("lb.observe.log._MOST_WAITING", 100)
    monkeypatch.setattr("lb.observe.log._MOST_AT_ONCE", 50)
    live.busy = True
    with caplog.at_level(logging.WARNING):
        for item in range(180):
            log.record(item)
        work_through(log)
        for item in range(180, 250):
            log.record(item)
        work_through(log)
        assert caplog.messages == ["some log: the disk is too slow, entries are being dropped"]
        live.busy = False
        while work_through(log) and len(live.entries) < 150:
            pass
    # 100 of the first 180 could wait; 50 were formatted, so that 50 more could.
    assert live.entries == [*range(100), *range(180, 230)]
    assert seen == list(range(250))
    assert caplog.messages[1:] == ["some log: the disk was too slow, 100 entries were dropped"]


def test_an_item_that_cannot_be_formatted_costs_only_itself(log, live, seen):
    for item in (1, 2, -1, 3, 4):
        log.record(item)
    with pytest.raises(ValueError, match="-1"):
        log.work()
    work_through(log)
    assert live.entries == [1, 2, 3, 4]
    assert seen == [1, 2, -1, 3, 4]


def test_entries_go_to_the_log_files_of_their_load_balancer_only(log, live):
    even = log.delivered["even"] = Files()
    for item in range(300):
        log.record(item)
    work_through(log)
    assert even.entries == list(range(0, 300, 2))
    assert live.entries == list(range(300))


async def test_close_writes_everything_even_while_the_disk_is_busy(log, live, seen):
    for item in range(10):
        log.record(item)
    live.busy = True
    work_through(log)
    for item in range(10, 5000):
        log.record(item)
    await log.close()
    assert live.entries == seen == list(range(5000))
