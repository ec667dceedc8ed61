"""Attributes of VPCs: DescribeVpcAttribute, ModifyVpcAttribute."""

from dataclasses import replace
from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.lookup import find
from lb.resources.records import Kind, Record

_MEMBERS: Final = {
    "enableDnsSupport": "EnableDnsSupport",
    "enableDnsHostnames": "EnableDnsHostnames",
    "enableNetworkAddressUsageMetrics": "EnableNetworkAddressUsageMetrics",
}


def describe_vpc_attribute(call: Call, params: Params) -> Result:
    """One attribute of a VPC."""
    vpc = find(call, Kind.VPC, params["VpcId"])
    member = _MEMBERS[params["Attribute"]]
    return {"VpcId": vpc.id, member: {"Value": _value(vpc, member)}}


def modify_vpc_attribute(call: Call, params: Params) -> Result:
    """Changes one attribute of a VPC."""
    vpc = find(call, Kind.VPC, params["VpcId"])
    given = [member for member in _MEMBERS.values() if "Value" in params.get(member, ())]
    if len(given) != 1:
        message = "Exactly one attribute must be specified" if given else "No attributes specified."
        raise ApiError("InvalidParameterCombination", message)
    call.tx.put(replace(vpc, more={**vpc.more, given[0]: params[given[0]]["Value"]}))
    return {}


def _value(vpc: Record, member: str) -> bool:
    """As set; names of hosts are on from the beginning in the default VPC only."""
    initial = member == "EnableDnsSupport" or (member == "EnableDnsHostnames" and vpc.shape["IsDefault"])
    return bool(vpc.more.get(member, initial))


OPERATIONS: Final[Operations] = {
    "DescribeVpcAttribute": describe_vpc_attribute,
    "ModifyVpcAttribute": modify_vpc_attribute,
}
