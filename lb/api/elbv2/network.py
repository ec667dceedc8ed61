"""Where a load balancer stands: its subnets with their zones, and its security groups, checked as ELB checks them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call, Params
from lb.resources.records import Kind, Record

_INVALID: Final = "InvalidConfigurationRequest"
_ONE_ZONE: Final = "At least one subnet must be specified"
_TOO_FEW: Final = {
    "application": "At least two subnets in two different Availability Zones must be specified",
    "network": _ONE_ZONE,
    "gateway": _ONE_ZONE,
}
_STATIC_ADDRESSES: Final = ("AllocationId", "PrivateIPv4Address", "IPv6Address", "SourceNatIpv6Prefix")


def read_zones(call: Call, balancer_type: str, params: Params) -> tuple[str, list[dict[str, Any]]]:
    """`Subnets` or `SubnetMappings` as the id of their VPC and `AvailabilityZones`, in the order given. Raises ApiError."""
    mappings = _mappings(params)
    subnets = [_subnet(call, mapping.get("SubnetId", "")) for mapping in mappings]
    zones = [subnet.shape["AvailabilityZone"] for subnet in subnets]
    if len(set(zones)) < len(zones):
        message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        raise ApiError(_INVALID, message)
    if not subnets or (balancer_type == "application" and len(subnets) < 2):
        raise ApiError("ValidationError", _TOO_FEW[balancer_type])
    vpcs = dict.fromkeys(subnet.shape["VpcId"] for subnet in subnets)
    if len(vpcs) > 1:
        raise ApiError(_INVALID, f"All subnets must belong to the same VPC: '{', '.join(vpcs)}'")
    return subnets[0].shape["VpcId"], [
        _zone(call, balancer_type, subnet, mapping) for subnet, mapping in zip(subnets, mappings, strict=True)
    ]


def check_reachable(call: Call, vpc_id: str, scheme: str) -> None:
    """Raises ApiError for an internet-facing load balancer in a VPC that has no internet gateway."""
    if scheme != "internet-facing":
        return
    gateways = call.tx.all(Kind.INTERNET_GATEWAY, call.region)
    if not any(
        attached.get("VpcId") == vpc_id for gateway in gateways for attached in gateway.shape.get("Attachments", ())
    ):
        raise ApiError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")


def read_security_groups(call: Call, vpc_id: str | None, group_ids: Sequence[str]) -> list[str]:
    """The ids, each once. Raises ApiError for one that is not in the VPC; None is any."""
    for group_id in group_ids:
        group = call.tx.get(Kind.SECURITY_GROUP, group_id)
        if group is None or group.region != call.region or vpc_id not in (None, group.shape["VpcId"]):
            raise ApiError(_INVALID, "One or more security groups are invalid")
    return list(dict.fromkeys(group_ids))


def default_security_groups(call: Call, vpc_id: str) -> list[str]:
    """The default security group of a VPC, as an Application Load Balancer gets it where none is named."""
    return [
        group.id
        for group in call.tx.all(Kind.SECURITY_GROUP, call.region)
        if group.shape["VpcId"] == vpc_id and group.shape["GroupName"] == "default"
    ]


def check_address_type(balancer_type: str, scheme: str, address_type: str) -> None:
    """Raises ApiError for an `IpAddressType` that such a load balancer cannot have."""
    if address_type == "dualstack-without-public-ipv4" and (balancer_type, scheme) != (
        "application",
        "internet-facing",
    ):
        message = (
            f"The IP address type '{address_type}' is supported only for internet-facing Application Load Balancers"
        )
        raise ApiError(_INVALID, message)


def check_pools(balancer_type: str, scheme: str, params: Params) -> None:
    """Raises ApiError for address pools and prefixes that such a load balancer cannot have."""
    if "EnablePrefixForIpv6SourceNat" in params and balancer_type != "network":
        message = f"An IPv6 prefix for source NAT is not supported for load balancers with type '{balancer_type}'"
        raise ApiError(_INVALID, message)
    if "IpamPools" in params and (balancer_type, scheme) != ("application", "internet-facing"):
        raise ApiError(_INVALID, "IPAM pools are supported only for internet-facing Application Load Balancers")


def _mappings(params: Params) -> Sequence[Mapping[str, Any]]:
    subnets: Sequence[str] = params.get("Subnets", ())
    mappings: Sequence[Mapping[str, Any]] = params.get("SubnetMappings", ())
    if subnets and mappings:
        raise ApiError("ValidationError", "You must specify either subnets or subnet mappings, but not both")
    return mappings or [{"SubnetId": subnet} for subnet in dict.fromkeys(subnets)]


def _subnet(call: Call, subnet_id: str) -> Record:
    subnet = call.tx.get(Kind.SUBNET, subnet_id)
    if subnet is None or subnet.region != call.region:
        raise ApiError("SubnetNotFound", f"The subnet ID '{subnet_id}' is not valid")
    return subnet


def _zone(call: Call, balancer_type: str, subnet: Record, mapping: Mapping[str, Any]) -> dict[str, Any]:
    zone = {
        "ZoneName": subnet.shape["AvailabilityZone"],
        "SubnetId": subnet.id,
        "LoadBalancerAddresses": [],
    }
    given = [member for member in _STATIC_ADDRESSES if member in mapping]
    if not given:
        return zone
    if balancer_type != "network":
        message = f"You cannot specify '{given[0]}' for a load balancer with type '{balancer_type}'"
        raise ApiError(_INVALID, message)
    if addresses := _static_addresses(call, mapping):
        zone["LoadBalancerAddresses"] = [addresses]
    if "SourceNatIpv6Prefix" in mapping:
        zone["SourceNatIpv6Prefixes"] = [mapping["SourceNatIpv6Prefix"]]
    return zone


def _static_addresses(call: Call, mapping: Mapping[str, Any]) -> dict[str, str]:
    addresses = {member: mapping[member] for member in ("PrivateIPv4Address", "IPv6Address") if member in mapping}
    if (allocation := mapping.get("AllocationId")) is not None:
        address = call.tx.get(Kind.ADDRESS, allocation)
        if address is None or address.region != call.region:
            raise ApiError("AllocationIdNotFound", f"The allocation ID '{allocation}' does not exist")
        addresses |= {"AllocationId": allocation, "IpAddress": address.shape["PublicIp"]}
    return addresses
