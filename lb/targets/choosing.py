"""From a plan's attributes about choosing to the parts that choose: one place for which attribute makes which part."""

from typing import TypeVar

from lb.routing.plan import Choosing, Stickiness
from lb.targets.algorithms.least_outstanding import LeastOutstandingRequests
from lb.targets.algorithms.protocol import Algorithm, Candidate, Rng
from lb.targets.algorithms.round_robin import RoundRobin
from lb.targets.algorithms.slow_start import SlowStart
from lb.targets.algorithms.weighted_random import WeightedRandom
from lb.targets.sealing import Sealer
from lb.targets.stickiness import AppCookie, PairCookie, lb_cookie
from lb.targets.zones import Thresholds, Zoning

T = TypeVar("T", bound=Candidate)


def same_algorithm(one: Choosing, other: Choosing) -> bool:
    """Whether an algorithm made for one serves the other, so that it keeps its place and its ramps."""
    return (one.algorithm, one.slow_start_s) == (other.algorithm, other.slow_start_s)


def new_algorithm(choosing: Choosing, rng: Rng) -> Algorithm[T]:
    """The algorithm of `load_balancing.algorithm.type`. Raises ValueError for one that does not exist."""
    match choosing.algorithm:
        case "round_robin":
            return SlowStart(choosing.slow_start_s) if choosing.slow_start_s else RoundRobin()
        case "least_outstanding_requests":
            return LeastOutstandingRequests()
        case "weighted_random":
            return WeightedRandom(rng)
    raise ValueError(f"there is no algorithm '{choosing.algorithm}'")


def new_cookie(stickiness: Stickiness | None, sealer: Sealer, target_group_arn: str) -> PairCookie | AppCookie | None:
    """What keeps clients with their target; None where stickiness is off."""
    if stickiness is None:
        return None
    if stickiness.cookie_name is None:
        return lb_cookie(sealer, target_group_arn, stickiness.duration_s)
    return AppCookie(sealer, target_group_arn, stickiness.cookie_name, stickiness.duration_s)


def new_thresholds(choosing: Choosing) -> Thresholds:
    """When too few targets are healthy, so that all are used."""
    return Thresholds(choosing.healthy_count, choosing.healthy_percentage)


def new_dns_thresholds(choosing: Choosing) -> Thresholds:
    """When too few targets are healthy for a zone to stay in DNS."""
    return Thresholds(choosing.dns_healthy_count, choosing.dns_healthy_percentage)


def new_zoning(choosing: Choosing, node_zone: str | None) -> Zoning:
    """Which zones a node in `node_zone` may send to."""
    return Zoning(node_zone, choosing.cross_zone, frozenset(choosing.zones))
