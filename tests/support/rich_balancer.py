"""A load balancer with a little of everything, made through ELB's API, and what its API tells without ids of its own."""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lb.cli.aws import client_of, read_all
from lb.model.names import DEFAULT_ACCOUNT_ID, DEFAULT_REGION
from lb.resources.defaults import default_network
from lb.resources.records import Kind
from tests.support.lb_process import free_port, lb, until

HOSTILE = """'; touch pwned; "$(touch pwned)" `touch pwned` ${var.vpc_1} %{ if true } \\" \\ # <&> {{x}} 한글"""
"""Text that ends quotes, and runs or expands in shells, Terraform and YAML, where it is not quoted as it must be."""


def of_network(kind: Kind) -> list[str]:
    """Ids of the default network."""
    return [record.id for record in default_network(DEFAULT_REGION, DEFAULT_ACCOUNT_ID) if record.kind is kind]


@contextlib.contextmanager
def balancer_process(folder: Path, *arguments: str) -> Iterator[tuple[str, Any]]:
    """A running `lb up` without a file (other arguments: with one); the address of its API and a client of it."""
    port = free_port()
    api = f"http://127.0.0.1:{port}"
    folder.mkdir(exist_ok=True)
    with lb(
        "up", *arguments, "--api-port", port, "--data", folder / "data", "--store", "memory", cwd=folder
    ) as running:
        running.says("AWS APIs")
        yield api, client_of("elbv2", api, DEFAULT_REGION)


def make_rich(elb: Any, *, transforms: bool = True) -> None:
    """Two load balancers, three target groups, listeners on free ports, and rules of every kind."""
    (vpc,), subnets, groups = (of_network(kind) for kind in (Kind.VPC, Kind.SUBNET, Kind.SECURITY_GROUP))
    tags = [{"Key": "note", "Value": "a b_c.d:/=+-@ 한글"}, {"Key": "team", "Value": "web"}]
    made = [_group(elb, name, vpc, tags) for name in ("web-servers", "1-canary", "images")]
    web, canary, images = made
    _attributes(elb.modify_target_group_attributes, "TargetGroupArn", web, WEB_ATTRIBUTES)
    _attributes(elb.modify_target_group_attributes, "TargetGroupArn", images, IMAGE_ATTRIBUTES)
    targets = [{"Id": "127.0.0.1", "Port": 8081}, {"Id": "10.0.0.5", "Port": 80, "AvailabilityZone": "all"}]
    elb.register_targets(TargetGroupArn=web, Targets=targets)
    shop = elb.create_load_balancer(Name="shop", Subnets=subnets[:2], SecurityGroups=groups, Tags=tags)
    arn = shop["LoadBalancers"][0]["LoadBalancerArn"]
    _attributes(elb.modify_load_balancer_attributes, "LoadBalancerArn", arn, BALANCER_ATTRIBUTES)
    weighted = {
        "TargetGroups": [{"TargetGroupArn": web, "Weight": 90}, {"TargetGroupArn": canary, "Weight": 10}],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 600},
    }
    listener = _listener(elb, arn, {"Type": "forward", "ForwardConfig": weighted}, tags)
    _attributes(elb.modify_listener_attributes, "ListenerArn", listener, LISTENER_ATTRIBUTES)
    for priority, rule in enumerate(rules(images, transforms=transforms), start=10):
        elb.create_rule(ListenerArn=listener, Priority=priority, Tags=tags, **rule)
    internal = elb.create_load_balancer(Name="1-internal", Subnets=subnets, Scheme="internal")
    redirect = {"Protocol": "HTTP", "Port": "8080", "Host": "#{host}", "Path": "/#{path}", "StatusCode": "HTTP_302"}
    action = {"Type": "redirect", "RedirectConfig": redirect}
    _listener(elb, internal["LoadBalancers"][0]["LoadBalancerArn"], action, tags)


BALANCER_ATTRIBUTES = {
    "idle_timeout.timeout_seconds": "120",
    "access_logs.s3.enabled": "true",
    "access_logs.s3.bucket": "my-logs",
    "access_logs.s3.prefix": "shop",
    "routing.http.drop_invalid_header_fields.enabled": "true",
    "routing.http.xff_header_processing.mode": "preserve",
    "routing.http.desync_mitigation_mode": "strictest",
    "routing.http2.enabled": "false",
}
LISTENER_ATTRIBUTES = {
    "routing.http.response.server.enabled": "false",
    "routing.http.response.strict_transport_security.header_value": "max-age=31536000; $x `y`",
}
WEB_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "30",
    "slow_start.duration_seconds": "40",
    "stickiness.enabled": "true",
    "stickiness.lb_cookie.duration_seconds": "3600",
}
IMAGE_ATTRIBUTES = {
    "load_balancing.algorithm.type": "weighted_random",
    "load_balancing.algorithm.anomaly_mitigation": "on",
    "load_balancing.cross_zone.enabled": "true",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "2",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "3",
}


def rules(images: str, *, transforms: bool) -> Iterator[dict[str, Any]]:
    """Conditions and actions of every kind; `images` is the ARN of a target group."""
    lone = [{"Type": "forward", "TargetGroupArn": images}]
    said = [
        {
            "Type": "fixed-response",
            "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": HOSTILE},
        }
    ]
    moved = [{"Type": "redirect", "RedirectConfig": {"Host": "www.example", "StatusCode": "HTTP_301"}}]
    yield {"Conditions": [{"Field": "path-pattern", "Values": ["/img/*", "/it's$x/*"]}], "Actions": lone}
    yield {
        "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.old.example"]}}],
        "Actions": moved,
    }
    header = {"HttpHeaderName": "X-Kind", "Values": ["*'\"$(x)*", "${y}"]}
    query = {"Values": [{"Key": "a", "Value": "${b}"}, {"Value": "c'd"}]}
    yield {
        "Conditions": [
            {"Field": "http-header", "HttpHeaderConfig": header},
            {"Field": "query-string", "QueryStringConfig": query},
        ],
        "Actions": said,
    }
    source, methods = {"Values": ["10.0.0.0/8"]}, {"Values": ["GET", "POST"]}
    yield {
        "Conditions": [
            {"Field": "source-ip", "SourceIpConfig": source},
            {"Field": "http-request-method", "HttpRequestMethodConfig": methods},
        ],
        "Actions": lone,
    }
    if transforms:
        rewrite = {"Rewrites": [{"Regex": "^/v1/(.*)$", "Replace": "/$1"}]}
        yield {
            "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/v1/[a-z]+$"]}}],
            "Actions": lone,
            "Transforms": [{"Type": "url-rewrite", "UrlRewriteConfig": rewrite}],
        }


def _group(elb: Any, name: str, vpc: str, tags: list[dict[str, str]]) -> str:
    made = elb.create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=80,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckPath="/health?it's=$x",
        Matcher={"HttpCode": "200-299,301"},
        HealthCheckIntervalSeconds=10,
        HealthyThresholdCount=3,
        Tags=tags,
    )
    return made["TargetGroups"][0]["TargetGroupArn"]


def _attributes(modify: Any, member: str, arn: str, values: dict[str, str]) -> None:
    modify(**{member: arn}, Attributes=[{"Key": key, "Value": value} for key, value in values.items()])


def _listener(elb: Any, balancer: str, action: dict[str, Any], tags: list[dict[str, str]]) -> str:
    port = free_port()
    made = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=[action], Tags=tags)
    return made["Listeners"][0]["ListenerArn"]


def told(elb: Any) -> dict[str, Any]:
    """Everything that Describe operations answer, by names: without random parts of ARNs, times and digits of DNS names.

    Waits until every load balancer is active.
    """
    until(lambda: all(each["State"]["Code"] == "active" for each in _balancers(elb)), "every load balancer is active")
    snapshot = read_all(elb)
    parts = (
        sorted(snapshot.load_balancers, key=lambda each: each["LoadBalancerName"]),
        sorted(snapshot.listeners, key=lambda each: (each["LoadBalancerArn"], each["Port"])),
        sorted(snapshot.target_groups, key=lambda each: each["TargetGroupName"]),
        *({_plain(arn): each for arn, each in values.items()} for values in (snapshot.attributes, snapshot.tags)),
        {_plain(arn): sorted(each, key=lambda target: target["Id"]) for arn, each in snapshot.targets.items()},
        [rule for arn in sorted(snapshot.rules, key=_plain) for rule in snapshot.rules[arn]],
    )
    return json.loads(_plain(json.dumps(parts, default=str, sort_keys=True)))


def _balancers(elb: Any) -> list[dict[str, Any]]:
    return elb.describe_load_balancers()["LoadBalancers"]


def _plain(text: str) -> str:
    text = re.sub(r"(?<=/)[0-9a-f]{16}\b", "ID", text)
    text = re.sub(r'("CreatedTime": )"[^"]*"', r"\1null", text)
    return re.sub(r"-[0-9]{10}\.", "-DIGITS.", text)
