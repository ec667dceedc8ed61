"""A walk as text, for the commands that show one: `lb explain` and `lb why`."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def walk_text(told: Json) -> Iterator[str]:
    """The lines of a walk, as `lb.observe.explain` tells it."""
    listener = told["listener"]
    yield f"listener {listener['protocol']}:{listener['port']} of {listener['load_balancer']}"
    if "refused" in told:
        yield f"  refused before any rule: {told['refused']['status']}, {told['refused']['why']}"
        return
    request = told["request"]
    query = f"?{request['query']}" if request["query"] else ""
    yield f"  {request['method']} {request['host']} {request['path']}{query} from {request['source_ip']}"
    if request["classification"] != "Compliant":
        yield f"  desync classification {request['classification']}: {request['classification_reason'] or '-'}"
    yield "rules"
    for rule in told["rules"]:
        yield from _rule(rule, chosen=rule["priority"] == told["chosen"])
    yield from _action(told["action"])


def _rule(rule: Json, *, chosen: bool) -> Iterator[str]:
    if chosen:
        said = "matches: this rule decides"
    elif not rule["reached"]:
        said = "not reached"
    else:
        said = "does not match"
    yield f"  {'->' if chosen else '  '} {rule['priority']}: {said}"
    if rule["reached"]:
        for condition in rule["conditions"]:
            yield f"       {'yes' if condition['matched'] else 'no ':3} {condition['field']}: {condition['why']}"


def _action(action: Json) -> Iterator[str]:
    yield f"action {action['type']}"
    if "status" in action:
        yield f"  answers {action['status']}" + (f": {action['why']}" if "why" in action else "")
    if "location" in action:
        yield f"  Location: {action['location']}"
    if "transform" in action:
        changed = [f"{key} {action['transform'][key]}" for key in ("uri", "host") if action["transform"][key]]
        yield f"  transform {action['transform']['status']}: {', '.join(changed) or 'nothing to change'}"
    if "group" in action:
        yield f"  target group {action['group']['target_group']}"
        yield f"    {action['group']['why']}"
    if "targets" in action:
        yield from _targets(action["targets"])
    if "sent" in action:
        yield "headers sent"
        yield from (f"  {line}" for line in action["sent"].rstrip("\r\n").split("\r\n"))


def _targets(targets: Json) -> Iterator[str]:
    yield f"targets by {targets['algorithm']}: {targets['situation']}"
    if targets["sticky"]:
        yield f"  sticky session: {targets['sticky']}"
    for each in targets["candidates"]:
        mark = "->" if each["target"] == targets["chosen"] else "  "
        ramp = f", in slow start at {each['slow_start']:.0%}" if each["slow_start"] is not None else ""
        yield f"  {mark} {each['target']}  {each['state']}  {'in' if each['usable'] else 'out'}: {each['why']}{ramp}"
    if targets["chosen"] is None and any(each["usable"] for each in targets["candidates"]):
        yield "     chance decides among those that are in"
