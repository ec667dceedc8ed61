"""The calls of ELB's API that make what a description says, in their order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from lb.export.description import Description, Listener, LoadBalancer, Properties, Resource, TargetGroup
from lb.export.names import Ref

MADE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "CreateTargetGroup": ("TargetGroups", "TargetGroupArn"),
        "CreateLoadBalancer": ("LoadBalancers", "LoadBalancerArn"),
        "CreateListener": ("Listeners", "ListenerArn"),
        "CreateRule": ("Rules", "RuleArn"),
    }
)
"""Operation to the list in its answer, and the member of the list's one item that is the ARN of what was made."""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """`makes` is what later calls call the resource that this one makes, None for a call that changes one."""

    operation: str
    params: Properties
    makes: Ref | None = None


def calls(description: Description) -> Iterator[ApiCall]:
    """Target groups with their targets first, then load balancers, each with its listeners and their rules."""
    for group in description.target_groups:
        yield from _group(group)
    for balancer in description.load_balancers:
        yield from _balancer(balancer)


def pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags or attributes as the API takes them."""
    return [{"Key": key, "Value": value} for key, value in values.items()]


def _create(operation: str, resource: Resource, more: Mapping[str, Any] | None = None) -> ApiCall:
    tags = {"Tags": pairs(resource.tags)} if resource.tags else {}
    return ApiCall(operation, {**(more or {}), **resource.properties, **tags}, resource.ref)


def _modify(operation: str, member: str, resource: Resource) -> Iterator[ApiCall]:
    if resource.attributes:
        yield ApiCall(operation, {member: resource.ref, "Attributes": pairs(resource.attributes)})


def _group(group: TargetGroup) -> Iterator[ApiCall]:
    yield _create("CreateTargetGroup", group)
    yield from _modify("ModifyTargetGroupAttributes", "TargetGroupArn", group)
    if group.targets:
        yield ApiCall("RegisterTargets", {"TargetGroupArn": group.ref, "Targets": list(group.targets)})


def _balancer(balancer: LoadBalancer) -> Iterator[ApiCall]:
    yield _create("CreateLoadBalancer", balancer)
    yield from _modify("ModifyLoadBalancerAttributes", "LoadBalancerArn", balancer)
    for listener in balancer.listeners:
        yield from _listener(listener)


def _listener(listener: Listener) -> Iterator[ApiCall]:
    yield _create("CreateListener", listener)
    yield from _modify("ModifyListenerAttributes", "ListenerArn", listener)
    for certificate in listener.certificates:
        named = [{"CertificateArn": certificate}]
        yield ApiCall("AddListenerCertificates", {"ListenerArn": listener.ref, "Certificates": named})
    for rule in listener.rules:
        yield _create("CreateRule", rule, {"ListenerArn": listener.ref})
