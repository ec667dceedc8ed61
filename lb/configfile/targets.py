"""The targets of a target group and their Availability Zones, as `lb.yaml` writes them."""

import re

from lb.configfile.address import comparable_host, parse_address
from lb.configfile.nodes import Node
from lb.configfile.problems import shown
from lb.model.config import Target

TARGETS_PER_GROUP = 1000
ZONES = "a list of Availability Zones such as [us-east-1a, us-east-1b]"

# ELB's name for "whichever zone"; only a target can be there.
_ANY_ZONE = "all"
_ZONE = "a zone such as us-east-1a"
_ZONE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LIST = 'a list such as ["web1:80", "web2:80"]'
_TARGET = 'text such as "web1:80" or a mapping with target and zone'


def read_targets(node: Node, default_port: int | None) -> tuple[Target, ...]:
    """Targets in the order given. `default_port` is for those that name none; None where it is itself wrong."""
    if not isinstance(node.value, list):
        node.refuse_kind(_LIST)
        return ()
    if len(node.value) > TARGETS_PER_GROUP:
        node.refuse(f"must not hold more than {TARGETS_PER_GROUP} targets, and has {len(node.value)}")
        return ()
    targets: list[Target] = []
    first: dict[tuple[str, int], int] = {}
    for position, value in enumerate(node.value):
        item = node.below(position, value)
        target = _read_target(item, default_port)
        if target is None:
            continue
        targets.append(target)
        before = first.setdefault((comparable_host(target.id), target.port), position)
        if before != position:
            item.refuse(f"{target} is already in the list, at targets[{before}]")
    return tuple(targets)


def _read_target(node: Node, default_port: int | None) -> Target | None:
    if isinstance(node.value, str):
        return _read_address(node, default_port, None)
    if not isinstance(node.value, dict):
        node.refuse_kind(_TARGET)
        return None
    if len(node.value) == 1 and not node.value.keys() & {"target", "zone"}:
        node.refuse('must be host:port without a space after the colon, such as "web1:80"')
        return None
    fields = node.fields(_TARGET, ("target", "zone"), ("target",))
    if fields is None:
        return None
    zone = _read_zone(fields["zone"]) if "zone" in fields else None
    return _read_address(fields["target"], default_port, zone)


def _read_address(node: Node, default_port: int | None, zone: str | None) -> Target | None:
    text = node.text('text such as "web1:80"')
    if text is None:
        return None
    try:
        host, port = parse_address(text)
    except ValueError as error:
        node.refuse(f"{error}, not {shown(text)}")
        return None
    return Target(host, port or default_port or 0, zone)


def read_zones(node: Node) -> tuple[str, ...]:
    """The enabled zones of a load balancer."""
    if not isinstance(node.value, list) or not node.value:
        node.refuse_kind(ZONES)
        return ()
    zones: list[str] = []
    for item in node.listed(ZONES):
        zone = _read_zone(item)
        if zone == _ANY_ZONE:
            item.refuse("is where a target can be, not a load balancer; leave zones out to enable all of them")
        elif zone in zones:
            item.refuse(f"zone {zone} is already in the list, at zones[{zones.index(zone)}]")
        elif zone is not None:
            zones.append(zone)
    return tuple(zones)


def _read_zone(node: Node) -> str | None:
    zone = node.text(_ZONE)
    if zone is not None and not _ZONE_NAME.fullmatch(zone):
        node.refuse(f"must be {_ZONE}, of letters, digits and hyphens, not {shown(zone)}")
        return None
    return zone
