"""Target groups and targets between the shapes of the ELBv2 API and `lb.model.config`."""

from typing import Any, Final

from lb.model.config import HealthCheck, Target, TargetGroup
from lb.model.matcher import parse_matcher
from lb.resources.records import NOTHING, Json, Record

TRAFFIC_PORT: Final = "traffic-port"
_DEFAULT_PATH: Final = "/"
_DEFAULT_MATCHER: Final = "200"


def target_id(group_arn: str, name: str, port: int | None) -> str:
    """Id of the record of a target; `port` is None for Lambda functions."""
    return f"{group_arn}/{name}:{'' if port is None else port}"


def is_served(group: Record) -> bool:
    """Whether the balancer can send requests to targets of the group: plain HTTP to instances and addresses."""
    return group.shape["TargetType"] in ("instance", "ip") and group.shape.get("Protocol") == "HTTP"


def group_of(record: Record, targets: tuple[Target, ...]) -> TargetGroup:
    """The target group as the balancer runs it; one that is not served has no targets."""
    shape = record.shape
    matcher = shape.get("Matcher", NOTHING).get("HttpCode", _DEFAULT_MATCHER)
    return TargetGroup(
        arn=record.id,
        name=shape["TargetGroupName"],
        port=shape.get("Port", 0),
        health_check=_health_check(shape, matcher if is_served(record) else _DEFAULT_MATCHER),
        targets=targets if is_served(record) else (),
        attributes=record.attributes,
    )


def _health_check(shape: Json, matcher: str) -> HealthCheck:
    port = shape.get("HealthCheckPort", TRAFFIC_PORT)
    return HealthCheck(
        path=shape.get("HealthCheckPath", _DEFAULT_PATH),
        interval_s=float(shape["HealthCheckIntervalSeconds"]),
        timeout_s=float(shape["HealthCheckTimeoutSeconds"]),
        healthy_threshold=shape["HealthyThresholdCount"],
        unhealthy_threshold=shape["UnhealthyThresholdCount"],
        matcher=parse_matcher(matcher),
        port=None if port == TRAFFIC_PORT else int(port),
    )


def shape_of(group: TargetGroup) -> dict[str, Any]:
    """The target group as DescribeTargetGroups answers it, without LoadBalancerArns; durations in whole seconds."""
    check = group.health_check
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Protocol": "HTTP",
        "Port": group.port,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": TRAFFIC_PORT if check.port is None else str(check.port),
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": round(check.interval_s),
        "HealthCheckTimeoutSeconds": round(check.timeout_s),
        "HealthyThresholdCount": check.healthy_threshold,
        "UnhealthyThresholdCount": check.unhealthy_threshold,
        "HealthCheckPath": check.path,
        "Matcher": {"HttpCode": check.matcher.text},
        "TargetType": "ip",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
    }
