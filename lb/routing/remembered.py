"""Answers remembered by the piece of a request that they follow from, in bounded memory.

Clients repeat themselves: hosts, paths and whole header blocks come again and again. Only what follows from the key alone,
for as long as the memory lives, may be remembered.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

V = TypeVar("V")

# What a key and its answer take besides the key's own bytes, in CPython on 64 bits.
_BESIDE_BYTES: Final = 250
# One key must not push out many others.
_LARGEST_SHARE: Final = 64


class Remembered(Generic[V]):
    """At most about `budget` bytes of answers. When it is full all are forgotten: what is asked for often is soon back."""

    __slots__ = ("_budget", "_known", "_room", "get")

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._room = budget
        self._known: dict[bytes, V] = {}
        self.get: Callable[[bytes], V | None] = self._known.get
        """The answer for a key; None where it is not remembered."""

    def put(self, key: bytes, answer: V) -> None:
        """Remembers an answer, unless its key is too long."""
        size = len(key) + _BESIDE_BYTES
        if size > self._budget // _LARGEST_SHARE:
            return
        if size > self._room:
            self._known.clear()
            self._room = self._budget
        self._room -= size
        self._known[key] = answer
