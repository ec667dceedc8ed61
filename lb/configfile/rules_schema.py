"""The keys of `lb.yaml` that say where requests go: a listener's rules and actions.

    rules:
      - priority: 10
        conditions:
          path-pattern: ["/img/*", {regex: "^/v[0-9]+/"}]
          http-header: {User-Agent: "*Chrome*"}
          query-string: {key: version, value: v1}
        transforms: {url-rewrite: {regex: "^/api/(.*)$", replace: "/$1"}}
        action: {forward: {web: 90, canary: 10}}

Names are ELB's. One value may stand where a list may. Several conditions on one thing, which must all hold, are written as
a list of mappings under `conditions`. Everything that is wrong with a rule is reported at its own key path.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Final

from pydantic import Field

from lb.configfile.keys import Keys
from lb.configfile.nodes import Node, reader
from lb.configfile.problems import KeyPath, known_instead, shown
from lb.model import names, rule_checks, rules

ACTIONS: Final = ("forward", "redirect", "fixed-response")
RULES_PER_LOAD_BALANCER: Final = 100

ACTION: Final = f"a mapping with one of {', '.join(ACTIONS[:-1])} and {ACTIONS[-1]}"
CONDITIONS: Final = f"a mapping with one or more of {', '.join(rules.FIELDS)}, or a list of such mappings"
TRANSFORMS: Final = "a mapping with url-rewrite, host-header-rewrite or both"
PRIORITY: Final = f"a number from {rule_checks.LOWEST_PRIORITY} to {rule_checks.HIGHEST_PRIORITY} without quotes"

FORWARD: Final = "the name of a target group, or a mapping of names to weights"
REDIRECT: Final = "a mapping with status_code and some of protocol, host, port, path, query"
FIXED_RESPONSE: Final = "a mapping with status_code and perhaps content_type and message_body"

_Texts = tuple[str, ...]
_PATTERNS: Final = "text, a mapping with regex, or a list of these"
_PLAIN: Final = "text or a list of texts"
_PAIRS: Final = "a mapping with value and perhaps key, or a list of these"


def _read_conditions(node: Node) -> tuple[rules.Condition, ...]:
    found = [
        condition
        for mapping in node.listed(CONDITIONS)
        for name, each in (mapping.items(CONDITIONS) or {}).items()
        for condition in _read_condition(name, each)
    ]
    conditions = tuple(condition for condition in found if condition is not None)
    if found and len(conditions) == len(found):
        # The values have been checked where they stand: only the limits on all of them together can be news here.
        node.passes(rule_checks.check_conditions, conditions)
    return conditions


def _read_condition(name: str, node: Node) -> list[rules.Condition | None]:
    match name:
        case "host-header":
            return [_with_patterns(node, rules.HostHeader)]
        case "path-pattern":
            return [_with_patterns(node, rules.PathPattern)]
        case "http-header":
            headers = node.items("a mapping of header names to values") or {}
            return [_header(header, each) for header, each in headers.items()] or [None]
        case "http-request-method":
            return [_with_texts(node, rules.HttpRequestMethod)]
        case "source-ip":
            return [_with_texts(node, rules.SourceIp)]
        case "query-string":
            return [_query_string(node)]
    message = f"Condition field {shown(name)} must be one of '[{','.join(rules.FIELDS)}]'"
    node.refuse(f"{message}; {known_instead(name, rules.FIELDS, 'conditions')}")
    return [None]


def _header(name: str, node: Node) -> rules.Condition | None:
    build = partial(rules.HttpHeader, name)
    return _with_patterns(node, build) if node.passes(rule_checks.check_condition, build(("any",))) else None


def _with_patterns(node: Node, build: Callable[[_Texts, _Texts], rules.Condition]) -> rules.Condition | None:
    """A condition whose values may be regular expressions."""
    values: list[str] = []
    regexes: list[str] = []
    items = node.listed(_PATTERNS)
    for item in items:
        if isinstance(item.value, dict):
            fields = item.fields("a mapping with regex", ("regex",), ("regex",)) or {}
            for field in fields.values():
                text = field.text("a regular expression")
                if text is not None and field.passes(rule_checks.check_condition, build((), (text,))):
                    regexes.append(text)
        else:
            text = item.text(_PATTERNS)
            if text is not None and item.passes(rule_checks.check_condition, build((text,), ())):
                values.append(text)
    whole = items and len(values) + len(regexes) == len(items)
    return build(tuple(values), tuple(regexes)) if whole else None


def _with_texts(node: Node, build: Callable[[_Texts], rules.Condition]) -> rules.Condition | None:
    """A condition whose values are as they are."""
    values: list[str] = []
    items = node.listed(_PLAIN)
    for item in items:
        text = item.text(_PLAIN)
        if text is not None and item.passes(rule_checks.check_condition, build((text,))):
            values.append(text)
    return build(tuple(values)) if items and len(values) == len(items) else None


def _query_string(node: Node) -> rules.Condition | None:
    pairs: list[rules.QueryPair] = []
    items = node.listed(_PAIRS)
    for item in items:
        fields = item.fields(_PAIRS, ("key", "value"), ("value",)) or {}
        texts = {name: field.text("text", numbers=True) for name, field in fields.items()}
        value = texts.get("value")
        if value is None or None in texts.values():
            continue
        pair = rules.QueryPair(texts.get("key"), value)
        if item.passes(rule_checks.check_condition, rules.QueryString((pair,))):
            pairs.append(pair)
    return rules.QueryString(tuple(pairs)) if items and len(pairs) == len(items) else None


def _read_transforms(node: Node) -> tuple[rules.Transform, ...]:
    found: list[rules.Transform] = []
    for name, each in (node.fields(TRANSFORMS, ("url-rewrite", "host-header-rewrite")) or {}).items():
        fields = each.fields("a mapping with regex and replace", ("regex", "replace"), ("regex", "replace")) or {}
        texts = {key: field.text("text") for key, field in fields.items()}
        regex, replacement = texts.get("regex"), texts.get("replace")
        if regex is None or replacement is None:
            continue
        kind = rules.UrlRewrite if name == "url-rewrite" else rules.HostHeaderRewrite
        transform = kind(regex, replacement)
        if each.passes(rule_checks.check_transforms, [transform]):
            found.append(transform)
    return tuple(found)


def _read_action(node: Node) -> rules.Action | None:
    """The action; a forward action holds the names of target groups in place of their ARNs until `build_rules`."""
    fields = node.fields(ACTION, ACTIONS)
    if fields is None:
        return None
    if len(fields) > 1:
        node.refuse(f"must be {ACTION}, and has {' and '.join(fields)}")
        return None
    ((name, each),) = fields.items()
    return _read_action_of(name, each)


def _read_action_of(kind: str, node: Node) -> rules.Action | None:
    action: rules.Action | None
    match kind:
        case "forward":
            action = _read_forward(node)
        case "redirect":
            action = _read_redirect(node)
        case _:
            action = _read_fixed_response(node)
    return action if action is not None and node.passes(rule_checks.check_action, action) else None


def _read_forward(node: Node) -> rules.Forward | None:
    if isinstance(node.value, str):
        return rules.Forward((rules.WeightedGroup(node.value),))
    if isinstance(node.value, int | float):
        node.refuse_kind("the name of a target group as text, in quotes")
        return None
    nodes = node.items(FORWARD)
    if nodes is None:
        return None
    # No target group can have this name: it holds an underscore.
    if "target_groups" not in nodes:
        return _weighted(nodes)
    fields = node.fields("a mapping with target_groups and stickiness", ("target_groups", "stickiness"))
    groups = None if fields is None else fields["target_groups"].items("a mapping of target group names to weights")
    forward = None if groups is None else _weighted(groups)
    if forward is None or fields is None or "stickiness" not in fields:
        return forward
    duration = fields["stickiness"].number(f"a number of seconds from 1 to {rule_checks.HIGHEST_STICKINESS_S}")
    return None if duration is None else replace(forward, stickiness_s=duration)


def _weighted(nodes: Mapping[str, Node]) -> rules.Forward | None:
    weights = {name: each.number(f"a weight from 0 to {rule_checks.HIGHEST_WEIGHT}") for name, each in nodes.items()}
    groups = tuple(rules.WeightedGroup(name, weight) for name, weight in weights.items() if weight is not None)
    return rules.Forward(groups) if len(groups) == len(weights) else None


def _read_redirect(node: Node) -> rules.Redirect | None:
    keys = ("status_code", "protocol", "host", "port", "path", "query")
    texts = _texts(node, REDIRECT, keys, ("status_code", "port"))
    if texts is None:
        return None
    status = texts.pop("status_code")
    return rules.Redirect(status if status.startswith("HTTP_") else f"HTTP_{status}", **texts)


def _read_fixed_response(node: Node) -> rules.FixedResponse | None:
    keys = ("status_code", "content_type", "message_body")
    texts = _texts(node, FIXED_RESPONSE, keys, keys[:1])
    return None if texts is None else rules.FixedResponse(**texts)


def _texts(node: Node, allowed: str, keys: _Texts, numbers: _Texts) -> dict[str, str] | None:
    """The texts of a mapping, of whose keys the first is required, and some may be numbers."""
    fields = node.fields(allowed, keys, keys[:1])
    if fields is None:
        return None
    texts = {key: field.text("text", numbers=key in numbers) for key, field in fields.items()}
    given = {key: text for key, text in texts.items() if text is not None}
    return given if len(given) == len(texts) else None


ActionField = Annotated[rules.Action, reader(_read_action)]
"""An action. Its target groups are names."""

# The default action of a listener has no key of its own: each kind stands directly under the listener.
ForwardField = Annotated[rules.Action | None, reader(partial(_read_action_of, "forward"))]
RedirectField = Annotated[rules.Action | None, reader(partial(_read_action_of, "redirect"))]
FixedResponseField = Annotated[rules.Action | None, reader(partial(_read_action_of, "fixed-response"))]


class RuleKeys(Keys):
    """`load_balancers.NAME.listeners[].rules[]`."""

    priority: int = Field(ge=rule_checks.LOWEST_PRIORITY, le=rule_checks.HIGHEST_PRIORITY, description=PRIORITY)
    conditions: Annotated[tuple[rules.Condition, ...], reader(_read_conditions)] = Field(description=CONDITIONS)
    transforms: Annotated[tuple[rules.Transform, ...], reader(_read_transforms)] = Field(
        default=(), description=TRANSFORMS
    )
    action: ActionField = Field(description=ACTION)


def build_rules(
    listener_arn: str, keys: Iterable[RuleKeys], default_action: rules.Action, group_arns: Mapping[str, str]
) -> tuple[rules.Rule, ...]:
    """The rules of a listener by priority, the default rule last.

    `group_arns` has the ARN for every target group name of the actions. A rule's id depends on its listener and priority.
    """
    built = [
        rules.Rule(
            arn=rules.rule_arn(listener_arn, names.derived_id("rule", listener_arn, str(each.priority))),
            priority=each.priority,
            conditions=each.conditions,
            action=_with_arns(each.action, group_arns),
            transforms=each.transforms,
        )
        for each in sorted(keys, key=lambda each: each.priority)
    ]
    default_arn = rules.rule_arn(listener_arn, names.derived_id("rule", listener_arn, "default"))
    return (*built, rules.Rule(default_arn, None, (), _with_arns(default_action, group_arns)))


def _with_arns(action: rules.Action, group_arns: Mapping[str, str]) -> rules.Action:
    if not isinstance(action, rules.Forward):
        return action
    groups = tuple(replace(group, arn=group_arns[group.arn]) for group in action.target_groups)
    return replace(action, target_groups=groups)


# For `relations`, which works on the file as read.


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """A place of the file that names a target group."""

    path: KeyPath
    name: str


def named_groups(action: object, path: KeyPath) -> Iterator[NamedGroup]:
    """Where an action, as read from the file, names target groups; nothing where it has another shape."""
    forward = action.get("forward") if isinstance(action, dict) else None
    path = (*path, "forward")
    if isinstance(forward, str):
        yield NamedGroup(path, forward)
    elif isinstance(forward, dict):
        if isinstance(forward.get("target_groups"), dict):
            forward, path = forward["target_groups"], (*path, "target_groups")
        for name in forward:
            yield NamedGroup((*path, name), name)


def has_group_stickiness(action: object) -> bool:
    """Whether an action, as read from the file, keeps clients with the target group that it chose for them."""
    forward = action.get("forward") if isinstance(action, dict) else None
    return isinstance(forward, dict) and "target_groups" in forward and "stickiness" in forward


def double_priorities(listener_rules: object, path: KeyPath) -> Iterator[tuple[KeyPath, KeyPath, int]]:
    """Where a rule of a listener, as read from the file, has the priority of another before it: both paths, and which."""
    first: dict[int, KeyPath] = {}
    for position, rule in enumerate(listener_rules if isinstance(listener_rules, list) else ()):
        priority = rule.get("priority") if isinstance(rule, dict) else None
        if isinstance(priority, int) and not isinstance(priority, bool):
            here = (*path, position, "priority")
            before = first.setdefault(priority, here)
            if before != here:
                yield here, before, priority
