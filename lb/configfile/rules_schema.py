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

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Final, TypeVar

from pydantic import Field, PlainValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from lb.configfile.keys import Keys
from lb.configfile.problems import KeyPath, known_instead, shown
from lb.model import names, rules
from lb.routing import patterns, rewrite

_Built = TypeVar("_Built")
_Texts = tuple[str, ...]
_TEXT: Final = "text"
_VALUES: Final = "a text or a list of texts"
_MISSING: Final = object()

ACTION: Final = "a mapping with one of forward, redirect and fixed-response"
CONDITIONS: Final = f"a mapping of conditions, or a list of such mappings; the conditions are {', '.join(rules.FIELDS)}"
TRANSFORMS: Final = "a mapping with url-rewrite, host-header-rewrite or both"
PRIORITY: Final = f"a number from {rules.LOWEST_PRIORITY} to {rules.HIGHEST_PRIORITY} without quotes"


class _Faults:
    """Collects what is wrong below a key, so that one fault does not hide the next."""

    def __init__(self) -> None:
        self._found: list[tuple[KeyPath, str]] = []

    def add(self, path: KeyPath, message: str) -> None:
        self._found.append((path, message))

    def attempt(self, path: KeyPath, check: Callable[[], _Built]) -> _Built | None:
        """What `check` returns, or None and a fault where it raises ValueError."""
        try:
            return check()
        except ValueError as error:
            self.add(path, str(error))
            return None

    def raise_all(self) -> None:
        if self._found:
            raise ValidationError.from_exception_data(
                "lb.yaml",
                [
                    InitErrorDetails(
                        type=PydanticCustomError("lb", "{message}", {"message": message}), loc=path, input=""
                    )
                    for path, message in self._found
                ],
            )


class _Node:
    """A value of the file, its key path, and where to report what is wrong with it."""

    def __init__(self, value: object, path: KeyPath, faults: _Faults) -> None:
        self.value = value
        self.path = path
        self.faults = faults

    def below(self, step: str | int, value: object) -> "_Node":
        return _Node(value, (*self.path, step), self.faults)

    def refuse(self, message: str) -> None:
        self.faults.add(self.path, message)

    def refuse_kind(self, allowed: str) -> None:
        if self.value is None:
            self.refuse(f"has no value: give {allowed}, or remove it")
        else:
            self.refuse(f"must be {allowed}, not {shown(self.value)}")

    def items(self, allowed: str) -> dict[str, "_Node"] | None:
        """The values of a mapping that is not empty."""
        if not isinstance(self.value, dict) or not self.value:
            self.refuse_kind(allowed)
            return None
        return {key: self.below(key, value) for key, value in self.value.items()}

    def fields(self, allowed: str, known: Sequence[str], required: Sequence[str] = ()) -> dict[str, "_Node"] | None:
        """The values of a mapping with these keys."""
        nodes = self.items(allowed)
        if nodes is None:
            return None
        for key in [key for key in nodes if key not in known]:
            nodes.pop(key).refuse(f"is not a known key; {known_instead(key, known, 'keys')}")
        for key in required:
            if key not in nodes:
                self.below(key, None).refuse("is required")
        return nodes

    def listed(self) -> list["_Node"]:
        """The items of a list, or the value itself for a single one."""
        if isinstance(self.value, list):
            return [self.below(position, value) for position, value in enumerate(self.value)]
        return [self]

    def text(self, allowed: str = _TEXT, *, numbers: bool = False) -> str | None:
        if isinstance(self.value, str) or (
            numbers and isinstance(self.value, int) and not isinstance(self.value, bool)
        ):
            return str(self.value)
        self.refuse_kind(allowed)
        return None

    def number(self, allowed: str) -> int | None:
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.value
        self.refuse_kind(allowed)
        return None

    def check(self, check: Callable[[], _Built]) -> _Built | None:
        return self.faults.attempt(self.path, check)


def _reader(read: Callable[[_Node], _Built | None]) -> PlainValidator:
    """A pydantic validator from a function that reports what is wrong and returns None where it cannot go on."""

    def validate(value: object) -> _Built | None:
        faults = _Faults()
        built = read(_Node(value, (), faults))
        faults.raise_all()
        return built

    return PlainValidator(validate)


# Conditions


def _read_conditions(node: _Node) -> tuple[rules.Condition, ...]:
    found = [
        condition
        for mapping in node.listed()
        for name, each in (mapping.items("a mapping of conditions") or {}).items()
        for condition in _read_condition(name, each)
    ]
    whole = [condition for condition in found if condition is not None]
    if whole and len(whole) == len(found):
        # Only the limits on all of them together are news here.
        node.check(partial(rules.check_conditions, whole))
    return tuple(whole)


def _read_condition(name: str, node: _Node) -> list[rules.Condition | None]:
    match name:
        case "host-header":
            return [_checked(node, lambda plain, regex: rules.HostHeader(plain, regex))]
        case "path-pattern":
            return [_checked(node, lambda plain, regex: rules.PathPattern(plain, regex))]
        case "http-header":
            return [
                _checked(each, partial(rules.HttpHeader, header))
                for header, each in (node.items("a mapping of header names to values") or {}).items()
            ] or [None]
        case "http-request-method":
            return [_plain(node, rules.HttpRequestMethod)]
        case "source-ip":
            return [_plain(node, rules.SourceIp)]
        case "query-string":
            return [_query_string(node)]
        case _:
            allowed = f"'[{','.join(rules.FIELDS)}]'"
            message = f"Condition field {shown(name)} must be one of {allowed}"
            node.refuse(f"{message}; {known_instead(name, rules.FIELDS, 'conditions')}")
            return [None]


def _checked(node: _Node, build: Callable[[_Texts, _Texts], rules.Condition]) -> rules.Condition | None:
    """A condition whose values may be regular expressions; each value is checked where it stands."""
    plain: list[str] = []
    regexes: list[str] = []
    whole = True
    for item in node.listed():
        if isinstance(item.value, dict):
            regex = _regex(item)
            whole = whole and regex is not None
            regexes += [] if regex is None else [regex]
        else:
            value = item.text("text, or a mapping with regex")
            good = value is not None and item.check(lambda value=value: _is_checked(build((value,), ())))
            whole = whole and bool(good)
            plain += [] if value is None else [value]
    condition = build(tuple(plain), tuple(regexes))
    return condition if whole and node.check(lambda: _is_checked(condition)) else None


def _regex(node: _Node) -> str | None:
    fields = node.fields("a mapping with regex", ("regex",), ("regex",))
    if fields is None or "regex" not in fields:
        return None
    text = fields["regex"].text("a regular expression")
    if text is None or fields["regex"].check(lambda: patterns.compile_regex(text)) is None:
        return None
    return text


def _plain(node: _Node, build: Callable[[_Texts], rules.Condition]) -> rules.Condition | None:
    """A condition with a list of plain texts."""
    found: list[str] = []
    items = node.listed()
    for item in items:
        value = item.text(_TEXT)
        if value is not None and item.check(lambda value=value: _is_checked(build((value,)))):
            found.append(value)
    condition = build(tuple(found))
    whole = len(found) == len(items) and node.check(lambda: _is_checked(condition))
    return condition if whole else None


def _query_string(node: _Node) -> rules.Condition | None:
    found: list[rules.QueryPair] = []
    items = node.listed()
    for item in items:
        fields = item.fields("a mapping with value, and with key where the key matters", ("key", "value"), ("value",))
        if fields is None or len(fields) != len(item.value if isinstance(item.value, dict) else ()):
            continue
        key = fields["key"].text(numbers=True) if "key" in fields else None
        value = fields["value"].text(numbers=True) if "value" in fields else None
        if value is None or ("key" in fields and key is None):
            continue
        pair = rules.QueryPair(key, value)
        if item.check(lambda pair=pair: _is_checked(rules.QueryString((pair,)))):
            found.append(pair)
    condition = rules.QueryString(tuple(found))
    whole = len(found) == len(items) and node.check(lambda: _is_checked(condition))
    return condition if whole else None


def _is_checked(condition: rules.Condition) -> bool:
    rules.check_condition(condition)
    return True


# Transforms


def _read_transforms(node: _Node) -> tuple[rules.Transform, ...]:
    kinds: dict[str, type[rules.UrlRewrite | rules.HostHeaderRewrite]] = {
        "url-rewrite": rules.UrlRewrite,
        "host-header-rewrite": rules.HostHeaderRewrite,
    }
    found: list[rules.Transform] = []
    for name, each in (node.fields(TRANSFORMS, tuple(kinds)) or {}).items():
        keys = ("regex", "replace")
        fields = each.fields("a mapping with regex and replace", keys, keys) or {}
        texts = {key: field.text() for key, field in fields.items()}
        regex, replacement = texts.get("regex"), texts.get("replace")
        if regex is None or replacement is None:
            continue
        transform = kinds[name](regex, replacement)
        each.check(lambda transform=transform: _check_transform(transform))
        found.append(transform)
    return tuple(found)


def _check_transform(transform: rules.Transform) -> None:
    rules.check_transforms([transform])
    rewrite.check_transform(transform)


# Actions. A forward action holds the names of target groups in place of their ARNs until `build_rules`.


def _read_action(node: _Node) -> rules.Action | None:
    kinds = ("forward", "redirect", "fixed-response")
    fields = node.fields(ACTION, kinds)
    if fields is None:
        return None
    if len(fields) != 1:
        if fields:
            node.refuse(f"must be {ACTION}, not of {len(fields)} of them")
        return None
    ((kind, each),) = fields.items()
    match kind:
        case "forward":
            action: rules.Action | None = _read_forward(each)
        case "redirect":
            action = _read_redirect(each)
        case _:
            action = _read_fixed_response(each)
    if action is not None:
        each.check(partial(rules.check_action, action))
    return action


_FORWARD: Final = "the name of a target group, or a mapping of names to weights from 0 to 999"


def _read_forward(node: _Node) -> rules.Forward | None:
    if isinstance(node.value, str):
        return rules.Forward((rules.WeightedGroup(node.value),))
    nodes = node.items(_FORWARD)
    if nodes is None:
        return None
    if "target_groups" not in nodes:
        return _weighted(nodes)
    fields = node.fields(_FORWARD, ("target_groups", "stickiness")) or {}
    groups = fields["target_groups"].items("a mapping of target group names to weights")
    forward = None if groups is None else _weighted(groups)
    if "stickiness" not in fields or forward is None:
        return forward
    duration = fields["stickiness"].number(f"a number of seconds from 1 to {rules.HIGHEST_STICKINESS_S}")
    return None if duration is None else replace(forward, stickiness_s=duration)


def _weighted(nodes: Mapping[str, _Node]) -> rules.Forward | None:
    allowed = f"a weight from 0 to {rules.HIGHEST_WEIGHT}"
    weights = {name: each.number(allowed) for name, each in nodes.items()}
    groups = tuple(rules.WeightedGroup(name, weight) for name, weight in weights.items() if weight is not None)
    return rules.Forward(groups) if len(groups) == len(weights) else None


def _read_redirect(node: _Node) -> rules.Redirect | None:
    keys = ("protocol", "host", "port", "path", "query", "status_code")
    fields = node.fields(f"a mapping with status_code and some of {', '.join(keys[:-1])}", keys, ("status_code",))
    if fields is None or "status_code" not in fields:
        return None
    status = fields.pop("status_code").text("HTTP_301 or HTTP_302", numbers=True)
    texts = {key: each.text(numbers=key == "port") for key, each in fields.items()}
    if status is None or None in texts.values():
        return None
    return rules.Redirect(status if status.startswith("HTTP_") else f"HTTP_{status}", **_given(texts))


def _read_fixed_response(node: _Node) -> rules.FixedResponse | None:
    keys = ("status_code", "content_type", "message_body")
    fields = node.fields("a mapping with status_code, and perhaps content_type and message_body", keys, keys[:1])
    if fields is None or "status_code" not in fields:
        return None
    texts = {key: each.text(numbers=key == "status_code") for key, each in fields.items()}
    return None if None in texts.values() else rules.FixedResponse(**_given(texts))


def _given(texts: Mapping[str, str | None]) -> dict[str, str]:
    return {key: text for key, text in texts.items() if text is not None}


ActionField = Annotated[rules.Action, _reader(_read_action)]
"""An action. Its target groups are names."""


class RuleKeys(Keys):
    """`load_balancers.NAME.listeners[].rules[]`."""

    priority: int = Field(ge=rules.LOWEST_PRIORITY, le=rules.HIGHEST_PRIORITY, description=PRIORITY)
    conditions: Annotated[tuple[rules.Condition, ...], _reader(_read_conditions)] = Field(description=CONDITIONS)
    transforms: Annotated[tuple[rules.Transform, ...], _reader(_read_transforms)] = Field(
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
