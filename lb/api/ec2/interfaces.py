"""Network interfaces, computed from what has them: one of each instance, and one of each load balancer in each subnet.

Their ids and addresses depend on their owner only, so they need no records, and are gone with it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any, Final

from lb.api.call import Call, Operations, Params, Result
from lb.api.ec2.describe import describe
from lb.api.ec2.lookup import INTERFACE, pick
from lb.model.names import derived_id, load_balancer_label
from lb.resources.records import Kind, Record

RESERVED_ADDRESSES: Final = (4, 1)
"""How many addresses AWS keeps of every subnet, at its beginning and at its end."""
_FILTERS: Final = {
    "network-interface-id": "NetworkInterfaceId",
    "addresses.private-ip-address": "PrivateIpAddresses.PrivateIpAddress",
    "private-ip-address": "PrivateIpAddress",
    "addresses.primary": "PrivateIpAddresses.Primary",
    "addresses.association.public-ip": "PrivateIpAddresses.Association.PublicIp",
    "association.allocation-id": "Association.AllocationId",
    "association.association-id": "Association.AssociationId",
    "association.ip-owner-id": "Association.IpOwnerId",
    "association.public-ip": "Association.PublicIp",
    "attachment.attachment-id": "Attachment.AttachmentId",
    "attachment.delete-on-termination": "Attachment.DeleteOnTermination",
    "attachment.device-index": "Attachment.DeviceIndex",
    "attachment.instance-id": "Attachment.InstanceId",
    "attachment.instance-owner-id": "Attachment.InstanceOwnerId",
    "attachment.status": "Attachment.Status",
    "availability-zone": "AvailabilityZone",
    "description": "Description",
    "group-id": "Groups.GroupId",
    "group-name": "Groups.GroupName",
    "interface-type": "InterfaceType",
    "mac-address": "MacAddress",
    "owner-id": "OwnerId",
    "private-dns-name": "PrivateDnsName",
    "requester-id": "RequesterId",
    "requester-managed": "RequesterManaged",
    "source-dest-check": "SourceDestCheck",
    "status": "Status",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}
_KINDS: Final = {"application": "interface", "network": "network_load_balancer", "gateway": "gateway_load_balancer"}


def interfaces(call: Call) -> list[dict[str, Any]]:
    """Every network interface of the region."""
    return [
        *(
            instance_interface(call, instance)
            for instance in call.tx.all(Kind.INSTANCE, call.region)
            if instance.more["desired"] != "terminated"
        ),
        *(
            interface
            for balancer in call.tx.all(Kind.LOAD_BALANCER, call.region)
            for interface in _balancer_interfaces(call, balancer)
        ),
    ]


def interface_id(owner: str, where: str = "") -> str:
    """The id of the interface of an instance, or of that of a load balancer in one subnet."""
    return f"eni-0{derived_id('interface', owner, where)}"


def private_domain(region: str) -> str:
    """The domain of the DNS names that private addresses have."""
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


def private_name(region: str, address: str) -> str:
    """The DNS name of a private address."""
    return f"ip-{address.replace('.', '-')}.{private_domain(region)}"


def identifiers(groups: Iterable[Record]) -> list[dict[str, str]]:
    """Security groups as what has them shows them."""
    return [{"GroupId": group.id, "GroupName": group.shape["GroupName"]} for group in groups]


def associated_address(call: Call, instance_id: str) -> Record | None:
    """The elastic address of an instance."""
    addresses = call.tx.all(Kind.ADDRESS, call.region)
    return next((address for address in addresses if address.shape.get("InstanceId") == instance_id), None)


def public_address(call: Call, instance: Record) -> dict[str, str]:
    """`PublicIp` of an instance, with its allocation where it is an elastic one; empty for an instance without."""
    if (elastic := associated_address(call, instance.id)) is not None:
        members = ("PublicIp", "AllocationId", "AssociationId")
        return {**{member: elastic.shape[member] for member in members}, "IpOwnerId": call.account}
    if instance.more["public"] and instance.more["desired"] == "running":
        # What a client can reach, and so what a public address is for.
        return {"PublicIp": instance.more["address"], "IpOwnerId": "amazon"}
    return {}


def instance_interface(call: Call, instance: Record) -> dict[str, Any]:
    """The interface of an instance."""
    shape = instance.shape
    public = public_address(call, instance)
    own = {
        "Description": instance.more.get("interface_description", ""),
        "RequesterManaged": False,
        "SourceDestCheck": shape["SourceDestCheck"],
        "InterfaceType": "interface",
        "Attachment": {
            "AttachmentId": f"eni-attach-0{derived_id('attachment', instance.id)}",
            "AttachTime": shape["LaunchTime"],
            "DeleteOnTermination": True,
            "DeviceIndex": 0,
            "NetworkCardIndex": 0,
            "InstanceId": instance.id,
            "InstanceOwnerId": call.account,
            "Status": "attached",
        },
    }
    where = {
        "SubnetId": shape["SubnetId"],
        "VpcId": shape["VpcId"],
        "AvailabilityZone": shape["Placement"]["AvailabilityZone"],
    }
    return _interface(
        call, interface_id(instance.id), {**own, **where}, shape["PrivateIpAddress"], shape["SecurityGroups"], public
    )


def _balancer_interfaces(call: Call, balancer: Record) -> Iterator[dict[str, Any]]:
    named = [call.tx.get(Kind.SECURITY_GROUP, each) for each in balancer.shape.get("SecurityGroups", ())]
    groups = identifiers(group for group in named if group is not None)
    for zone in balancer.shape["AvailabilityZones"]:
        subnet = call.tx.get(Kind.SUBNET, zone["SubnetId"])
        if subnet is None:
            continue
        made = interface_id(balancer.id, subnet.id)
        own = {
            "Description": f"ELB {load_balancer_label(balancer.id)}",
            "RequesterId": "amazon-elb",
            "RequesterManaged": True,
            "SourceDestCheck": False,
            "InterfaceType": _KINDS[balancer.shape["Type"]],
            "Attachment": {
                "AttachmentId": f"ela-attach-0{derived_id('attachment', made)}",
                "DeleteOnTermination": False,
                "DeviceIndex": 1,
                "InstanceOwnerId": "amazon-elb",
                "Status": "attached",
            },
        }
        where = {"SubnetId": subnet.id, "VpcId": subnet.shape["VpcId"], "AvailabilityZone": zone["ZoneName"]}
        yield _interface(call, made, {**own, **where}, _spread_address(subnet, made), groups, {})


def _interface(
    call: Call,
    made: str,
    shape: Mapping[str, Any],
    private: str,
    groups: Sequence[Mapping[str, Any]],
    public: Mapping[str, str],
) -> dict[str, Any]:
    name = private_name(call.region, private)
    association = {"Association": {**public, "PublicDnsName": ""}} if public else {}
    digits = derived_id("mac", made)
    return {
        "NetworkInterfaceId": made,
        "OwnerId": call.account,
        "Status": "in-use",
        "MacAddress": ":".join(("0a", *(digits[at : at + 2] for at in range(0, 10, 2)))),
        "PrivateIpAddress": private,
        "PrivateDnsName": name,
        "PrivateIpAddresses": [
            {"PrivateIpAddress": private, "PrivateDnsName": name, "Primary": True, **association},
        ],
        "Ipv6Addresses": [],
        "Groups": list(groups),
        "TagSet": [],
        **association,
        **shape,
    }


def _spread_address(subnet: Record, made: str) -> str:
    """An address of the subnet that depends on the interface only."""
    block = IPv4Network(subnet.shape["CidrBlock"])
    first, last = RESERVED_ADDRESSES
    return str(block[first + int(derived_id("address", made), 16) % (block.num_addresses - first - last)])


def describe_network_interfaces(call: Call, params: Params) -> Result:
    """All interfaces of the region, or those with the given ids."""
    items = pick(INTERFACE, interfaces(call), "NetworkInterfaceId", params.get("NetworkInterfaceIds"))
    return describe("NetworkInterfaces", items, params, _FILTERS, "NetworkInterfaceId")


OPERATIONS: Final[Operations] = {"DescribeNetworkInterfaces": describe_network_interfaces}
