"""Targets as algorithms see them, and a roster's part in telling about changes."""

from collections import Counter

from lb.model.reasons import TargetState
from lb.targets.health import Health

HEALTHY = Health(TargetState.HEALTHY)
UNHEALTHY = Health(TargetState.UNHEALTHY)


class Candidate:
    """What a roster keeps of one target."""

    def __init__(self, order: int, health: Health = HEALTHY, *, in_flight: int = 0, first_batch: bool = False) -> None:
        self.key = f"192.0.2.{order}:80"
        self.order = order
        self.health = health
        self.in_flight = in_flight
        self.first_batch = first_batch
        self.zone: str | None = None

    def __repr__(self) -> str:
        return str(self.order)


def candidates(number: int, **settings) -> list[Candidate]:
    """Healthy targets in order of registration, from 1 on."""
    return [Candidate(order, **settings) for order in range(1, number + 1)]


def shares(algorithm, usable, picks: int, now: float = 0.0) -> dict[int, float]:
    """The part of the picks that each target got, by its order."""
    counts = Counter(algorithm.pick(usable, now).order for _ in range(picks))
    return {slot.order: counts[slot.order] / picks for slot in usable}
