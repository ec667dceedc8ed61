"""A snapshot of load balancers into the description that exports are written from."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lb.export.description import Description, Given, Listener, LoadBalancer, Resource, TargetGroup
from lb.export.names import Names, Ref
from lb.export.snapshot import Json, Snapshot
from lb.model.attributes import Attribute
from lb.model.kept_attributes import listener_rows, load_balancer_rows
from lb.model.kept_group_attributes import target_group_rows
from lb.resources.defaults import default_network
from lb.resources.records import Kind

_KEPT_OF_BALANCER: Final = ("CustomerOwnedIpv4Pool", "IpamPools", "EnablePrefixForIpv6SourceNat")
_KEPT_OF_GROUP: Final = (
    "Protocol",
    "ProtocolVersion",
    "Port",
    "TargetType",
    "IpAddressType",
    "TargetControlPort",
    "HealthCheckEnabled",
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)
# ELB's ranges (fact sheet 6.1): lb.yaml takes quicker checks, for demonstrations.
_RANGES: Final = {
    "HealthCheckIntervalSeconds": (5, 300),
    "HealthCheckTimeoutSeconds": (2, 120),
    "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
}
_STATIC_ADDRESSES: Final = ("AllocationId", "PrivateIPv4Address", "IPv6Address")
# What answers tell and no Create operation takes.
_TOLD_ONLY: Final = frozenset(("TrustStoreAssociationStatus",))


class UnknownResourceError(Exception):
    """A resource that something refers to is missing from the snapshot; the text names both."""


def describe(snapshot: Snapshot) -> Description:
    """Everything in the snapshot. Raises UnknownResourceError."""
    return _Reading(snapshot).description()


def changed(rows: Iterable[Attribute], values: Mapping[str, str]) -> dict[str, str]:
    """The attributes that differ from ELB's defaults."""
    return {row.key: values[row.key] for row in rows if row.key in values and values[row.key] != row.default}


class _Reading:
    """One walk over a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._names = Names()
        self._given: dict[tuple[str, str], Given] = {}
        self._notes: list[str] = []
        self._groups = {
            group["TargetGroupArn"]: self._names.new("target_group", group["TargetGroupName"])
            for group in snapshot.target_groups
        }

    def description(self) -> Description:
        balancers = tuple(map(self._balancer, self._snapshot.load_balancers))
        groups = tuple(map(self._group, self._snapshot.target_groups))
        return Description(tuple(self._given.values()), groups, balancers, tuple(self._notes))

    def _of(self, arn: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        return self._snapshot.attributes.get(arn, {}), self._snapshot.tags.get(arn, {})

    def _ask(self, kind: str, known: str, name: object, value: str | None, what: str) -> Ref:
        """A reference to something that has to be given; `known` tells it from others of its kind."""
        if (kind, known) not in self._given:
            self._given[kind, known] = Given(self._names.new(kind, name), value, what)
        return self._given[kind, known].ref

    def _place(self, kind: str, what: str, place_id: str) -> Ref:
        """Part of a network, a certificate or the like, numbered."""
        number = 1 + sum(of_kind == kind for of_kind, _ in self._given)
        return self._ask(kind, place_id, number, place_id, what)

    # Load balancers

    def _balancer(self, shape: Json) -> LoadBalancer:
        name, balancer_type = shape["LoadBalancerName"], shape["Type"]
        properties: dict[str, Any] = {"Name": name, "Type": balancer_type}
        if balancer_type != "gateway":
            properties["Scheme"] = shape["Scheme"]
        properties["IpAddressType"] = shape["IpAddressType"]
        properties |= self._subnets(shape)
        if shape.get("SecurityGroups"):
            properties["SecurityGroups"] = [
                self._place("security_group", "a security group of the load balancer", each)
                for each in shape["SecurityGroups"]
            ]
        properties |= {member: shape[member] for member in _KEPT_OF_BALANCER if shape.get(member)}
        attributes, tags = self._of(shape["LoadBalancerArn"])
        rows = load_balancer_rows(balancer_type, shape.get("Scheme", ""))
        ref = self._names.new("load_balancer", name)
        listeners = [
            self._listener(ref, shape, each)
            for each in self._snapshot.listeners
            if each["LoadBalancerArn"] == shape["LoadBalancerArn"]
        ]
        return LoadBalancer(ref, properties, changed(rows, attributes), tags, tuple(listeners))

    def _subnets(self, shape: Json) -> dict[str, Any]:
        zones = [zone for zone in shape["AvailabilityZones"] if "SubnetId" in zone]
        if any(set(_STATIC_ADDRESSES) & each.keys() for zone in zones for each in zone["LoadBalancerAddresses"]):
            return {"SubnetMappings": list(map(self._mapping, zones))}
        ids = [zone["SubnetId"] for zone in zones] or self._default_subnets(shape)
        return {"Subnets": [self._subnet(each) for each in ids]}

    def _mapping(self, zone: Json) -> dict[str, Any]:
        mapping: dict[str, Any] = {"SubnetId": self._subnet(zone["SubnetId"])}
        for address in zone["LoadBalancerAddresses"]:
            for member in _STATIC_ADDRESSES:
                if member in address:
                    kind = "allocation" if member == "AllocationId" else "load_balancer_address"
                    mapping[member] = self._place(kind, "an address of the load balancer", address[member])
        return mapping

    def _subnet(self, subnet_id: str) -> Ref:
        return self._place("subnet", "a subnet of the load balancer", subnet_id)

    def _default_subnets(self, shape: Json) -> list[str]:
        """Those of the default VPC, for a load balancer of a file, which has none."""
        region, account = shape["LoadBalancerArn"].split(":")[3:5]
        wanted = {zone["ZoneName"] for zone in shape["AvailabilityZones"]}
        subnets = [record.shape for record in default_network(region, account) if record.kind is Kind.SUBNET]
        inside = [subnet["SubnetId"] for subnet in subnets if subnet["AvailabilityZone"] in wanted]
        return inside if len(inside) > 1 else [subnet["SubnetId"] for subnet in subnets]

    # Listeners and rules

    def _listener(self, balancer: Ref, of: Json, shape: Json) -> Listener:
        arn = shape["ListenerArn"]
        label = f"{balancer.name} {shape.get('Port', 'all')}"
        where = f"listener {shape.get('Protocol', '')}:{shape.get('Port', '')} of {of['LoadBalancerName']}"
        properties: dict[str, Any] = {"LoadBalancerArn": balancer}
        properties |= {member: shape[member] for member in ("Protocol", "Port", "SslPolicy") if member in shape}
        if shape.get("Certificates"):
            first = shape["Certificates"][0]["CertificateArn"]
            properties["Certificates"] = [{"CertificateArn": self._certificate(first)}]
        if shape.get("AlpnPolicy"):
            properties["AlpnPolicy"] = shape["AlpnPolicy"]
        if shape.get("MutualAuthentication", {}).get("Mode", "off") != "off":
            properties["MutualAuthentication"] = self._mutual_authentication(shape["MutualAuthentication"])
        rules = self._snapshot.rules.get(arn, ())
        properties["DefaultActions"] = self._actions(shape["DefaultActions"], where)
        attributes, tags = self._of(arn)
        return Listener(
            self._names.new("listener", label),
            properties,
            changed(listener_rows(of["Type"], shape.get("Protocol", "")), attributes),
            tags,
            tuple(map(self._certificate, self._snapshot.certificates.get(arn, ()))),
            tuple([self._rule(label, where, rule) for rule in rules if not rule["IsDefault"]]),
        )

    def _certificate(self, arn: str) -> Ref:
        return self._place("certificate", "ARN of a certificate", arn)

    def _mutual_authentication(self, shape: Json) -> dict[str, Any]:
        kept = {member: value for member, value in shape.items() if member not in _TOLD_ONLY}
        if "TrustStoreArn" in kept:
            kept["TrustStoreArn"] = self._place("trust_store", "ARN of a trust store", kept["TrustStoreArn"])
        return kept

    def _rule(self, listener: str, where: str, shape: Json) -> Resource:
        where = f"rule {shape['Priority']} of {where}"
        properties: dict[str, Any] = {
            "Priority": int(shape["Priority"]),
            "Conditions": list(map(_condition, shape["Conditions"])),
            "Actions": self._actions(shape["Actions"], where),
        }
        if shape.get("Transforms"):
            properties["Transforms"] = list(shape["Transforms"])
        ref = self._names.new("rule", f"{listener} {shape['Priority']}")
        return Resource(ref, properties, {}, self._of(shape["RuleArn"])[1])

    def _actions(self, shapes: Iterable[Json], where: str) -> list[dict[str, Any]]:
        return [self._action(shape, where) for shape in shapes]

    def _action(self, shape: Json, where: str) -> dict[str, Any]:
        action = {member: value for member, value in shape.items() if member != "TargetGroupArn"}
        if shape["Type"] == "forward":
            action["ForwardConfig"] = self._forward(shape, where)
        elif shape["Type"] == "authenticate-oidc":
            client = shape["AuthenticateOidcConfig"]["ClientId"]
            secret = self._ask("client_secret", client, client, None, f"client secret of {client}")
            action["AuthenticateOidcConfig"] = {**shape["AuthenticateOidcConfig"], "ClientSecret": secret}
        return action

    def _forward(self, shape: Json, where: str) -> dict[str, Any]:
        config: Json = shape.get("ForwardConfig", {})
        groups = config.get("TargetGroups") or [{"TargetGroupArn": shape["TargetGroupArn"]}]
        forward: dict[str, Any] = {
            "TargetGroups": [{**each, "TargetGroupArn": self._target_group(each, where)} for each in groups]
        }
        sticky: Json = config.get("TargetGroupStickinessConfig", {})
        if sticky.get("Enabled") or "DurationSeconds" in sticky:
            forward["TargetGroupStickinessConfig"] = dict(sticky)
        return forward

    def _target_group(self, group: Json, where: str) -> Ref:
        arn = group["TargetGroupArn"]
        if arn not in self._groups:
            raise UnknownResourceError(f"{where} forwards to the target group {arn}, which is not described")
        return self._groups[arn]

    # Target groups

    def _group(self, shape: Json) -> TargetGroup:
        arn, name, ref = shape["TargetGroupArn"], shape["TargetGroupName"], self._groups[shape["TargetGroupArn"]]
        properties = {"Name": name, **{member: shape[member] for member in _KEPT_OF_GROUP if member in shape}}
        self._bring_into_range(name, properties)
        if "VpcId" in shape:
            properties["VpcId"] = self._place("vpc", "the VPC of target groups", shape["VpcId"])
        attributes, tags = self._of(arn)
        rows = target_group_rows(shape["TargetType"], shape.get("Protocol"), shape.get("ProtocolVersion", ""))
        targets = [
            {**target, "Id": self._target_id(shape, ref, number, target)}
            for number, target in enumerate(self._snapshot.targets.get(arn, ()), start=1)
        ]
        return TargetGroup(ref, properties, changed(rows, attributes), tags, tuple(targets))

    def _bring_into_range(self, name: str, properties: dict[str, Any]) -> None:
        for member, (low, high) in _RANGES.items():
            given = properties.get(member)
            if given is not None and not low <= given <= high:
                properties[member] = max(low, min(high, given))
                self._notes.append(
                    f"target group {name}: {member} is {given} here; ELB takes {low} to {high}, so it is"
                    f" {properties[member]}"
                )

    def _target_id(self, group: Json, ref: Ref, number: int, target: Json) -> str | Ref:
        target_id: str = target["Id"]
        name = f"{ref.name} {number}"
        what = f"a target of {group['TargetGroupName']}"
        if group["TargetType"] == "instance":
            return self._place("instance", "an instance that is a target", target_id)
        if group["TargetType"] != "ip":
            return self._ask("target", name, name, target_id, what)
        try:
            address = ipaddress.ip_address(target_id)
        except ValueError:
            address = None
        if address is None or f"ipv{address.version}" != group["IpAddressType"]:
            self._notes.append(f"target group {group['TargetGroupName']}: ELB takes no target such as {target_id}")
            return self._ask("target", name, name, None, f"{what}, an IP address in the place of {target_id}")
        if address.is_loopback:
            # Every one may become another machine.
            return self._ask("target", name, name, target_id, f"{what}, an IP address")
        return target_id


def _condition(shape: Json) -> dict[str, Any]:
    """A condition in one form: its `*Config` where it has one."""
    if not any(member.endswith("Config") for member in shape):
        return dict(shape)
    return {member: value for member, value in shape.items() if member not in ("Values", "RegexValues")}
