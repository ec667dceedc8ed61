"""Listener rules between the shapes of the ELBv2 API and `lb.model.rules`.

What comes in may use either form of a condition (`Values`, or its `*Config`); what goes out has both where ELB answers both.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from lb.model.rules import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HostHeader,
    HostHeaderRewrite,
    HttpHeader,
    HttpRequestMethod,
    PathPattern,
    QueryPair,
    QueryString,
    Redirect,
    Rule,
    SourceIp,
    Transform,
    UrlRewrite,
    WeightedGroup,
)
from lb.resources.records import NOTHING, Json, Record

DEFAULT_PRIORITY: Final = "default"
CONDITION_CONFIGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        HostHeader.field: "HostHeaderConfig",
        PathPattern.field: "PathPatternConfig",
        HttpHeader.field: "HttpHeaderConfig",
        HttpRequestMethod.field: "HttpRequestMethodConfig",
        QueryString.field: "QueryStringConfig",
        SourceIp.field: "SourceIpConfig",
    }
)
"""`Field` of a condition to the member that holds its values."""
ROUTING_CONFIGS: Final[Mapping[str, str]] = MappingProxyType(
    {"forward": "ForwardConfig", "redirect": "RedirectConfig", "fixed-response": "FixedResponseConfig"}
)
"""`Type` of the actions that end a rule to the member that says how."""
TRANSFORM_CONFIGS: Final[Mapping[str, str]] = MappingProxyType(
    {"host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig"}
)
"""`Type` of a transform to the member that holds its rewrites."""

_REDIRECT_PARTS: Final = ("Protocol", "Port", "Host", "Path", "Query")


def rule_of(record: Record) -> Rule:
    """The rule as the balancer runs it: of its actions, the one that routes."""
    shape = record.shape
    return Rule(
        arn=record.id,
        priority=None if shape["IsDefault"] else int(shape["Priority"]),
        conditions=tuple(map(condition_of, shape["Conditions"])),
        action=action_of(routing_action(shape["Actions"])),
        transforms=tuple(map(transform_of, shape.get("Transforms", ()))),
    )


def shape_of(rule: Rule) -> dict[str, Any]:
    """The rule as DescribeRules answers it."""
    return {
        "RuleArn": rule.arn,
        "Priority": DEFAULT_PRIORITY if rule.priority is None else str(rule.priority),
        "Conditions": list(map(condition_shape, rule.conditions)),
        "Actions": [action_shape(rule.action)],
        "IsDefault": rule.priority is None,
        "Transforms": list(map(transform_shape, rule.transforms)),
    }


def condition_of(shape: Json) -> Condition:
    """A condition in either form; its `Field` must be a known one."""
    field = shape["Field"]
    config: Json = shape.get(CONDITION_CONFIGS[field], NOTHING)
    values = config.get("Values", shape.get("Values", ()))
    regexes = tuple(config.get("RegexValues", shape.get("RegexValues", ())))
    match field:
        case HostHeader.field:
            return HostHeader(tuple(values), regexes)
        case PathPattern.field:
            return PathPattern(tuple(values), regexes)
        case HttpHeader.field:
            return HttpHeader(config.get("HttpHeaderName", ""), tuple(values), regexes)
        case QueryString.field:
            return QueryString(tuple(QueryPair(pair.get("Key"), pair.get("Value", "")) for pair in values))
        case HttpRequestMethod.field:
            return HttpRequestMethod(tuple(values))
    return SourceIp(tuple(values))


def condition_shape(condition: Condition) -> dict[str, Any]:
    """A condition as ELB answers it: hosts and paths in both forms, the others in their `*Config` only."""
    config: dict[str, Any]
    match condition:
        case HostHeader() | PathPattern():
            config = _patterns(condition.values, condition.regex_values)
            return {"Field": condition.field, **config, CONDITION_CONFIGS[condition.field]: config}
        case HttpHeader():
            config = {"HttpHeaderName": condition.name, **_patterns(condition.values, condition.regex_values)}
        case QueryString():
            config = {"Values": list(map(_pair_shape, condition.values))}
        case HttpRequestMethod() | SourceIp():
            config = {"Values": list(condition.values)}
    return {"Field": condition.field, CONDITION_CONFIGS[condition.field]: config}


def _patterns(values: Sequence[str], regexes: Sequence[str]) -> dict[str, Any]:
    patterns = {"Values": list(values)} if values or not regexes else {}
    return {**patterns, "RegexValues": list(regexes)} if regexes else patterns


def _pair_shape(pair: QueryPair) -> dict[str, str]:
    return {"Value": pair.value} if pair.key is None else {"Key": pair.key, "Value": pair.value}


def routing_action(actions: Sequence[Json]) -> Json:
    """The action that ends a rule, which is the last; those before it authenticate."""
    return actions[-1]


def action_of(shape: Json) -> Action:
    """An action that routes, with the defaults of what it leaves out."""
    kind = shape["Type"]
    config: Json = shape.get(ROUTING_CONFIGS[kind], NOTHING)
    if kind == "redirect":
        parts = {part.lower(): config[part] for part in _REDIRECT_PARTS if part in config}
        return Redirect(config["StatusCode"], **parts)
    if kind == "fixed-response":
        return FixedResponse(config["StatusCode"], config.get("ContentType"), config.get("MessageBody", ""))
    groups = config.get("TargetGroups") or [{"TargetGroupArn": shape["TargetGroupArn"]}]
    stickiness: Json = config.get("TargetGroupStickinessConfig", NOTHING)
    return Forward(
        tuple(WeightedGroup(group["TargetGroupArn"], group.get("Weight", 1)) for group in groups),
        stickiness["DurationSeconds"] if stickiness.get("Enabled") else None,
    )


def action_shape(action: Action) -> dict[str, Any]:
    """An action as ELB answers it: all parts of a redirect, and a lone target group in both forms."""
    match action:
        case Forward():
            groups = [{"TargetGroupArn": group.arn, "Weight": group.weight} for group in action.target_groups]
            lone = {"TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else {}
            sticky: dict[str, Any] = {"Enabled": action.stickiness_s is not None}
            if action.stickiness_s is not None:
                sticky["DurationSeconds"] = action.stickiness_s
            return {
                "Type": "forward",
                **lone,
                "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky},
            }
        case Redirect():
            parts = {part: getattr(action, part.lower()) for part in _REDIRECT_PARTS}
            return {"Type": "redirect", "RedirectConfig": {**parts, "StatusCode": action.status_code}}
        case FixedResponse():
            config = {"StatusCode": action.status_code}
            if action.content_type is not None:
                config["ContentType"] = action.content_type
            if action.message_body:
                config["MessageBody"] = action.message_body
            return {"Type": "fixed-response", "FixedResponseConfig": config}


def target_groups_of(actions: Sequence[Json]) -> tuple[str, ...]:
    """ARNs of the target groups that actions, as ELB answers them, forward to."""
    action = routing_action(actions)
    if action["Type"] != "forward":
        return ()
    return tuple([group["TargetGroupArn"] for group in action["ForwardConfig"]["TargetGroups"]])


def transform_of(shape: Json) -> Transform:
    """A transform; it must have one rewrite."""
    kind = shape["Type"]
    (rewrite,) = shape[TRANSFORM_CONFIGS[kind]]["Rewrites"]
    made = UrlRewrite if kind == "url-rewrite" else HostHeaderRewrite
    return made(rewrite["Regex"], rewrite["Replace"])


def transform_shape(transform: Transform) -> dict[str, Any]:
    """A transform as ELB answers it."""
    kind = "url-rewrite" if isinstance(transform, UrlRewrite) else "host-header-rewrite"
    rewrite = {"Regex": transform.regex, "Replace": transform.replace}
    return {"Type": kind, TRANSFORM_CONFIGS[kind]: {"Rewrites": [rewrite]}}
