"""The targets of one group as one node sees them: who may get requests, who is next, who is on the way out.

A pick counts a request in flight on its target; `release` must follow. Rules: fact sheet 5.4 (fail-open, draining).
"""

from collections.abc import Iterable

from lb.model.reasons import TargetState
from lb.routing.plan import Endpoint, GroupPlan
from lb.targets.algorithms.round_robin import RoundRobin
from lb.targets.health import DRAINING, NOT_IN_USE, REGISTERED, Health

_ROUTABLE = (TargetState.HEALTHY, TargetState.UNHEALTHY, TargetState.INITIAL)


class Slot:
    """One target in the roster. `order` is its place in the order of registration."""

    __slots__ = ("drain_until", "endpoint", "health", "in_flight", "key", "order", "served")

    def __init__(self, endpoint: Endpoint, order: int, health: Health) -> None:
        self.endpoint = endpoint
        self.key = endpoint.key
        self.order = order
        self.health = health
        self.in_flight = 0
        self.served = 0
        self.drain_until = 0.0


class Roster:
    """All targets of a group, draining ones too."""

    __slots__ = ("_algorithm", "_orders", "_slots", "_usable", "arn", "fail_open")

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.fail_open = False
        self._slots: dict[str, Slot] = {}
        self._usable: list[Slot] = []
        self._algorithm = RoundRobin()
        self._orders = 0

    @property
    def slots(self) -> Iterable[Slot]:
        """In order of registration."""
        return self._slots.values()

    def pick(self) -> Slot | None:
        """The target for the next request, counted as in flight; None where no target may get one (503)."""
        if not self._usable:
            return None
        slot = self._algorithm.pick(self._usable)
        slot.in_flight += 1
        slot.served += 1
        return slot

    def release(self, slot: Slot) -> None:
        """A picked request is over."""
        slot.in_flight -= 1

    def apply_health(self, key: str, health: Health) -> None:
        """A verdict of the health checker; ignored for a target that is gone or draining."""
        slot = self._slots.get(key)
        if slot is not None and slot.health.state is not TargetState.DRAINING:
            slot.health = health
            self._refresh()

    def reconcile(self, plan: GroupPlan, now: float) -> None:
        """Takes over the registered targets of a plan; the others drain from `now` (monotonic seconds) on."""
        wanted = {endpoint.key: endpoint for endpoint in plan.endpoints}
        fresh = REGISTERED if plan.in_use else NOT_IN_USE
        registered = {endpoint.target for endpoint in plan.endpoints}
        for key, slot in list(self._slots.items()):
            if key not in wanted:
                self._deregister(slot, now + plan.deregistration_delay_s, moved=slot.endpoint.target in registered)
            elif (slot.health.state is TargetState.UNUSED) is plan.in_use:
                slot.health = fresh
        for key, endpoint in wanted.items():
            known = self._slots.get(key)
            if known is None:
                self._orders += 1
                self._slots[key] = Slot(endpoint, self._orders, fresh)
                continue
            # Two names may have swapped their addresses.
            known.endpoint = endpoint
            if known.health.state is TargetState.DRAINING:
                known.health = fresh
        self._refresh()

    def _deregister(self, slot: Slot, until: float, *, moved: bool) -> None:
        # A target whose name stands for another address now was not deregistered by anyone: nothing to show or wait for.
        if slot.health.state is TargetState.UNUSED or (moved and not slot.in_flight):
            del self._slots[slot.key]
        elif slot.health.state is not TargetState.DRAINING:
            slot.health = DRAINING
            slot.drain_until = until

    def expired(self, now: float) -> list[Slot]:
        """Takes out the draining targets whose deregistration delay is over, and returns them."""
        over = [
            slot
            for slot in self._slots.values()
            if slot.health.state is TargetState.DRAINING and now >= slot.drain_until
        ]
        for slot in over:
            del self._slots[slot.key]
        return over

    def _refresh(self) -> None:
        routable = [slot for slot in self._slots.values() if slot.health.state in _ROUTABLE]
        healthy = [slot for slot in routable if slot.health.state is TargetState.HEALTHY]
        self.fail_open = bool(routable) and not healthy
        self._usable = healthy or routable
        self._algorithm.changed(self._usable)
