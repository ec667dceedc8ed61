"""Rules of listeners: CreateRule, DescribeRules, ModifyRule, DeleteRule, SetRulePriorities."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.actions import read_actions
from lb.api.elbv2.conditions import read_conditions, read_transforms
from lb.api.elbv2.limits import limit, refuse_above
from lb.api.elbv2.lookup import find
from lb.api.elbv2.paging import paged
from lb.api.elbv2.tags import read_tags
from lb.model.rules import rule_arn
from lb.resources.records import Json, Kind, Record


def create_rule(call: Call, params: Params) -> Result:
    """A rule with a priority that no other rule of the listener has."""
    listener = find(call, Kind.LISTENER, params["ListenerArn"])
    protocol = listener.shape.get("Protocol", "GENEVE")
    if protocol not in ("HTTP", "HTTPS"):
        raise ApiError("UnsupportedProtocol", f"Rules are not supported on listeners with protocol '{protocol}'")
    arn = rule_arn(listener.id, call.new_id(16))
    shape = {
        "RuleArn": arn,
        "Priority": str(params["Priority"]),
        "Conditions": read_conditions(params["Conditions"]),
        "Actions": _actions(call, listener, params["Actions"]),
        "IsDefault": False,
        "Transforms": read_transforms(params.get("Transforms", ())),
    }
    _check_priorities(call, listener.id, {arn: params["Priority"]})
    most = limit("rules-per-application-load-balancer")
    refuse_above(most, _count(call, listener.parent) + 1, "TooManyRules", "rules per load balancer")
    tags = read_tags(params.get("Tags", ()))
    call.tx.put(Record(Kind.RULE, arn, call.region, call.account, shape, parent=listener.id, tags=tags))
    return {"Rules": [shape]}


def describe_rules(call: Call, params: Params) -> Result:
    """The rules of a listener, the default rule last, or those with the given ARNs."""
    listener, arns = params.get("ListenerArn"), params.get("RuleArns")
    if bool(listener) == bool(arns):
        raise ApiError("ValidationError", "You must specify either listener rule ARNs or a listener ARN")
    if listener:
        rules = in_order(call.tx.children(Kind.RULE, find(call, Kind.LISTENER, listener).id))
    else:
        rules = [find(call, Kind.RULE, arn) for arn in dict.fromkeys(params["RuleArns"])]
    answer = paged("Rules", rules, params)
    return {**answer, "Rules": [rule.shape for rule in answer["Rules"]]}


def modify_rule(call: Call, params: Params) -> Result:
    """Replaces the lists that are given, each as a whole."""
    rule = _changeable(call, params["RuleArn"], "modified")
    shape = dict(rule.shape)
    if params.get("Transforms") and params.get("ResetTransforms"):
        raise ApiError("ValidationError", "You cannot specify both 'Transforms' and 'ResetTransforms'")
    if "Conditions" in params:
        shape["Conditions"] = read_conditions(params["Conditions"])
    if "Actions" in params:
        shape["Actions"] = _actions(call, find(call, Kind.LISTENER, rule.parent), params["Actions"])
    if "Transforms" in params or params.get("ResetTransforms"):
        shape["Transforms"] = read_transforms(params.get("Transforms", ()))
    call.tx.put(replace(rule, shape=shape))
    return {"Rules": [shape]}


def delete_rule(call: Call, params: Params) -> Result:
    """Any rule but the default rule, which goes with its listener."""
    call.tx.delete(Kind.RULE, _changeable(call, params["RuleArn"], "deleted").id)
    return {}


def set_rule_priorities(call: Call, params: Params) -> Result:
    """All at once: rules may trade places."""
    given = params["RulePriorities"]
    if not given or not all("RuleArn" in pair and "Priority" in pair for pair in given):
        raise ApiError("ValidationError", "A rule ARN and a priority must be specified")
    wanted = {pair["RuleArn"]: pair["Priority"] for pair in given}
    if len(wanted) < len(given):
        raise ApiError("ValidationError", "A rule ARN cannot be specified more than once")
    rules = [_changeable(call, arn, "given a priority") for arn in wanted]
    for listener in {rule.parent for rule in rules}:
        _check_priorities(call, listener, {rule.id: wanted[rule.id] for rule in rules if rule.parent == listener})
    changed = [replace(rule, shape={**rule.shape, "Priority": str(wanted[rule.id])}) for rule in rules]
    for rule in changed:
        call.tx.put(rule)
    return {"Rules": [rule.shape for rule in changed]}


def in_order(rules: Iterable[Record]) -> list[Record]:
    """The rules of a listener as they are tried, the default rule last."""
    return sorted(rules, key=lambda rule: (bool(rule.shape["IsDefault"]), _priority(rule)))


def _priority(rule: Record) -> int:
    return 0 if rule.shape["IsDefault"] else int(rule.shape["Priority"])


def _actions(call: Call, listener: Record, actions: Iterable[Json]) -> list[dict[str, Any]]:
    balancer = find(call, Kind.LOAD_BALANCER, listener.parent)
    return read_actions(call, balancer, listener.shape["Protocol"], list(actions), port=listener.shape["Port"])


def _changeable(call: Call, arn: str, how: str) -> Record:
    rule = find(call, Kind.RULE, arn)
    if rule.shape["IsDefault"]:
        raise ApiError("OperationNotPermitted", f"Default rule '{arn}' cannot be {how}")
    return rule


def _check_priorities(call: Call, listener: str, wanted: dict[str, int]) -> None:
    """Raises ApiError where rules of the listener, by ARN, cannot take these priorities."""
    others = (rule for rule in call.tx.children(Kind.RULE, listener) if rule.id not in wanted)
    taken = {_priority(rule) for rule in others}
    for priority in wanted.values():
        if priority in taken:
            raise ApiError("PriorityInUse", f"Priority '{priority}' is currently in use")
        taken.add(priority)


def _count(call: Call, balancer: str) -> int:
    """The rules of a load balancer without its default rules."""
    listeners = call.tx.children(Kind.LISTENER, balancer)
    return sum(
        not rule.shape["IsDefault"] for listener in listeners for rule in call.tx.children(Kind.RULE, listener.id)
    )


OPERATIONS: Final[Operations] = {
    "CreateRule": create_rule,
    "DescribeRules": describe_rules,
    "ModifyRule": modify_rule,
    "DeleteRule": delete_rule,
    "SetRulePriorities": set_rule_priorities,
}
