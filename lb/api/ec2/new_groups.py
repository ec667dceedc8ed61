"""Security groups and their rules as records."""

from collections.abc import Mapping
from typing import Any, Final

from lb.api.call import Call
from lb.api.ec2.lookup import new_id
from lb.resources.records import Kind, Record

EVERYWHERE: Final = "0.0.0.0/0"


def group_record(call: Call, vpc_id: str, name: str, description: str, tags: Mapping[str, str]) -> Record:
    """A new security group."""
    group_id = new_id(call, Kind.SECURITY_GROUP)
    shape = {
        "GroupId": group_id,
        "GroupName": name,
        "Description": description,
        "SecurityGroupArn": f"arn:aws:ec2:{call.region}:{call.account}:security-group/{group_id}",
        "VpcId": vpc_id,
        "OwnerId": call.account,
    }
    return Record(Kind.SECURITY_GROUP, group_id, call.region, call.account, shape, vpc_id, tags=tags)


def rule_record(call: Call, group_id: str, rule: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> Record:
    """A new rule of a group. `rule` is a SecurityGroupRule without what identifies it."""
    rule_id = new_id(call, Kind.SECURITY_GROUP_RULE)
    shape = {
        "SecurityGroupRuleId": rule_id,
        "SecurityGroupRuleArn": f"arn:aws:ec2:{call.region}:{call.account}:security-group-rule/{rule_id}",
        "GroupId": group_id,
        "GroupOwnerId": call.account,
        **rule,
    }
    return Record(Kind.SECURITY_GROUP_RULE, rule_id, call.region, call.account, shape, group_id, tags=tags or {})


def egress_to_everywhere(call: Call, group_id: str) -> Record:
    """The rule that every new group has: what it lets out."""
    everything = {"IsEgress": True, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": EVERYWHERE}
    return rule_record(call, group_id, everything)
