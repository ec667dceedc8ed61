"""Each target's state machine with its last probes, as JSON values (docs/local-api.md). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lb.model.config import HealthCheck
from lb.model.reasons import TargetState
from lb.model.said import ENGLISH, Words, said
from lb.observe.advice import advise
from lb.routing.plan import Endpoint, GroupPlan, Plan
from lb.targets.health import Health, ProbeOutcome, ProbeResult
from lb.targets.roster import Roster, Slot

Json = dict[str, Any]
_CHECKED: Final = (TargetState.INITIAL, TargetState.HEALTHY, TargetState.UNHEALTHY)


class Probe(Protocol):
    """What is read of `lb.health.checker.Probe`."""

    @property
    def request_line(self) -> str: ...
    @property
    def host(self) -> str | None: ...
    @property
    def result(self) -> ProbeResult: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checker knows of a target: its health since `since_s` (epoch seconds); the last of the probes comes first."""

    health: Health
    since_s: float
    probes: Sequence[Probe]


Checks = Mapping[tuple[str, str], Checked]
"""By target group ARN and endpoint key."""


def target_health(plan: Plan, rosters: Mapping[str, Roster], checks: Checks, words: Words = ENGLISH) -> list[Json]:
    """Every target of every group, in the order of registration; advice is in the language of `words`."""
    return [
        _target(group, slot, checks.get((group.arn, slot.key)), words)
        for group in plan.groups
        for slot in rosters[group.arn].slots
    ]


def _target(group: GroupPlan, slot: Slot, known: Checked | None, words: Words) -> Json:
    check, endpoint = group.health_check, slot.endpoint
    # The roster decides who is in use, the checker knows what the next verdict depends on.
    checked = known if slot.health.state in _CHECKED else None
    health = checked.health if checked is not None else slot.health
    probes = known.probes if known is not None else ()
    advice = advise(
        health,
        probes[0].result if probes else None,
        endpoint,
        check,
        probes[0].host if probes else None,
    )
    return {
        "target_group": group.arn,
        "target_group_name": group.name,
        "target": slot.key,
        "id": endpoint.target.id,
        "port": endpoint.target.port,
        "zone": slot.zone,
        "state": health.state.value,
        "since_s": round(checked.since_s, 3) if checked is not None else None,
        "reason": health.reason.code if health.reason is not None else None,
        "description": health.description,
        "counter": counter(health, check, words),
        "served": slot.served,
        "in_flight": slot.in_flight,
        "advice": {
            "code": advice.code,
            "values": advice.values,
            "why": advice.why.to(words),
            "to_do": advice.to_do.to(words),
        },
        "check": _check(check, endpoint),
        "probes": list(_probes(probes)),
    }


def _check(check: HealthCheck, endpoint: Endpoint) -> Json:
    return {
        "method": "GET",
        "path": check.path,
        "port": check.port or endpoint.target.port,
        "interval_s": check.interval_s,
        "timeout_s": check.timeout_s,
        "healthy_threshold": check.healthy_threshold,
        "unhealthy_threshold": check.unhealthy_threshold,
        "matcher": check.matcher.text,
    }


def counter(health: Health, check: HealthCheck, words: Words) -> Json | None:
    """The run of results that would change the state, as far as it has come; None where the next would be its first."""
    if health.state is TargetState.UNHEALTHY:
        count, of, kind, leads_to = health.passes, check.healthy_threshold, "successes", TargetState.HEALTHY
        text = said("{count} of {of} successes", count=count, of=of)
    else:
        count, of, kind, leads_to = health.failures, check.unhealthy_threshold, "failures", TargetState.UNHEALTHY
        text = said("{count} of {of} failures", count=count, of=of)
    if not count:
        return None
    return {"kind": kind, "count": count, "of": of, "leads_to": leads_to.value, "text": text.to(words)}


def _probes(probes: Iterable[Probe]) -> Iterable[Json]:
    for probe in probes:
        result = probe.result
        yield {
            "at_s": round(result.at_s, 3),
            "passed": result.outcome is ProbeOutcome.PASSED,
            "outcome": result.outcome.name.lower().replace("_", "-"),
            "request": probe.request_line,
            "host": probe.host,
            "status": result.status,
            "answer": result.answer or None,
            "latency_ms": round(result.latency_s * 1000, 3),
            "detail": result.detail or None,
        }
