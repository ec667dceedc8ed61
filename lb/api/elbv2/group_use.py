"""Which load balancers use a target group: those with a rule, a default rule among them, that forwards to it."""

from collections.abc import Iterable, Iterator, Mapping

from lb.api.call import ApiError, Call
from lb.api.elbv2.limits import limit, refuse_above
from lb.resources.records import Kind, Record
from lb.resources.rules import target_groups_of


def _uses(call: Call) -> Iterator[tuple[str, str]]:
    """Each target group that a rule of the region forwards to, with the listener of the rule."""
    return (
        (group, rule.parent)
        for rule in call.tx.all(Kind.RULE, call.region)
        for group in target_groups_of(rule.shape["Actions"])
    )


def balancers_by_group(call: Call) -> dict[str, tuple[str, ...]]:
    """ARN of each target group in use to the ARNs of its load balancers. Goes through the rules once."""
    balancers = {listener.id: listener.parent for listener in call.tx.all(Kind.LISTENER, call.region)}
    found: dict[str, dict[str, None]] = {}
    for group, listener in dict.fromkeys(_uses(call)):
        found.setdefault(group, {})[balancers[listener]] = None
    return {group: tuple(users) for group, users in found.items()}


def is_used(call: Call, group: str) -> bool:
    """Whether a rule of the region forwards to the target group."""
    return any(used == group for used, _ in _uses(call))


def check_association(call: Call, balancer: Record, groups: Mapping[str, Record]) -> None:
    """Raises ApiError where `balancer` may not forward to `groups`, by ARN, beside those that it forwards to already."""
    used = balancers_by_group(call)
    if foreign := [arn for arn in groups if set(used.get(arn, ())) - {balancer.id}]:
        message = "The following target groups cannot be associated with more than one load balancer: "
        raise ApiError("TargetGroupAssociationLimit", message + ", ".join(foreign))
    together = {arn for arn, balancers in used.items() if balancer.id in balancers} | groups.keys()
    most = limit("target-groups-per-application-load-balancer")
    code = "TooManyUniqueTargetGroupsPerLoadBalancer"
    refuse_above(most, len(together), code, "unique target groups per load balancer")
    check_target_count(call, together)


def check_target_count(call: Call, groups: Iterable[str]) -> None:
    """Raises ApiError where `groups`, all those of a load balancer, have more targets than it may have."""
    count = sum(len(call.tx.children(Kind.TARGET, group)) for group in groups)
    refuse_above(limit("targets-per-application-load-balancer"), count, "TooManyTargets", "targets per load balancer")
