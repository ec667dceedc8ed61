"""A file that is appended to, and rotated by size.

Not logging's handler: that one buffers, so that a full disk leaves half a line behind and writes it again later.
"""

import contextlib
import os
from pathlib import Path
from typing import IO


class RotatingFile:
    """`path`, and beside it up to `keep` older files `path.1`, `path.2`, ... of about `max_bytes` each.

    Raises OSError where the file cannot be opened or written.
    """

    def __init__(self, path: Path, *, max_bytes: int, keep: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._file = self._open()

    def _open(self) -> IO[bytes]:
        return self._path.open("ab", buffering=0)

    def append(self, data: bytes) -> None:
        """Appends all of `data`, or nothing: what was written before an error is taken back. Raises OSError."""
        size = os.fstat(self._file.fileno()).st_size
        if size and size + len(data) > self._max_bytes:
            self._rotate()
            size = 0
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(size)
            raise

    def _rotate(self) -> None:
        # The file stays open until its successor is: a rotation that fails is tried again at the next batch.
        for number in range(self._keep, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if older.is_file():
                older.replace(self._path.with_name(f"{self._path.name}.{number}"))
        before = self._file
        self._file = self._open()
        before.close()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
