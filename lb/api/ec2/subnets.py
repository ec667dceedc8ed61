"""Subnets: create, describe, change and delete."""

from collections import Counter
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.blocks import network_block
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.interfaces import RESERVED_ADDRESSES, interfaces
from lb.api.ec2.lookup import find, new_id, select
from lb.api.ec2.quotas import refuse_above
from lb.api.ec2.tags import given_tags
from lb.api.ec2.vpcs import members
from lb.api.ec2.zones import zone_id, zone_names
from lb.resources.records import Kind, Record

_FILTERS: Final = {
    "subnet-id": "SubnetId",
    "subnet-arn": "SubnetArn",
    "vpc-id": "VpcId",
    "availability-zone": "AvailabilityZone",
    "availabilityZone": "AvailabilityZone",
    "availability-zone-id": "AvailabilityZoneId",
    "availabilityZoneId": "AvailabilityZoneId",
    "available-ip-address-count": "AvailableIpAddressCount",
    "cidr": "CidrBlock",
    "cidr-block": "CidrBlock",
    "cidrBlock": "CidrBlock",
    "default-for-az": "DefaultForAz",
    "defaultForAz": "DefaultForAz",
    "map-public-ip-on-launch": "MapPublicIpOnLaunch",
    "ipv6-native": "Ipv6Native",
    "ipv6-cidr-block-association.ipv6-cidr-block": "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock",
    "owner-id": "OwnerId",
    "state": "State",
}
_IPV6: Final = ("Ipv6CidrBlock", "Ipv6Native", "Ipv6IpamPoolId")
_NAME_OPTIONS: Final = {
    "PrivateDnsHostnameTypeOnLaunch": "HostnameType",
    "EnableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecord",
    "EnableResourceNameDnsAAAARecordOnLaunch": "EnableResourceNameDnsAAAARecord",
}


def create_subnet(call: Call, params: Params) -> Result:
    """Creates a subnet in a zone, the first one where none is given."""
    vpc = find(call, Kind.VPC, params["VpcId"])
    if any(params.get(name) for name in _IPV6):
        raise ApiError("UnsupportedOperation", "Subnets of this endpoint have no IPv6 block")
    if "CidrBlock" not in params:
        raise ApiError("MissingParameter", "The request must contain the parameter cidrBlock")
    text = params["CidrBlock"]
    block = network_block(text, "InvalidSubnet.Range")
    if not block.subnet_of(IPv4Network(vpc.shape["CidrBlock"])):
        raise ApiError("InvalidSubnet.Range", f"The CIDR '{text}' is invalid.")
    others = members(call, Kind.SUBNET, vpc.id)
    if any(block.overlaps(IPv4Network(other.shape["CidrBlock"])) for other in others):
        raise ApiError("InvalidSubnet.Conflict", f"The CIDR '{text}' conflicts with another subnet")
    zone = _zone(call, params)
    subnet_id = new_id(call, Kind.SUBNET)
    shape = {
        "SubnetId": subnet_id,
        "SubnetArn": f"arn:aws:ec2:{call.region}:{call.account}:subnet/{subnet_id}",
        "VpcId": vpc.id,
        "OwnerId": call.account,
        "AvailabilityZone": zone,
        "AvailabilityZoneId": zone_id(call.region, zone),
        "CidrBlock": str(block),
        "DefaultForAz": False,
        "MapPublicIpOnLaunch": False,
        "AssignIpv6AddressOnCreation": False,
        "Ipv6CidrBlockAssociationSet": [],
        "Ipv6Native": False,
        "State": "available",
    }
    subnet = Record(Kind.SUBNET, subnet_id, call.region, call.account, shape, vpc.id, tags=given_tags(params, "subnet"))
    call.tx.put(subnet)
    refuse_above("SubnetLimitExceeded", [*others, subnet])
    return {"Subnet": _item(subnet, 0)}


def describe_subnets(call: Call, params: Params) -> Result:
    """All subnets of the region, or those with the given ids."""
    used = Counter(interface["SubnetId"] for interface in interfaces(call))
    items = [_item(subnet, used[subnet.id]) for subnet in select(call, Kind.SUBNET, params.get("SubnetIds"))]
    return describe("Subnets", items, params, _FILTERS, "SubnetId")


def modify_subnet_attribute(call: Call, params: Params) -> Result:
    """Changes one attribute of a subnet."""
    subnet = find(call, Kind.SUBNET, params["SubnetId"])
    shape = dict(subnet.shape)
    for member in ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64"):
        if member in params:
            shape[member] = params[member].get("Value", False)
    if shape["AssignIpv6AddressOnCreation"]:
        message = "A subnet without an IPv6 block cannot assign IPv6 addresses"
        raise ApiError("InvalidParameterValue", message)
    for name, member in _NAME_OPTIONS.items():
        if name in params:
            value = params[name] if isinstance(params[name], str) else params[name].get("Value", False)
            shape["PrivateDnsNameOptionsOnLaunch"] = {**_name_options(shape), member: value}
    call.tx.put(replace(subnet, shape=shape))
    return {}


def delete_subnet(call: Call, params: Params) -> Result:
    """Deletes a subnet in which nothing is left, and takes it from its route table."""
    subnet = find(call, Kind.SUBNET, params["SubnetId"])
    if any(interface["SubnetId"] == subnet.id for interface in interfaces(call)):
        raise ApiError("DependencyViolation", f"The subnet '{subnet.id}' has dependencies and cannot be deleted.")
    for table in members(call, Kind.ROUTE_TABLE, subnet.shape["VpcId"]):
        kept = [each for each in table.shape["Associations"] if each.get("SubnetId") != subnet.id]
        if len(kept) < len(table.shape["Associations"]):
            call.tx.put(replace(table, shape={**table.shape, "Associations": kept}))
    call.tx.delete(Kind.SUBNET, subnet.id)
    return {}


def _item(subnet: Record, used: int) -> dict[str, Any]:
    free = IPv4Network(subnet.shape["CidrBlock"]).num_addresses - sum(RESERVED_ADDRESSES) - used
    return shown(
        subnet,
        AvailableIpAddressCount=max(free, 0),
        EnableDns64=subnet.shape.get("EnableDns64", False),
        MapCustomerOwnedIpOnLaunch=False,
        Ipv6Native=False,
        PrivateDnsNameOptionsOnLaunch=_name_options(subnet.shape),
    )


def _name_options(shape: Any) -> dict[str, Any]:
    initial = {
        "HostnameType": "ip-name",
        "EnableResourceNameDnsARecord": False,
        "EnableResourceNameDnsAAAARecord": False,
    }
    return {**initial, **shape.get("PrivateDnsNameOptionsOnLaunch", {})}


def _zone(call: Call, params: Params) -> str:
    names = zone_names(call.region)
    by_id = {zone_id(call.region, name): name for name in names}
    if (asked := params.get("AvailabilityZone")) is not None:
        found, parameter = asked if asked in names else None, "availabilityZone"
    elif (asked := params.get("AvailabilityZoneId")) is not None:
        found, parameter = by_id.get(asked), "availabilityZoneId"
    else:
        return names[0]
    if found is None:
        possible = ", ".join(names if parameter == "availabilityZone" else by_id)
        message = (
            f"Value ({asked}) for parameter {parameter} is invalid. "
            f"Subnets can currently only be created in the following availability zones: {possible}."
        )
        raise ApiError("InvalidParameterValue", message)
    return str(found)


OPERATIONS: Final[Operations] = {
    "CreateSubnet": create_subnet,
    "DescribeSubnets": describe_subnets,
    "ModifySubnetAttribute": modify_subnet_attribute,
    "DeleteSubnet": delete_subnet,
}
