"""Rules of security groups: authorize, revoke, change and describe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.lookup import find, select
from lb.api.ec2.new_groups import rule_record
from lb.api.ec2.permissions import Rule, given_rules, identity, requested_rule, source_of
from lb.api.ec2.quotas import refuse_above
from lb.api.ec2.security_groups import find_group
from lb.api.ec2.tags import given_tags
from lb.resources.records import Kind, Record

_FILTERS: Final = {"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"}
_REVOKED: Final = (
    *("SecurityGroupRuleId", "GroupId", "IsEgress", "IpProtocol", "FromPort", "ToPort"),
    *("CidrIpv4", "CidrIpv6", "PrefixListId", "Description"),
)
_NO_RULE: Final = "The specified rule does not exist in this security group."


def _authorize(call: Call, params: Params, *, is_egress: bool) -> Result:
    """Adds rules to a group."""
    group = find_group(call, params)
    tags = given_tags(params, "security-group-rule")
    rules = given_rules(call, group, params, is_egress=is_egress)
    if not rules:
        raise ApiError("MissingParameter", "The request must contain the parameter ipPermissions")
    present = {identity(record.shape) for record in _rules(call, group, is_egress=is_egress)}
    made = []
    for rule in rules:
        if identity(rule) in present:
            raise ApiError("InvalidPermission.Duplicate", f"the specified rule {_told(rule)} already exists")
        present.add(identity(rule))
        record = rule_record(call, group.id, rule, tags)
        call.tx.put(record)
        made.append(shown(record))
    refuse_above("RulesPerSecurityGroupLimitExceeded", present)
    return {"Return": True, "SecurityGroupRules": made}


def _revoke(call: Call, params: Params, *, is_egress: bool) -> Result:
    """Removes rules from a group, named by what they say or by their ids."""
    group = find_group(call, params)
    present = _rules(call, group, is_egress=is_egress)
    if ids := params.get("SecurityGroupRuleIds"):
        gone = [_of_group(call, group, rule_id, is_egress=is_egress) for rule_id in dict.fromkeys(ids)]
    else:
        rules = given_rules(call, group, params, is_egress=is_egress)
        if not rules:
            message = "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided."
            raise ApiError("MissingParameter", message)
        gone = [_same(present, rule) for rule in {identity(rule): rule for rule in rules}.values()]
    for record in gone:
        call.tx.delete(record.kind, record.id)
    return {"Return": True, "RevokedSecurityGroupRules": [_revoked(record.shape) for record in gone]}


def _update_descriptions(call: Call, params: Params, *, is_egress: bool) -> Result:
    """Gives rules another description, or none."""
    group = find_group(call, params)
    present = _rules(call, group, is_egress=is_egress)
    wanted = [
        (_same(present, rule), rule.get("Description"))
        for rule in given_rules(call, group, params, is_egress=is_egress)
    ]
    wanted += [
        (_of_group(call, group, each.get("SecurityGroupRuleId", ""), is_egress=is_egress), each.get("Description"))
        for each in params.get("SecurityGroupRuleDescriptions", ())
    ]
    if not wanted:
        message = "Either 'ipPermissions' or 'securityGroupRuleDescriptions' should be provided."
        raise ApiError("MissingParameter", message)
    for record, description in wanted:
        kept = {member: value for member, value in record.shape.items() if member != "Description"}
        described = {"Description": description} if description else {}
        call.tx.put(replace(record, shape={**kept, **described}))
    return {"Return": True}


def authorize_security_group_ingress(call: Call, params: Params) -> Result:
    """Lets something in."""
    return _authorize(call, params, is_egress=False)


def authorize_security_group_egress(call: Call, params: Params) -> Result:
    """Lets something out."""
    return _authorize(call, params, is_egress=True)


def revoke_security_group_ingress(call: Call, params: Params) -> Result:
    """Lets something in no longer."""
    return _revoke(call, params, is_egress=False)


def revoke_security_group_egress(call: Call, params: Params) -> Result:
    """Lets something out no longer."""
    return _revoke(call, params, is_egress=True)


def update_security_group_rule_descriptions_ingress(call: Call, params: Params) -> Result:
    """Describes ingress rules."""
    return _update_descriptions(call, params, is_egress=False)


def update_security_group_rule_descriptions_egress(call: Call, params: Params) -> Result:
    """Describes egress rules."""
    return _update_descriptions(call, params, is_egress=True)


def modify_security_group_rules(call: Call, params: Params) -> Result:
    """Makes rules of a group say something else; they keep their ids and directions."""
    group = find(call, Kind.SECURITY_GROUP, params["GroupId"])
    for update in params["SecurityGroupRules"]:
        record = _of_group(call, group, update["SecurityGroupRuleId"])
        is_egress = record.shape["IsEgress"]
        rule = requested_rule(call, group, update.get("SecurityGroupRule", {}), is_egress=is_egress)
        for other in _rules(call, group, is_egress=is_egress):
            if other.id != record.id and identity(other.shape) == identity(rule):
                raise ApiError("InvalidPermission.Duplicate", f"the specified rule {_told(rule)} already exists")
        kept = ("SecurityGroupRuleId", "SecurityGroupRuleArn", "GroupId", "GroupOwnerId")
        call.tx.put(replace(record, shape={**{member: record.shape[member] for member in kept}, **rule}))
    return {"Return": True}


def describe_security_group_rules(call: Call, params: Params) -> Result:
    """All rules of the region, or those with the given ids."""
    items = [shown(rule) for rule in select(call, Kind.SECURITY_GROUP_RULE, params.get("SecurityGroupRuleIds"))]
    return describe("SecurityGroupRules", items, params, _FILTERS, "SecurityGroupRuleId")


def _rules(call: Call, group: Record, *, is_egress: bool) -> list[Record]:
    children = call.tx.children(Kind.SECURITY_GROUP_RULE, group.id)
    return [record for record in children if record.shape["IsEgress"] is is_egress]


def _of_group(call: Call, group: Record, rule_id: str, *, is_egress: bool | None = None) -> Record:
    record = find(call, Kind.SECURITY_GROUP_RULE, rule_id)
    if record.parent != group.id or is_egress not in (None, record.shape["IsEgress"]):
        message = f"The security group rule ID '{rule_id}' does not exist"
        raise ApiError("InvalidSecurityGroupRuleId.NotFound", message)
    return record


def _same(present: Sequence[Record], rule: Rule) -> Record:
    for record in present:
        if identity(record.shape) == identity(rule):
            return record
    raise ApiError("InvalidPermission.NotFound", _NO_RULE)


def _revoked(rule: Mapping[str, Any]) -> dict[str, Any]:
    found = {member: rule[member] for member in _REVOKED if member in rule}
    peer = rule.get("ReferencedGroupInfo")
    return found if peer is None else {**found, "ReferencedGroupId": peer["GroupId"]}


def _told(rule: Rule) -> str:
    """A rule in the words of EC2's refusals."""
    protocol = rule["IpProtocol"]
    peer = f"peer: {source_of(rule)}"
    if protocol == "-1":
        return f'"{peer}, ALL, ALLOW"'
    return f'"{peer}, {protocol.upper()}, from port: {rule["FromPort"]}, to port: {rule["ToPort"]}, ALLOW"'


OPERATIONS: Final[Operations] = {
    "AuthorizeSecurityGroupIngress": authorize_security_group_ingress,
    "AuthorizeSecurityGroupEgress": authorize_security_group_egress,
    "RevokeSecurityGroupIngress": revoke_security_group_ingress,
    "RevokeSecurityGroupEgress": revoke_security_group_egress,
    "UpdateSecurityGroupRuleDescriptionsIngress": update_security_group_rule_descriptions_ingress,
    "UpdateSecurityGroupRuleDescriptionsEgress": update_security_group_rule_descriptions_egress,
    "ModifySecurityGroupRules": modify_security_group_rules,
    "DescribeSecurityGroupRules": describe_security_group_rules,
}
