"""A description as a CloudFormation template in YAML."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import yaml

from lb.export.calls import pairs
from lb.export.description import Description, Given, Listener, LoadBalancer, Properties, Resource, TargetGroup
from lb.export.names import Ref, one_line

_ELB: Final = "AWS::ElasticLoadBalancingV2::"
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vpc": "AWS::EC2::VPC::Id",
        "subnet": "AWS::EC2::Subnet::Id",
        "security_group": "AWS::EC2::SecurityGroup::Id",
        "instance": "AWS::EC2::Instance::Id",
    }
)
_SECRET: Final = "client_secret"  # noqa: S105 - a kind of parameter


def template(description: Description) -> str:
    """The whole template. What cannot be made is a parameter with this balancer's value as its default."""
    document: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Load balancers exported from lb",
    }
    if description.given:
        document["Parameters"] = {given.ref.camel: _parameter(given) for given in description.given}
    resources = {ref.camel: resource for ref, resource in _resources(description)}
    # A template without resources is none; there is nothing to export then.
    document["Resources"] = resources
    outputs = {f"{balancer.ref.camel}DNSName": _dns_name(balancer) for balancer in description.load_balancers}
    if outputs:
        document["Outputs"] = outputs
    notes = "".join(f"# Note: {one_line(note)}\n" for note in description.notes)
    return notes + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes what stands in several places in full each time: CloudFormation reads no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _parameter(given: Given) -> dict[str, Any]:
    parameter: dict[str, Any] = {"Type": _TYPES.get(given.ref.kind, "String"), "Description": one_line(given.what)}
    if given.value is not None:
        parameter["Default"] = given.value
    if given.ref.kind == _SECRET:
        parameter["NoEcho"] = True
    return parameter


def _dns_name(balancer: LoadBalancer) -> dict[str, Any]:
    value = {"Fn::GetAtt": [balancer.ref.camel, "DNSName"]}
    return {"Description": f"DNS name of {balancer.properties['Name']}", "Value": value}


def _resources(description: Description) -> Iterator[tuple[Ref, dict[str, Any]]]:
    for group in description.target_groups:
        yield group.ref, _group(group)
    for balancer in description.load_balancers:
        yield balancer.ref, _resource("LoadBalancer", balancer, "LoadBalancerAttributes")
        for listener in balancer.listeners:
            yield from _listener(listener)


def _group(group: TargetGroup) -> dict[str, Any]:
    targets = {"Targets": list(group.targets)} if group.targets else {}
    return _resource("TargetGroup", group, "TargetGroupAttributes", targets)


def _listener(listener: Listener) -> Iterator[tuple[Ref, dict[str, Any]]]:
    yield listener.ref, _resource("Listener", listener, "ListenerAttributes")
    for number, certificate in enumerate(listener.certificates, start=1):
        properties = {"ListenerArn": listener.ref, "Certificates": [{"CertificateArn": certificate}]}
        ref = Ref("listener_certificate", f"{listener.ref.name}_{number}")
        yield ref, {"Type": f"{_ELB}ListenerCertificate", "Properties": _value(properties)}
    for rule in listener.rules:
        yield rule.ref, _resource("ListenerRule", rule, "", {"ListenerArn": listener.ref})


def _resource(kind: str, resource: Resource, attributes: str, more: Properties | None = None) -> dict[str, Any]:
    properties = {**(more or {}), **resource.properties}
    if resource.attributes:
        properties[attributes] = pairs(resource.attributes)
    if resource.tags:
        properties["Tags"] = pairs(resource.tags)
    return {"Type": f"{_ELB}{kind}", "Properties": _value(properties)}


def _value(value: Any) -> Any:
    match value:
        case Ref():
            return {"Ref": value.camel}
        case dict():
            return {member: _value(each) for member, each in value.items()}
        case list():
            return list(map(_value, value))
    return value
