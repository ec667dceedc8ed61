"""Small configurations to compile: shared by the tests of routing and targets."""

from collections.abc import Iterable, Mapping
from typing import Any

from lb.model import names
from lb.model.config import Config, HealthCheck, Listener, LoadBalancer, Target, TargetGroup
from lb.model.matcher import parse_matcher
from lb.model.rules import Forward, Rule, WeightedGroup
from lb.routing.plan import Endpoint, GroupPlan

CHECK = HealthCheck("/", 30, 5, healthy_threshold=5, unhealthy_threshold=2, matcher=parse_matcher("200"))


def group(name: str = "web", targets: Iterable[str] = (), attributes: Mapping[str, str] | None = None) -> TargetGroup:
    """A target group with targets `host:port`."""
    arn = names.target_group_arn("us-east-1", "000000000000", name, names.derived_id("tg", name))
    pairs = (target.rsplit(":", 1) for target in targets)
    return TargetGroup(arn, name, 80, CHECK, tuple(Target(i, int(p)) for i, p in pairs), attributes or {})


def balancer(
    *listeners: tuple[int, TargetGroup],
    name: str = "main",
    attributes: Mapping[str, str] | None = None,
    listener_attributes: Mapping[str, str] | None = None,
) -> LoadBalancer:
    """A load balancer that forwards each port to a group."""
    identity = names.derived_id("lb", name)
    arn = names.load_balancer_arn("us-east-1", "000000000000", name, identity)
    return LoadBalancer(
        arn,
        name,
        names.dns_name(name, "us-east-1", identity),
        tuple(
            Listener(
                names.listener_arn(arn, names.derived_id(name, str(port))),
                port,
                (Rule("default", None, (), Forward((WeightedGroup(target.arn),))),),
                listener_attributes or {},
            )
            for port, target in listeners
        ),
        attributes=attributes or {},
    )


def config(balancers: Iterable[LoadBalancer], groups: Iterable[TargetGroup]) -> Config:
    return Config(tuple(balancers), tuple(groups))


def group_plan(endpoints: Iterable[Endpoint], **changes: Any) -> GroupPlan:
    """A compiled target group, without a configuration."""
    values: dict[str, Any] = {"deregistration_delay_s": 300, "in_use": True, **changes}
    return GroupPlan(arn="tg", name="web", endpoints=tuple(endpoints), health_check=CHECK, **values)


def endpoint(number: int, address: str | None = None) -> Endpoint:
    """The target web<number>:80, at 10.0.0.<number> unless said otherwise."""
    return Endpoint(Target(f"web{number}", 80), address or f"10.0.0.{number}")
