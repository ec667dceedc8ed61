"""Random hex digits, drawn in blocks: a system call per request would cost more than the rest of its trace id."""

import os

_BLOCK = 512


class HexSource:
    """Hands out 24 hex digits at a time."""

    __slots__ = ("_ready",)

    def __init__(self) -> None:
        self._ready: list[bytes] = []

    def next24(self) -> bytes:
        """24 lower-case hex digits."""
        if not self._ready:
            digits = os.urandom(12 * _BLOCK).hex().encode()
            self._ready = [digits[at : at + 24] for at in range(0, len(digits), 24)]
        return self._ready.pop()
