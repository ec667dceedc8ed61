"""`round_robin` with slow start: a target that became healthy works its way up to its full share (fact sheet 5.3).

The ramp is the share of all requests: it grows in a straight line from a small part of the full share (one among the n usable
targets) to all of it across `slow_start.duration_seconds`. The other targets divide the rest evenly, in their exact order.

How: the cursor goes round as without slow start; a target on its ramp is passed over until the parts it was owed add up to
one turn. Nothing is drawn by lot, so the share is right over any stretch of requests, not only on average.

Documented: the linear ramp, who is exempt, when a ramp ends. Assumed: the first share (2 % of the full one); that a ramp
goes on when the last target outside slow start is lost (those on a ramp then share in proportion to how far they are); and
that targets which become healthy at the same moment do not count as "not in slow start" for each other.
"""

import math
from collections.abc import Sequence
from typing import Final, Generic

from lb.model.reasons import TargetState
from lb.targets.algorithms.protocol import T

_FIRST: Final = 0.02
# Weights are renewed this often across a ramp: a step is a quarter of a percent of the full share.
_STEPS: Final = 400


class _Ramp:
    """One target's way up. `owed` is the part of a turn that it has saved so far."""

    __slots__ = ("owed", "since", "weight")

    def __init__(self, since: float) -> None:
        self.since = since
        self.owed = 0.0
        self.weight = 0.0  # turns for each turn of a target that is not in slow start


class SlowStart(Generic[T]):
    """The cursor of one node in one target group, and the ramps of the targets that it knows.

    Targets that are healthy at the first `changed` were so before slow start was switched on: they are exempt.
    """

    __slots__ = ("_due", "_duration_s", "_healthy", "_last", "_next", "_ramps", "_row")

    def __init__(self, duration_s: float) -> None:
        self._duration_s = duration_s
        self._healthy: set[int] = set()
        self._ramps: dict[int, _Ramp] = {}  # by the order of the target
        self._row: list[_Ramp | None] = []  # beside the usable targets
        self._due = math.inf  # when the weights must be renewed
        self._next = 0
        self._last = -1

    def pick(self, usable: Sequence[T], now: float) -> T:
        """See `Algorithm.pick`."""
        if now >= self._due:
            self._weigh(usable, now)
        at = self._next
        if self._ramps:
            row = self._row
            # Ends within one round: somebody always has the full weight.
            while (ramp := row[at]) is not None:
                owed = ramp.owed + ramp.weight
                if owed >= 1.0:
                    ramp.owed = owed - 1.0
                    break
                ramp.owed = owed
                at += 1
                if at == len(row):
                    at = 0
        chosen = usable[at]
        at += 1
        self._next = at if at < len(usable) else 0
        self._last = chosen.order
        return chosen

    def changed(self, usable: Sequence[T], now: float) -> None:
        """Starts and ends ramps, and goes on behind the target that was last. See `Algorithm.changed`."""
        healthy = {slot.order for slot in usable if slot.health.state is TargetState.HEALTHY}
        fresh = [slot for slot in usable if slot.order in healthy - self._healthy]
        self._ramps = {order: ramp for order, ramp in self._ramps.items() if order in healthy}
        if (healthy & self._healthy) - self._ramps.keys():
            for slot in fresh:
                if not slot.first_batch:
                    self._ramps[slot.order] = _Ramp(now)
        self._healthy = healthy
        self._next = next((at for at, slot in enumerate(usable) if slot.order > self._last), 0)
        self._weigh(usable, now)

    def progress(self, slot: T, now: float) -> float | None:
        """The part of its full share, 0 to 1, that a target is meant to get; None where it is not in slow start."""
        ramp = self._ramps.get(slot.order)
        return None if ramp is None or self._is_over(ramp, now) else self._part(ramp, now)

    def _is_over(self, ramp: _Ramp, now: float) -> bool:
        return now - ramp.since >= self._duration_s

    def _part(self, ramp: _Ramp, now: float) -> float:
        return _FIRST + (1.0 - _FIRST) * max(0.0, now - ramp.since) / self._duration_s

    def _weigh(self, usable: Sequence[T], now: float) -> None:
        self._ramps = {order: ramp for order, ramp in self._ramps.items() if not self._is_over(ramp, now)}
        ramps = self._ramps
        self._row = [ramps.get(slot.order) for slot in usable]
        if not ramps:
            self._due = math.inf
            return
        self._due = now + self._duration_s / _STEPS
        parts = {order: self._part(ramp, now) for order, ramp in ramps.items()}
        full = len(usable) - len(ramps)
        # What a target outside slow start gets, in full shares: the rest, divided evenly.
        unit = (len(usable) - sum(parts.values())) / full if full else max(parts.values())
        for order, ramp in ramps.items():
            ramp.weight = parts[order] / unit
