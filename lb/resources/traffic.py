"""Records to the configuration that the balancer carries out (`lb.model.config`).

Carried are Application Load Balancers and their HTTP listeners; everything else stays a record.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from lb.model.config import Config, Listener, LoadBalancer, Network, Target, TargetGroup
from lb.model.rules import Forward
from lb.resources import security
from lb.resources.places import Placing
from lb.resources.records import Kind, Record, Transaction
from lb.resources.rules import rule_of
from lb.resources.target_groups import group_of, is_served

_T = TypeVar("_T")


class Traffic:
    """Builds configurations, and remembers what it built: a resource that has not changed is the same object again."""

    def __init__(self, placing: Placing, *, security_groups: bool) -> None:
        """`placing` tells where instances are, `security_groups` whether they keep anybody out."""
        self._placing = placing
        self._security_groups = security_groups
        self._built: dict[str, tuple[tuple[object, ...], Any]] = {}

    def config_of(self, records: Transaction, is_from_file: Callable[[Record], bool]) -> Config:
        """The part of the configuration that the API made: all but what the configuration file defines."""
        build = _Build(records, self._built, self._placing, security_groups=self._security_groups)
        balancers = [
            (record, build.load_balancer(record))
            for record in records.all(Kind.LOAD_BALANCER)
            if record.shape["Type"] == "application" and not is_from_file(record)
        ]
        users = {arn: record for record, balancer in balancers for arn in _forwards_to(balancer)}
        groups = [
            build.target_group(record, users.get(record.id))
            for record in records.all(Kind.TARGET_GROUP)
            if not is_from_file(record)
        ]
        self._built = build.built
        return Config(tuple(balancer for _, balancer in balancers), tuple(groups))


def _forwards_to(balancer: LoadBalancer) -> set[str]:
    return {
        group.arn
        for listener in balancer.listeners
        for rule in listener.rules
        if isinstance(rule.action, Forward)
        for group in rule.action.target_groups
    }


class _Build:
    """One configuration. `known` is what was built for the one before."""

    def __init__(
        self,
        records: Transaction,
        known: Mapping[str, tuple[tuple[object, ...], Any]],
        placing: Placing,
        *,
        security_groups: bool,
    ) -> None:
        self.built: dict[str, tuple[tuple[object, ...], Any]] = {}
        self._rules: dict[tuple[str, ...], tuple[Record, ...]] = {}  # of security groups
        self._records = records
        self._known = known
        self._placing = placing
        self._security_groups = security_groups

    def _again(self, name: str, parts: tuple[object, ...], make: Callable[[], _T]) -> _T:
        """What was made of the same parts before, or what `make` makes of them now."""
        before = self._known.get(name)
        made: _T = before[1] if before is not None and before[0] == parts else make()
        self.built[name] = parts, made
        return made

    def load_balancer(self, record: Record) -> LoadBalancer:
        listeners = tuple(
            self._listener(record, each)
            for each in self._records.children(Kind.LISTENER, record.id)
            if each.shape["Protocol"] == "HTTP"
        )

        def make() -> LoadBalancer:
            shape = record.shape
            return LoadBalancer(
                arn=record.id,
                name=shape["LoadBalancerName"],
                dns_name=shape["DNSName"],
                listeners=listeners,
                zones=tuple(zone["ZoneName"] for zone in shape["AvailabilityZones"]),
                attributes=record.attributes,
            )

        return self._again(record.id, (record, *listeners), make)

    def _listener(self, balancer: Record, record: Record) -> Listener:
        rules = self._records.children(Kind.RULE, record.id)
        admitted = self._admitted(balancer, record.shape["Port"])

        def make() -> Listener:
            return Listener(record.id, record.shape["Port"], tuple(map(rule_of, rules)), record.attributes, admitted)

        return self._again(record.id, (record, admitted, *rules), make)

    def _admitted(self, balancer: Record, port: int) -> tuple[Network, ...] | None:
        groups = tuple(balancer.shape.get("SecurityGroups", ()))
        if not (self._security_groups and groups):
            return None
        rules = self._rules.get(groups)
        if rules is None:
            kind = Kind.SECURITY_GROUP_RULE
            rules = self._rules[groups] = tuple(
                rule for group in groups for rule in self._records.children(kind, group)
            )
        make = partial(security.admitted, self._records, groups, port)
        return self._again(f"{port} of {groups}", rules, make)

    def target_group(self, record: Record, user: Record | None) -> TargetGroup:
        targets = tuple(self._targets(record, user))
        # Targets are equal by id and port alone; where they are and whom they admit may change as well.
        details = tuple((each.zone, each.place, each.blocked) for each in targets)
        return self._again(record.id, (record, targets, details), partial(group_of, record, targets))

    def _targets(self, group: Record, user: Record | None) -> Iterator[Target]:
        if not is_served(group):
            return
        for record in self._records.children(Kind.TARGET, group.id):
            name, port = record.shape["Id"], record.shape["Port"]
            instance = self._records.get(Kind.INSTANCE, name)
            if instance is None:
                yield Target(name, port, record.shape.get("AvailabilityZone"))
            elif instance.more["desired"] == "running" and instance.more["address"]:
                place = self._placing.place(instance)
                zone = instance.shape["Placement"]["AvailabilityZone"]
                yield Target(name, port, zone, place, blocked=self._blocks(instance, port, user))

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
