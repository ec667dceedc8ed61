"""A log that can be followed while it grows: batches of entries are appended by a thread, away from the requests."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from lb.observe.lost_entries import LostEntries
from lb.observe.rotating_file import RotatingFile

_log = logging.getLogger(__name__)


class LiveFile:
    """Appends to `file`. `name` is what messages call it. `writer` has one thread, so batches stay in order."""

    def __init__(self, file: RotatingFile, name: str, writer: ThreadPoolExecutor) -> None:
        self.name = name
        self._file = file
        self._writer = writer
        self._lost = LostEntries(name, _log)
        self.busy = False
        """Whether a batch is on its way to the disk; the next one waits for it."""

    def write(self, entries: list[str]) -> None:
        """Takes a batch from the event loop. Not to be called while it is busy."""
        loop = asyncio.get_running_loop()
        self.busy = True
        done = self._writer.submit(self._append, entries)
        done.add_done_callback(lambda _: loop.call_soon_threadsafe(self._written))

    def _written(self) -> None:
        self.busy = False

    def _append(self, entries: list[str]) -> None:
        try:
            self._file.append("".join(entries).encode())
        except OSError as error:
            self._lost.add(len(entries), error)
        else:
            self._lost.over()

    def close(self, entries: list[str]) -> asyncio.Future[None]:
        """Writes a last batch behind all others, even when it is busy, and closes the file."""
        return asyncio.get_running_loop().run_in_executor(self._writer, self._finish, entries)

    def _finish(self, entries: list[str]) -> None:
        if entries:
            self._append(entries)
        self._file.close()
