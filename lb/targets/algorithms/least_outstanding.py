"""`least_outstanding_requests`: the usable target with the fewest requests in flight (fact sheet 5.1).

Among equals the targets take turns (assumed: AWS does not say how ties are broken). A WebSocket counts while it is open,
because the roster counts it.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Generic

from lb.targets.algorithms.protocol import T


class LeastOutstandingRequests(Generic[T]):
    """The cursor of one node in one target group; it decides among equals."""

    __slots__ = ("_last", "_next")

    def __init__(self) -> None:
        self._next = 0
        self._last = -1

    def pick(self, usable: Sequence[T], now: float) -> T:
        """The least busy target, the next in turn among equals. See `Algorithm.pick`."""
        at = self._next
        chosen = usable[at]
        # An idle target cannot be beaten: under light load this is plain round robin at its price.
        if chosen.in_flight:
            loads = [slot.in_flight for slot in usable]
            least = min(loads)
            if loads[at] != least:
                # The first one from the cursor on, else the first one at all.
                at = loads.index(least, at) if least in islice(loads, at, None) else loads.index(least)
                chosen = usable[at]
        at += 1
        self._next = at if at < len(usable) else 0
        self._last = chosen.order
        return chosen

    def changed(self, usable: Sequence[T], now: float) -> None:
        """Goes on behind the target that was last. See `Algorithm.changed`."""
        self._next = next((at for at, slot in enumerate(usable) if slot.order > self._last), 0)
