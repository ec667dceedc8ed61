"""The access log file: written in batches, away from the requests."""

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lb.http.record import RequestRecord
from lb.observe.entry import EntryFormatter
from lb.observe.rotating_file import RotatingFile

_FLUSH_S = 0.1
# So many entries are formatted at a stretch, a fraction of a millisecond, before traffic gets its turn again.
_AT_A_STRETCH = 128
# When the disk cannot keep up, entries are dropped and counted rather than memory filled.
_MOST_WAITING = 200_000

_log = logging.getLogger(__name__)


class AccessLog:
    """Appends to `path`; keeps `keep` older files of about `max_bytes` each. Raises OSError if it cannot be opened."""

    def __init__(self, path: Path, *, max_bytes: int = 64 * 1024 * 1024, keep: int = 5) -> None:
        self._file = RotatingFile(path, max_bytes=max_bytes, keep=keep)
        self._waiting: deque[RequestRecord] = deque()
        self._formatter = EntryFormatter()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="access-log")
        self._timer: asyncio.TimerHandle | None = None
        self._text: list[str] = []
        self._writing = False
        self._failing = False
        self._lost = 0
        self.dropped = 0

    def record(self, record: RequestRecord) -> None:
        """Takes a finished request."""
        if len(self._waiting) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(record)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_S, self._format)

    def _format(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        waiting = self._waiting
        try:
            for _ in range(0 if self._writing else min(_AT_A_STRETCH, len(waiting))):
                self._text.append(self._formatter.format(waiting.popleft()))
        finally:
            if waiting:
                self._timer = loop.call_later(_FLUSH_S if self._writing else 0, self._format)
            elif not self._writing:
                self._write(loop)
        if self.dropped:
            _log.warning("access log: the disk is too slow, %d entries were dropped", self.dropped)
            self.dropped = 0

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._text = self._text, []
        if batch:
            self._writing = True
            done = self._writer.submit(self._append, batch)
            done.add_done_callback(lambda _: loop.call_soon_threadsafe(self._written))

    def _written(self) -> None:
        self._writing = False

    def _append(self, batch: list[str]) -> None:
        try:
            self._file.append("".join(batch).encode())
        except OSError as error:
            self._lost += len(batch)
            if not self._failing:
                self._failing = True
                _log.error("access log: entries cannot be written and are lost: %s", error.strerror or error)
        else:
            if self._failing:
                self._failing = False
                _log.warning("access log: entries can be written again, %d were lost", self._lost)
                self._lost = 0

    async def close(self) -> None:
        """Writes what waits and closes the file."""
        if self._timer is not None:
            self._timer.cancel()
        self._text.extend(self._formatter.format(record) for record in self._waiting)
        self._waiting.clear()
        batch, self._text = self._text, []
        if batch:
            await asyncio.get_running_loop().run_in_executor(self._writer, self._append, batch)
        self._writer.shutdown()
        self._file.close()
