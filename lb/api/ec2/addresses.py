"""Elastic addresses: allocated, associated with instances, and released, all as records.

They are of a block that is for examples (RFC 5737), so that nobody else's host is meant: nothing answers at them.
"""

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.instance_state import require_state
from lb.api.ec2.interfaces import associated_address, interface_id
from lb.api.ec2.lookup import INTERFACE, find, new_id, pick, select
from lb.api.ec2.quotas import refuse_above
from lb.api.ec2.tags import given_tags
from lb.resources.records import Kind, Record

_BLOCK: Final = IPv4Network("203.0.113.0/24")
_FILTERS: Final = {
    "allocation-id": "AllocationId",
    "association-id": "AssociationId",
    "domain": "Domain",
    "instance-id": "InstanceId",
    "network-border-group": "NetworkBorderGroup",
    "network-interface-id": "NetworkInterfaceId",
    "network-interface-owner-id": "NetworkInterfaceOwnerId",
    "private-ip-address": "PrivateIpAddress",
    "public-ip": "PublicIp",
}
_ASSOCIATION: Final = (
    *("AssociationId", "InstanceId", "NetworkInterfaceId"),
    *("NetworkInterfaceOwnerId", "PrivateIpAddress"),
)
_ATTRIBUTES_OF: Final = ("AllocationId", "PublicIp")


def allocate_address(call: Call, params: Params) -> Result:
    """Takes the first address that is free."""
    if params.get("Domain", "vpc") != "vpc":
        raise ApiError("UnsupportedOperation", "Addresses of EC2-Classic do not exist any more")
    used = {address.shape["PublicIp"] for address in call.tx.all(Kind.ADDRESS)}
    public = next((text for host in _BLOCK.hosts() if (text := str(host)) not in used), None)
    if public is None:
        raise ApiError("InsufficientAddressCapacity", "Not enough available addresses to satisfy your request.")
    allocation = new_id(call, Kind.ADDRESS)
    shape = {
        "AllocationId": allocation,
        "PublicIp": public,
        "Domain": "vpc",
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": call.region,
    }
    tags = given_tags(params, "elastic-ip")
    call.tx.put(Record(Kind.ADDRESS, allocation, call.region, call.account, shape, tags=tags))
    refuse_above("AddressLimitExceeded", call.tx.all(Kind.ADDRESS, call.region))
    return shape


def describe_addresses(call: Call, params: Params) -> Result:
    """All addresses of the region, or those with the given allocations or public addresses."""
    addresses = select(call, Kind.ADDRESS, params.get("AllocationIds"))
    if public := params.get("PublicIps"):
        addresses = [_by_public(call, each) for each in dict.fromkeys(public)]
    items = [shown(address) for address in addresses]
    return describe("Addresses", items, params, _FILTERS, "AllocationId")


def describe_addresses_attribute(call: Call, params: Params) -> Result:
    """Addresses with their reverse names, which they do not have."""
    addresses = select(call, Kind.ADDRESS, params.get("AllocationIds"))
    items = [{member: address.shape[member] for member in _ATTRIBUTES_OF} for address in addresses]
    return describe("Addresses", items, params, {}, "AllocationId")


def associate_address(call: Call, params: Params) -> Result:
    """Gives an address to an instance, which loses the one that it had."""
    address = _given(call, params)
    instance = _instance(call, params)
    require_state(call, instance, ("pending", "running", "stopping", "stopped"), "in which it can have an address")
    if (other := address.shape.get("InstanceId")) is not None and other != instance.id:
        # In a VPC an address moves unless the client forbids it.
        if params.get("AllowReassociation", True) is False:
            message = f"resource {address.id} is already associated with associate-id {address.shape['AssociationId']}"
            raise ApiError("Resource.AlreadyAssociated", message)
    elif other == instance.id:
        return {"AssociationId": address.shape["AssociationId"]}
    disassociate_instance(call, instance.id)
    association = f"eipassoc-0{call.new_id(16)}"
    shape = {
        **address.shape,
        "AssociationId": association,
        "InstanceId": instance.id,
        "NetworkInterfaceId": interface_id(instance.id),
        "NetworkInterfaceOwnerId": call.account,
        "PrivateIpAddress": instance.shape["PrivateIpAddress"],
    }
    call.tx.put(replace(address, shape=shape))
    return {"AssociationId": association}


def disassociate_address(call: Call, params: Params) -> Result:
    """Takes an address from its instance."""
    if (association := params.get("AssociationId")) is not None:
        for address in call.tx.all(Kind.ADDRESS, call.region):
            if address.shape.get("AssociationId") == association:
                _disassociate(call, address)
                return {}
        raise ApiError("InvalidAssociationID.NotFound", f"The association ID '{association}' does not exist")
    _disassociate(call, _given(call, params))
    return {}


def release_address(call: Call, params: Params) -> Result:
    """Gives back an address that no instance has."""
    address = _given(call, params)
    if "AssociationId" in address.shape:
        raise ApiError("InvalidIPAddress.InUse", f"Address {address.shape['PublicIp']} is in use.")
    call.tx.delete(Kind.ADDRESS, address.id)
    return {}


def disassociate_instance(call: Call, instance_id: str) -> None:
    """Takes its elastic address from an instance that may have one."""
    if (address := associated_address(call, instance_id)) is not None:
        _disassociate(call, address)


def _disassociate(call: Call, address: Record) -> None:
    kept = {member: value for member, value in address.shape.items() if member not in _ASSOCIATION}
    call.tx.put(replace(address, shape=kept))


def _given(call: Call, params: Params) -> Record:
    """The address that `AllocationId` or `PublicIp` names. Raises ApiError."""
    if (allocation := params.get("AllocationId")) is not None:
        return find(call, Kind.ADDRESS, allocation)
    if (public := params.get("PublicIp")) is not None:
        return _by_public(call, public)
    raise ApiError("MissingParameter", "Either 'AllocationId' or 'PublicIp' must be specified")


def _by_public(call: Call, public: str) -> Record:
    for address in call.tx.all(Kind.ADDRESS, call.region):
        if address.shape["PublicIp"] == public:
            return address
    raise ApiError("InvalidAddress.NotFound", f"Address '{public}' not found.")


def _instance(call: Call, params: Params) -> Record:
    if (instance_id := params.get("InstanceId")) is not None:
        return find(call, Kind.INSTANCE, instance_id)
    if (asked := params.get("NetworkInterfaceId")) is None:
        raise ApiError("MissingParameter", "Either 'InstanceId' or 'NetworkInterfaceId' must be specified")
    owned: list[dict[str, Any]] = [
        {"NetworkInterfaceId": interface_id(each.id), "InstanceId": each.id}
        for each in call.tx.all(Kind.INSTANCE, call.region)
    ]
    (found,) = pick(INTERFACE, owned, "NetworkInterfaceId", [asked])
    return find(call, Kind.INSTANCE, found["InstanceId"])


OPERATIONS: Final[Operations] = {
    "AllocateAddress": allocate_address,
    "DescribeAddresses": describe_addresses,
    "DescribeAddressesAttribute": describe_addresses_attribute,
    "AssociateAddress": associate_address,
    "DisassociateAddress": disassociate_address,
    "ReleaseAddress": release_address,
}
