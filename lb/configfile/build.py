"""Checked keys of a file to the values the balancer runs on. Ids depend on names only, so they survive restarts."""

from collections.abc import Mapping
from types import MappingProxyType

from lb.configfile.checks import TRAFFIC_PORT
from lb.configfile.schema import FileKeys, HealthCheckKeys, ListenerKeys, LoadBalancerKeys, TargetGroupKeys
from lb.model import names
from lb.model.config import Config, ForwardAction, HealthCheck, Listener, LoadBalancer, TargetGroup
from lb.model.matcher import parse_matcher

_PLACE = (names.DEFAULT_REGION, names.DEFAULT_ACCOUNT_ID)


def build_config(file: FileKeys) -> Config:
    """The configuration, in the order of the file. Every `forward` must name a target group of the file."""
    groups = {name: _target_group(name, keys) for name, keys in file.target_groups.items()}
    return Config(
        tuple(_load_balancer(name, keys, groups) for name, keys in file.load_balancers.items()),
        tuple(groups.values()),
    )


def _target_group(name: str, keys: TargetGroupKeys) -> TargetGroup:
    return TargetGroup(
        arn=names.target_group_arn(*_PLACE, name, names.derived_id("target-group", name)),
        name=name,
        port=keys.port,
        health_check=_health_check(keys.health_check),
        targets=keys.targets,
        attributes=MappingProxyType(dict(keys.attributes)),
    )


def _health_check(keys: HealthCheckKeys) -> HealthCheck:
    return HealthCheck(
        path=keys.path,
        interval_s=float(keys.interval),
        timeout_s=float(keys.timeout_s),
        healthy_threshold=keys.healthy_threshold,
        unhealthy_threshold=keys.unhealthy_threshold,
        matcher=parse_matcher(keys.matcher),
        port=None if keys.port == TRAFFIC_PORT else int(keys.port),
    )


def _load_balancer(name: str, keys: LoadBalancerKeys, groups: Mapping[str, TargetGroup]) -> LoadBalancer:
    resource_id = names.derived_id("load-balancer", name)
    arn = names.load_balancer_arn(*_PLACE, name, resource_id)
    return LoadBalancer(
        arn=arn,
        name=name,
        dns_name=names.dns_name(name, names.DEFAULT_REGION, resource_id),
        listeners=tuple(_listener(name, arn, listener, groups) for listener in keys.listeners),
        attributes=MappingProxyType(dict(keys.attributes)),
    )


def _listener(
    load_balancer: str, load_balancer_arn: str, keys: ListenerKeys, groups: Mapping[str, TargetGroup]
) -> Listener:
    resource_id = names.derived_id("listener", load_balancer, str(keys.port))
    return Listener(
        arn=names.listener_arn(load_balancer_arn, resource_id),
        port=keys.port,
        default_action=ForwardAction(groups[keys.forward].arn),
        attributes=MappingProxyType(dict(keys.attributes)),
    )
