"""Checked keys of a file to the values the balancer runs on. Ids depend on names only, so they survive restarts."""

from collections.abc import Mapping
from types import MappingProxyType

from lb.configfile.checks import TRAFFIC_PORT
from lb.configfile.rules_schema import build_rules
from lb.configfile.schema import FileKeys, HealthCheckKeys, ListenerKeys, LoadBalancerKeys, TargetGroupKeys
from lb.model import names
from lb.model.config import Config, HealthCheck, Listener, LoadBalancer, TargetGroup
from lb.model.matcher import parse_matcher

_PLACE = (names.DEFAULT_REGION, names.DEFAULT_ACCOUNT_ID)


def build_config(file: FileKeys) -> Config:
    """The configuration, in the order of the file. Every action must name target groups of the file, every listener have
    one default action."""
    groups = {name: _target_group(name, keys) for name, keys in file.target_groups.items()}
    arns = {name: group.arn for name, group in groups.items()}
    return Config(
        tuple(_load_balancer(name, keys, arns) for name, keys in file.load_balancers.items()),
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


def _load_balancer(name: str, keys: LoadBalancerKeys, group_arns: Mapping[str, str]) -> LoadBalancer:
    resource_id = names.derived_id("load-balancer", name)
    arn = names.load_balancer_arn(*_PLACE, name, resource_id)
    return LoadBalancer(
        arn=arn,
        name=name,
        dns_name=names.dns_name(name, names.DEFAULT_REGION, resource_id),
        listeners=tuple(_listener(name, arn, listener, group_arns) for listener in keys.listeners),
        zones=keys.zones,
        attributes=MappingProxyType(dict(keys.attributes)),
    )


def _listener(
    load_balancer: str, load_balancer_arn: str, keys: ListenerKeys, group_arns: Mapping[str, str]
) -> Listener:
    resource_id = names.derived_id("listener", load_balancer, str(keys.port))
    arn = names.listener_arn(load_balancer_arn, resource_id)
    return Listener(
        arn=arn,
        port=keys.port,
        rules=build_rules(arn, keys.rules, keys.default_action, group_arns),
        attributes=MappingProxyType(dict(keys.attributes)),
    )
