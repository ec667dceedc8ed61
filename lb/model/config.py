"""What a user configures, as frozen values. Checked by whoever builds them; compiled by `lb.routing.plan`.

Names follow the ELBv2 API; durations are seconds and end in `_s`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType

from lb.model.matcher import Matcher
from lb.model.rules import Forward, Rule

Network = IPv4Network | IPv6Network
NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Health check settings of a target group. `port` None means the traffic port."""

    path: str
    interval_s: float
    timeout_s: float
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: Matcher
    port: int | None = None

    @property
    def asks_for_a_directory(self) -> bool:
        """Whether the path looks like a directory on the server's disk rather than a URL path."""
        return self.path.startswith(("/var/www", "/var/lib", "/usr/", "/srv/", "/home/", "/opt/", "/etc/"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance really is: its own address, and the port at which its port 80 is found there."""

    address: str
    http_port: int


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A registered target: an instance id, a host name or an IP address as it was registered, and a port.

    `zone` is its Availability Zone; None, where it was not told, counts for every zone. `place` is an instance's, None for
    targets that are addresses or names. `blocked` tells that no security group of it admits the load balancer.
    """

    id: str
    port: int
    zone: str | None = field(default=None, compare=False)
    place: Place | None = field(default=None, compare=False)
    blocked: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"[{self.id}]:{self.port}" if ":" in self.id else f"{self.id}:{self.port}"


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Targets that share a health check and attributes."""

    arn: str
    name: str
    port: int
    health_check: HealthCheck
    targets: tuple[Target, ...]
    attributes: Mapping[str, str] = field(default_factory=lambda: NO_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of a load balancer and what happens to requests that arrive there: its rules, the default rule among them.

    `admitted` are the blocks of client addresses that the load balancer's security groups let in, None where they let in
    everybody. `forwards_to` are the ARNs of the target groups that its rules name.
    """

    arn: str
    port: int
    rules: tuple[Rule, ...]
    attributes: Mapping[str, str] = field(default_factory=lambda: NO_ATTRIBUTES)
    admitted: tuple[Network, ...] | None = None
    forwards_to: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        forwards = (rule.action for rule in self.rules if isinstance(rule.action, Forward))
        found = frozenset(group.arn for action in forwards for group in action.target_groups)
        object.__setattr__(self, "forwards_to", found)


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """A load balancer with its listeners. `zones` are its enabled Availability Zones; none named means all."""

    arn: str
    name: str
    dns_name: str
    listeners: tuple[Listener, ...]
    zones: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: NO_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything one balancer process serves."""

    load_balancers: tuple[LoadBalancer, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()

    @property
    def users(self) -> dict[str, LoadBalancer]:
        """The load balancer of each target group, by its ARN, to which one forwards: the first that does."""
        return {
            arn: balancer
            for balancer in reversed(self.load_balancers)
            for listener in balancer.listeners
            for arn in listener.forwards_to
        }

    @property
    def names(self) -> frozenset[str]:
        """The host names and IP addresses of targets: what has to be looked up."""
        return frozenset(target.id for group in self.target_groups for target in group.targets if target.place is None)
