"""The access log file: written in batches, away from the requests, and rotated by size."""

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from logging.handlers import RotatingFileHandler
from pathlib import Path

from lb.http.record import RequestRecord
from lb.observe.entry import EntryFormatter

_FLUSH_S = 0.1
# So many entries are formatted at a stretch, a fraction of a millisecond, before traffic gets its turn again.
_AT_A_STRETCH = 128
# When the disk cannot keep up, entries are dropped and counted rather than memory filled.
_MOST_WAITING = 200_000

_log = logging.getLogger(__name__)


class AccessLog:
    """Appends to `path`; keeps `keep` older files of about `max_bytes` each."""

    def __init__(self, path: Path, *, max_bytes: int = 64 * 1024 * 1024, keep: int = 5) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handler = RotatingFileHandler(
            path, maxBytes=max_bytes, backupCount=keep, encoding="utf-8", errors="strict"
        )
        self._handler.terminator = ""
        self._waiting: deque[RequestRecord] = deque()
        self._formatter = EntryFormatter()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="access-log")
        self._timer: asyncio.TimerHandle | None = None
        self._text: list[str] = []
        self._writing = False
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
        if self._writing:
            self._timer = loop.call_later(_FLUSH_S, self._format)
            return
        waiting = self._waiting
        for _ in range(min(_AT_A_STRETCH, len(waiting))):
            self._text.append(self._formatter.format(waiting.popleft()))
        if waiting:
            self._timer = loop.call_later(0, self._format)
        else:
            self._timer = None
            self._write(loop)
        if self.dropped:
            _log.warning("access log: the disk is too slow, %d entries were dropped", self.dropped)
            self.dropped = 0

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._text = "".join(self._text), []
        self._writing = True

        def written() -> None:
            self._writing = False

        self._writer.submit(self._append, batch).add_done_callback(lambda _: loop.call_soon_threadsafe(written))

    def _append(self, batch: str) -> None:
        # The handler brings rotation; a batch goes through it as one message.
        try:
            message = logging.LogRecord("access", logging.INFO, "", 0, batch, None, None)
            if self._handler.shouldRollover(message):
                self._handler.doRollover()
            stream = self._handler.stream
            assert stream is not None
            stream.write(batch)
            stream.flush()
        except OSError:
            _log.exception("access log: a batch could not be written")

    async def close(self) -> None:
        """Writes what waits and closes the file."""
        if self._timer is not None:
            self._timer.cancel()
        self._text.extend(self._formatter.format(record) for record in self._waiting)
        self._waiting.clear()
        batch, self._text = "".join(self._text), []
        await asyncio.get_running_loop().run_in_executor(self._writer, self._append, batch)
        self._writer.shutdown()
        self._handler.close()
