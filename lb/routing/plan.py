"""The plan: configuration compiled into what a node reads for every request.

Immutable and whole. A new configuration is a new plan; requests in flight keep the one that they started with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lb.http.forwarded import ForwardedSettings
from lb.http.record import Origin
from lb.model import attributes, names
from lb.model.attributes import Scope
from lb.model.config import Config, ForwardAction, HealthCheck, Listener, LoadBalancer, Target, TargetGroup

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
    def key(self) -> str:
        """`address:port`, unique within its target group."""
        return str(Target(self.address, self.target.port)) if self.address else str(self.target)


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """A target group. `in_use` tells whether a listener forwards to it."""

    arn: str
    name: str
    endpoints: tuple[Endpoint, ...]
    health_check: HealthCheck
    deregistration_delay_s: int
    in_use: bool


@dataclass(frozen=True, slots=True)
class ListenerPlan:
    """A listener with everything that its load balancer's attributes say about its requests."""

    arn: str
    port: int
    load_balancer_arn: str
    origin: Origin
    default_action: ForwardAction
    forwarded: ForwardedSettings
    desync_mode: str
    drop_invalid_headers: bool
    server_header: bool
    idle_timeout_s: int
    client_keep_alive_s: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All listeners and target groups of a configuration."""

    listeners: tuple[ListenerPlan, ...] = ()
    groups: tuple[GroupPlan, ...] = ()


def compile_plan(config: Config, addresses: Addresses) -> Plan:
    """Compiles a configuration. Raises PlanError."""
    listeners = tuple(
        _listener(balancer, listener) for balancer in config.load_balancers for listener in balancer.listeners
    )
    used = {listener.default_action.target_group_arn for listener in listeners}
    known = {group.arn for group in config.target_groups}
    if missing := used - known:
        raise PlanError(f"a listener forwards to the target group {min(missing)}, which does not exist")
    ports: dict[int, str] = {}
    for listener in listeners:
        other = ports.setdefault(listener.port, listener.arn)
        if other != listener.arn:
            raise PlanError(f"two listeners share port {listener.port}: {other} and {listener.arn}")
    groups = tuple(_group(group, addresses, in_use=group.arn in used) for group in config.target_groups)
    return Plan(listeners, groups)


def _listener(balancer: LoadBalancer, listener: Listener) -> ListenerPlan:
    scope, values = Scope.LOAD_BALANCER, balancer.attributes
    return ListenerPlan(
        arn=listener.arn,
        port=listener.port,
        load_balancer_arn=balancer.arn,
        origin=Origin(names.load_balancer_label(balancer.arn), balancer.dns_name, listener.port),
        default_action=listener.default_action,
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
        idle_timeout_s=attributes.seconds_of(scope, values, "idle_timeout.timeout_seconds"),
        client_keep_alive_s=attributes.seconds_of(scope, values, "client_keep_alive.seconds"),
    )


def _group(group: TargetGroup, addresses: Addresses, *, in_use: bool) -> GroupPlan:
    endpoints: dict[str, Endpoint] = {}
    for target in group.targets:
        for address in addresses.get(target.id) or (None,):
            endpoint = Endpoint(target, address)
            endpoints.setdefault(endpoint.key, endpoint)
    return GroupPlan(
        arn=group.arn,
        name=group.name,
        endpoints=tuple(endpoints.values()),
        health_check=group.health_check,
        deregistration_delay_s=attributes.seconds_of(
            Scope.TARGET_GROUP, group.attributes, "deregistration_delay.timeout_seconds"
        ),
        in_use=in_use,
    )
