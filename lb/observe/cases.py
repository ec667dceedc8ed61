"""Requests with what is expected of them, compared with the walk that `lb.observe.explain` tells. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]


class Unanswerable(Exception):
    """A request cannot be explained: no listener has its port. The message says so."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must hold; None for what is not asked.

    `rule` is a priority or "default". `groups` are target groups with their weights, or one group without (None): then it
    is enough that requests can go there. `redirect` is the whole Location, `status` the balancer's own answer.
    """

    rule: int | str | None = None
    groups: Mapping[str, int | None] | None = None
    redirect: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A request and what is expected. `headers` are whole lines; `line` is where the case stands in its file."""

    name: str
    method: str
    url: str
    headers: tuple[str, ...]
    client_ip: str
    expected: Expected
    line: int

    @property
    def port(self) -> int:
        """The port of the listener."""
        return urlsplit(self.url).port or 80


@dataclass(frozen=True, slots=True)
class Result:
    """A case that was run. `faults` say what happened instead, none for a case that passed."""

    case: Case
    faults: tuple[str, ...]


def run(cases: Iterable[Case], ask: Callable[[Case], Json]) -> Iterator[Result]:
    """Runs the cases one after the other. `ask` tells the walk of a request as `lb.observe.explain.explain` does, and
    raises Unanswerable."""
    for case in cases:
        try:
            faults = judge(case.expected, ask(case))
        except Unanswerable as error:
            faults = (str(error),)
        yield Result(case, faults)


def judge(expected: Expected, told: Json) -> tuple[str, ...]:
    """What of the walk is other than expected."""
    if "refused" in told:
        return _refused(expected, told["refused"])
    action = told["action"]
    faults: list[str] = []
    if expected.rule is not None and told["chosen"] != expected.rule:
        faults.append(f"{_rule(told['chosen'])} decides, not {_rule(expected.rule)}{_why_not(expected.rule, told)}")
    if expected.groups is not None:
        faults += _groups(expected.groups, action)
    if expected.redirect is not None and action.get("location") != expected.redirect:
        faults.append(f"{_happens(action)}, not a redirect to {expected.redirect}")
    if expected.status is not None and (action["type"] == "forward" or action.get("status") != expected.status):
        faults += _status(expected.status, action)
    return tuple(faults)


def _refused(expected: Expected, refused: Json) -> tuple[str, ...]:
    if expected == Expected(status=refused["status"]):
        return ()
    return (f"refused before any rule: {refused['status']}, {refused['why']}",)


def _why_not(expected: int | str, told: Json) -> str:
    """What keeps the expected rule from deciding."""
    rule = next((each for each in told["rules"] if each["priority"] == expected), None)
    if rule is None:
        return ", which does not exist"
    missed = [f"{each['field']}: {each['why']}" for each in rule["conditions"] if not each["matched"]]
    return f" ({'; '.join(missed)})" if missed else ""


def _groups(expected: Mapping[str, int | None], action: Json) -> Iterator[str]:
    listed = ", ".join(name if weight is None else f"{name} {weight}" for name, weight in expected.items())
    if action["type"] != "forward":
        yield f"{_happens(action)}, not a request to {listed}"
        return
    if _group(action) is None:
        yield f"answers {action['status']} ({action['why']}), no request to {listed}"
        return
    weights = {_name(arn): weight for arn, weight in action["group"]["weights"].items()}
    any_share = None in expected.values()
    fits = all(weights.get(name) for name in expected) if any_share else weights == expected
    if not fits:
        happens = (
            ", ".join(f"{name} {weight}" for name, weight in weights.items()) if len(weights) > 1 else "".join(weights)
        )
        yield f"forwards to {happens}, not to {listed}"


def _status(expected: int, action: Json) -> Iterator[str]:
    # That there is no usable target is the state of the moment, not what the rules say.
    if action["type"] != "forward" or ("status" in action and "targets" not in action):
        if action["status"] != expected:
            yield f"{_happens(action)}, not {expected}"
    else:
        yield f"{_happens(action)}, which answers with a status of its own, not the balancer with {expected}"


def _happens(action: Json) -> str:
    match action["type"]:
        case "redirect":
            return f"redirects with {action['status']}" + (f" to {action['location']}" if "location" in action else "")
        case "fixed-response":
            return f"answers {action['status']} itself"
    group = _group(action)
    if group is not None:
        return f"forwards to {_name(group)}"
    return f"answers {action['status']} ({action['why']})"


def _group(action: Json) -> str | None:
    """The ARN of the target group that a forward action chooses; None where it comes to none."""
    group = action.get("group")
    return group["target_group"] if group else None


def _rule(priority: int | str) -> str:
    return "the default rule" if priority == "default" else f"rule {priority}"


def _name(arn: str) -> str:
    """The name in a target group's ARN."""
    return arn.split("/")[1]
