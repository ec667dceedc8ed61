"""Snapshots for tests of checks: an account with its default network, and what a test puts into it."""

from collections.abc import Mapping, Sequence
from typing import Any

from lb.lessons.snapshot import LESSON_TAG, Answered, Asked, Snapshot, Target
from lb.resources.defaults import default_network
from lb.resources.records import Kind, Record, Records, Transaction

REGION, ACCOUNT = "us-east-1", "000000000000"
LESSON = "4"
ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
WEB, BLUE, GREEN = (f"{ARN}:targetgroup/{name}/0123456789abcdef" for name in ("web", "blue", "green"))
LB = f"{ARN}:loadbalancer/app/lb/0123456789abcdef"
ONE, TWO = "i-1", "i-2"


def record(kind: Kind, record_id: str, shape: Mapping[str, Any], parent: str = "", **more: Any) -> Record:
    return Record(kind, record_id, REGION, ACCOUNT, shape, parent, **more)


def instance(instance_id: str, name: str, image: str = "ami-0", lesson: str = LESSON) -> Record:
    shape = {"ImageId": image, "SecurityGroups": [{"GroupId": "sg-w"}], "PrivateIpAddress": "127.16.0.1"}
    return record(Kind.INSTANCE, instance_id, shape, tags={"Name": name, LESSON_TAG: lesson})


def group(arn: str, name: str, path: str = "/", **attributes: str) -> Record:
    shape = {"TargetGroupName": name, "HealthCheckPath": path}
    return record(Kind.TARGET_GROUP, arn, shape, attributes=attributes)


def balancer(zones: Sequence[str] = ("a", "b"), groups: Sequence[str] = ("sg-1",), **attributes: str) -> Record:
    shape = {
        "LoadBalancerName": "lb",
        "AvailabilityZones": [{"ZoneName": zone} for zone in zones],
        "SecurityGroups": list(groups),
    }
    return record(Kind.LOAD_BALANCER, LB, shape, attributes=attributes)


def listener(weights: Mapping[str, int] | None) -> list[Record]:
    """With its default rule; None for an action that does not forward."""
    action: dict[str, Any] = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    if weights is not None:
        pairs = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": pairs}}
    rule = {"RuleArn": "rule", "Priority": "default", "IsDefault": True, "Conditions": [], "Actions": [action]}
    return [
        record(Kind.LISTENER, "listener", {"Port": 80, "Protocol": "HTTP"}, LB),
        record(Kind.RULE, "rule", rule, "listener"),
    ]


def security_group(group_id: str, name: str) -> Record:
    return record(Kind.SECURITY_GROUP, group_id, {"GroupName": name})


def db_instance(name: str, *groups: str) -> Record:
    shape = {
        "DBInstanceIdentifier": name,
        "VpcSecurityGroups": [{"VpcSecurityGroupId": group, "Status": "active"} for group in groups],
    }
    return record(Kind.DB_INSTANCE, f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{name}", shape)


def ingress(group_id: str, port: int, **source: Any) -> Record:
    shape = {"IsEgress": False, "IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
    return record(Kind.SECURITY_GROUP_RULE, f"sgr-{group_id}-{port}", shape, group_id)


def image(image_id: str, source: str) -> Record:
    return record(Kind.IMAGE, image_id, {"ImageId": image_id}, more={"source_instance": source})


def healthy(*instances: str) -> list[Target]:
    return [Target(each, 80, "healthy") for each in instances]


def answers(*servers: str, status: int = 200, each_s: float = 1.0, **more: Any) -> list[Answered]:
    """Requests to the load balancer that these servers answered, one after the other."""
    return [
        Answered(number * each_s, "lb", status, server=server, target_group=WEB, **more)
        for number, server in enumerate(servers)
    ]


def asked(*outcomes: str) -> list[Asked]:
    return [Asked(float(number), outcome, f"so it was: {outcome}") for number, outcome in enumerate(outcomes)]


def scene(*records: Record, **more: Any) -> Snapshot:
    """Two instances, Web Server 1 and Web Server 2, that run; and what is given."""
    servers = () if more.pop("no_servers", False) else (instance(ONE, "Web Server 1"), instance(TWO, "Web Server 2"))
    kept = Records([*default_network(REGION, ACCOUNT), *servers, *records])
    more.setdefault("instances", {ONE: "running", TWO: "running"})
    return Snapshot(LESSON, Transaction(kept), **more)
