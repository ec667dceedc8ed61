"""DB subnet groups: which subnets a DB instance may stand in."""

from collections.abc import Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.vpcs import default_vpc, members
from lb.api.rds.filters import keep, paged
from lb.api.rds.identifiers import group_name
from lb.api.rds.tag_errors import TAG_ERRORS
from lb.api.tag_list import read_tags
from lb.resources.records import Kind, Record

DEFAULT: Final = "default"
_ENOUGH_ZONES: Final = 2


def create_db_subnet_group(call: Call, params: Params) -> Result:
    """A group of subnets in two zones or more of one VPC."""
    name = group_name(params["DBSubnetGroupName"])
    if name == DEFAULT:
        raise ApiError("InvalidParameterValue", f"The DB subnet group name '{DEFAULT}' is reserved.")
    if call.tx.get(Kind.DB_SUBNET_GROUP, _arn(call, name)) is not None:
        raise ApiError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    subnets = _subnets(call, params["SubnetIds"])
    shape = _shape(call, name, params["DBSubnetGroupDescription"], subnets)
    tags = read_tags(params.get("Tags", ()), TAG_ERRORS)
    call.tx.put(Record(Kind.DB_SUBNET_GROUP, shape["DBSubnetGroupArn"], call.region, call.account, shape, tags=tags))
    return {"DBSubnetGroup": shape}


def describe_db_subnet_groups(call: Call, params: Params) -> Result:
    """All groups, or one by its name."""
    if name := params.get("DBSubnetGroupName"):
        return {"DBSubnetGroups": [find_group(call, name).shape]}
    shapes = [record.shape for record in call.tx.all(Kind.DB_SUBNET_GROUP, call.region)]
    return paged("DBSubnetGroups", keep(shapes, params.get("Filters", ()), {}), params, "DBSubnetGroupArn")


def delete_db_subnet_group(call: Call, params: Params) -> Result:
    """Deletes a group that no DB instance uses."""
    record = find_group(call, params["DBSubnetGroupName"])
    name = record.shape["DBSubnetGroupName"]
    for instance in call.tx.all(Kind.DB_INSTANCE, call.region):
        if instance.shape["DBSubnetGroup"]["DBSubnetGroupName"] == name:
            used = f"at least one database instance: {instance.shape['DBInstanceIdentifier']} is still using it."
            message = f"Cannot delete the subnet group '{name}' because {used}"
            raise ApiError("InvalidDBSubnetGroupStateFault", message)
    call.tx.delete(Kind.DB_SUBNET_GROUP, record.id)
    return {}


def find_group(call: Call, name: str) -> Record:
    """The group of this name. Raises ApiError."""
    return find_group_by_arn(call, _arn(call, name.lower()))


def find_group_by_arn(call: Call, arn: str) -> Record:
    """The group with this ARN. Raises ApiError."""
    record = call.tx.get(Kind.DB_SUBNET_GROUP, arn)
    if record is None:
        name = arn.rsplit(":", 1)[1]
        raise ApiError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.", 404)
    return record


def group_shape(call: Call, name: str) -> dict[str, Any]:
    """The group for an instance; `default` is the one of the default VPC's subnets. Raises ApiError."""
    if name != DEFAULT:
        return dict(find_group(call, name).shape)
    vpc = default_vpc(call)
    subnets = members(call, Kind.SUBNET, vpc.id) if vpc is not None else []
    if not subnets:
        raise ApiError("DBSubnetGroupNotFoundFault", f"DB subnet group '{DEFAULT}' does not exist.", 404)
    return _shape(call, DEFAULT, DEFAULT, subnets)


def _arn(call: Call, name: str) -> str:
    return f"arn:aws:rds:{call.region}:{call.account}:subgrp:{name}"


def _subnets(call: Call, ids: Sequence[str]) -> list[Record]:
    found = {subnet.id: subnet for subnet in call.tx.all(Kind.SUBNET, call.region)}
    if unknown := [each for each in ids if each not in found]:
        raise ApiError("InvalidSubnet", f"Some input subnets in :[{', '.join(unknown)}] are invalid.")
    subnets = [found[each] for each in dict.fromkeys(ids)]
    if len({subnet.shape["VpcId"] for subnet in subnets}) > 1:
        raise ApiError("InvalidSubnet", "All subnets of a DB subnet group must be in the same VPC.")
    zones = sorted({subnet.shape["AvailabilityZone"] for subnet in subnets})
    if len(zones) < _ENOUGH_ZONES:
        message = (
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
            f"Current AZ coverage: {', '.join(zones)}. Add subnets to cover at least {_ENOUGH_ZONES} AZs."
        )
        raise ApiError("DBSubnetGroupDoesNotCoverEnoughAZs", message)
    return subnets


def _shape(call: Call, name: str, description: str, subnets: Sequence[Record]) -> dict[str, Any]:
    return {
        "DBSubnetGroupName": name,
        "DBSubnetGroupDescription": description,
        "DBSubnetGroupArn": _arn(call, name),
        "VpcId": subnets[0].shape["VpcId"],
        "SubnetGroupStatus": "Complete",
        "SupportedNetworkTypes": ["IPV4"],
        "Subnets": [
            {
                "SubnetIdentifier": subnet.id,
                "SubnetAvailabilityZone": {"Name": subnet.shape["AvailabilityZone"]},
                "SubnetOutpost": {},
                "SubnetStatus": "Active",
            }
            for subnet in subnets
        ],
    }


OPERATIONS: Final[Operations] = {
    "CreateDBSubnetGroup": create_db_subnet_group,
    "DescribeDBSubnetGroups": describe_db_subnet_groups,
    "DeleteDBSubnetGroup": delete_db_subnet_group,
}
