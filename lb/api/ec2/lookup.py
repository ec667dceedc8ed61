"""EC2 resources by the id that a client gave, refused as EC2 refuses an id that it does not know."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lb.api.call import ApiError, Call
from lb.resources.records import Kind, Record

Item = Mapping[str, Any]
_ID: Final = re.compile(r"([a-z]+)-[0-9a-z]{1,32}")


@dataclass(frozen=True, slots=True)
class Words:
    """How EC2 calls a kind: the prefix of its ids, its two error codes, and its name in a sentence."""

    prefix: str
    malformed: str
    not_found: str
    sentence: str


_WORDS: Final = {
    Kind.VPC: Words("vpc", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    Kind.SUBNET: Words(
        "subnet", "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"
    ),
    Kind.SECURITY_GROUP: Words(
        "sg", "InvalidGroupId.Malformed", "InvalidGroup.NotFound", "The security group '{}' does not exist"
    ),
    Kind.SECURITY_GROUP_RULE: Words(
        "sgr",
        "InvalidSecurityGroupRuleId.Malformed",
        "InvalidSecurityGroupRuleId.NotFound",
        "The security group rule ID '{}' does not exist",
    ),
    Kind.KEY_PAIR: Words(
        "key", "InvalidKeyPair.Format", "InvalidKeyPair.NotFound", "The key pair ID '{}' does not exist"
    ),
    Kind.INTERNET_GATEWAY: Words(
        "igw",
        "InvalidInternetGatewayId.Malformed",
        "InvalidInternetGatewayID.NotFound",
        "The internetGateway ID '{}' does not exist",
    ),
    Kind.ROUTE_TABLE: Words(
        "rtb", "InvalidRouteTableId.Malformed", "InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"
    ),
    Kind.INSTANCE: Words(
        "i", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist"
    ),
    Kind.IMAGE: Words("ami", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound", "The image id '[{}]' does not exist"),
    Kind.ADDRESS: Words(
        "eipalloc",
        "InvalidAllocationID.Malformed",
        "InvalidAllocationID.NotFound",
        "The allocation ID '{}' does not exist",
    ),
}

# Of what has no records.
INTERFACE: Final = Words(
    "eni",
    "InvalidNetworkInterfaceId.Malformed",
    "InvalidNetworkInterfaceID.NotFound",
    "The networkInterface ID '{}' does not exist",
)
VOLUME: Final = Words("vol", "InvalidVolumeID.Malformed", "InvalidVolume.NotFound", "The volume '{}' does not exist.")
NETWORK_ACL: Final = Words(
    "acl", "InvalidNetworkAclId.Malformed", "InvalidNetworkAclID.NotFound", "The networkAcl ID '{}' does not exist"
)
DHCP_OPTIONS: Final = Words(
    "dopt", "InvalidDhcpOptionsId.Malformed", "InvalidDhcpOptionID.NotFound", "The dhcpOption ID '{}' does not exist"
)


def kind_of(record_id: str) -> Kind | None:
    """The kind whose ids begin like this one."""
    prefix = record_id.partition("-")[0]
    return next((kind for kind, words in _WORDS.items() if words.prefix == prefix), None)


def new_id(call: Call, kind: Kind) -> str:
    """An id for a new resource."""
    return f"{_WORDS[kind].prefix}-0{call.new_id(16)}"


def check_id(kind: Kind, record_id: str) -> None:
    """Raises ApiError for a text that is no id of this kind."""
    _check(_WORDS[kind], record_id)


def _check(words: Words, record_id: str) -> None:
    found = _ID.fullmatch(record_id)
    if found is None or found[1] != words.prefix:
        raise ApiError(words.malformed, f'Invalid id: "{record_id}" (expecting "{words.prefix}-...")')


def not_found(kind: Kind, record_id: str) -> ApiError:
    """The error for an id that names nothing."""
    return _not_found(_WORDS[kind], record_id)


def _not_found(words: Words, record_id: str) -> ApiError:
    return ApiError(words.not_found, words.sentence.format(record_id))


def find(call: Call, kind: Kind, record_id: str) -> Record:
    """The resource. Raises ApiError for a text that is no id of this kind, and for one that names nothing."""
    check_id(kind, record_id)
    record = call.tx.get(kind, record_id)
    if record is None or record.region != call.region:
        raise not_found(kind, record_id)
    return record


def select(call: Call, kind: Kind, ids: Sequence[str] | None) -> Sequence[Record]:
    """The resources with these ids, each once, or all of the region where none is asked for. Raises ApiError."""
    if not ids:
        return call.tx.all(kind, call.region)
    return [find(call, kind, record_id) for record_id in dict.fromkeys(ids)]


def pick(words: Words, items: Sequence[Item], member: str, ids: Sequence[str] | None) -> list[Item]:
    """As `select`, from items that have no records; `member` is that of their ids."""
    if not ids:
        return list(items)
    by_id = {item[member]: item for item in items}
    for each in ids:
        _check(words, each)
        if each not in by_id:
            raise _not_found(words, each)
    return [by_id[each] for each in dict.fromkeys(ids)]
