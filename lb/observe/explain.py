"""Why a request goes, or went, where it goes: the walk of the live proxy, written down. Pure.

Every step asks the code that routes - the head reader, the rules, the group and target choice, the header writer - so that
what is explained cannot differ from what happens. Nothing is counted. `words` are those of the language that the reasons are
to be told in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lb.http import forwarded, trace
from lb.http.head import HeadReader, Rejected, RequestHead
from lb.model.said import ENGLISH, Said, Words, said
from lb.observe.cause import OWN_ANSWERS
from lb.routing.decide import Reply, decide, view_of
from lb.routing.fixed import FixedAnswer
from lb.routing.plan import ListenerPlan
from lb.routing.redirect import LocationTooLong, RedirectTemplate
from lb.routing.request import RequestView
from lb.routing.rewrite import Rewrite, TransformStatus
from lb.routing.walk import CompiledRule, Step, explain_walk
from lb.routing.weights import GroupChoice
from lb.targets.groups import GroupPicker
from lb.targets.roster import Roster

Json = dict[str, Any]
_TRACE = b"0" * 24


@dataclass(frozen=True, slots=True)
class Question:
    """A request as it would come in: the bytes of its head, and who sends it."""

    head: bytes
    client_ip: str
    client_port: int = 50000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a request that has happened and that chance and turns had a say in. Empty where it got none."""

    target_group_arn: str
    target: str
    trace_id: bytes


@dataclass(frozen=True, slots=True)
class Situation:
    """The moment in which it would come in. `number` is the random number in [0, 1) for weighted groups.

    For a request that has happened, `wall_s` is when it came in, `known` what became of it, and the rest is as it is now: a
    target group of the rosters may be gone.
    """

    rosters: Mapping[str, Roster]
    picker: Callable[[GroupChoice], GroupPicker | None]
    now: float
    wall_s: float
    number: float
    known: Known | None = None


def explain(listener: ListenerPlan, question: Question, situation: Situation, words: Words = ENGLISH) -> Json:
    """The walk as JSON values. A request that would be refused before any rule has `refused` and no rules."""
    told = _listener(listener)
    try:
        found = HeadReader().read(question.head, 0, listener.desync_mode, drop_invalid=listener.drop_invalid_headers)
    except Rejected as refusal:
        why = f"{refusal.tier.name.capitalize()}: {refusal.reason}" if refusal.reason else said("malformed").to(words)
        return {**told, "refused": {"status": refusal.status, "why": why}}
    if found is None:
        return {**told, "refused": {"status": 408, "why": said("the head has no end").to(words)}}
    return explain_head(listener, found[0], (question.client_ip, question.client_port), situation, words)


def explain_head(
    listener: ListenerPlan, head: RequestHead, client: tuple[str, int], situation: Situation, words: Words
) -> Json:
    """`explain` for a request whose head has been read; `client` is its address and port."""
    client_ip, client_port = client
    told = _listener(listener)
    view = view_of(listener, head, client_ip)
    told["request"] = {
        "method": head.method.decode("latin-1"),
        "host": view.host.decode("latin-1"),
        "path": view.path.decode("latin-1"),
        "query": view.raw_query.decode("latin-1"),
        "source_ip": client_ip,
        "classification": head.tier.name.capitalize(),
        "classification_reason": head.reason or None,
    }
    decision = decide(listener, head, client_ip)
    if isinstance(decision, Reply):
        why = said("{method} is not allowed", method=told["request"]["method"])
        return {**told, "refused": {"status": decision.status, "why": why.to(words)}}
    told["rules"] = [_step(step, words) for step in explain_walk(listener.rules, view).steps]
    told["chosen"] = _priority(decision)
    told["action"] = _Action(listener, view, client_port, situation, words).told(decision)
    return told


def _listener(listener: ListenerPlan) -> Json:
    return {"listener": {"load_balancer": listener.origin.load_balancer, "protocol": "HTTP", "port": listener.port}}


def _step(step: Step, words: Words) -> Json:
    return {
        "priority": _priority(step.rule),
        "reached": step.reached,
        "matched": step.matched,
        "conditions": [
            {"field": verdict.field, "matched": verdict.matched, "why": verdict.why.to(words)}
            for verdict in step.verdicts
        ],
    }


def _priority(rule: CompiledRule) -> int | str:
    return rule.rule.priority if rule.rule.priority is not None else "default"


@dataclass(frozen=True, slots=True)
class _Action:
    """What the rule that decides would do with a request."""

    listener: ListenerPlan
    view: RequestView
    client_port: int
    situation: Situation
    words: Words

    def told(self, rule: CompiledRule) -> Json:
        action = rule.action
        if isinstance(action, RedirectTemplate):
            try:
                location = action.location(self.view, b"http", self.listener.port)
            except LocationTooLong:
                return {"type": "redirect", **self._fails(507)}
            return {"type": "redirect", "status": action.status, "location": location.decode("latin-1")}
        if isinstance(action, FixedAnswer):
            return {"type": "fixed-response", "status": action.status}
        return self._forward(action, rule.rewrite)

    def _fails(self, status: int, why: Said | None = None) -> Json:
        return {"status": status, "why": (why or Said(OWN_ANSWERS[status], {})).to(self.words)}

    def _forward(self, action: GroupChoice, rewrite: Rewrite | None) -> Json:
        told: Json = {"type": "forward"}
        settings, situation = self.listener.forwarded, self.situation
        head, known = self.view.head, situation.known
        address = forwarded.client_address(settings, self.view.client_ip, self.client_port)
        uri = head.uri
        try:
            added = forwarded.added_headers(head, settings, address)
        except Rejected as refusal:
            return {**told, **self._fails(refusal.status)}
        if rewrite is not None:
            result = rewrite.apply(head.uri, forwarded.target_host(head, settings))
            told["transform"] = {
                "status": result.status.value,
                "uri": result.uri.decode("latin-1") if result.uri is not None else None,
                "host": result.host.decode("latin-1") if result.host is not None else None,
            }
            if result.status is not TransformStatus.SUCCESS:
                return {**told, **self._fails(500)}
            uri = result.uri if result.uri is not None else uri
            if result.host is not None:
                added = forwarded.added_headers(head, settings, address, result.host)
        arn, told["group"] = self._group(action)
        if arn is None:
            return {**told, **self._fails(503, said("all weights are 0"))}
        trace_id = trace.trace_id(head.trace_id, int(situation.wall_s), _TRACE) if known is None else known.trace_id
        told["sent"] = forwarded.to_target(head, uri, added, trace_id).decode("latin-1")
        if known is None or arn in situation.rosters:
            told["targets"] = self._targets(situation.rosters[arn])
        found = known.target if known is not None else any(each["usable"] for each in told["targets"]["candidates"])
        if not found:
            told |= self._fails(503)
        return told

    def _group(self, action: GroupChoice) -> tuple[str | None, Json]:
        """The group's ARN, None where it has none, and why."""
        situation = self.situation
        picker = situation.picker(action)
        if picker is None:
            arn, choice = action.pick(situation.number), None
        else:
            arn, choice = picker.pick(self.view.head.block, situation.wall_s, situation.number)
        why = action.explain(situation.number)
        known = situation.known
        if known is not None and len(action.groups) > 1 and action.holds(known.target_group_arn):
            # Which number was drawn then is not kept, but where it led.
            arn = known.target_group_arn
            weight = next(group.weight for group in action.groups if group.arn == arn)
            why = said("drawn by weight: {weight} of {total}", weight=weight, total=action.total)
        if choice is not None and choice.kept is not None:
            why = said("kept: {reason}", reason=choice.text)
        elif choice is not None:
            why = said("new choice, since {reason}; {draw}", reason=choice.text, draw=why)
        weights = {group.arn: group.weight for group in action.groups}
        return arn, {"target_group": arn, "why": why.to(self.words), "weights": weights}

    def _targets(self, roster: Roster) -> Json:
        situation, words = self.situation, self.words
        candidates = roster.explain(self.view.head.block, situation.now, situation.wall_s)
        chosen = candidates.chosen.key if candidates.chosen is not None else None
        text = candidates.selection.text
        if situation.known is not None:
            chosen = situation.known.target or None
            text = said("as they are now, not as they were then: {situation}", situation=text)
        return {
            "algorithm": candidates.algorithm,
            "situation": text.to(words),
            "sticky": candidates.choice.text.to(words) if candidates.choice is not None else None,
            "chosen": chosen,
            "candidates": [
                {
                    "target": verdict.slot.key,
                    "state": verdict.slot.health.state.value,
                    "in_flight": verdict.slot.in_flight,
                    "usable": verdict.why.usable,
                    "why": verdict.why.text.to(words),
                    "slow_start": candidates.ramps.get(verdict.slot.key),
                }
                for verdict in candidates.selection.verdicts
            ],
        }
