"""An even sample of a run whose length nobody knows before its end, in bounded memory. Pure."""

from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Thinned(Generic[T]):
    """Keeps every first, second, fourth, ... item of a run: all of them up to `most`, and more than half of `most` beyond."""

    __slots__ = ("_every", "_kept", "_most", "count")

    def __init__(self, most: int) -> None:
        """`most` is at least 1."""
        self._most = most
        self._begin()

    def _begin(self) -> None:
        self.count = 0
        """How many there were, kept or not."""
        self._every = 1
        self._kept: list[T] = []

    def add(self, items: Sequence[T]) -> None:
        """The run goes on."""
        self._kept += items[-self.count % self._every :: self._every]
        self.count += len(items)
        while len(self._kept) > self._most:
            del self._kept[1::2]
            self._every *= 2

    def take(self, number: int) -> list[T]:
        """So many of the run, or all that are kept, evenly from beginning to end and in order. Then a new run begins."""
        kept = self._kept
        self._begin()
        number = min(number, len(kept))
        # From the middle of each of so many parts.
        return [kept[(2 * place + 1) * len(kept) // (2 * number)] for place in range(number)]
