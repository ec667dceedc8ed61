"""What must hold between rules, their actions and the target groups of a file.

Works on the data as read, like `relations`.
"""

from collections import Counter
from collections.abc import Iterator

from lb.configfile.checks import wire_text
from lb.configfile.document import Document
from lb.configfile.problems import KeyPath, dotted, known_instead, shown
from lb.configfile.raw import PlacedMapping, actions_in, mapping_in, rules_in
from lb.configfile.rules_schema import (
    RULES_PER_LOAD_BALANCER,
    NamedGroup,
    double_priorities,
    has_group_stickiness,
    named_groups,
)
from lb.model import attributes
from lb.model.attributes import Scope


def check_rules(document: Document, listeners: list[PlacedMapping]) -> Iterator[tuple[KeyPath, str]]:
    """Key path and message of everything that does not fit together."""
    actions = [action for listener in listeners for action in actions_in(listener)]
    named = [group for path, action in actions for group in named_groups(action, path)]
    yield from _too_many_rules(listeners)
    yield from _double_priorities(document, listeners)
    yield from _unknown_target_groups(document, named)
    yield from _shared_target_groups(document, named)
    yield from _sticky_target_groups(document, actions)


def _too_many_rules(listeners: list[PlacedMapping]) -> Iterator[tuple[KeyPath, str]]:
    counts: Counter[str | int] = Counter()
    for listener in listeners:
        for path, _ in rules_in(listener):
            name = path[1]
            counts[name] += 1
            if counts[name] == RULES_PER_LOAD_BALANCER + 1:
                limit = f"it can have {RULES_PER_LOAD_BALANCER}, default rules not counted (TooManyRules)"
                yield path, f"is rule {counts[name]} of load balancer {shown(name)}; {limit}"


def _double_priorities(document: Document, listeners: list[PlacedMapping]) -> Iterator[tuple[KeyPath, str]]:
    for path, listener in listeners:
        for here, before, priority in double_priorities(listener.get("rules"), (*path, "rules")):
            owner = f"{dotted(before[-3:-1])} (line {document.line_of(before)})"
            message = f"Priority '{priority}' is currently in use by {owner}"
            yield here, f"{message}; every rule of a listener needs a priority of its own"


def _unknown_target_groups(document: Document, named: list[NamedGroup]) -> Iterator[tuple[KeyPath, str]]:
    known = tuple(mapping_in(document.data, "target_groups"))
    for group in named:
        if group.name not in known:
            ending = known_instead(group.name, known, "target groups")
            yield group.path, f"no target group is named {shown(group.name)}; {ending}"


def _shared_target_groups(document: Document, named: list[NamedGroup]) -> Iterator[tuple[KeyPath, str]]:
    owners: dict[str, KeyPath] = {}
    told: set[tuple[str, str | int]] = set()
    for group in named:
        first = owners.setdefault(group.name, group.path)
        user = (group.name, group.path[1])
        if first[1] == group.path[1] or user in told:
            continue
        told.add(user)
        owner = f"load balancer {shown(first[1])} (line {document.line_of(first)})"
        rule = "a target group cannot be associated with more than one load balancer"
        message = f"target group {shown(group.name)} is already used by {owner}"
        yield group.path, f"{message}; {rule} (TargetGroupAssociationLimit)"


def _sticky_target_groups(document: Document, actions: list[PlacedMapping]) -> Iterator[tuple[KeyPath, str]]:
    """Stickiness of target groups in actions with several of them (fact sheet 3.5)."""
    groups = mapping_in(document.data, "target_groups")
    for path, action in actions:
        named = list(named_groups(action, path))
        if len(named) < 2:
            continue
        for group in named:
            values = {key: wire_text(value) for key, value in mapping_in(groups.get(group.name), "attributes").items()}
            if not attributes.is_on(Scope.TARGET_GROUP, values, "stickiness.enabled"):
                continue
            subject = f"target group {shown(group.name)} has stickiness"
            if attributes.text_of(Scope.TARGET_GROUP, values, "stickiness.type") == "app_cookie":
                yield group.path, f"{subject} of type app_cookie, which several target groups of one action rule out"
            elif not has_group_stickiness(action):
                how = "write forward: {target_groups: {...}, stickiness: SECONDS}"
                yield group.path, f"{subject}, so the action must have it too, for its choice of group; {how}"
