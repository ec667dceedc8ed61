"""Targets of a target group: RegisterTargets, DeregisterTargets (fact sheet 4.1)."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.group_use import balancers_by_group, check_target_count
from lb.api.elbv2.limits import limit, refuse_above
from lb.api.elbv2.lookup import find
from lb.resources.records import Kind, Record
from lb.resources.target_groups import target_id

_INSTANCE_ID: Final = re.compile(r"i-[0-9a-f]{8,17}")
_FUNCTION_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(?::[A-Za-z0-9$_-]+)?"
)
_BALANCER_ARN: Final = re.compile(r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/.+")
_TARGETS_PER_LAMBDA_GROUP: Final = 1


def register_targets(call: Call, params: Params) -> Result:
    """Registers each target that is not registered yet; a target is its id and port."""
    group = find(call, Kind.TARGET_GROUP, params["TargetGroupArn"])
    given = read_targets(group, params["Targets"])
    if group.shape["TargetType"] == "instance":
        _check_instances(call, group, [target["Id"] for target in given])
    elif group.shape["TargetType"] == "alb":
        for target in given:
            find(call, Kind.LOAD_BALANCER, target["Id"])
    for shape in given:
        record_id = target_id(group.id, shape["Id"], shape.get("Port"))
        call.tx.put(Record(Kind.TARGET, record_id, call.region, call.account, shape, parent=group.id))
    _check_quotas(call, group)
    return {}


def deregister_targets(call: Call, params: Params) -> Result:
    """Targets without a port are deregistered from every port; one that is not registered is no error."""
    group = find(call, Kind.TARGET_GROUP, params["TargetGroupArn"])
    _check_ids(group, params["Targets"])
    registered = call.tx.children(Kind.TARGET, group.id)
    for record in registered:
        if any(names(given, record.shape) for given in params["Targets"]):
            call.tx.delete(Kind.TARGET, record.id)
    return {}


def read_targets(group: Record, targets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`Targets` of a call, each with the group's port where it has none. Raises ApiError."""
    _check_ids(group, targets)
    return [_read(group, target) for target in targets]


def names(given: Mapping[str, Any], registered: Mapping[str, Any]) -> bool:
    """Whether a target of a call, which may be without a port, is this registered one."""
    same_port = "Port" not in given or given["Port"] == registered.get("Port")
    return same_port and bool(given["Id"] == registered["Id"])


def _read(group: Record, target: Mapping[str, Any]) -> dict[str, Any]:
    zone = target.get("AvailabilityZone")
    target_type = group.shape["TargetType"]
    if zone and target_type in ("instance", "alb"):
        message = f"Availability Zone cannot be specified for targets of target groups with target type '{target_type}'"
        raise ApiError("ValidationError", message)
    if target_type == "lambda":
        if "Port" in target:
            message = "Port cannot be specified for targets of target groups with target type 'lambda'"
            raise ApiError("ValidationError", message)
        port = {}
    else:
        port = {"Port": target.get("Port", group.shape["Port"])}
    return {"Id": target["Id"], **port, **({"AvailabilityZone": zone} if zone else {})}


def _check_ids(group: Record, targets: Sequence[Mapping[str, Any]]) -> None:
    if not targets:
        raise ApiError("ValidationError", "A target must be specified")
    for target in targets:
        if message := _wrong_id(group, target["Id"]):
            raise ApiError("ValidationError", message)


def _wrong_id(group: Record, name: str) -> str | None:
    """What is wrong with the id of a target, in ELB's words."""
    match group.shape["TargetType"]:
        case "instance":
            return None if _INSTANCE_ID.fullmatch(name) else f"Instance ID '{name}' is not valid"
        case "lambda":
            return None if _FUNCTION_ARN.fullmatch(name) else f"Lambda function ARN '{name}' is not valid"
        case "alb":
            return None if _BALANCER_ARN.fullmatch(name) else f"'{name}' is not a valid load balancer ARN"
    try:
        version = ipaddress.ip_address(name).version
    except ValueError:
        return f"IP address '{name}' is not valid"
    wanted = group.shape["IpAddressType"]
    return None if f"ipv{version}" == wanted else f"IP address '{name}' must be of the IP address type '{wanted}'"


def _check_instances(call: Call, group: Record, names: Sequence[str]) -> None:
    """The instances exist, are in the VPC of the group, and run."""
    found = {name: call.tx.get(Kind.INSTANCE, name) for name in dict.fromkeys(names)}
    instances = [instance for instance in found.values() if instance is not None]
    if unknown := [name for name, instance in found.items() if instance is None or instance.region != call.region]:
        raise ApiError("InvalidTarget", f"The following targets do not exist: {_quoted(unknown)}")
    vpc = group.shape["VpcId"]
    if foreign := [instance.id for instance in instances if instance.shape.get("VpcId") != vpc]:
        message = f"The following targets are not in the target group VPC '{vpc}': {_quoted(foreign)}"
        raise ApiError("InvalidTarget", message)
    if idle := [instance.id for instance in instances if call.live.instance_state(instance.id) != "running"]:
        message = f"The following targets are not in a running state and cannot be registered: {_quoted(idle)}"
        raise ApiError("InvalidTarget", message)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _check_quotas(call: Call, group: Record) -> None:
    """The quotas of the group and of the load balancer that uses it, with the targets just registered."""
    targets = len(call.tx.children(Kind.TARGET, group.id))
    most = _TARGETS_PER_LAMBDA_GROUP
    if group.shape["TargetType"] != "lambda":
        most = limit("targets-per-target-group")
    refuse_above(most, targets, "TooManyTargets", "targets per target group")
    used = balancers_by_group(call)
    for balancer in used.get(group.id, ()):
        check_target_count(call, [arn for arn, balancers in used.items() if balancer in balancers])


OPERATIONS: Final[Operations] = {"RegisterTargets": register_targets, "DeregisterTargets": deregister_targets}
