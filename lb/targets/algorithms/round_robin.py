"""`round_robin`: one usable target after another, per request (fact sheet 5.1)."""

from collections.abc import Sequence
from typing import Generic

from lb.targets.algorithms.protocol import T


class RoundRobin(Generic[T]):
    """The cursor of one node in one target group."""

    __slots__ = ("_last", "_next")

    def __init__(self) -> None:
        self._next = 0
        self._last = -1

    def pick(self, usable: Sequence[T], now: float) -> T:
        """The next target. See `Algorithm.pick`."""
        at = self._next
        chosen = usable[at]
        at += 1
        self._next = at if at < len(usable) else 0
        self._last = chosen.order
        return chosen

    def changed(self, usable: Sequence[T], now: float) -> None:
        """Goes on behind the target that was last. See `Algorithm.changed`."""
        self._next = next((at for at, slot in enumerate(usable) if slot.order > self._last), 0)
