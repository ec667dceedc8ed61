"""Where new instances go: their subnet, security groups and addresses, as RunInstances is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from itertools import islice
from typing import Any, Final

from lb.api.call import ApiError, Call, Params
from lb.api.ec2.interfaces import RESERVED_ADDRESSES, interfaces
from lb.api.ec2.lookup import find
from lb.api.ec2.permissions import group_by_name
from lb.api.ec2.quotas import refuse_above
from lb.api.ec2.vpcs import default_vpc, members
from lb.resources.records import Kind, Record

_LOOPBACK_ADDRESSES: Final = IPv4Network("127.16.0.0/12")
_BLOCK_PREFIX: Final = 24
_INVALID: Final = "InvalidParameterCombination"


@dataclass(frozen=True, slots=True)
class LaunchPlace:
    """Where the instances of one call go. `private` and `loopback` are theirs in order."""

    subnet: Record
    groups: Sequence[Record]
    private: Sequence[str]
    loopback: Sequence[str]
    is_public: bool
    description: str


def place(call: Call, params: Params, count: int) -> LaunchPlace:
    """Where `count` new instances go. Raises ApiError."""
    interface = _interface(params)
    subnet = _subnet(call, params, interface)
    public = interface.get("AssociatePublicIpAddress", subnet.shape.get("MapPublicIpOnLaunch", False))
    return LaunchPlace(
        subnet,
        _groups(call, params, interface, subnet),
        _private_addresses(call, subnet, interface.get("PrivateIpAddress", params.get("PrivateIpAddress")), count),
        _loopback_addresses(call, count),
        public,
        interface.get("Description", ""),
    )


def groups_of_vpc(call: Call, ids: Sequence[str], vpc_id: str, subnet_id: str) -> list[Record]:
    """The security groups with these ids, for an interface in a subnet of the VPC. Raises ApiError."""
    groups = [find(call, Kind.SECURITY_GROUP, each) for each in dict.fromkeys(ids)]
    for group in groups:
        if group.shape["VpcId"] != vpc_id:
            message = f"Security group {group.id} and subnet {subnet_id} belong to different networks."
            raise ApiError("InvalidParameter", message)
    refuse_above("SecurityGroupsPerInterfaceLimitExceeded", groups)
    return groups


def _interface(params: Params) -> Mapping[str, Any]:
    """The one of `NetworkInterfaces`."""
    interfaces: Sequence[Mapping[str, Any]] = params.get("NetworkInterfaces", ())
    if not interfaces:
        return {}
    for name, words in (
        ("SubnetId", "an instance-level subnet ID"),
        ("SecurityGroupIds", "an instance-level security groups"),
        ("SecurityGroups", "an instance-level security groups"),
    ):
        if name in params:
            message = f"Network interfaces and {words} may not be specified on the same request"
            raise ApiError(_INVALID, message)
    if len(interfaces) > 1 or "NetworkInterfaceId" in interfaces[0]:
        message = "Instances of this endpoint have one network interface, which is made with them"
        raise ApiError("UnsupportedOperation", message)
    return interfaces[0]


def _subnet(call: Call, params: Params, interface: Mapping[str, Any]) -> Record:
    asked = interface.get("SubnetId", params.get("SubnetId"))
    # Terraform sends what is not set as an empty text.
    zone = params.get("Placement", {}).get("AvailabilityZone") or None
    if asked is not None:
        subnet = find(call, Kind.SUBNET, asked)
        if zone not in (None, subnet.shape["AvailabilityZone"]):
            message = f"The availability zone '{zone}' does not match the zone of the subnet '{subnet.id}'"
            raise ApiError("InvalidParameterValue", message)
        return subnet
    vpc = default_vpc(call)
    if vpc is None:
        raise ApiError("VPCIdNotSpecified", "No default VPC for this user")
    for subnet in members(call, Kind.SUBNET, vpc.id):
        if subnet.shape.get("DefaultForAz") and zone in (None, subnet.shape["AvailabilityZone"]):
            return subnet
    if zone is not None:
        raise ApiError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
    raise ApiError("MissingInput", f"No subnets found for the default VPC '{vpc.id}'. Please specify a subnet.")


def _groups(call: Call, params: Params, interface: Mapping[str, Any], subnet: Record) -> list[Record]:
    vpc_id = subnet.shape["VpcId"]
    names = params.get("SecurityGroups", ())
    if names and "SubnetId" in params:
        raise ApiError(_INVALID, "The parameter groupName cannot be used with the parameter subnet")
    ids = [*interface.get("Groups", params.get("SecurityGroupIds", ()))]
    ids += [group_by_name(call, vpc_id, name).id for name in names]
    if not ids:
        return [group_by_name(call, vpc_id, "default")]
    return groups_of_vpc(call, ids, vpc_id, subnet.id)


def _private_addresses(call: Call, subnet: Record, asked: str | None, count: int) -> list[str]:
    """Free addresses of the subnet, the first ones; or the one asked for."""
    used = {each["PrivateIpAddress"] for each in interfaces(call) if each["SubnetId"] == subnet.id}
    block = IPv4Network(subnet.shape["CidrBlock"])
    if asked is not None:
        return [_asked_address(block, asked, used, count)]
    found = list(islice(_free(block, used), count))
    if len(found) < count:
        message = (
            f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of instances."
        )
        raise ApiError("InsufficientFreeAddressesInSubnet", message)
    return found


def _asked_address(block: IPv4Network, asked: str, used: set[str], count: int) -> str:
    try:
        address = IPv4Address(asked)
    except AddressValueError:
        raise ApiError("InvalidParameterValue", f"invalid value for parameter address: [{asked}]") from None
    if count > 1:
        message = "The parameter 'privateIpAddress' cannot be used with a count of more than one instance"
        raise ApiError(_INVALID, message)
    if address not in block:
        raise ApiError("InvalidParameterValue", "Address does not fall within the subnet's address range")
    first, last = RESERVED_ADDRESSES
    if not first <= int(address) - int(block[0]) < block.num_addresses - last:
        raise ApiError("InvalidParameterValue", "Address is in subnet's reserved address range")
    if asked in used:
        raise ApiError("InvalidIPAddress.InUse", f"Address {asked} is in use.")
    return asked


def _free(block: IPv4Network, used: set[str]) -> Iterator[str]:
    first, last = RESERVED_ADDRESSES
    texts = (str(block[at]) for at in range(first, block.num_addresses - last))
    return (text for text in texts if text not in used)


def _loopback_addresses(call: Call, count: int) -> list[str]:
    """Addresses at which servers of this machine listen; no two instances of any region share one."""
    # A terminated instance may still be shutting down, and so keeps its own.
    used = {instance.more["address"] for instance in call.tx.all(Kind.INSTANCE) if "container" not in instance.more}
    if used:
        block = IPv4Network(f"{min(used)}/{_BLOCK_PREFIX}", strict=False)
    else:
        # By chance: another balancer of this machine has instances too.
        blocks = 1 << (_BLOCK_PREFIX - _LOOPBACK_ADDRESSES.prefixlen)
        first = int(_LOOPBACK_ADDRESSES[0]) + (int(call.new_id(4), 16) % blocks << (32 - _BLOCK_PREFIX))
        block = IPv4Network((first, _BLOCK_PREFIX))
    return list(islice((str(host) for host in block.hosts() if str(host) not in used), count))
