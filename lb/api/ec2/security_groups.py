"""Security groups: create, describe and delete."""

import re
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.lookup import find, select
from lb.api.ec2.new_groups import egress_to_everywhere, group_record
from lb.api.ec2.permissions import group_by_name, permissions_of
from lb.api.ec2.quotas import refuse_above
from lb.api.ec2.tags import given_tags
from lb.api.ec2.vpcs import default_vpc, members
from lb.resources.records import Kind, Record

_TEXT: Final = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
_ALLOWED: Final = "a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*"
_PERMISSION_FIELDS: Final = {
    "protocol": "IpProtocol",
    "from-port": "FromPort",
    "to-port": "ToPort",
    "cidr": "IpRanges.CidrIp",
    "ipv6-cidr": "Ipv6Ranges.CidrIpv6",
    "prefix-list-id": "PrefixListIds.PrefixListId",
    "group-id": "UserIdGroupPairs.GroupId",
    "user-id": "UserIdGroupPairs.UserId",
}
_FILTERS: Final = {
    "group-id": "GroupId",
    "group-name": "GroupName",
    "description": "Description",
    "vpc-id": "VpcId",
    "owner-id": "OwnerId",
    **{f"ip-permission.{name}": f"IpPermissions.{path}" for name, path in _PERMISSION_FIELDS.items()},
    **{f"egress.ip-permission.{name}": f"IpPermissionsEgress.{path}" for name, path in _PERMISSION_FIELDS.items()},
}


def create_security_group(call: Call, params: Params) -> Result:
    """Creates a security group, in the default VPC where none is given. It lets everything out and nothing in."""
    name, description = params["GroupName"], params["Description"]
    _check_text("GroupName", name)
    _check_text("GroupDescription", description)
    if name.startswith("sg-"):
        message = f"Invalid value '{name}' for groupName. Group names cannot begin with sg-"
        raise ApiError("InvalidParameterValue", message)
    vpc = find(call, Kind.VPC, params["VpcId"]) if "VpcId" in params else default_vpc(call)
    if vpc is None:
        raise ApiError("VPCIdNotSpecified", "No default VPC for this user")
    if name == "default":
        raise ApiError("InvalidGroup.Reserved", "Cannot use reserved security group name: default")
    if any(group.shape["GroupName"] == name for group in members(call, Kind.SECURITY_GROUP, vpc.id)):
        message = f"The security group '{name}' already exists for VPC '{vpc.id}'"
        raise ApiError("InvalidGroup.Duplicate", message)
    group = group_record(call, vpc.id, name, description, given_tags(params, "security-group"))
    call.tx.put(group)
    call.tx.put(egress_to_everywhere(call, group.id))
    refuse_above("SecurityGroupLimitExceeded", call.tx.all(Kind.SECURITY_GROUP, call.region))
    item = shown(group)
    return {member: item[member] for member in ("GroupId", "SecurityGroupArn", "Tags")}


def describe_security_groups(call: Call, params: Params) -> Result:
    """All security groups of the region, or those with the given ids, or names in the default VPC."""
    names = params.get("GroupNames", ())
    ids = [*params.get("GroupIds", ()), *(find_group(call, {"GroupName": name}).id for name in names)]
    items = [_item(call, group) for group in select(call, Kind.SECURITY_GROUP, ids)]
    return describe("SecurityGroups", items, params, _FILTERS, "GroupId")


def delete_security_group(call: Call, params: Params) -> Result:
    """Deletes a security group that nothing uses, with its rules."""
    group = find_group(call, params)
    if group.shape["GroupName"] == "default":
        message = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
        raise ApiError("CannotDelete", message)
    if _is_used(call, group.id):
        raise ApiError("DependencyViolation", f"resource {group.id} has a dependent object")
    for rule in call.tx.children(Kind.SECURITY_GROUP_RULE, group.id):
        call.tx.delete(rule.kind, rule.id)
    call.tx.delete(Kind.SECURITY_GROUP, group.id)
    return {"Return": True, "GroupId": group.id}


def find_group(call: Call, params: Params) -> Record:
    """The group that `GroupId` names, or `GroupName` in the default VPC. Raises ApiError."""
    if (group_id := params.get("GroupId")) is not None:
        return find(call, Kind.SECURITY_GROUP, group_id)
    if (name := params.get("GroupName")) is None:
        raise ApiError("MissingParameter", "The request must contain the parameter GroupName or GroupId")
    vpc = default_vpc(call)
    if vpc is None:
        raise ApiError("VPCIdNotSpecified", "No default VPC for this user")
    return group_by_name(call, vpc.id, name)


def _item(call: Call, group: Record) -> dict[str, Any]:
    rules = [record.shape for record in call.tx.children(Kind.SECURITY_GROUP_RULE, group.id)]
    return shown(
        group,
        IpPermissions=permissions_of(rule for rule in rules if not rule["IsEgress"]),
        IpPermissionsEgress=permissions_of(rule for rule in rules if rule["IsEgress"]),
    )


def _is_used(call: Call, group_id: str) -> bool:
    """By a load balancer, an instance, a database, or a rule of another group."""
    tx, region = call.tx, call.region
    return (
        any(group_id in balancer.shape.get("SecurityGroups", ()) for balancer in tx.all(Kind.LOAD_BALANCER, region))
        or any(
            group["GroupId"] == group_id
            for instance in tx.all(Kind.INSTANCE, region)
            if instance.more["desired"] != "terminated"
            for group in instance.shape["SecurityGroups"]
        )
        or any(
            group["VpcSecurityGroupId"] == group_id
            for database in tx.all(Kind.DB_INSTANCE, region)
            for group in database.shape.get("VpcSecurityGroups", ())
        )
        or any(
            rule.parent != group_id and rule.shape.get("ReferencedGroupInfo", {}).get("GroupId") == group_id
            for rule in tx.all(Kind.SECURITY_GROUP_RULE, region)
        )
    )


def _check_text(parameter: str, text: str) -> None:
    if not text:
        raise ApiError("MissingParameter", f"The request must contain the parameter {parameter}")
    if _TEXT.fullmatch(text) is None:
        message = (
            f"Invalid security group {'name' if parameter == 'GroupName' else 'description'}. Valid descriptions are "
            f"strings less than 256 characters from the following set:  {_ALLOWED}"
        )
        raise ApiError("InvalidParameterValue", message)


OPERATIONS: Final[Operations] = {
    "CreateSecurityGroup": create_security_group,
    "DescribeSecurityGroups": describe_security_groups,
    "DeleteSecurityGroup": delete_security_group,
}
