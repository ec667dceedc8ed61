"""Why a request that has happened went where it went, how long it took, and why it failed. Pure.

The walk is that of `lb.observe.explain` with the rules of that moment, as long as their plan is kept. What the record knows
is authoritative; targets and their states are those of now, and the answer says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lb.http.record import RequestRecord
from lb.model.said import ENGLISH, Said, Words, said
from lb.observe.cause import cause
from lb.observe.explain import Known, Situation, explain_head
from lb.observe.request_view import host_of
from lb.routing.plan import ListenerPlan, Plan
from lb.routing.weights import GroupChoice
from lb.targets.groups import GroupPicker
from lb.targets.roster import Roster
from lb.targets.sealing import Sealer

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the balancer still has. `plans`: today's first; `rosters`, `sealer` and `now` (monotonic seconds): the node's."""

    plans: Sequence[Plan]
    rosters: Mapping[str, Roster]
    sealer: Sealer
    now: float


def why(record: RequestRecord, kept: Kept, words: Words = ENGLISH) -> Json:
    """All that is known of a request, as JSON values, with its sentences in the language of `words`.

    `walk` is None where no rule was asked or no listener is known; `notes` say what is not as it was then.
    """
    told: Json = {
        "trace_id": record.trace_id.decode("latin-1") or None,
        "connection_id": record.connection_id,
        "client": record.client,
        "received_at_s": record.created_s,
        "request": _request(record),
        "result": _result(record),
        "cause": cause(record, words),
        "timings": _timings(record),
        "walk": None,
        "notes": [],
    }
    if record.head is None or record.rule_priority is None:
        told["notes"] = [said("no rule was asked").to(words)]
        return told
    then = _listener_of(record, kept.plans)
    newest = kept.plans[0].listeners if kept.plans else ()
    today = next((each for each in newest if each.origin == record.origin), None)
    listener = then or today
    if listener is None:
        gone = said(
            "{load_balancer} has no listener on port {port} any more, and its rules are not kept",
            load_balancer=record.origin.load_balancer,
            port=record.origin.port,
        )
        told["notes"] = [gone.to(words)]
        return told
    told["walk"] = walk = _walk(record, listener, kept, words)
    notes: list[Said] = []
    if then is None:
        notes.append(said("the rules of that moment are not kept any more: these are the rules of now"))
    elif then != today:
        notes.append(said("the configuration has changed since: these are the rules of that moment, not of now"))
    told["notes"] = [note.to(words) for note in (*notes, *_disagreements(record, walk), *_gone(record, walk))]
    return told


def _request(record: RequestRecord) -> Json | None:
    head = record.head
    if head is None:
        return None
    return {
        "method": head.method.decode("latin-1"),
        "host": host_of(record),
        "uri": head.uri.decode("latin-1"),
    }


def _result(record: RequestRecord) -> Json:
    """What access logs have too, None where they have `-`."""
    trouble = record.trouble
    return {
        "type": record.kind,
        "status": record.status,
        "target_status": record.target_status or None,
        "cut": record.cut,
        "failure": trouble.failure.name.lower() if trouble is not None else None,
        "moment": trouble.moment.name.lower() if trouble is not None else None,
        "rule": _rule(record),
        "actions_executed": record.action or None,
        "target_group": record.target_group_arn or None,
        "target": record.target or None,
        "redirect_url": record.redirect_url.decode("latin-1") or None,
        "error_reason": record.error_reason or None,
        "received_bytes": record.received_bytes,
        "sent_bytes": record.sent_bytes,
    }


def _rule(record: RequestRecord) -> int | str | None:
    return "default" if record.rule_priority == 0 else record.rule_priority


def _timings(record: RequestRecord) -> Json:
    """`*_after_s`: seconds since the request came, None where the moment never came. `*_time`: as in access logs."""
    sent_at = record.trouble.sent_at if record.trouble is not None else record.sent_at
    responded_after_s = _after(record, record.responded_at)
    request_s, target_s, response_s = record.processing_times_s
    return {
        "sent_after_s": _after(record, sent_at),
        "first_byte_after_s": responded_after_s if record.target_status else None,
        "target_gone_after_s": None if record.target_status else responded_after_s,
        "ended_after_s": _after(record, record.ended_at),
        "connection_idle_s": record.trouble.idle_s if record.trouble is not None else None,
        "request_processing_time": request_s,
        "target_processing_time": target_s,
        "response_processing_time": response_s,
    }


def _after(record: RequestRecord, instant: float) -> float | None:
    return round(instant - record.arrived_at, 6) if instant else None


def _listener_of(record: RequestRecord, plans: Iterable[Plan]) -> ListenerPlan | None:
    """The listener that decided. Each plan has origins of its own, so no other can be taken for it."""
    return next((each for plan in plans for each in plan.listeners if each.origin is record.origin), None)


def _walk(record: RequestRecord, listener: ListenerPlan, kept: Kept, words: Words) -> Json:
    assert record.head is not None

    def picker(action: GroupChoice) -> GroupPicker:
        return GroupPicker(action, listener.load_balancer_arn, kept.sealer)

    known = Known(record.target_group_arn, record.target, record.trace_id)
    situation = Situation(kept.rosters, picker, kept.now, record.created_s, 0.0, known)
    host, _, port = record.client.rpartition(":")
    return explain_head(listener, record.head, (host.strip("[]"), int(port)), situation, words)


def _disagreements(record: RequestRecord, walk: Json) -> Iterable[Said]:
    """Where the walk and the record tell different stories: with the rules of that moment, nowhere."""
    rule, chosen = _rule(record), walk.get("chosen")
    action = walk.get("action", {"type": None})
    if chosen != rule:
        yield said("rule {then} decided then, rule {now} would now", then=rule, now=chosen)
    kind = "forward" if "rewrite" in record.action else record.action
    if action["type"] != kind:
        yield said("the action was {then} then, it would be {now} now", then=kind, now=action["type"])
    group = action.get("group", {}).get("target_group")
    if record.target_group_arn and group != record.target_group_arn:
        yield said(
            "it went to the target group {then}, now it would go to {now}", then=record.target_group_arn, now=group
        )
    location = record.redirect_url.decode("latin-1")
    if location and action.get("location") != location:
        yield said("it was redirected to {then}, now it would be to {now}", then=location, now=action.get("location"))


def _gone(record: RequestRecord, walk: Json) -> Iterable[Said]:
    if not record.target:
        return
    targets = walk.get("action", {}).get("targets", {"candidates": ()})
    if all(each["target"] != record.target for each in targets["candidates"]):
        yield said(
            "the target {target}, which got the request, is not in its target group any more", target=record.target
        )
