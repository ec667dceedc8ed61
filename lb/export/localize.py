"""A production balancer's snapshot into one that a balancer on this machine can take, and what is lost on the way.

Application Load Balancers stay, with ports moved, HTTPS turned to HTTP, local targets, and the default network.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lb.export.describe import changed
from lb.export.snapshot import Json, Snapshot
from lb.model.attributes import Attribute
from lb.model.kept_attributes import DELETION_PROTECTION, listener_rows, load_balancer_rows
from lb.model.kept_group_attributes import target_group_rows
from lb.resources.defaults import default_network, default_vpc_id
from lb.resources.records import Kind
from lb.resources.target_groups import TRAFFIC_PORT

Address = tuple[str, int]
_ROUTING: Final = ("forward", "redirect", "fixed-response")
_INSTANCE_PORT: Final = 80
# What is answered where nothing is left to forward to.
_UNAVAILABLE: Final = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
_RESERVED_TAGS: Final = "aws:"


@dataclass(frozen=True, slots=True)
class Wishes:
    """`ports` are listener ports by those in production; `targets` addresses by `ID` or `ID:PORT`; `groups` the targets of a
    target group by its name. With `instances`, groups whose targets are not mapped get embedded web servers.
    """

    region: str
    account: str
    ports: Mapping[int, int] = field(default_factory=dict)
    targets: Mapping[str, Address] = field(default_factory=dict)
    groups: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    instances: bool = False


@dataclass(frozen=True, slots=True)
class Localized:
    """`notes` are sentences, one for each thing that is not as in production."""

    snapshot: Snapshot
    notes: tuple[str, ...]


def localize(snapshot: Snapshot, wishes: Wishes) -> Localized:
    """What can be brought up here."""
    return _Moving(snapshot, wishes).localized()


class _Moving:
    """One walk over a snapshot."""

    def __init__(self, snapshot: Snapshot, wishes: Wishes) -> None:
        self._snapshot = snapshot
        self._wishes = wishes
        self._notes: list[str] = []
        self._groups: dict[str, Json] = {}
        self._targets: dict[str, tuple[Json, ...]] = {}
        self._attributes: dict[str, dict[str, str]] = {}

    def localized(self) -> Localized:
        for group in self._snapshot.target_groups:
            self._group(group)
        balancers = [moved for each in self._snapshot.load_balancers if (moved := self._balancer(each)) is not None]
        kept = {balancer["LoadBalancerArn"]: balancer for balancer in balancers}
        here = [each for each in self._snapshot.listeners if each["LoadBalancerArn"] in kept]
        listeners = [self._listener(kept[each["LoadBalancerArn"]], each) for each in here]
        rules = {each["ListenerArn"]: tuple(self._rules(kept[each["LoadBalancerArn"]], each)) for each in here}
        arns = {*kept, *rules, *self._groups, *(rule["RuleArn"] for each in rules.values() for rule in each)}
        snapshot = Snapshot(
            load_balancers=tuple(balancers),
            listeners=tuple(listeners),
            target_groups=tuple(self._groups.values()),
            rules=rules,
            targets=self._targets,
            attributes=self._attributes,
            tags={arn: tags for arn in self._snapshot.tags if arn in arns and (tags := self._tags(arn))},
        )
        return Localized(snapshot, tuple(self._notes))

    def _tags(self, arn: str) -> dict[str, str]:
        tags = self._snapshot.tags[arn]
        for key in tags:
            if key.startswith(_RESERVED_TAGS):
                self._notes.append(f"{_short(arn)}: the tag {key} is reserved for AWS and left out")
        return {key: value for key, value in tags.items() if not key.startswith(_RESERVED_TAGS)}

    def _keep_attributes(self, what: str, arn: str, rows: Iterable[Attribute]) -> None:
        given, rows = self._snapshot.attributes.get(arn, {}), tuple(rows)
        known = {row.key: row for row in rows}
        taken = {}
        for key, value in given.items():
            if key not in known:
                self._notes.append(f"{what}: the attribute {key} is unknown here and left out")
            elif value != known[key].default and not known[key].takes(value):
                self._notes.append(f"{what}: the attribute {key} cannot be '{value}' here and is left out")
            else:
                taken[key] = value
        self._attributes[arn] = changed(rows, taken)

    # Load balancers

    def _balancer(self, shape: Json) -> Json | None:
        name = shape["LoadBalancerName"]
        what = f"load balancer {name}"
        if shape["Type"] != "application":
            self._notes.append(f"{what}: left out, {shape['Type']} load balancers carry no traffic here")
            return None
        if shape.get("SecurityGroups"):
            groups = ", ".join(shape["SecurityGroups"])
            self._notes.append(f"{what}: the default security group stands for {groups}")
        if shape.get("IpAddressType", "ipv4") != "ipv4":
            self._notes.append(f"{what}: IpAddressType {shape['IpAddressType']} becomes ipv4")
        if self._snapshot.attributes.get(shape["LoadBalancerArn"]) is None:
            self._notes.append(f"{what}: no file has its attributes, so they are ELB's defaults")
        self._keep_attributes(what, shape["LoadBalancerArn"], load_balancer_rows("application", shape["Scheme"]))
        if self._attributes[shape["LoadBalancerArn"]].pop(DELETION_PROTECTION, None) is not None:
            self._notes.append(f"{what}: deletion protection is off")
        return {
            "LoadBalancerArn": shape["LoadBalancerArn"],
            "LoadBalancerName": name,
            "Type": "application",
            "Scheme": shape["Scheme"],
            "IpAddressType": "ipv4",
            "AvailabilityZones": self._zones(shape),
        }

    def _zones(self, shape: Json) -> list[dict[str, Any]]:
        """The default subnets of the zones with the same letters, two at least."""
        letters = {zone["ZoneName"][-1:] for zone in shape["AvailabilityZones"]}
        network = default_network(self._wishes.region, self._wishes.account)
        subnets = [record.shape for record in network if record.kind is Kind.SUBNET]
        subnets.sort(key=lambda subnet: subnet["AvailabilityZone"][-1] not in letters)
        count = max(2, min(len(letters), len(subnets)))
        return [
            {"ZoneName": each["AvailabilityZone"], "SubnetId": each["SubnetId"], "LoadBalancerAddresses": []}
            for each in subnets[:count]
        ]

    # Listeners and rules

    def _listener(self, balancer: Json, shape: Json) -> Json:
        arn, protocol, port = shape["ListenerArn"], shape["Protocol"], shape["Port"]
        what = f"listener {protocol}:{port} of {balancer['LoadBalancerName']}"
        local = self._wishes.ports.get(port, port)
        if protocol == "HTTPS":
            self._notes.append(f"{what}: becomes HTTP:{local}, without certificates and without encryption")
            if shape.get("MutualAuthentication", {}).get("Mode", "off") != "off":
                self._notes.append(f"{what}: certificates of clients are not checked")
        elif local != port:
            self._notes.append(f"{what}: becomes HTTP:{local}")
        if local < 1024:
            self._notes.append(
                f"{what}: port {local} needs root; without, it is {local + 8000} (or say --port {port}=PORT)"
            )
        if arn not in self._snapshot.rules:
            self._notes.append(f"{what}: no file has its rules, so it has its default action only")
        self._keep_listener_attributes(what, arn, protocol)
        return {
            "ListenerArn": arn,
            "LoadBalancerArn": balancer["LoadBalancerArn"],
            "Protocol": "HTTP",
            "Port": local,
            "DefaultActions": [self._action(f"default action of {what}", shape["DefaultActions"]) or _UNAVAILABLE],
        }

    def _keep_listener_attributes(self, what: str, arn: str, protocol: str) -> None:
        self._keep_attributes(what, arn, listener_rows("application", protocol))
        http = {row.key for row in listener_rows("application", "HTTP")}
        for key in self._attributes[arn].keys() - http:
            self._notes.append(f"{what}: the attribute {key} goes with HTTPS only and is left out")
        self._attributes[arn] = {key: value for key, value in self._attributes[arn].items() if key in http}

    def _rules(self, balancer: Json, listener: Json) -> Iterator[Json]:
        for rule in self._snapshot.rules.get(listener["ListenerArn"], ()):
            if rule["IsDefault"]:
                continue
            what = f"rule {rule['Priority']} of {listener['Protocol']}:{listener['Port']} of {balancer['LoadBalancerName']}"
            action = self._action(what, rule["Actions"])
            if action is None:
                self._notes.append(f"{what}: left out, nothing of it can be carried")
            else:
                yield {**rule, "Actions": [action]}

    def _action(self, what: str, actions: Iterable[Json]) -> Json | None:
        """The action that routes; None where it has nowhere to forward to."""
        routing = None
        for action in actions:
            if action["Type"] in _ROUTING:
                routing = {member: value for member, value in action.items() if member != "Order"}
            else:
                self._notes.append(f"{what}: {action['Type']} needs HTTPS; requests pass without it")
        if routing is not None and routing["Type"] == "forward":
            return self._forward(what, routing)
        if routing is not None and routing["Type"] == "redirect":
            return {**routing, "RedirectConfig": self._redirect(what, routing["RedirectConfig"])}
        return routing

    def _redirect(self, what: str, config: Json) -> dict[str, Any]:
        moved = dict(config)
        if config.get("Protocol") == "HTTPS":
            moved["Protocol"] = "HTTP"
            self._notes.append(f"{what}: redirects to HTTP in the place of HTTPS")
        if config.get("Port", "").isdecimal():
            moved["Port"] = str(self._wishes.ports.get(int(config["Port"]), int(config["Port"])))
        return moved

    def _forward(self, what: str, action: Json) -> Json | None:
        config: Json = action.get("ForwardConfig", {})
        given = config.get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
        groups = [group for group in given if group["TargetGroupArn"] in self._groups]
        for group in given:
            if group not in groups:
                self._notes.append(f"{what}: the target group {_short(group['TargetGroupArn'])} is not here")
        return {"Type": "forward", "ForwardConfig": {**config, "TargetGroups": groups}} if groups else None

    # Target groups

    def _group(self, shape: Json) -> None:
        name, arn, kind = shape["TargetGroupName"], shape["TargetGroupArn"], shape["TargetType"]
        what = f"target group {name}"
        if kind == "lambda" or shape.get("Protocol") not in ("HTTP", "HTTPS"):
            of = "Lambda functions" if kind == "lambda" else f"protocol {shape.get('Protocol')}"
            self._notes.append(f"{what}: left out, {of} cannot be carried here")
            return
        moved = {**shape, "VpcId": default_vpc_id(self._wishes.region, self._wishes.account), "Protocol": "HTTP"}
        if shape["Protocol"] == "HTTPS":
            self._notes.append(f"{what}: its targets are asked by HTTP, not HTTPS")
        moved |= self._health_check(what, shape)
        if shape.get("ProtocolVersion", "HTTP1") != "HTTP1":
            self._notes.append(f"{what}: protocol version {shape['ProtocolVersion']} becomes HTTP1")
        moved["ProtocolVersion"] = "HTTP1"
        if arn not in self._snapshot.targets and name not in self._wishes.groups:
            self._notes.append(f"{what}: no file has its targets (describe-target-health)")
        if self._snapshot.attributes.get(arn) is None:
            self._notes.append(f"{what}: no file has its attributes, so they are ELB's defaults")
        self._keep_attributes(what, arn, target_group_rows("instance", "HTTP", "HTTP1"))
        self._groups[arn] = {**moved, **self._place_targets(what, moved)}

    def _health_check(self, what: str, shape: Json) -> dict[str, Any]:
        changes: dict[str, Any] = {"HealthCheckProtocol": "HTTP"}
        if shape.get("HealthCheckPort", TRAFFIC_PORT) != TRAFFIC_PORT:
            self._notes.append(
                f"{what}: health checks go to the port of the traffic, not to {shape['HealthCheckPort']}"
            )
            changes["HealthCheckPort"] = TRAFFIC_PORT
        if "GrpcCode" in shape.get("Matcher", {}):
            self._notes.append(f"{what}: health checks expect 200, not a gRPC code")
            changes["Matcher"] = {"HttpCode": "200"}
        return changes

    def _place_targets(self, what: str, shape: Json) -> dict[str, Any]:
        """Sets the targets of a group; what changes in its shape."""
        arn, name = shape["TargetGroupArn"], shape["TargetGroupName"]
        given = self._snapshot.targets.get(arn, ())
        mapped = self._wishes.groups.get(name)
        if mapped is None:
            places = [(target, self._mapped(target)) for target in given]
            mapped = tuple([place for _, place in places if place is not None])
            lost = [target for target, place in places if place is None]
            if self._wishes.instances and lost and not mapped:
                return self._embedded(what, arn, lost)
            for target in lost:
                place = f"{target['Id']}:{target.get('Port', '')}"
                self._notes.append(f"{what}: the target {place} has no place here (--map, --map-group, --instances)")
        self._targets[arn] = tuple([{"Id": host, "Port": port} for host, port in dict.fromkeys(mapped)])
        version = ipaddress.ip_address(mapped[0][0]).version if mapped else 4
        return {"TargetType": "ip", "IpAddressType": f"ipv{version}"}

    def _mapped(self, target: Json) -> Address | None:
        targets = self._wishes.targets
        return targets.get(f"{target['Id']}:{target.get('Port', '')}", targets.get(target["Id"]))

    def _embedded(self, what: str, arn: str, targets: Iterable[Json]) -> dict[str, Any]:
        ids = list(dict.fromkeys(target["Id"] for target in targets))
        self._targets[arn] = tuple([{"Id": each, "Port": _INSTANCE_PORT} for each in ids])
        self._notes.append(
            f"{what}: embedded web servers stand for {', '.join(ids)}; health checks ask them for / and 200"
        )
        return {
            "TargetType": "instance",
            "IpAddressType": "ipv4",
            "HealthCheckPath": "/",
            "Matcher": {"HttpCode": "200"},
        }


def _short(arn: str) -> str:
    """An ARN without partition, service, region and account."""
    return arn.split(":", 5)[-1]
