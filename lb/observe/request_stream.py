"""Finished requests for those who watch: server-sent events in batches, made once for all who want the same.

Nobody watches: nothing is done. Somebody reads too slowly: what he cannot take is thrown away, and he is told how much.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from time import time
from typing import Any, Final, Protocol

from lb.http.record import RequestRecord
from lb.observe.edges import BOUNDS_MS, Edges
from lb.observe.request_filter import RequestFilter
from lb.observe.request_view import view
from lb.observe.target_names import TargetNames
from lb.observe.thinned import Thinned

EVERY_S: Final = 0.1
MOST_READERS: Final = 32
_MOST_WAITING: Final = 20
# A sample is taken of so many times as many as are told, so that it is even.
_KEPT_PER_TOLD: Final = 4
_ALIVE_EVERY_S: Final = 15.0
_ALIVE: Final = b": still here\n\n"

See = Callable[[list[RequestRecord]], None]


class Source(Protocol):
    """Where finished requests come from (`lb.observe.recorder.Recorder`)."""

    def watch(self, see: See) -> None:
        """Shows every finished request to `see` from now on, in batches."""

    def unwatch(self, see: See) -> None:
        """No more."""

    def catch_up(self) -> None:
        """Shows what has ended up to now."""


class TooManyReadersError(Exception):
    """More than MOST_READERS at a time."""


class Reader:
    """One who watches. `next` until it returns None, then `close`."""

    def __init__(self, hello: bytes, leave: Callable[["Reader"], None]) -> None:
        self._waiting: deque[tuple[bytes, int]] = deque([(hello, 0)])
        self._leave = leave
        self._dropped_batches = 0
        self._dropped_count = 0
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, event: bytes, count: int) -> None:
        """An event that tells of `count` requests."""
        if len(self._waiting) >= _MOST_WAITING:
            _, lost = self._waiting.popleft()
            self._dropped_batches += 1
            self._dropped_count += lost
        self._waiting.append((event, count))
        self._changed.set()

    async def next(self) -> bytes | None:
        """The next event, or a sign of life after 15 s; None at the end."""
        while not self._closed:
            if self._dropped_batches:
                told = {"type": "dropped", "batches": self._dropped_batches, "count": self._dropped_count}
                self._dropped_batches = self._dropped_count = 0
                return _event(told)
            if self._waiting:
                return self._waiting.popleft()[0]
            self._changed.clear()
            try:
                async with asyncio.timeout(_ALIVE_EVERY_S):
                    await self._changed.wait()
            except TimeoutError:
                return _ALIVE
        return None

    def close(self) -> None:
        """Watches no more; who waits in `next` gets None."""
        if not self._closed:
            self._closed = True
            self._waiting.clear()
            self._changed.set()
            self._leave(self)


class _Channel:
    """What all get who want the same. `limit` is how many requests a second are told one by one, at least 1."""

    def __init__(self, wanted: RequestFilter, limit: int, names: TargetNames, now: float) -> None:
        self.readers: set[Reader] = set()
        self._tests = wanted.tests(names)
        self._names = names
        self._limit = limit
        self._allowed = float(limit)
        self._at = now
        self._edges = Edges()
        # To keep all of them until the next batch would cost the node more than to count them.
        self._records: Thinned[RequestRecord] = Thinned(_KEPT_PER_TOLD * limit)

    def see(self, batch: list[RequestRecord]) -> None:
        for test in self._tests:
            batch = [record for record in batch if test(record)]
        self._edges.add(batch)
        self._records.add(batch)

    def flush(self, now: float) -> None:
        """Tells the readers what has been seen since the last time."""
        self._allowed = min(self._limit, self._allowed + (now - self._at) * self._limit)
        self._at = now
        count = self._records.count
        if not count:
            return
        shown = self._records.take(int(self._allowed))
        self._allowed -= len(shown)
        told = {
            "type": "batch",
            "at_s": round(time(), 3),
            "count": count,
            "requests": [view(record, self._names) for record in shown],
            "edges": self._edges.take(self._names),
        }
        event = _event(told)
        for reader in self.readers:
            reader.put(event, count)


class RequestStream:
    """All who watch the finished requests of `source`."""

    def __init__(self, source: Source, names: TargetNames) -> None:
        self._source = source
        self._names = names
        self._channels: dict[tuple[RequestFilter, int], _Channel] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def readers(self) -> int:
        """How many watch."""
        return sum(len(channel.readers) for channel in self._channels.values())

    def open(self, wanted: RequestFilter, limit: int) -> Reader:
        """Begins to watch. Raises TooManyReadersError."""
        if self.readers >= MOST_READERS or self._closed:
            raise TooManyReadersError
        loop = asyncio.get_running_loop()
        if not self._channels:
            # What ended before is not for this reader.
            self._source.catch_up()
            self._source.watch(self._see)
            self._timer = loop.call_later(EVERY_S, self._run)
        key = (wanted, limit)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel(wanted, limit, self._names, loop.time())
        hello = {"type": "hello", "limit": limit, "every_ms": round(EVERY_S * 1000), "bounds_ms": BOUNDS_MS}
        reader = Reader(_event(hello), lambda reader: self._leave(key, reader))
        channel.readers.add(reader)
        return reader

    def _leave(self, key: tuple[RequestFilter, int], reader: Reader) -> None:
        channel = self._channels[key]
        channel.readers.discard(reader)
        if channel.readers:
            return
        del self._channels[key]
        if not self._channels and self._timer is not None:
            self._timer.cancel()
            self._source.unwatch(self._see)

    def _see(self, batch: list[RequestRecord]) -> None:
        for channel in self._channels.values():
            channel.see(batch)

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(EVERY_S, self._run)
        for channel in self._channels.values():
            channel.flush(loop.time())

    def close(self) -> None:
        """Ends every reader; there are no more."""
        self._closed = True
        for channel in list(self._channels.values()):
            for reader in list(channel.readers):
                reader.close()


def _event(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value, separators=(',', ':'))}\n\n".encode()
