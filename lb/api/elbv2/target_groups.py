"""Target groups: CreateTargetGroup, DescribeTargetGroups, ModifyTargetGroup, DeleteTargetGroup."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.group_use import balancers_by_group, is_used
from lb.api.elbv2.health_checks import MEMBERS, read_health_check
from lb.api.elbv2.limits import limit, refuse_above
from lb.api.elbv2.lookup import check_arn, find
from lb.api.elbv2.paging import paged
from lb.api.elbv2.tags import read_tags
from lb.model import names
from lb.model.name_rules import check_target_group_name
from lb.resources.records import Kind, Record

_WEB: Final = ("HTTP", "HTTPS")
_VERSIONS: Final = ("HTTP1", "HTTP2", "GRPC")
_GENEVE_PORT: Final = 6081
_NAME_PATTERN: Final = "(?!.*--)(?!^-)(?!.*-$)^[A-Za-z0-9-]+$"
# Member, and what messages call it.
_PLACE: Final = {"Protocol": "protocol", "Port": "port", "VpcId": "VPC ID"}


def create_target_group(call: Call, params: Params) -> Result:
    """A target group without targets; the same again is the one that is there."""
    name = params["Name"]
    _check_name(name)
    shape = {"TargetGroupName": name, **_traffic(call, params)}
    shape |= read_health_check(shape, params)
    tags = read_tags(params.get("Tags", ()))
    same_name = next((group for group in _all(call) if group.shape["TargetGroupName"] == name), None)
    if same_name is not None:
        if {"TargetGroupArn": same_name.id, **shape} != same_name.shape or (tags and tags != same_name.tags):
            message = f"A target group with the same name '{name}' exists, but with different settings"
            raise ApiError("DuplicateTargetGroupName", message)
        return {"TargetGroups": _answered(call, [same_name])}
    refuse_above(limit("target-groups"), len(_all(call)) + 1, "TooManyTargetGroups", "target groups")
    arn = names.target_group_arn(call.region, call.account, name, call.new_id(16))
    group = Record(Kind.TARGET_GROUP, arn, call.region, call.account, {"TargetGroupArn": arn, **shape}, tags=tags)
    call.tx.put(group)
    return {"TargetGroups": [{**group.shape, "LoadBalancerArns": []}]}


def describe_target_groups(call: Call, params: Params) -> Result:
    """All, those of a load balancer, or those with the given ARNs or names."""
    answer = paged("TargetGroups", _asked(call, params), params)
    return {**answer, "TargetGroups": _answered(call, answer["TargetGroups"])}


def modify_target_group(call: Call, params: Params) -> Result:
    """Changes health check settings; those not given stay."""
    group = find(call, Kind.TARGET_GROUP, params["TargetGroupArn"])
    kept = {member: group.shape[member] for member in MEMBERS if member in group.shape}
    if params.get("HealthCheckProtocol", kept.get("HealthCheckProtocol")) == "TCP":
        kept = {member: value for member, value in kept.items() if member not in ("HealthCheckPath", "Matcher")}
    given = {member: params[member] for member in MEMBERS if member in params}
    changed = replace(group, shape={**_without(group.shape, MEMBERS), **read_health_check(group.shape, kept | given)})
    call.tx.put(changed)
    return {"TargetGroups": _answered(call, [changed])}


def delete_target_group(call: Call, params: Params) -> Result:
    """A target group that no rule forwards to, with its targets. One that is not there is no error."""
    arn = params["TargetGroupArn"]
    check_arn(call, Kind.TARGET_GROUP, arn)
    if call.tx.get(Kind.TARGET_GROUP, arn) is None:
        return {}
    if is_used(call, arn):
        raise ApiError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    for target in call.tx.children(Kind.TARGET, arn):
        call.tx.delete(Kind.TARGET, target.id)
    call.tx.delete(Kind.TARGET_GROUP, arn)
    return {}


def _all(call: Call) -> Sequence[Record]:
    return call.tx.all(Kind.TARGET_GROUP, call.region)


def _answered(call: Call, groups: Sequence[Record]) -> list[dict[str, Any]]:
    used = balancers_by_group(call)
    return [{**group.shape, "LoadBalancerArns": list(used.get(group.id, ()))} for group in groups]


def _asked(call: Call, params: Params) -> Sequence[Record]:
    balancer, arns, wanted = (params.get(member) for member in ("LoadBalancerArn", "TargetGroupArns", "Names"))
    if sum(map(bool, (balancer, arns, wanted))) > 1:
        message = "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time"
        raise ApiError("ValidationError", message)
    if balancer:
        find(call, Kind.LOAD_BALANCER, balancer)
        used = balancers_by_group(call)
        return [group for group in _all(call) if balancer in used.get(group.id, ())]
    if arns:
        return [find(call, Kind.TARGET_GROUP, arn) for arn in dict.fromkeys(arns)]
    if wanted:
        by_name = {group.shape["TargetGroupName"]: group for group in _all(call)}
        if not by_name.keys() >= set(wanted):
            raise ApiError("TargetGroupNotFound", "One or more target groups not found")
        return [by_name[name] for name in dict.fromkeys(wanted)]
    return _all(call)


def _without(shape: Mapping[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    return {member: value for member, value in shape.items() if member not in members}


def _check_name(name: str) -> None:
    try:
        check_target_group_name(name)
    except ValueError as error:
        raise ApiError("ValidationError", str(error)) from error
    if "--" in name:
        message = f"1 validation error detected: Value '{name}' at 'targetGroup.targetGroupArn.targetGroupName' failed"
        how = f"to satisfy constraint: Member must satisfy regular expression pattern: {_NAME_PATTERN}"
        raise ApiError("ValidationError", f"{message} {how}")


def _traffic(call: Call, params: Params) -> dict[str, Any]:
    """The members that say how and where to the load balancer sends: they cannot be changed later."""
    target_type = params.get("TargetType", "instance")
    shape = {"TargetType": target_type, "IpAddressType": params.get("IpAddressType", "ipv4")}
    if target_type == "lambda":
        for member, words in _PLACE.items():
            if member in params:
                subject = words if words[0].isupper() else words.capitalize()
                raise _refuse(f"{subject} cannot be specified for target groups with target type 'lambda'")
        return shape
    for member, words in _PLACE.items():
        if not params.get(member):
            raise _refuse(f"A {words} must be specified")
    vpc = call.tx.get(Kind.VPC, params["VpcId"])
    if vpc is None or vpc.region != call.region:
        raise _refuse(f"The VPC ID '{params['VpcId']}' is not found")
    shape |= {member: params[member] for member in (*_PLACE, "TargetControlPort") if member in params}
    protocol = params["Protocol"]
    if target_type == "alb" and protocol != "TCP":
        raise _refuse(f"Protocol '{protocol}' must be one of 'TCP' for target groups with target type 'alb'")
    if protocol == "GENEVE" and params["Port"] != _GENEVE_PORT:
        raise _refuse(f"Port '{params['Port']}' must be '{_GENEVE_PORT}' for target groups with protocol 'GENEVE'")
    return shape | _version(params, protocol)


def _version(params: Params, protocol: str) -> dict[str, str]:
    if protocol not in _WEB:
        if "ProtocolVersion" in params:
            raise _refuse(f"Protocol version cannot be specified for target groups with protocol '{protocol}'")
        return {}
    # Terraform sends it empty where it is not given.
    version = params.get("ProtocolVersion") or "HTTP1"
    if version not in _VERSIONS:
        raise _refuse(f"Protocol version '{version}' must be one of '{', '.join(_VERSIONS)}'")
    return {"ProtocolVersion": version}


def _refuse(message: str) -> ApiError:
    return ApiError("ValidationError", message)


OPERATIONS: Final[Operations] = {
    "CreateTargetGroup": create_target_group,
    "DescribeTargetGroups": describe_target_groups,
    "ModifyTargetGroup": modify_target_group,
    "DeleteTargetGroup": delete_target_group,
}
