"""The plan: configuration compiled into what a node reads for every request.

Immutable and whole. A new configuration is a new plan; requests in flight keep the one that they started with.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from operator import is_
from typing import Any, Final, TypeVar

from lb.http.forwarded import ForwardedSettings
from lb.http.record import Origin
from lb.model import attributes, names
from lb.model.attributes import Scope
from lb.model.config import Config, HealthCheck, Listener, LoadBalancer, Network, Target, TargetGroup
from lb.routing.walk import RuleTable, compile_rules

_T = TypeVar("_T")
_HTTP_PORT = 80
_NEW: Final = (None, None)
Addresses = Mapping[str, tuple[str, ...]]
"""Host name -> the IP addresses that it stands for; a name that is missing has none so far."""


class PlanError(Exception):
    """A configuration that cannot be carried out; the message names the resource."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A target with the address that its name stands for; `address` is None while the name does not resolve."""

    target: Target
    address: str | None

    @property
    def port(self) -> int:
        """The port at the address to which requests go."""
        return self.port_of(self.target.port)

    def port_of(self, port: int) -> int:
        """Where one of the target's ports is found at the address."""
        place = self.target.place
        return place.http_port if place is not None and port == _HTTP_PORT else port

    @property
    def key(self) -> str:
        """`address:port`, unique within its target group."""
        return str(Target(self.address, self.port)) if self.address else str(self.target)


@dataclass(frozen=True, slots=True)
class Stickiness:
    """Sticky sessions of a target group. `cookie_name` is the application's cookie, None for `lb_cookie`."""

    duration_s: int
    cookie_name: str | None = None


@dataclass(frozen=True, slots=True)
class Choosing:
    """How a target is chosen: the target group's attributes about it, with their types.

    `healthy_count` and `healthy_percentage` are the thresholds of unhealthy-state routing, `dns_healthy_*` those of DNS
    failover, None for off; `zones` the enabled zones of the load balancer, none for all.
    """

    algorithm: str = "round_robin"
    anomaly_mitigation: bool = False
    slow_start_s: int = 0
    healthy_count: int = 1
    healthy_percentage: int | None = None
    dns_healthy_count: int | None = 1
    dns_healthy_percentage: int | None = None
    cross_zone: bool = True
    zones: tuple[str, ...] = ()
    stickiness: Stickiness | None = None


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """A target group. `in_use` tells whether a listener forwards to it."""

    arn: str
    name: str
    endpoints: tuple[Endpoint, ...]
    health_check: HealthCheck
    deregistration_delay_s: int
    in_use: bool
    choosing: Choosing = Choosing()


@dataclass(frozen=True, slots=True)
class ListenerPlan:
    """A listener with everything that its load balancer's attributes say about its requests.

    `response_headers` are set on every answer, whatever its origin: name and value.
    """

    arn: str
    port: int
    load_balancer_arn: str
    origin: Origin
    rules: RuleTable
    forwarded: ForwardedSettings
    desync_mode: str
    drop_invalid_headers: bool
    server_header: bool
    response_headers: tuple[tuple[bytes, bytes], ...]
    idle_timeout_s: int
    client_keep_alive_s: int
    admitted: tuple[Network, ...] | None = None

    def admits(self, address: str) -> bool:
        """Whether the security groups let a client in."""
        if self.admitted is None:
            return True
        client = ip_address(address)
        return any(client in block for block in self.admitted)


@dataclass(frozen=True, slots=True)
class Plan:
    """All listeners and target groups of a configuration."""

    listeners: tuple[ListenerPlan, ...] = ()
    groups: tuple[GroupPlan, ...] = ()


def unchanged(before: Sequence[object], now: Sequence[object]) -> bool:
    """Whether two plans have the same listeners or groups here, object for object: then nothing about them is new."""
    return len(before) == len(now) and all(map(is_, before, now))


def compile_plan(config: Config, addresses: Addresses) -> Plan:
    """Compiles a configuration. Raises PlanError."""
    return Compiler().compile(config, addresses)


class Compiler:
    """Compiles one configuration after the other: what has not changed since the last one is the same object again.

    So a change costs what it changes, and a glance at each listener and target group.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[object, ...] | None, Any]] = {}

    def compile(self, config: Config, addresses: Addresses) -> Plan:
        """The plan of a configuration. Raises PlanError."""
        known, self._known = self._known, {}

        def again(arn: str, parts: tuple[object, ...], make: Callable[[_T | None], _T]) -> _T:
            last = known.get(arn, _NEW)
            if last[0] != parts:
                last = parts, make(last[1])
            self._known[arn] = last
            made: _T = last[1]
            return made

        listeners = tuple(
            again(
                listener.arn,
                (listener, balancer.arn, balancer.dns_name, balancer.attributes),
                partial(_listener, balancer, listener),
            )
            for balancer in config.load_balancers
            for listener in balancer.listeners
        )
        users = config.users
        _check(config, listeners, users)

        def group_plan(group: TargetGroup) -> GroupPlan:
            user = users.get(group.arn)
            zones = user.zones if user is not None else None
            found = tuple(_addresses(target, addresses) for target in group.targets)
            # Targets are equal by id and port alone.
            details = tuple((target.zone, target.place, target.blocked) for target in group.targets)
            return again(group.arn, (group, details, zones, found), lambda _: _group(group, found, zones))

        return Plan(listeners, tuple(map(group_plan, config.target_groups)))


def _check(config: Config, listeners: Iterable[ListenerPlan], users: Mapping[str, LoadBalancer]) -> None:
    """Raises PlanError for what only all of it together shows."""
    known = {group.arn for group in config.target_groups}
    if missing := users.keys() - known:
        raise PlanError(f"a rule forwards to the target group {min(missing)}, which does not exist")
    ports: dict[tuple[str, int], str] = {}
    for plan in listeners:
        other = ports.setdefault((plan.load_balancer_arn, plan.port), plan.arn)
        if other != plan.arn:
            raise PlanError(f"two listeners of one load balancer share port {plan.port}: {other} and {plan.arn}")


def _listener(balancer: LoadBalancer, listener: Listener, last: ListenerPlan | None) -> ListenerPlan:
    scope, values = Scope.LOAD_BALANCER, balancer.attributes
    return ListenerPlan(
        arn=listener.arn,
        port=listener.port,
        load_balancer_arn=balancer.arn,
        origin=Origin(names.load_balancer_label(balancer.arn), balancer.dns_name, listener.port),
        rules=_rules(listener, last.rules if last is not None else None),
        forwarded=ForwardedSettings(
            port=listener.port,
            default_host=balancer.dns_name.encode(),
            preserve_host=attributes.is_on(scope, values, "routing.http.preserve_host_header.enabled"),
            client_port=attributes.is_on(scope, values, "routing.http.xff_client_port.enabled"),
            mode=attributes.text_of(scope, values, "routing.http.xff_header_processing.mode"),
        ),
        desync_mode=attributes.text_of(scope, values, "routing.http.desync_mitigation_mode"),
        drop_invalid_headers=attributes.is_on(scope, values, "routing.http.drop_invalid_header_fields.enabled"),
        server_header=attributes.is_on(Scope.LISTENER, listener.attributes, "routing.http.response.server.enabled"),
        response_headers=_response_headers(listener),
        idle_timeout_s=attributes.seconds_of(scope, values, "idle_timeout.timeout_seconds"),
        client_keep_alive_s=attributes.seconds_of(scope, values, "client_keep_alive.seconds"),
        admitted=listener.admitted,
    )


def _rules(listener: Listener, last: RuleTable | None) -> RuleTable:
    try:
        return compile_rules(listener.rules, last)
    except ValueError as error:
        raise PlanError(f"the rules of {listener.arn} cannot be used: {error}") from error


def _response_headers(listener: Listener) -> tuple[tuple[bytes, bytes], ...]:
    prefix, suffix = "routing.http.response.", ".header_value"
    headers = []
    for key in attributes.keys(Scope.LISTENER):
        if key.endswith(suffix) and (value := attributes.text_of(Scope.LISTENER, listener.attributes, key)):
            name = "-".join(word.capitalize() for word in key.removeprefix(prefix).removesuffix(suffix).split("_"))
            headers.append((name.encode(), value.encode()))
    return tuple(headers)


def _group(group: TargetGroup, addresses: Sequence[Iterable[str | None]], zones: tuple[str, ...] | None) -> GroupPlan:
    """`addresses` are those of each target; `zones` are those of the load balancer that uses the group, None without."""
    endpoints: dict[str, Endpoint] = {}
    for target, found in zip(group.targets, addresses, strict=True):
        for address in found:
            endpoint = Endpoint(target, address)
            endpoints.setdefault(endpoint.key, endpoint)
    return GroupPlan(
        arn=group.arn,
        name=group.name,
        endpoints=tuple(endpoints.values()),
        health_check=group.health_check,
        deregistration_delay_s=_seconds(group, "deregistration_delay.timeout_seconds"),
        in_use=zones is not None,
        choosing=_choosing(group, zones or ()),
    )


def _addresses(target: Target, addresses: Addresses) -> tuple[str | None, ...]:
    return (target.place.address,) if target.place is not None else addresses.get(target.id) or (None,)


def _choosing(group: TargetGroup, zones: tuple[str, ...]) -> Choosing:
    values = group.attributes
    routing, dns = (
        f"target_group_health.{action}.minimum_healthy_targets"
        for action in ("unhealthy_state_routing", "dns_failover")
    )
    stickiness = None
    if attributes.is_on(Scope.TARGET_GROUP, values, "stickiness.enabled"):
        if _text(group, "stickiness.type") == "lb_cookie":
            stickiness = Stickiness(_seconds(group, "stickiness.lb_cookie.duration_seconds"))
        else:
            stickiness = Stickiness(
                _seconds(group, "stickiness.app_cookie.duration_seconds"),
                _text(group, "stickiness.app_cookie.cookie_name"),
            )
    return Choosing(
        algorithm=_text(group, "load_balancing.algorithm.type"),
        anomaly_mitigation=_text(group, "load_balancing.algorithm.anomaly_mitigation") == "on",
        slow_start_s=_seconds(group, "slow_start.duration_seconds"),
        healthy_count=_seconds(group, f"{routing}.count"),
        healthy_percentage=_number_or_off(group, f"{routing}.percentage"),
        dns_healthy_count=_number_or_off(group, f"{dns}.count"),
        dns_healthy_percentage=_number_or_off(group, f"{dns}.percentage"),
        cross_zone=_text(group, "load_balancing.cross_zone.enabled") != "false",
        zones=zones,
        stickiness=stickiness,
    )


def _text(group: TargetGroup, key: str) -> str:
    return attributes.text_of(Scope.TARGET_GROUP, group.attributes, key)


def _seconds(group: TargetGroup, key: str) -> int:
    return int(_text(group, key))


def _number_or_off(group: TargetGroup, key: str) -> int | None:
    text = _text(group, key)
    return None if text == "off" else int(text)
