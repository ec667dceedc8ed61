"""VPCs, and what each has from the beginning: a security group and a route table."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.blocks import network_block
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.lookup import find, new_id, select
from lb.api.ec2.new_groups import egress_to_everywhere, group_record, rule_record
from lb.api.ec2.new_tables import table_record
from lb.api.ec2.quotas import refuse_above
from lb.api.ec2.tags import given_tags
from lb.model.names import derived_id
from lb.resources.defaults import default_network
from lb.resources.records import Kind, Record

_FILTERS: Final = {
    "vpc-id": "VpcId",
    "cidr": "CidrBlock",
    "cidr-block": "CidrBlock",
    "cidrBlock": "CidrBlock",
    "cidr-block-association.cidr-block": "CidrBlockAssociationSet.CidrBlock",
    "cidr-block-association.association-id": "CidrBlockAssociationSet.AssociationId",
    "cidr-block-association.state": "CidrBlockAssociationSet.CidrBlockState.State",
    "dhcp-options-id": "DhcpOptionsId",
    "is-default": "IsDefault",
    "isDefault": "IsDefault",
    "owner-id": "OwnerId",
    "state": "State",
}
_IPV6: Final = ("AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlock", "Ipv6Pool", "Ipv6IpamPoolId")


def default_vpc(call: Call) -> Record | None:
    """The default VPC of the region."""
    return next((vpc for vpc in call.tx.all(Kind.VPC, call.region) if vpc.shape.get("IsDefault")), None)


def members(call: Call, kind: Kind, vpc_id: str) -> list[Record]:
    """The resources of a kind that are in a VPC."""
    return [record for record in call.tx.all(kind, call.region) if record.shape["VpcId"] == vpc_id]


def create_vpc(call: Call, params: Params) -> Result:
    """Creates a VPC with its default security group and main route table."""
    if "CidrBlock" not in params:
        raise ApiError("MissingParameter", "The request must contain the parameter cidrBlock")
    if any(params.get(name) for name in _IPV6):
        raise ApiError("UnsupportedOperation", "VPCs of this endpoint have no IPv6 block")
    block = str(network_block(params["CidrBlock"], "InvalidVpc.Range"))
    tags = given_tags(params, "vpc")
    vpc_id = new_id(call, Kind.VPC)
    shape = {
        "VpcId": vpc_id,
        "OwnerId": call.account,
        "CidrBlock": block,
        "CidrBlockAssociationSet": [
            {
                "AssociationId": f"vpc-cidr-assoc-0{call.new_id(16)}",
                "CidrBlock": block,
                "CidrBlockState": {"State": "associated"},
            }
        ],
        "Ipv6CidrBlockAssociationSet": [],
        "DhcpOptionsId": f"dopt-0{derived_id('default', call.account, call.region, 'dhcp options')}",
        "InstanceTenancy": params.get("InstanceTenancy", "default"),
        "IsDefault": False,
        "State": "available",
    }
    vpc = Record(Kind.VPC, vpc_id, call.region, call.account, shape, tags=tags)
    call.tx.put(vpc)
    refuse_above("VpcLimitExceeded", call.tx.all(Kind.VPC, call.region))
    for record in _beginnings(call, vpc):
        call.tx.put(record)
    return {"Vpc": shown(vpc, State="pending")}


def create_default_vpc(call: Call, params: Params) -> Result:
    """Makes the default VPC again, with its subnets, after it was deleted."""
    if default_vpc(call) is not None:
        message = "A Default VPC already exists for this account in this region."
        raise ApiError("DefaultVpcAlreadyExists", message)
    for record in default_network(call.region, call.account):
        # The gateway of the earlier one may be left over, detached or in use by another VPC.
        present = call.tx.get(record.kind, record.id)
        if present is None or not present.shape.get("Attachments"):
            call.tx.put(record if present is None else replace(record, tags=present.tags))
    refuse_above("VpcLimitExceeded", call.tx.all(Kind.VPC, call.region))
    vpc = default_vpc(call)
    assert vpc is not None
    return {"Vpc": shown(vpc, State="pending")}


def describe_vpcs(call: Call, params: Params) -> Result:
    """All VPCs of the region, or those with the given ids."""
    items = [shown(vpc) for vpc in select(call, Kind.VPC, params.get("VpcIds"))]
    return describe("Vpcs", items, params, _FILTERS, "VpcId")


def delete_vpc(call: Call, params: Params) -> Result:
    """Deletes a VPC that has nothing left but what it had in the beginning."""
    vpc = find(call, Kind.VPC, params["VpcId"])
    groups, tables = members(call, Kind.SECURITY_GROUP, vpc.id), members(call, Kind.ROUTE_TABLE, vpc.id)
    in_use = (
        members(call, Kind.SUBNET, vpc.id)
        or any(group.shape["GroupName"] != "default" for group in groups)
        or any(not _is_main(table) for table in tables)
        or any(
            attached["VpcId"] == vpc.id
            for gateway in call.tx.all(Kind.INTERNET_GATEWAY, call.region)
            for attached in gateway.shape["Attachments"]
        )
    )
    if in_use:
        raise ApiError("DependencyViolation", f"The vpc '{vpc.id}' has dependencies and cannot be deleted.")
    for group in groups:
        for rule in call.tx.children(Kind.SECURITY_GROUP_RULE, group.id):
            call.tx.delete(rule.kind, rule.id)
    for record in (*groups, *tables, vpc):
        call.tx.delete(record.kind, record.id)
    return {}


def _is_main(table: Record) -> bool:
    return any(association["Main"] for association in table.shape["Associations"])


def _beginnings(call: Call, vpc: Record) -> Iterator[Record]:
    group = group_record(call, vpc.id, "default", "default VPC security group", {})
    yield group
    peers = {"GroupId": group.id, "UserId": call.account}
    every = {"IsEgress": False, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "ReferencedGroupInfo": peers}
    yield rule_record(call, group.id, every)
    yield egress_to_everywhere(call, group.id)
    yield table_record(call, vpc, {}, is_main=True)


OPERATIONS: Final[Operations] = {
    "CreateVpc": create_vpc,
    "CreateDefaultVpc": create_default_vpc,
    "DescribeVpcs": describe_vpcs,
    "DeleteVpc": delete_vpc,
}
