"""What security groups let through: clients to a load balancer, the load balancer to targets, instances to a database.

Rules are records of their own (`Kind.SECURITY_GROUP_RULE`, parent: the group). Only ingress counts: what leaves is not
filtered here.
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Final, Protocol

from lb.model.config import Network
from lb.resources.records import Json, Kind, Record

_EVERY_PROTOCOL: Final = "-1"
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")


class Children(Protocol):
    """Reads records that belong to another."""

    def children(self, kind: Kind, parent: str) -> Iterable[Record]:
        """The records of a kind that belong to `parent`."""
        ...


def admitted(records: Children, groups: Iterable[str], port: int) -> tuple[Network, ...] | None:
    """The blocks of addresses from which one of `groups` lets TCP in to `port`; None for everywhere."""
    blocks = {text for group in groups for rule in _rules(records, group, port) if (text := _block(rule))}
    if blocks.issuperset(_EVERYWHERE):
        return None
    return tuple(sorted(map(ip_network, blocks), key=lambda block: (block.version, block)))


def admits(
    records: Children, groups: Iterable[str], port: int, source_groups: Iterable[str], source_blocks: Iterable[str]
) -> bool:
    """Whether one of `groups` lets TCP in to `port` from members of `source_groups`, or from all of a source block."""
    sources = frozenset(source_groups)
    blocks = [ip_network(text) for text in source_blocks]
    for group in groups:
        for rule in _rules(records, group, port):
            if rule.get("ReferencedGroupInfo", {}).get("GroupId") in sources:
                return True
            text = _block(rule)
            if text and any(_covers(ip_network(text), block) for block in blocks):
                return True
    return False


def _covers(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and int(outer[0]) <= int(inner[0]) and int(inner[-1]) <= int(outer[-1])


def _rules(records: Children, group: str, port: int) -> Iterator[Json]:
    for record in records.children(Kind.SECURITY_GROUP_RULE, group):
        rule = record.shape
        if rule["IsEgress"]:
            continue
        every = rule["IpProtocol"] == _EVERY_PROTOCOL
        if every or (rule["IpProtocol"] in ("tcp", "6") and rule["FromPort"] <= port <= rule["ToPort"]):
            yield rule


def _block(rule: Json) -> str:
    text: str = rule.get("CidrIpv4") or rule.get("CidrIpv6") or ""
    return text
