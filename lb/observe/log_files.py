"""Log files in the form in which ELB delivers them to S3, below a local directory (fact sheet 9.6).

One gzip file for each node and five minutes that had entries, named after the end of the interval. A file appears under its
name only when it is whole; until then it is called `.NAME.part`, which stays behind when the process is killed (`zcat` reads
it up to the last second). A test file, written as soon as a log is switched on, shows where its files will come.
"""

import asyncio
import logging
import random
import string
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from time import time
from typing import BinaryIO, Final

from lb.observe.lost_entries import LostEntries

INTERVAL_S: Final = 300
_FLUSH_S: Final = 1.0
_RANDOM_LENGTH: Final = 8
_ALPHABET: Final = string.ascii_lowercase + string.digits
# Twice as fast as the default, for files that are a tenth larger.
_COMPRESSION: Final = 5
_GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's way to ask for a gzip header and trailer
# When the disk cannot keep up, entries are dropped and counted rather than memory filled.
_MOST_WAITING_BYTES: Final = 64 * 1024 * 1024

_log = logging.getLogger(__name__)


class LogKind(StrEnum):
    """Which log; the text is what its file names begin with."""

    ACCESS = ""
    CONNECTION = "conn_log_"
    HEALTH_CHECK = "health_check_log_"


# What test files call the logs: documented for access and connection logs, seen for health check logs.
_TITLES: Final = {
    LogKind.ACCESS: "AccessLog",
    LogKind.CONNECTION: "ConnectionLog",
    LogKind.HEALTH_CHECK: "HealthCheckLog",
}


@dataclass(frozen=True, slots=True)
class LogSource:
    """Whose log it is. `prefix` is the one of the log attributes; `load_balancer` is `app/NAME/ID`."""

    kind: LogKind
    account_id: str
    region: str
    load_balancer: str
    node_ip: str
    prefix: str = ""


def interval_end(now_s: float) -> int:
    """The end of the interval that holds an instant, both in epoch seconds."""
    return (int(now_s) // INTERVAL_S + 1) * INTERVAL_S


def object_key(source: LogSource, end_s: int, unique: str) -> str:
    """The key of an S3 object for the interval that ends at `end_s` (epoch seconds); `unique` is the random part."""
    end = datetime.fromtimestamp(end_s, UTC)
    account_id, region = source.account_id, source.region
    balancer = source.load_balancer.replace("/", ".")
    # A colon is no part of a file name everywhere.
    node_ip = source.node_ip.replace(":", "-")
    name = f"{source.kind}{account_id}_elasticloadbalancing_{region}_{balancer}_{end:%Y%m%dT%H%MZ}_{node_ip}_{unique}"
    return f"{_account_folder(source)}/elasticloadbalancing/{region}/{end:%Y/%m/%d}/{name}.log.gz"


def object_of_test(source: LogSource, now_s: float) -> tuple[str, str]:
    """Key and text of the S3 object with which ELB shows that it may write: made when a log is switched on at `now_s`."""
    title = _TITLES[source.kind]
    now = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return f"{_account_folder(source)}/ELB{title}TestFile", f"Enable {title} for ELB: {source.load_balancer} at {now}Z"


def _account_folder(source: LogSource) -> str:
    prefix = source.prefix.strip("/")
    return f"{prefix}/AWSLogs/{source.account_id}" if prefix else f"AWSLogs/{source.account_id}"


class IntervalFile:
    """The file of the current interval. Blocks on the disk: for a thread of its own. Any call may raise OSError."""

    def __init__(self, directory: Path, source: LogSource, rng: random.Random) -> None:
        self._directory = directory
        self._source = source
        self._rng = rng
        self._end_s = 0
        self._path = directory
        self._file: BinaryIO | None = None
        self._packer = zlib.compressobj()

    def write(self, text: str, now_s: float) -> None:
        """Appends whole lines to the file of the interval that holds `now_s` (epoch seconds)."""
        self.end_interval(now_s)
        file = self._file or self._open(now_s)
        try:
            file.write(self._packer.compress(text.encode()) + self._packer.flush(zlib.Z_SYNC_FLUSH))
            file.flush()
        except OSError:
            # What follows half a block could not be read: the next entries begin a new file.
            self._file = None
            with suppress(OSError):  # it would only say the same again
                file.close()
            raise

    def end_interval(self, now_s: float) -> None:
        """Completes the file if its interval is over."""
        # A clock that was set back begins a new interval too.
        if interval_end(now_s) != self._end_s:
            self.close()

    def _open(self, now_s: float) -> BinaryIO:
        self._end_s = interval_end(now_s)
        unique = "".join(self._rng.choices(_ALPHABET, k=_RANDOM_LENGTH))
        self._path = self._directory / object_key(self._source, self._end_s, unique)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("xb")
        self._packer = zlib.compressobj(_COMPRESSION, zlib.DEFLATED, _GZIP)
        return self._file

    @property
    def _part(self) -> Path:
        return self._path.with_name(f".{self._path.name}.part")

    def close(self) -> None:
        """Completes the file, if there is one."""
        if self._file is None:
            return
        with self._file as file:
            self._file = None
            file.write(self._packer.flush())
        self._part.rename(self._path)


class LogFiles:
    """Takes entries from the event loop, and writes them in the one thread of `writer` about once a second."""

    def __init__(
        self,
        directory: Path,
        source: LogSource,
        writer: ThreadPoolExecutor,
        *,
        clock: Callable[[], float] = time,
        rng: random.Random | None = None,
    ) -> None:
        # The random part only keeps apart the files of one node and interval.
        self._file = IntervalFile(directory, source, rng or random.Random())  # noqa: S311
        self._directory = directory
        self._source = source
        self._clock = clock
        self._since_s = clock()  # what waits came after this
        self._waiting: list[str] = []
        self._waiting_size = 0
        self._writer = writer
        self._lost = LostEntries(f"log files of {source.load_balancer}", _log)
        self._timer: asyncio.TimerHandle | None = None
        self._writing = False
        self._dropped = 0

    def start(self) -> None:
        """Begins to write, the test file first; needs a running event loop."""
        self._writer.submit(self._write_test_file)
        self._timer = asyncio.get_running_loop().call_later(self._next_s(), self._run)

    def _write_test_file(self) -> None:
        key, text = object_of_test(self._source, self._clock())
        path = self._directory / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError as error:
            self._lost.add(0, error)

    def append(self, text: str) -> None:
        """Takes one or more whole lines, with their line ends."""
        if self._waiting_size >= _MOST_WAITING_BYTES:
            self._dropped += text.count("\n")
            return
        self._waiting.append(text)
        self._waiting_size += len(text)

    def _next_s(self) -> float:
        """No wait spans the end of an interval, so that entries come into the right file."""
        now_s = self._clock()
        return max(0.001, min(_FLUSH_S, interval_end(now_s) - now_s))

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._next_s(), self._run)
        if self._dropped:
            _log.warning("log files: the disk is too slow, %d entries were dropped", self._dropped)
            self._dropped = 0
        if not self._writing:
            self._writing = True
            done = self._writer.submit(self._write, *self._take())
            done.add_done_callback(lambda _: loop.call_soon_threadsafe(self._written))

    def _written(self) -> None:
        self._writing = False

    def _take(self) -> tuple[str, float, float]:
        """What waits, an instant of the interval in which it came, and now."""
        text, since_s = "".join(self._waiting), self._since_s
        self._waiting.clear()
        self._waiting_size = 0
        self._since_s = self._clock()
        return text, since_s, self._since_s

    def _write(self, text: str, since_s: float, now_s: float) -> None:
        try:
            if text:
                self._file.write(text, since_s)
            self._file.end_interval(now_s)
        except OSError as error:
            self._lost.add(text.count("\n"), error)
        else:
            if text:
                self._lost.over()

    def close(self) -> asyncio.Future[None]:
        """Writes what waits and completes the file; the writer stays."""
        if self._timer is not None:
            self._timer.cancel()
        return asyncio.get_running_loop().run_in_executor(self._writer, self._finish, *self._take())

    def _finish(self, text: str, since_s: float, now_s: float) -> None:
        self._write(text, since_s, now_s)
        try:
            self._file.close()
        except OSError as error:
            self._lost.add(0, error)
