"""A listener's rules: the first that matches, by priority, decides; the default rule where none does.

`walk` and `explain_walk` ask the same compiled conditions. What comes after the match, however it ends, never leads to
another rule (fact sheet 3.1).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from lb.model.rules import Action, FixedResponse, Forward, Redirect, Rule
from lb.routing.conditions import CompiledCondition, Verdict, compile_condition
from lb.routing.fixed import FixedAnswer
from lb.routing.index import RuleIndex
from lb.routing.redirect import RedirectTemplate
from lb.routing.request import RequestView
from lb.routing.rewrite import Rewrite, compile_rewrite
from lb.routing.weights import GroupChoice

CompiledAction = GroupChoice | RedirectTemplate | FixedAnswer


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, ready for requests. `position` counts from 0; the default rule has the highest."""

    rule: Rule
    position: int
    conditions: tuple[CompiledCondition[Any], ...] = field(compare=False)
    action: CompiledAction = field(compare=False)
    rewrite: Rewrite | None = field(compare=False)

    @property
    def logged_priority(self) -> int:
        """The priority as access logs have it: 0 for the default rule."""
        return self.rule.priority or 0

    def matches(self, request: RequestView) -> bool:
        """Whether the request meets every condition; the default rule has none."""
        for condition in self.conditions:  # noqa: SIM110 - all() over a generator costs more than the conditions
            if not condition.matches(request):
                return False
        return True


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The rules of a listener in the order in which they count, without the default rule, and that one."""

    rules: tuple[CompiledRule, ...]
    default: CompiledRule
    index: RuleIndex = field(compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """A rule on the way. `reached` is False for rules behind the one that decided: the walk never asks them."""

    rule: CompiledRule
    reached: bool
    matched: bool
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """Every rule of the listener with its verdicts, the default rule last, and the one that decides."""

    steps: tuple[Step, ...]
    chosen: CompiledRule


def compile_rules(rules: Iterable[Rule], last: RuleTable | None = None) -> RuleTable:
    """Compiles a listener's rules, in any order; exactly one must be a default rule.

    What `last` has of the same rules, object for object, is used again. Raises lb.model.regexes.InvalidRegex for a
    condition, and ValueError for missing or double default rules and for double priorities.
    """
    ordered = sorted(rules, key=lambda rule: (rule.priority is None, rule.priority))
    if not ordered or ordered[-1].priority is not None:
        raise ValueError("a listener needs a default rule")
    if len({rule.priority for rule in ordered}) != len(ordered):
        raise ValueError("two rules of a listener cannot have the same priority")
    known = {id(each.rule): each for each in (*last.rules, last.default)} if last is not None else {}
    *others, default = (_compiled(rule, position, known.get(id(rule))) for position, rule in enumerate(ordered))
    return RuleTable(tuple(others), default, RuleIndex([rule.conditions for rule in others]))


def walk(table: RuleTable, request: RequestView) -> CompiledRule:
    """The rule that decides about this request."""
    candidates = table.index.first(request)
    narrowed = False
    index = table.index
    while candidates:
        lowest = candidates & -candidates
        # The costlier parts of the request are looked at only where the first candidate asks for them.
        if not narrowed and lowest & index.needs_headers:
            candidates = index.further(request, candidates)
            narrowed = True
            continue
        rule = table.rules[lowest.bit_length() - 1]
        if not lowest & index.unsure or rule.matches(request):
            return rule
        candidates ^= lowest
    return table.default


def explain_walk(table: RuleTable, request: RequestView) -> Walk:
    """What every condition of every rule says, and which rule decides."""
    chosen = walk(table, request)
    steps = []
    for rule in (*table.rules, table.default):
        verdicts = tuple(condition.explain(request) for condition in rule.conditions)
        matched = all(verdict.matched for verdict in verdicts)
        steps.append(Step(rule, rule.position <= chosen.position, matched, verdicts))
    return Walk(tuple(steps), chosen)


def _compiled(rule: Rule, position: int, known: CompiledRule | None) -> CompiledRule:
    if known is not None:
        return known if known.position == position else replace(known, position=position)
    conditions = tuple(compile_condition(condition) for condition in rule.conditions)
    return CompiledRule(rule, position, conditions, _compiled_action(rule.action), compile_rewrite(rule.transforms))


def _compiled_action(action: Action) -> CompiledAction:
    match action:
        case Forward():
            return GroupChoice(action)
        case Redirect():
            return RedirectTemplate(action)
        case FixedResponse():
            return FixedAnswer(action)
