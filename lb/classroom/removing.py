"""Clears up after a lesson: deletes what carries its tag, in every region, and nothing else."""

from dataclasses import dataclass, field
from typing import Any, Final

from lb.api.call import ApiError
from lb.api.calls import Calls
from lb.lessons.snapshot import LESSON_TAG
from lb.resources.records import Kind, OwnedByFileError, Record, Records

# What is used goes after what uses it. Listeners, rules and targets go with what they belong to.
_OPERATIONS: Final = (
    (Kind.LOAD_BALANCER, "elbv2", "DeleteLoadBalancer", "LoadBalancerArn"),
    (Kind.TARGET_GROUP, "elbv2", "DeleteTargetGroup", "TargetGroupArn"),
    (Kind.INSTANCE, "ec2", "TerminateInstances", "InstanceIds"),
    (Kind.IMAGE, "ec2", "DeregisterImage", "ImageId"),
    (Kind.DB_INSTANCE, "rds", "DeleteDBInstance", "DBInstanceIdentifier"),
    (Kind.SECURITY_GROUP, "ec2", "DeleteSecurityGroup", "GroupId"),
)


@dataclass(slots=True)
class Removed:
    """Ids that are gone, and why others are not, by id."""

    removed: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)


async def remove(lesson_id: str, calls: Calls, records: Records) -> Removed:
    """Deletes what belongs to a lesson. What cannot be (it is protected, or in use) is named in the result."""
    result = Removed()
    for kind, service, operation, member in _OPERATIONS:
        found = [each for each in records.all(kind) if _is_of(each, lesson_id)]
        if kind is Kind.SECURITY_GROUP:
            # Their rules may name each other: a rule that names a group keeps it.
            for group in found:
                await _revoke_all(calls, group, records)
        for record in found:
            params: dict[str, Any] = {member: [record.id] if member.endswith("s") else record.id}
            if kind is Kind.DB_INSTANCE:
                params["SkipFinalSnapshot"] = True
            try:
                await calls.do(service, operation, record.region, **params)
            except (ApiError, OwnedByFileError) as error:
                result.kept[record.id] = str(error)
            else:
                result.removed.append(record.id)
    return result


def _is_of(record: Record, lesson_id: str) -> bool:
    gone = record.kind is Kind.INSTANCE and record.more["desired"] == "terminated"
    return record.tags.get(LESSON_TAG) == lesson_id and not gone


async def _revoke_all(calls: Calls, group: Record, records: Records) -> None:
    rules = [rule.id for rule in records.children(Kind.SECURITY_GROUP_RULE, group.id) if not rule.shape["IsEgress"]]
    if rules:
        await calls.do("ec2", "RevokeSecurityGroupIngress", group.region, GroupId=group.id, SecurityGroupRuleIds=rules)
