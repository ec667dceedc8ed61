"""What is allowed in a configuration and yet cannot be meant: findings that hold for certain, in words.

Pure: a configuration in, findings out. What ELB refuses is refused earlier and no finding. Where it would take too long to
find out, that is said beside the findings.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lb.model import attributes
from lb.model.attributes import Scope
from lb.model.config import Config, Listener, LoadBalancer, Target, TargetGroup
from lb.model.rules import (
    Condition,
    Forward,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    PathPattern,
    QueryString,
    Rule,
)
from lb.routing.loops import redirect_loop
from lb.routing.plan import compile_plan
from lb.routing.subsumption import Cover, Prover, Undecided, covers

# Where servers keep their files; a URL path that begins so is meant for the disk.
_REFUSED_METHODS: Final = ("TRACE", "CONNECT")
_MOST_SHOWN: Final = 3
# ELB's word for targets outside the VPC; `lb.targets.zones`, which is not to be imported here, has it too.
_ANY_ZONE: Final = "all"

CODES: Final = (
    "client-keep-alive",
    "deregistration-delay",
    "double-target",
    "empty-zone",
    "group-stickiness",
    "health-path",
    "idle-stickiness",
    "redirect-loop",
    "shadowed-value",
    "unreachable-rule",
    "unused-target-group",
    "unused-zone",
    "zero-weights",
)
"""The kinds of findings."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` names the kind of finding, `where` the resource (`listener 8080, rule 20`); `message` goes on after it."""

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, and the rules (`listener 8080, rule 20`) of which it was not decided whether they can be reached."""

    findings: tuple[Finding, ...]
    undecided: tuple[str, ...]


def lint(config: Config) -> Report:
    """All findings: load balancers first, then target groups, in the order of the configuration.

    Raises lb.routing.plan.PlanError for a configuration that cannot be used at all.
    """
    plans = {plan.arn: plan for plan in compile_plan(config, {}).listeners}
    names = {group.arn: group.name for group in config.target_groups}
    ports = frozenset(plan.port for plan in plans.values())
    found: list[Finding] = []
    undecided: list[str] = []
    prover = Prover()
    for balancer in config.load_balancers:
        found += _load_balancer(balancer)
        for listener in balancer.listeners:
            found += _rules(listener, names, prover, undecided)
            for rule in (*plans[listener.arn].rules.rules, plans[listener.arn].rules.default):
                if (loop := redirect_loop(plans[listener.arn], rule, ports)) is not None:
                    found.append(Finding("redirect-loop", _place(listener, rule.rule), loop))
    users = _users(config)
    for group in config.target_groups:
        found += _target_group(group, users.get(group.arn))
    return Report(tuple(found), tuple(undecided))


def _users(config: Config) -> dict[str, LoadBalancer]:
    """The load balancer that uses a target group, by the group's ARN; ELB allows one."""
    return {
        group.arn: balancer
        for balancer in config.load_balancers
        for listener in balancer.listeners
        for rule in listener.rules
        if isinstance(rule.action, Forward)
        for group in rule.action.target_groups
    }


# Load balancers, listeners and rules


def _load_balancer(balancer: LoadBalancer) -> Iterator[Finding]:
    keep_alive = attributes.seconds_of(Scope.LOAD_BALANCER, balancer.attributes, "client_keep_alive.seconds")
    idle = _idle_timeout_s(balancer)
    if keep_alive < idle:
        yield Finding(
            "client-keep-alive",
            f"load balancer {balancer.name}",
            f"client_keep_alive.seconds ({keep_alive}) is shorter than idle_timeout.timeout_seconds ({idle}): client"
            " connections are at the end of their life before they can be idle for so long",
        )


def _rules(listener: Listener, names: dict[str, str], prover: Prover, undecided: list[str]) -> Iterator[Finding]:
    """The findings of a listener's rules; adds to `undecided`."""
    covered: dict[int | None, Cover] = {}
    for result in covers(listener.rules, prover):
        match result:
            case Cover(rule):
                covered[rule.priority] = result
            case Undecided(rule):
                undecided.append(_place(listener, rule))
    for rule in sorted(listener.rules, key=lambda rule: (rule.priority is None, rule.priority)):
        where = _place(listener, rule)
        why = _never_matches(rule)
        if why is not None:
            yield Finding("unreachable-rule", where, f"never reached: {why}")
        elif rule.priority in covered:
            yield _covered(where, covered[rule.priority])
        if isinstance(rule.action, Forward):
            yield from _forward(where, rule.action, names)


def _place(listener: Listener, rule: Rule) -> str:
    return f"listener {listener.port}, {_name(rule)}"


def _name(rule: Rule) -> str:
    return "default rule" if rule.priority is None else f"rule {rule.priority}"


def _covered(where: str, cover: Cover) -> Finding:
    by = [f"{_name(rule)} ({_conditions(rule)})" for rule in cover.by]
    several = len(by) > 1
    who = ", ".join(by[:_MOST_SHOWN]) + (f" and {len(by) - _MOST_SHOWN} more" if len(by) > _MOST_SHOWN else "")
    if cover.whole:
        does = "together match everything it does" if several else "matches everything it does"
        return Finding("unreachable-rule", where, f"never reached: {who} {does}")
    lost = ", ".join(_condition(each) for each in cover.lost)
    does = "match" if several else "matches"
    return Finding("shadowed-value", where, f"{lost} has no effect: {who} {does} those requests first")


def _conditions(rule: Rule) -> str:
    return " and ".join(map(_condition, rule.conditions))


def _condition(condition: Condition) -> str:
    match condition:
        case QueryString():
            values = [pair.value if pair.key is None else f"{pair.key}={pair.value}" for pair in condition.values]
        case HttpHeader() | HostHeader() | PathPattern():
            values = [*condition.values, *(f"regex {regex}" for regex in condition.regex_values)]
        case _:
            values = [*condition.values]
    name = f"{condition.field} {condition.name}:" if isinstance(condition, HttpHeader) else condition.field
    return f"{name} {' or '.join(values)}"


def _never_matches(rule: Rule) -> str | None:
    """Why no request can meet the rule's conditions, whatever the other rules are."""
    for condition in rule.conditions:
        if isinstance(condition, HttpRequestMethod) and set(condition.values) <= set(_REFUSED_METHODS):
            return f"{' and '.join(condition.values)} requests are refused with 405 before any rule"
        if (
            isinstance(condition, PathPattern)
            and not condition.regex_values
            and not any(value.startswith(("/", "*", "?")) for value in condition.values)
        ):
            return f"{_condition(condition)} does not begin with '/', as every path does"
    return None


def _forward(where: str, action: Forward, names: dict[str, str]) -> Iterator[Finding]:
    if not any(group.weight for group in action.target_groups):
        several = len(action.target_groups) > 1
        listed = ", ".join(names[group.arn] for group in action.target_groups)
        yield Finding(
            "zero-weights",
            where,
            f"{'all weights are' if several else 'the weight is'} 0 ({listed}): every request is answered with 503",
        )
    elif action.stickiness_s is not None and len(action.target_groups) == 1:
        yield Finding(
            "group-stickiness",
            where,
            "stickiness of the action has no effect, since it has only one target group; sticky sessions with targets are"
            " an attribute of the group (stickiness.enabled)",
        )


# Target groups


def _target_group(group: TargetGroup, user: LoadBalancer | None) -> Iterator[Finding]:
    where = f"target group {group.name}"
    if user is None:
        yield Finding(
            "unused-target-group", where, "no rule forwards to it: its targets get neither requests nor health checks"
        )
    path = group.health_check.path
    if group.health_check.asks_for_a_directory:
        yield Finding(
            "health-path",
            where,
            f"the health check path {path} looks like a directory on the server's disk; it is a URL path, which the server"
            " looks for below its document root: set it to / or /health.php",
        )
    yield from _double_targets(where, group.targets)
    yield from _idle_stickiness(where, group)
    if user is not None:
        yield from _zones(where, group, user)
        yield from _delay(where, group, _idle_timeout_s(user))


def _zones(where: str, group: TargetGroup, user: LoadBalancer) -> Iterator[Finding]:
    """Where the zones of the targets and those of their load balancer do not meet."""
    if not user.zones:
        return
    enabled = f"load balancer {user.name} ({', '.join(user.zones)})"
    zones = {target.zone for target in group.targets}
    for zone in sorted(each for each in zones if each is not None and each not in (*user.zones, _ANY_ZONE)):
        unused = [str(target) for target in group.targets if target.zone == zone]
        several = len(unused) > 1
        yield Finding(
            "unused-zone",
            where,
            f"{', '.join(unused)} {'are' if several else 'is'} in {zone}, which is not enabled for {enabled}:"
            f" {'they are' if several else 'it is'} unused and {'get' if several else 'gets'} no requests",
        )
    cross_zone = attributes.text_of(Scope.TARGET_GROUP, group.attributes, "load_balancing.cross_zone.enabled")
    if cross_zone == "false" and not zones & {None, _ANY_ZONE}:
        for zone in (each for each in user.zones if each not in zones):
            yield Finding(
                "empty-zone",
                where,
                f"it has no target in {zone}, which is enabled for {enabled}, and cross-zone load balancing is off: a node"
                " in that zone answers with 503",
            )


def _delay(where: str, group: TargetGroup, idle_s: int) -> Iterator[Finding]:
    delay = attributes.seconds_of(Scope.TARGET_GROUP, group.attributes, "deregistration_delay.timeout_seconds")
    if delay < idle_s:
        yield Finding(
            "deregistration-delay",
            where,
            f"deregistration_delay.timeout_seconds ({delay}) is shorter than the load balancer's"
            f" idle_timeout.timeout_seconds ({idle_s}): an answer that the latter would still wait for is cut off when its"
            " target is deregistered",
        )


def _double_targets(where: str, targets: Iterable[Target]) -> Iterator[Finding]:
    first: dict[tuple[str, int], Target] = {}
    for target in targets:
        before = first.setdefault((_one_spelling(target.id), target.port), target)
        if before is not target:
            yield Finding("double-target", where, f"the targets {before} and {target} are one and the same")


def _one_spelling(host: str) -> str:
    """The same text for all spellings of one host, as far as they can be told without asking a name server."""
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return "127.0.0.1"  # RFC 6761 6.3
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _idle_stickiness(where: str, group: TargetGroup) -> Iterator[Finding]:
    values = group.attributes
    given = [key for key in values if key.startswith("stickiness.") and key != "stickiness.enabled"]
    if given and "stickiness.enabled" not in values:
        missing = "stickiness.enabled is not set"
    else:
        kind = attributes.text_of(Scope.TARGET_GROUP, values, "stickiness.type")
        given = [key for key in given if key != "stickiness.type" and not key.startswith(f"stickiness.{kind}.")]
        missing = f"stickiness.type is {kind}"
    if given:
        verb = "has" if len(given) == 1 else "have"
        yield Finding("idle-stickiness", where, f"{', '.join(given)} {verb} no effect, since {missing}")


def _idle_timeout_s(balancer: LoadBalancer) -> int:
    return attributes.seconds_of(Scope.LOAD_BALANCER, balancer.attributes, "idle_timeout.timeout_seconds")
