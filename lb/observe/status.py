"""What `lb status` and the console show: load balancers, target groups, and every target in words.

Pure: the state of the moment in, plain JSON values out.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lb.model import attributes
from lb.model.attributes import Scope
from lb.model.config import Config, HealthCheck, Listener, LoadBalancer
from lb.model.reasons import TargetState
from lb.model.rules import Forward
from lb.model.said import ENGLISH, Words
from lb.observe.group_notes import group_notes
from lb.observe.target_health import counter
from lb.routing.plan import GroupPlan, Plan
from lb.targets.health import Health, ProbeResult
from lb.targets.roster import Roster, Slot
from lb.targets.zone_health import ZoneHealth, zone_health, zones_out_of_dns

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """What the checker knows of a target: its health and the last probe, None before the first."""

    health: Health
    last: ProbeResult | None


Checks = Mapping[tuple[str, str], Check]
"""By target group ARN and endpoint key."""


def _as_asked(port: int) -> int | None:
    return port


def status(
    config: Config,
    plan: Plan,
    rosters: Mapping[str, Roster],
    checks: Checks,
    now_s: float,
    bound_port: Callable[[int], int | None] = _as_asked,
    words: Words = ENGLISH,
) -> Json:
    """The whole picture, with its sentences in the language of `words`.

    `now_s` is the wall clock in epoch seconds. `bound_port` tells where a listener's port is bound: there, elsewhere where
    only root may have it, None where it cannot be had.
    """
    zones = {group.arn: zone_health(rosters[group.arn].slots, group.choosing) for group in plan.groups if group.in_use}
    users = config.users
    used = {
        balancer.arn: [zones[arn] for arn, user in users.items() if user is balancer] for balancer in users.values()
    }
    out_of_dns = {arn: zones_out_of_dns(used[balancer.arn]) for arn, balancer in users.items()}
    groups = [
        _group(
            group,
            rosters[group.arn],
            checks,
            now_s,
            zones.get(group.arn, []),
            out_of_dns.get(group.arn, frozenset()),
            words,
        )
        for group in plan.groups
    ]
    names = {group.arn: group.name for group in plan.groups}
    return {
        "load_balancers": [
            _load_balancer(each, names, used.get(each.arn, []), bound_port) for each in config.load_balancers
        ],
        "target_groups": groups,
        "ready": all(_is_ready(group) for group in groups if group["in_use"]),
    }


def _load_balancer(
    balancer: LoadBalancer,
    names: Mapping[str, str],
    groups: Sequence[Sequence[ZoneHealth]],
    bound_port: Callable[[int], int | None],
) -> Json:
    """`groups` has the zones of each target group that it uses."""
    out_of_dns = zones_out_of_dns(groups)
    zones = {state.zone for group in groups for state in group} - {""}
    return {
        "name": balancer.name,
        "arn": balancer.arn,
        "dns_name": balancer.dns_name,
        "state": "active" if all(bound_port(each.port) for each in balancer.listeners) else "failed",
        "idle_timeout_s": attributes.seconds_of(
            Scope.LOAD_BALANCER, balancer.attributes, "idle_timeout.timeout_seconds"
        ),
        "zones": [{"zone": zone, "in_dns": zone not in out_of_dns} for zone in sorted({*balancer.zones, *zones})],
        "listeners": [
            {
                "arn": listener.arn,
                "protocol": "HTTP",
                "port": listener.port,
                "bound_port": bound_port(listener.port),
                "forward": ", ".join(names[arn] for arn in _forwards(listener)),
                "rules": len(listener.rules) - 1,
            }
            for listener in balancer.listeners
        ],
    }


def _forwards(listener: Listener) -> list[str]:
    """The target groups (ARNs) that its rules forward to, the default rule's first."""
    ordered = sorted(listener.rules, key=lambda rule: (rule.priority is not None, rule.priority))
    found = {
        group.arn: None for rule in ordered if isinstance(rule.action, Forward) for group in rule.action.target_groups
    }
    return list(found)


def _group(
    group: GroupPlan,
    roster: Roster,
    checks: Checks,
    now_s: float,
    zones: Sequence[ZoneHealth],
    out_of_dns: Collection[str],
    words: Words,
) -> Json:
    check = group.health_check
    targets = [_target(slot, checks.get((group.arn, slot.key)), check, now_s, words) for slot in roster.slots]
    notes = group_notes(check, targets, zones, out_of_dns, fail_open=roster.fail_open) if group.in_use else ()
    return {
        "name": group.name,
        "arn": group.arn,
        "in_use": group.in_use,
        "fail_open": roster.fail_open and group.in_use,
        "health_check": {
            "path": check.path,
            "port": check.port or "traffic-port",
            "interval_s": check.interval_s,
            "timeout_s": check.timeout_s,
            "healthy_threshold": check.healthy_threshold,
            "unhealthy_threshold": check.unhealthy_threshold,
            "matcher": check.matcher.text,
        },
        "targets": targets,
        "zones": [asdict(state) for state in zones],
        "notes": [note.shown(words) for note in notes],
    }


def _target(slot: Slot, known: Check | None, check: HealthCheck, now_s: float, words: Words) -> Json:
    health = slot.health
    last = known.last if known else None
    run = counter(known.health, check, words) if known and health.state is not TargetState.DRAINING else None
    return {
        "id": slot.endpoint.target.id,
        "address": slot.endpoint.address,
        "port": slot.endpoint.target.port,
        "state": health.state.value,
        "reason": health.reason.code if health.reason else None,
        "description": health.description,
        "counter": run["text"] if run else None,
        "last_probe": {
            "passed": last.outcome.name == "PASSED",
            "status": last.status,
            "detail": last.detail or None,
            "latency_ms": round(last.latency_s * 1000, 1),
            "seconds_ago": round(max(0.0, now_s - last.at_s), 1),
        }
        if last
        else None,
        "served": slot.served,
        "in_flight": slot.in_flight,
    }


def _is_ready(group: Json) -> bool:
    states = [target["state"] for target in group["targets"]]
    return TargetState.HEALTHY in states and TargetState.INITIAL not in states
