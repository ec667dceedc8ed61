"""One log: takes what happened by one append, formats it in stretches between requests, hands the entries to the files."""

import logging
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final, Generic, TypeVar

from lb.observe.live_file import LiveFile
from lb.observe.log_files import LogFiles

# So many entries are formatted at a stretch, half a millisecond, before traffic gets its turn again; more when very many
# wait, or traffic that brings more than this each turn would never be caught up with.
_AT_A_STRETCH: Final = 128
_SHARE: Final = 32
# `see` gets larger batches than that: its cost is for each batch, not for each item.
_SEEN_AT_ONCE: Final = 512
_MOST_AT_ONCE: Final = 4096
# When the disk cannot keep up, entries are dropped and counted rather than memory filled.
_MOST_WAITING: Final = 200_000

_log = logging.getLogger(__name__)
Item = TypeVar("Item")


class Log(Generic[Item]):
    """Formats items with `entry` and writes them to `live`, and to the files in `delivered` of their load balancer.

    `load_balancer` tells whose an item is (`app/NAME/ID`). `see` gets every item once and in order, in batches, before it
    is formatted: even those whose entries have to be dropped.
    """

    def __init__(
        self,
        live: LiveFile,
        entry: Callable[[Item], str],
        load_balancer: Callable[[Item], str],
        see: Callable[[list[Item]], None] | None = None,
    ) -> None:
        self.delivered: dict[str, LogFiles] = {}
        self._live = live
        self._entry = entry
        self._load_balancer = load_balancer
        self._see = see
        self._waiting: deque[Item] = deque()
        self._seen = 0  # so many of those that wait
        self._text: list[str] = []
        self._dropped = 0
        self.record: Callable[[Item], None] = self._waiting.append
        """Takes an item: the only part of a log that the data path pays for."""

    def see_all(self) -> None:
        """Shows `see` everything that has been recorded."""
        self._show(len(self._waiting))

    def _show(self, number: int) -> None:
        if number > self._seen:
            unseen = list(islice(self._waiting, self._seen, number))
            self._seen = number
            if self._see is not None:
                self._see(unseen)

    def work(self) -> bool:
        """One stretch. Returns whether the next one can follow at once; otherwise it is time for it in a while.

        An item that cannot be formatted ends the stretch with the exception, and does not come again.
        """
        waiting = self._waiting
        if len(waiting) > _MOST_WAITING:
            self._drop()
        number = min(len(waiting), _MOST_AT_ONCE - len(self._text), max(_AT_A_STRETCH, len(waiting) // _SHARE))
        if number > self._seen:
            self._show(min(len(waiting), max(number, _SEEN_AT_ONCE)))
        try:
            self._format(number)
        finally:
            full = len(self._text) >= _MOST_AT_ONCE
            if self._text and (full or not waiting) and not self._live.busy:
                batch, self._text = self._text, []
                self._live.write(batch)
                full = False
                self._tell_dropped()
        return bool(waiting) and not full

    def _format(self, number: int) -> None:
        waiting, text, entry = self._waiting, self._text, self._entry
        for _ in range(number):
            item = waiting.popleft()
            self._seen -= 1
            line = entry(item)
            text.append(line)
            if self.delivered:
                files = self.delivered.get(self._load_balancer(item))
                if files is not None:
                    files.append(line)

    def _drop(self) -> None:
        self.see_all()
        if not self._dropped:
            _log.warning("%s: the disk is too slow, entries are being dropped", self._live.name)
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.pop()
            self._seen -= 1
            self._dropped += 1

    def _tell_dropped(self) -> None:
        if self._dropped:
            _log.warning("%s: the disk was too slow, %d entries were dropped", self._live.name, self._dropped)
            self._dropped = 0

    async def close(self) -> None:
        """Writes what waits and closes the live file; `delivered` is left to who put it there."""
        try:
            self.see_all()
            self._format(len(self._waiting))
        finally:
            self._tell_dropped()
            await self._live.close(self._text)
