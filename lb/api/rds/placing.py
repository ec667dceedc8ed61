"""Where a DB instance stands, and which security groups it has."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call
from lb.resources.records import Kind

_DEFAULT: Final = "default"


def zone(asked: str | None, group: Mapping[str, Any]) -> str:
    """The Availability Zone, the first of the subnet group's where none is asked for. Raises ApiError."""
    zones = [subnet["SubnetAvailabilityZone"]["Name"] for subnet in group["Subnets"]]
    if asked is not None and asked not in zones:
        message = f"The DB subnet group '{group['DBSubnetGroupName']}' has no subnet in the Availability Zone {asked}."
        raise ApiError("InvalidVPCNetworkStateFault", message)
    return asked or str(zones[0])


def security_groups(call: Call, ids: Sequence[str], vpc_id: str) -> list[dict[str, str]]:
    """The memberships; the VPC's default group where none is given. Raises ApiError."""
    found = {group.id: group.shape for group in call.tx.all(Kind.SECURITY_GROUP, call.region)}
    for each in ids:
        if each not in found:
            raise ApiError("InvalidParameterValue", f"Invalid security group , groupId= {each}, groupName=.")
        if (other := found[each]["VpcId"]) != vpc_id:
            where = f"The DB instance is in {vpc_id} and the EC2 security group is in {other}"
            message = f"The DB instance and EC2 security group are in different VPCs. {where}"
            raise ApiError("InvalidParameterCombination", message)
    defaults = [each for each, shape in found.items() if (shape["VpcId"], shape["GroupName"]) == (vpc_id, _DEFAULT)]
    return [{"VpcSecurityGroupId": each, "Status": "active"} for each in (dict.fromkeys(ids) or defaults)]
