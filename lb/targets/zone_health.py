"""Which zones of a load balancer have enough healthy targets of a group: for DNS, and for routing (fact sheet 5.4, 10.3).

Both thresholds are taken over the targets that the zone's node can use. So with cross-zone load balancing on, all zones are
well or not together; with it off, each has its own targets, and an enabled zone without any is not well. A load balancer
that names no zones has those of its targets.

There is no DNS here that an address could be taken out of: this only tells what ALB's would do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lb.routing.plan import Choosing
from lb.targets.choosing import new_dns_thresholds, new_thresholds, new_zoning
from lb.targets.zones import ANY_ZONE, Located, count_reachable


@dataclass(frozen=True, slots=True)
class ZoneHealth:
    """One zone, and whether it meets the thresholds of `target_group_health`. No zone (empty): the group has none."""

    zone: str
    healthy: int
    registered: int
    dns_healthy: bool
    routing_healthy: bool


def zone_health(targets: Iterable[Located], choosing: Choosing) -> list[ZoneHealth]:
    """The zones in which one group serves, by name; none for a group without targets whose load balancer names no zones."""
    listed = list(targets)
    zones = set(choosing.zones) or {each.zone for each in listed if each.zone is not None} - {ANY_ZONE}
    if not zones and listed:
        zones = {""}
    dns, routing = new_dns_thresholds(choosing), new_thresholds(choosing)
    found = []
    everywhere = count_reachable(listed, new_zoning(choosing, None)) if choosing.cross_zone else None
    for zone in sorted(zones):
        healthy, registered = everywhere or count_reachable(listed, new_zoning(choosing, zone or None))
        dns_healthy, routing_healthy = (not each.crossed(healthy, registered) for each in (dns, routing))
        found.append(ZoneHealth(zone, healthy, registered, dns_healthy, routing_healthy))
    return found


def zones_out_of_dns(groups: Sequence[Iterable[ZoneHealth]]) -> frozenset[str]:
    """The zones whose addresses DNS leaves out: one group with too few healthy targets is enough; never all of them.

    `groups` are all groups of one load balancer.
    """
    states = [state for group in groups for state in group]
    zones = {state.zone for state in states} - {""}
    failing = frozenset(state.zone for state in states if not state.dns_healthy)
    return frozenset() if "" in failing or failing >= zones else failing
