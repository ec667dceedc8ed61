"""DescribeTargetHealth: what the health checker sees, as ELB answers it (fact sheet 6.4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lb.api.call import Call, Operations, Params, Result
from lb.api.elbv2.group_use import is_used
from lb.api.elbv2.lookup import find
from lb.api.elbv2.targets import names, read_targets
from lb.resources.records import Json, Kind, Record
from lb.resources.target_groups import TRAFFIC_PORT, is_served

_NO_OVERRIDE: Final = {
    "State": "no_override",
    "Reason": "AdministrativeOverride.NoOverride",
    "Description": "No override is currently active on target",
}
_NORMAL: Final = {"Result": "normal", "MitigationInEffect": "no"}


@dataclass(frozen=True, slots=True)
class _Health:
    """`TargetHealth`; empty texts are left out of the answer."""

    state: str
    reason: str = ""
    description: str = ""
    is_checked: bool = True

    @property
    def shape(self) -> dict[str, str]:
        members = {"State": self.state, "Reason": self.reason, "Description": self.description}
        return {member: text for member, text in members.items() if text}


_NOT_IN_USE: Final = _Health(
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
    is_checked=False,
)
_NOT_REGISTERED: Final = _Health(
    "unused", "Target.NotRegistered", "Target is not registered to the target group", is_checked=False
)
_CHECKS_OFF: Final = _Health(
    "unavailable", "Target.HealthCheckDisabled", "Health checks are disabled", is_checked=False
)
_NOT_SERVED: Final = _Health(
    "unavailable",
    "Elb.InternalError",
    "Not checked: only HTTP and HTTPS target groups with instances or IP addresses carry traffic here",
    is_checked=False,
)
_REGISTERING: Final = _Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")


def describe_target_health(call: Call, params: Params) -> Result:
    """The targets that are asked about, or all registered and draining ones."""
    group = find(call, Kind.TARGET_GROUP, params["TargetGroupArn"])
    known = list(_known(call, group))
    if params.get("Targets"):
        known = [each for asked in params["Targets"] for each in _asked(group, asked, known)]
    include = frozenset(params.get("Include", ()))
    return {"TargetHealthDescriptions": [_description(group, target, health, include) for target, health in known]}


def _asked(
    group: Record, asked: Mapping[str, Any], known: Sequence[tuple[Json, _Health]]
) -> list[tuple[Json, _Health]]:
    (target,) = read_targets(group, [asked])
    return [each for each in known if names(asked, each[0])] or [(target, _NOT_REGISTERED)]


def _known(call: Call, group: Record) -> Iterator[tuple[Json, _Health]]:
    """Registered targets in order of registration, then those that drain."""
    live = {(each.id, each.port): each for each in call.live.target_health(group.id)}
    in_use = is_used(call, group.id)
    for record in call.tx.children(Kind.TARGET, group.id):
        target = record.shape
        seen = live.pop((target["Id"], target.get("Port", 0)), None)
        instance = call.live.instance_state(target["Id"]) if group.shape["TargetType"] == "instance" else "running"
        if instance == "terminated":
            continue
        if instance not in ("running", "pending"):
            reason = f"Target is in the {instance} state"
            yield target, _Health("unused", "Target.InvalidState", reason, is_checked=False)
        elif not in_use:
            yield target, _NOT_IN_USE
        elif not is_served(group):
            yield target, _NOT_SERVED if group.shape["HealthCheckEnabled"] else _CHECKS_OFF
        elif seen is None:
            yield target, _REGISTERING
        else:
            yield target, _Health(seen.state, seen.reason, seen.description)
    for gone in live.values():
        zone = {} if gone.zone is None else {"AvailabilityZone": gone.zone}
        yield {"Id": gone.id, "Port": gone.port, **zone}, _Health(gone.state, gone.reason, gone.description)


def _description(group: Record, target: Json, health: _Health, include: frozenset[str]) -> dict[str, Any]:
    described: dict[str, Any] = {"Target": target}
    if health.is_checked:
        port = group.shape["HealthCheckPort"]
        described["HealthCheckPort"] = str(target["Port"]) if port == TRAFFIC_PORT else port
    described["TargetHealth"] = health.shape
    if include:
        described["AnomalyDetection"] = _NORMAL
    if "All" in include:
        described["AdministrativeOverride"] = _NO_OVERRIDE
    return described


OPERATIONS: Final[Operations] = {"DescribeTargetHealth": describe_target_health}
