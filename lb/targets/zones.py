"""Which targets of a group a node may use, and why each is in or out (fact sheet 5.4).

Zones, target states and the thresholds of `target_group_health.unhealthy_state_routing` go in; the usable targets, in order,
come out with the reasons. Assumed: a target without a zone (or with `all`) counts for every zone; thresholds are taken
over the targets that the node could use at all, so with cross-zone off over those of its zone; a percentage is compared
with the exact share, not rounded.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from lb.model.reasons import TargetState
from lb.model.said import Said, said
from lb.targets.health import Health

ANY_ZONE: Final = "all"
"""The `AvailabilityZone` of a target outside the VPC."""


class Located(Protocol):
    """The parts of a target in a roster that are read here."""

    @property
    def zone(self) -> str | None:
        """Its Availability Zone; None where none was given."""

    @property
    def health(self) -> Health:
        """What the health checker says."""


T = TypeVar("T", bound=Located)


class Why(Enum):
    """Why a target is usable or not."""

    HEALTHY = (True, "healthy")
    FAIL_OPEN = (True, "used although not healthy: too few targets are, so all are used (fail-open)")
    INITIAL = (False, "its first health checks are not over, and enough others are healthy")
    UNHEALTHY = (False, "unhealthy, and enough others are healthy")
    DRAINING = (False, "draining: requests in flight go on, new ones go elsewhere")
    UNUSED = (False, "unused")
    ZONE_NOT_ENABLED = (False, "its zone is not enabled for the load balancer")
    OTHER_ZONE = (False, "in another zone than this node, and cross-zone load balancing is off")

    def __init__(self, usable: bool, english: str) -> None:
        self.usable = usable
        self.text = Said(english, {})


_WAITING: Final = {TargetState.INITIAL: Why.INITIAL, TargetState.UNHEALTHY: Why.UNHEALTHY}


@dataclass(frozen=True, slots=True)
class Zoning:
    """Where a node stands. `node_zone` None: a balancer without zones. `enabled` empty: all zones are enabled."""

    node_zone: str | None = None
    cross_zone: bool = True
    enabled: Collection[str] = ()

    def enables(self, zone: str | None) -> bool:
        """Whether the load balancer uses a zone at all; targets elsewhere are `unused`."""
        return zone is None or zone == ANY_ZONE or not self.enabled or zone in self.enabled

    def shuts_out(self, zone: str | None) -> Why | None:
        """Why no target of a zone is usable here; None where they are."""
        if zone is None or zone == ANY_ZONE:
            return None
        if not self.enables(zone):
            return Why.ZONE_NOT_ENABLED
        if not self.cross_zone and self.node_zone is not None and zone != self.node_zone:
            return Why.OTHER_ZONE
        return None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`minimum_healthy_targets` of `unhealthy_state_routing` or `dns_failover` in `target_group_health`; None is `off`."""

    count: int | None = 1
    percentage: int | None = None

    def crossed(self, healthy: int, registered: int) -> bool:
        """Whether too few of the registered targets are healthy: the stricter threshold acts."""
        if self.count is not None and healthy < self.count:
            return True
        return self.percentage is not None and healthy * 100 < self.percentage * registered

    @property
    def text(self) -> Said | str:
        """Both in words; those that are off are not named."""
        if self.percentage is None:
            return str(self.count or 0)
        share = f"{self.percentage} %"
        return share if self.count is None else said("{count} and {share}", count=self.count, share=share)


NO_ZONES: Final = Zoning()
DEFAULT_THRESHOLDS: Final = Thresholds()


class Verdict(NamedTuple, Generic[T]):
    """One target and why it is usable or not."""

    slot: T
    why: Why


@dataclass(frozen=True, slots=True)
class Selection(Generic[T]):
    """The usable targets of one node. Without any, a request is answered 503."""

    usable: list[T]
    fail_open: bool
    healthy: int
    registered: int
    thresholds: Thresholds
    verdicts: list[Verdict[T]]

    @property
    def text(self) -> Said:
        """The whole in words."""
        if not self.registered:
            return said("no target that this node may use: 503")
        found = said(
            "{healthy} of {registered} targets healthy, at least {thresholds} wanted",
            healthy=self.healthy,
            registered=self.registered,
            thresholds=self.thresholds.text,
        )
        return said("fail-open: {found}", found=found) if self.fail_open else found


def select(slots: Iterable[T], zoning: Zoning = NO_ZONES, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Selection[T]:
    """The usable targets, in the order given, and a verdict on every target."""
    placed = [(slot, _out(slot, zoning)) for slot in slots]
    candidates = [slot for slot, out in placed if out is None]
    healthy = [slot for slot in candidates if slot.health.state is TargetState.HEALTHY]
    crossed = thresholds.crossed(len(healthy), len(candidates))
    usable = candidates if crossed else healthy
    verdicts = [Verdict(slot, out or _why(slot.health.state, crossed)) for slot, out in placed]
    return Selection(usable, crossed and bool(candidates), len(healthy), len(candidates), thresholds, verdicts)


def count_reachable(slots: Iterable[Located], zoning: Zoning) -> tuple[int, int]:
    """How many targets a node could use are healthy, and how many there are: what thresholds are taken over."""
    states = [slot.health.state for slot in slots if _out(slot, zoning) is None]
    return states.count(TargetState.HEALTHY), len(states)


def _out(slot: Located, zoning: Zoning) -> Why | None:
    """Why a target gets nothing whatever the health of the others."""
    state = slot.health.state
    if state is TargetState.DRAINING:
        return Why.DRAINING
    if state is TargetState.UNUSED:
        # Where the zone is not enabled, that is the reason for being unused.
        return Why.UNUSED if zoning.enables(slot.zone) else Why.ZONE_NOT_ENABLED
    return zoning.shuts_out(slot.zone)


def _why(state: TargetState, crossed: bool) -> Why:
    if state is TargetState.HEALTHY:
        return Why.HEALTHY
    return Why.FAIL_OPEN if crossed else _WAITING[state]
