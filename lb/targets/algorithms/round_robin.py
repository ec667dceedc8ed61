"""`round_robin`: one usable target after another, per request (fact sheet 5.1)."""

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Ordered(Protocol):
    """Anything with a place in the order of registration."""

    order: int


T = TypeVar("T", bound=Ordered)


class RoundRobin:
    """The cursor of one node in one target group."""

    __slots__ = ("_last", "_next")

    def __init__(self) -> None:
        self._next = 0
        self._last = -1

    def pick(self, usable: Sequence[T]) -> T:
        """The next target; `usable` must not be empty and must be the sequence last given to `changed`."""
        at = self._next
        chosen = usable[at]
        at += 1
        self._next = at if at < len(usable) else 0
        self._last = chosen.order
        return chosen

    def changed(self, usable: Sequence[T]) -> None:
        """The usable targets are others now, in order: goes on behind the target that was last."""
        self._next = next((at for at, slot in enumerate(usable) if slot.order > self._last), 0)
