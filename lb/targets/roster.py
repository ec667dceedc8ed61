"""The targets of one group as one node sees them: who may get requests, who is next, who is on the way out.

A pick counts a request in flight on its target; `release` must follow. Who is usable is decided in `lb.targets.zones`, who
of them is next by an algorithm or a cookie; here they meet. Rules: fact sheet 4.4 and 5.1 to 5.4.

Assumed: targets that come into use together are a first batch, exempt from slow start, as those of an empty group are; so
is the address that a target's name stands for at last. Anomalies are looked for among the healthy targets of this node.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from lb.model.reasons import TargetState
from lb.routing.plan import Choosing, Endpoint, GroupPlan
from lb.targets.algorithms.protocol import Algorithm, Rng
from lb.targets.algorithms.round_robin import RoundRobin
from lb.targets.algorithms.slow_start import SlowStart
from lb.targets.algorithms.weighted_random import WeightedRandom
from lb.targets.anomaly import Counts, Standing, decide
from lb.targets.choosing import new_algorithm, new_cookie, new_thresholds, new_zoning, same_algorithm
from lb.targets.health import DRAINING, NOT_IN_USE, REGISTERED, Health
from lb.targets.sealing import Sealer
from lb.targets.stickiness import AppCookie, Choice, PairCookie, token_of
from lb.targets.zones import Selection, select

_OUT_OF_USE: Final = (TargetState.DRAINING, TargetState.UNUSED)
_NORMAL: Final = Standing()


class Slot:
    """One target in the roster. `order` is its place in the order of registration.

    `token` is how sticky cookies name it. `first_batch`: see `lb.targets.algorithms.protocol.Candidate`. `standing` is what
    anomaly detection decided last. `served`, `server_errors` (5xx answers) and `connection_errors` only grow.
    """

    __slots__ = (
        "_counted",
        "connection_errors",
        "drain_until",
        "endpoint",
        "first_batch",
        "health",
        "in_flight",
        "key",
        "order",
        "served",
        "server_errors",
        "standing",
        "token",
        "zone",
    )

    def __init__(self, endpoint: Endpoint, order: int) -> None:
        self.key = endpoint.key
        self.token = token_of(self.key)
        self.order = order
        self.health = NOT_IN_USE
        self.first_batch = False
        self.in_flight = 0
        self.served = 0
        self.server_errors = 0
        self.connection_errors = 0
        self.drain_until = 0.0
        self.standing = _NORMAL
        self._counted = Counts()
        self.rename(endpoint)

    def rename(self, endpoint: Endpoint) -> None:
        """Takes over what the plan says of this address now."""
        self.endpoint = endpoint
        self.zone = endpoint.target.zone

    def turn(self, health: Health) -> None:
        """Another state: anomaly detection starts anew."""
        self.health = health
        self.standing = _NORMAL
        self.take_counts()

    def take_counts(self) -> Counts:
        """What ended here since the last call."""
        total = Counts(self.served - self.in_flight, self.server_errors, self.connection_errors)
        before, self._counted = self._counted, total
        return Counts(
            total.requests - before.requests,
            total.server_errors - before.server_errors,
            total.connection_errors - before.connection_errors,
        )


class StickyPick(NamedTuple):
    """The target for a request, and what its cookies said: `choice.kept` is the slot, or None after a new choice."""

    slot: Slot
    choice: Choice[Slot]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a pick would find now.

    `selection` has a verdict on every target; `choice` what the cookies say, None without stickiness; `chosen` the target
    that would be picked, None where there is none or chance decides; `ramps` how much of its full share (0 to 1) a
    target in slow start is meant to get, by key.
    """

    selection: Selection[Slot]
    algorithm: str
    choice: Choice[Slot] | None
    chosen: Slot | None
    ramps: Mapping[str, float]


class Roster:
    """All targets of a group, draining ones too.

    `sticky` is None where stickiness is off: then `pick` serves, otherwise `pick_sticky`. `fail_open` tells that too few
    targets are healthy, so that all are used.
    """

    __slots__ = (
        "_algorithm",
        "_by_token",
        "_choosing",
        "_node_zone",
        "_orders",
        "_rng",
        "_sealer",
        "_slots",
        "_thresholds",
        "_usable",
        "_zoning",
        "arn",
        "fail_open",
        "sticky",
    )

    def __init__(self, arn: str, sealer: Sealer, rng: Rng, node_zone: str | None = None) -> None:
        """`arn` is the target group's; `node_zone` the zone of this node, None for a node without one."""
        self.arn = arn
        self.fail_open = False
        self.sticky: PairCookie | AppCookie | None = None
        self._sealer = sealer
        self._rng = rng
        self._node_zone = node_zone
        self._slots: dict[str, Slot] = {}
        self._usable: list[Slot] = []
        self._by_token: dict[str, Slot] = {}  # the usable ones
        self._orders = 0
        self._choosing = choosing = Choosing()
        self._algorithm: Algorithm[Slot] = RoundRobin()
        self._thresholds = new_thresholds(choosing)
        self._zoning = new_zoning(choosing, node_zone)

    @property
    def slots(self) -> Iterable[Slot]:
        """In order of registration."""
        return self._slots.values()

    def pick(self, now: float) -> Slot | None:
        """The target for the next request at `now` (monotonic seconds), counted as in flight.

        None where no target may get one (503).
        """
        usable = self._usable
        if not usable:
            return None
        slot = self._algorithm.pick(usable, now)
        slot.in_flight += 1
        slot.served += 1
        return slot

    def pick_sticky(self, block: bytes, now: float, wall_s: float) -> StickyPick | None:
        """As `pick`, but the target that the request's cookies name where it is usable. Only while `sticky` is on.

        `block` is the request's header block, `wall_s` seconds since 1970.
        """
        usable = self._usable
        if not usable:
            return None
        choice = self._choice(block, wall_s)
        slot = choice.kept
        if slot is None:
            slot = self._algorithm.pick(usable, now)
        slot.in_flight += 1
        slot.served += 1
        return StickyPick(slot, choice)

    def _choice(self, block: bytes, wall_s: float) -> Choice[Slot]:
        assert self.sticky is not None
        return self.sticky.choose(block, self._by_token, wall_s)

    def cookie_lines(self, slot: Slot, choice: Choice[Slot], answer_block: bytes, wall_s: float) -> tuple[bytes, bytes]:
        """The Set-Cookie lines for the answer to a sticky pick, each with the CRLF before it.

        First those that stand right behind Connection, then those behind the target's own headers. `answer_block` is the
        header block of the target's answer, its lines beginning with CRLF. Nothing where stickiness was switched off since.
        """
        sticky = self.sticky
        if isinstance(sticky, PairCookie):
            return sticky.lines(slot.token, wall_s, secure=False), b""
        if isinstance(sticky, AppCookie):
            kept = choice.kept is not None
            return b"", sticky.lines(answer_block, slot.token, wall_s, kept=kept, secure=False)
        return b"", b""

    def release(self, slot: Slot, *, server_error: bool = False, connection_error: bool = False) -> None:
        """A picked request is over: with a 5xx answer of the target, with an error of its connection, or well."""
        slot.in_flight -= 1
        if server_error:
            slot.server_errors += 1
        if connection_error:
            slot.connection_errors += 1

    def apply_health(self, key: str, health: Health, now: float) -> None:
        """A verdict of the health checker; ignored for a target that is gone, draining or unused."""
        slot = self._slots.get(key)
        if slot is None or slot.health.state in _OUT_OF_USE:
            return
        if health.state is slot.health.state:
            slot.health = health
            return
        slot.turn(health)
        self._refresh(now)
        if health.state is TargetState.HEALTHY:
            slot.first_batch = False

    def decide_anomalies(self, now: float) -> None:
        """One decision of anomaly detection and mitigation; to be called every `anomaly.DECISION_INTERVAL_S`."""
        healthy = [slot for slot in self._usable if slot.health.state is TargetState.HEALTHY]
        decided = decide(
            {slot.key: slot.standing for slot in healthy},
            {slot.key: slot.take_counts() for slot in healthy},
            mitigate=self._choosing.anomaly_mitigation,
        )
        for slot in self._slots.values():
            slot.standing = decided.get(slot.key, _NORMAL)
        if isinstance(self._algorithm, WeightedRandom):
            self._algorithm.weigh({key: standing.weight for key, standing in decided.items()}, self._usable, now)

    def explain(self, block: bytes, now: float, wall_s: float) -> Candidates:
        """What a pick for a request with this header block would find; nothing is counted and nobody's turn is lost."""
        choice = self._choice(block, wall_s) if self.sticky is not None else None
        chosen = choice.kept if choice is not None else None
        algorithm = self._algorithm
        if chosen is None and self._usable and not isinstance(algorithm, WeightedRandom):
            chosen = deepcopy(algorithm).pick(self._usable, now)
        ramps = {}
        if isinstance(algorithm, SlowStart):
            found = {slot.key: algorithm.progress(slot, now) for slot in self._usable}
            ramps = {key: part for key, part in found.items() if part is not None}
        return Candidates(self._select(), self._choosing.algorithm, choice, chosen, ramps)

    def reconcile(self, plan: GroupPlan, now: float) -> None:
        """Takes over the registered targets of a plan; the others drain from `now` (monotonic seconds) on.

        Raises ValueError for an algorithm that does not exist.
        """
        self._adopt(plan.choosing)
        wanted = {endpoint.key: endpoint for endpoint in plan.endpoints}
        registered = {endpoint.target for endpoint in plan.endpoints}
        active = [slot for slot in self._slots.values() if slot.health.state not in _OUT_OF_USE]
        first_batch = registered if not active else {slot.endpoint.target for slot in active if slot.first_batch}
        for key, slot in list(self._slots.items()):
            if key not in wanted:
                self._deregister(slot, now + plan.deregistration_delay_s, moved=slot.endpoint.target in registered)
        for key, endpoint in wanted.items():
            slot = self._slots.get(key) or self._register(endpoint)
            # Two names may have swapped their addresses.
            slot.rename(endpoint)
            in_use = plan.in_use and self._zoning.enables(slot.zone)
            state = slot.health.state
            if state is TargetState.DRAINING or in_use is (state is TargetState.UNUSED):
                slot.turn(REGISTERED if in_use else NOT_IN_USE)
                slot.first_batch = endpoint.target in first_batch
        self._refresh(now)

    def _adopt(self, choosing: Choosing) -> None:
        before = self._choosing
        if choosing == before:
            return
        if not same_algorithm(choosing, before):
            self._algorithm = new_algorithm(choosing, self._rng)
            for slot in self._slots.values():
                slot.standing = replace(slot.standing, weight=1.0)
        if choosing.stickiness != before.stickiness:
            self.sticky = new_cookie(choosing.stickiness, self._sealer, self.arn)
        self._thresholds = new_thresholds(choosing)
        self._zoning = new_zoning(choosing, self._node_zone)
        self._choosing = choosing

    def _register(self, endpoint: Endpoint) -> Slot:
        self._orders += 1
        slot = self._slots[endpoint.key] = Slot(endpoint, self._orders)
        return slot

    def _deregister(self, slot: Slot, until: float, *, moved: bool) -> None:
        # A target whose name stands for another address now was not deregistered by anyone: nothing to show or wait for.
        if slot.health.state is TargetState.UNUSED or (moved and not slot.in_flight):
            del self._slots[slot.key]
        elif slot.health.state is not TargetState.DRAINING:
            slot.turn(DRAINING)
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

    def _select(self) -> Selection[Slot]:
        return select(self._slots.values(), self._zoning, self._thresholds)

    def _refresh(self, now: float) -> None:
        selection = self._select()
        self.fail_open = selection.fail_open
        self._usable = selection.usable
        self._by_token = {slot.token: slot for slot in selection.usable}
        self._algorithm.changed(selection.usable, now)
