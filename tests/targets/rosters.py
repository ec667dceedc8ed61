"""Rosters to test with: the same key and the same dice every time."""

import random
import re
from collections.abc import Iterable
from itertools import count

from lb.model.config import Target
from lb.model.reasons import Reason, TargetState
from lb.routing.plan import Choosing, Endpoint
from lb.targets.health import Health
from lb.targets.roster import Roster, Slot
from lb.targets.sealing import KEY_BYTES, NONCE_BYTES, Sealer
from tests.routing.configs import group_plan

HEALTHY = Health(TargetState.HEALTHY)
UNHEALTHY = Health(TargetState.UNHEALTHY, Reason.TIMEOUT)
WALL = 1_767_081_600.25  # Tue, 30 Dec 2025 08:00:00 GMT


def new_sealer(key: bytes = bytes(KEY_BYTES)) -> Sealer:
    """Seals with nonces that count up."""
    numbers = count(1)
    return Sealer(key, lambda: next(numbers).to_bytes(NONCE_BYTES, "big"))


def new_roster(arn: str = "tg", *, node_zone: str | None = None, seed: int = 1) -> Roster:
    """A roster without targets."""
    return Roster(arn, new_sealer(), random.Random(seed), node_zone)


def zoned(number: int, zone: str | None) -> Endpoint:
    """The target web<number>:80 in a zone."""
    return Endpoint(Target(f"web{number}", 80, zone), f"10.0.0.{number}")


def publish(roster: Roster, endpoints: Iterable[Endpoint], choosing: Choosing, now: float = 0.0) -> None:
    """One plan."""
    roster.reconcile(group_plan(endpoints, choosing=choosing), now)


def make_healthy(roster: Roster, *numbers: int, now: float = 0.0) -> None:
    """Verdicts of the health checker on the targets web<number>."""
    for number in numbers:
        roster.apply_health(f"10.0.0.{number}:80", HEALTHY, now)


def name(slot: Slot | None) -> str | None:
    """`web<number>`."""
    return slot.endpoint.target.id if slot else None


def cookies(lines: bytes) -> bytes:
    """The header block of a client that got these Set-Cookie lines."""
    return b"\r\nCookie: " + b"; ".join(re.findall(rb"\r\nSet-Cookie: ([^;]+)", lines))
