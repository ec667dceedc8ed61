"""Numbers of targets by state, sampled: what goes into the metrics that count hosts. Pure."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from lb.model.metric_table import TABLE, Kind
from lb.model.reasons import TargetState
from lb.routing.plan import Choosing
from lb.targets.anomaly import MINIMUM_HEALTHY, Standing
from lb.targets.zone_health import zone_health
from lb.targets.zones import ANY_ZONE, Located

LEVELS: Final = {row.name: place for place, row in enumerate(row for row in TABLE if row.kind is Kind.HOSTS)}
"""Metric name -> its place among the levels."""

REGISTERED: Final = len(LEVELS)
"""The place of one more level, which only RequestCountPerTarget reads."""


@dataclass(frozen=True, slots=True)
class HostCounts:
    """The targets of one group in one zone (empty: no zones) at one moment. None: the metric does not apply.

    `dns_healthy` and `routing_healthy`: whether the zone meets the group's health thresholds (`lb.targets.zone_health`).
    """

    load_balancer: str  # app/NAME/ID
    target_group: str  # targetgroup/NAME/ID
    zone: str
    healthy: int
    unhealthy: int
    registered: int
    anomalous: int | None = None
    mitigated: int | None = None
    dns_healthy: bool | None = None
    routing_healthy: bool | None = None


class Counted(Located, Protocol):
    """What is read of a target in a roster."""

    @property
    def standing(self) -> Standing:
        """What anomaly detection says."""


def count_hosts(
    load_balancer: str, target_group: str, targets: Iterable[Counted], choosing: Choosing
) -> list[HostCounts]:
    """Counts the targets of one group (`app/NAME/ID`, `targetgroup/NAME/ID`), zone by zone.

    Targets that are initial are neither healthy nor unhealthy; those that drain are not registered any more. Anomalies are
    counted once the group has enough healthy targets to look for them, mitigation where it is on. Enabled zones without
    targets are counted, too; a zone that is not enabled has no state.
    """
    listed = list(targets)
    states = {state.zone: state for state in zone_health(listed, choosing)}
    zones: dict[str, list[Counted]] = {zone: [] for zone in states}
    for target in listed:
        zone = "" if target.zone is None or target.zone == ANY_ZONE else target.zone
        zones.setdefault(zone, []).append(target)
    counted = []
    for zone, found in sorted(zones.items()):
        health = [target.health.state for target in found]
        state = states.get(zone)
        counted.append(
            HostCounts(
                load_balancer,
                target_group,
                zone,
                healthy=health.count(TargetState.HEALTHY),
                unhealthy=health.count(TargetState.UNHEALTHY),
                registered=len(health) - health.count(TargetState.DRAINING),
                anomalous=sum(target.standing.anomalous for target in found),
                mitigated=sum(target.standing.mitigation_in_effect for target in found),
                dns_healthy=state.dns_healthy if state else None,
                routing_healthy=state.routing_healthy if state else None,
            )
        )
    if sum(each.healthy for each in counted) < MINIMUM_HEALTHY:
        return [replace(each, anomalous=None, mitigated=None) for each in counted]
    return counted if choosing.anomaly_mitigation else [replace(each, mitigated=None) for each in counted]


def levels(counts: HostCounts) -> dict[int, int]:
    """The levels that one count tells, by place."""
    found: dict[str, int | None] = {
        "HealthyHostCount": counts.healthy,
        "UnHealthyHostCount": counts.unhealthy,
        "AnomalousHostCount": counts.anomalous,
        "MitigatedHostCount": counts.mitigated,
        "HealthyStateDNS": None if counts.dns_healthy is None else int(counts.dns_healthy),
        "HealthyStateRouting": None if counts.routing_healthy is None else int(counts.routing_healthy),
        "UnhealthyStateDNS": None if counts.dns_healthy is None else int(not counts.dns_healthy),
        "UnhealthyStateRouting": None if counts.routing_healthy is None else int(not counts.routing_healthy),
    }
    result = {LEVELS[name]: value for name, value in found.items() if value is not None}
    result[REGISTERED] = counts.registered
    return result


_FIELDS: Final = 4


class Samples:
    """Samples of every level: how many, their sum, lowest and highest."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values = array("d", bytes(8 * _FIELDS * (REGISTERED + 1)))

    def add(self, found: dict[int, int]) -> None:
        """One sample of each level in `found`."""
        values = self._values
        for place, value in found.items():
            at = place * _FIELDS
            if not values[at] or value < values[at + 2]:
                values[at + 2] = value
            values[at] += 1
            values[at + 1] += value
            values[at + 3] = max(values[at + 3], value)

    def of(self, place: int) -> tuple[float, float, float, float]:
        """Number, sum, lowest and highest of one level."""
        at = place * _FIELDS
        count, total, lowest, highest = self._values[at : at + _FIELDS]
        return count, total, lowest, highest
