"""Records to the configuration that the balancer carries out (`lb.model.config`).

Carried are Application Load Balancers and their HTTP listeners; everything else stays a record.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lb.model.config import Config, Listener, LoadBalancer, Network, Target, TargetGroup
from lb.resources import security
from lb.resources.places import Placing
from lb.resources.records import Kind, Record, Transaction
from lb.resources.rules import rule_of
from lb.resources.target_groups import group_of, is_served

_T = TypeVar("_T")
_Parts = tuple[Any, ...]
_Make = Callable[[_Parts, "_Built[_T] | None"], _T]


@dataclass(frozen=True, slots=True)
class _Built(Generic[_T]):
    """What was `made` of `parts`, when the records were as `seen`: while those stay, nothing else has to be looked at."""

    seen: _Parts
    parts: _Parts
    made: _T


class Traffic:
    """Builds configurations, and remembers the last: a resource that has not changed is the same object again.

    So a change costs what it changes, and a glance at each load balancer, listener and target group.
    """

    def __init__(self, placing: Placing, *, security_groups: bool) -> None:
        """`placing` tells where instances are, `security_groups` whether they keep anybody out."""
        self._placing = placing
        self._security_groups = security_groups
        self._last: dict[str, _Built[Any]] = {}

    def config_of(self, records: Transaction, is_from_file: Callable[[Record], bool]) -> Config:
        """The part of the configuration that the API made: all but what the configuration file defines."""
        build = _Build(records, self._last, self._placing, security_groups=self._security_groups)
        balancers = tuple(
            build.load_balancer(record)
            for record in records.all(Kind.LOAD_BALANCER)
            if record.shape["Type"] == "application" and not is_from_file(record)
        )
        users = Config(balancers).users
        groups = tuple(
            build.target_group(record, users.get(record.id))
            for record in records.all(Kind.TARGET_GROUP)
            if not is_from_file(record)
        )
        self._last = build.built
        return Config(balancers, groups)


class _Build:
    """One configuration. `last` is what was built for the one before, by ARN."""

    def __init__(
        self, records: Transaction, last: Mapping[str, _Built[Any]], placing: Placing, *, security_groups: bool
    ) -> None:
        self.built: dict[str, _Built[Any]] = {}
        self._records = records
        self._last = last
        self._placing = placing
        self._security_groups = security_groups
        # What says, beside the resources themselves, where targets are and who is let in.
        self._around = tuple(map(records.all, (Kind.INSTANCE, Kind.SUBNET, Kind.SECURITY_GROUP_RULE)))

    def _again(self, arn: str, seen: _Parts, read: Callable[[], _Parts], make: _Make[_T]) -> _T:
        """What was made last, or what `make` makes of the parts that `read` tells now, and of what was built last."""
        last: _Built[_T] | None = self._last.get(arn)
        if last is None or last.seen != seen:
            parts = read()
            made = last.made if last is not None and last.parts == parts else make(parts, last)
            last = _Built(seen, parts, made)
        self.built[arn] = last
        return last.made

    def load_balancer(self, record: Record) -> LoadBalancer:
        listeners = tuple(
            self._listener(record, each)
            for each in self._records.children(Kind.LISTENER, record.id)
            if each.shape["Protocol"] == "HTTP"
        )
        parts = record, *listeners

        def make(*_: object) -> LoadBalancer:
            shape = record.shape
            return LoadBalancer(
                arn=record.id,
                name=shape["LoadBalancerName"],
                dns_name=shape["DNSName"],
                listeners=listeners,
                zones=tuple(zone["ZoneName"] for zone in shape["AvailabilityZones"]),
                attributes=record.attributes,
            )

        return self._again(record.id, parts, lambda: parts, make)

    def _listener(self, balancer: Record, record: Record) -> Listener:
        rules = self._records.children(Kind.RULE, record.id)

        def read() -> _Parts:
            return record, self._admitted(balancer, record.shape["Port"]), rules

        def make(parts: _Parts, last: _Built[Listener] | None) -> Listener:
            # By identity: `last` keeps its records alive.
            known = dict(zip(map(id, last.parts[2]), last.made.rules, strict=True)) if last is not None else {}
            made = tuple(known.get(id(rule)) or rule_of(rule) for rule in rules)
            return Listener(record.id, record.shape["Port"], made, record.attributes, parts[1])

        return self._again(record.id, (balancer, record, rules, *self._around), read, make)

    def _admitted(self, balancer: Record, port: int) -> tuple[Network, ...] | None:
        groups = balancer.shape.get("SecurityGroups", ())
        if not (self._security_groups and groups):
            return None
        return security.admitted(self._records, groups, port)

    def target_group(self, record: Record, user: LoadBalancer | None) -> TargetGroup:
        balancer = self._records.get(Kind.LOAD_BALANCER, user.arn) if user is not None else None
        registered = self._records.children(Kind.TARGET, record.id)

        def read() -> _Parts:
            targets = tuple(self._targets(record, registered, balancer))
            # Targets are equal by id and port alone; where they are and whom they admit may change as well.
            return record, targets, tuple((each.zone, each.place, each.blocked) for each in targets)

        def make(parts: _Parts, _: object) -> TargetGroup:
            return group_of(record, parts[1])

        return self._again(record.id, (record, balancer, registered, *self._around), read, make)

    def _targets(self, group: Record, registered: Iterable[Record], balancer: Record | None) -> Iterator[Target]:
        if not is_served(group):
            return
        for record in registered:
            name, port = record.shape["Id"], record.shape["Port"]
            instance = self._records.get(Kind.INSTANCE, name)
            if instance is None:
                yield Target(name, port, record.shape.get("AvailabilityZone"))
            elif instance.more["desired"] == "running" and instance.more["address"]:
                place = self._placing.place(instance)
                zone = instance.shape["Placement"]["AvailabilityZone"]
                yield Target(name, port, zone, place, blocked=self._blocks(instance, port, balancer))

    def _blocks(self, instance: Record, port: int, balancer: Record | None) -> bool:
        if not self._security_groups or balancer is None:
            return False
        groups = [group["GroupId"] for group in instance.shape["SecurityGroups"]]
        subnets = [
            subnet.shape["CidrBlock"]
            for zone in balancer.shape["AvailabilityZones"]
            if (subnet := self._records.get(Kind.SUBNET, zone["SubnetId"])) is not None
        ]
        sources = balancer.shape.get("SecurityGroups", ())
        return not security.admits(self._records, groups, port, sources, subnets)
