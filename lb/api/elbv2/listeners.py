"""Create, describe, modify and delete listeners (fact sheet 2). Its default actions are those of its default rule."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.actions import read_actions
from lb.api.elbv2.limits import limit, refuse_above
from lb.api.elbv2.listener_security import MEMBERS, is_secure, read_security
from lb.api.elbv2.lookup import find
from lb.api.elbv2.paging import paged
from lb.api.elbv2.tags import read_tags
from lb.model import names
from lb.model.rules import rule_arn
from lb.resources.records import Kind, Record
from lb.resources.rules import DEFAULT_PRIORITY

_PROTOCOLS: Final = {
    "application": ("HTTP", "HTTPS"),
    "network": ("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"),
}
# A Gateway Load Balancer has one listener, for all ports; its targets are spoken to in GENEVE.
_GENEVE: Final = ("GENEVE", 6081)
_MOST: Final = {
    "application": limit("listeners-per-application-load-balancer"),
    "network": limit("listeners-per-network-load-balancer"),
    "gateway": 1,
}
# Fact sheet 1.7.
_VERIFYING_PER_BALANCER: Final = 2


def create_listener(call: Call, params: Params) -> Result:
    """Creates a listener and its default rule, or answers the one that is there already with the same settings."""
    balancer = find(call, Kind.LOAD_BALANCER, params["LoadBalancerArn"])
    tags = read_tags(params.get("Tags", ()))
    settings = _settings(call, balancer, params)
    actions = _actions(call, balancer, settings, params)
    siblings = call.tx.children(Kind.LISTENER, balancer.id)
    if (other := _on_port(siblings, settings)) is not None:
        same = _settings_of(other) == settings and (not tags or dict(other.tags) == tags)
        if same and default_rule(call, other).shape["Actions"] == actions:
            return {"Listeners": [_answer(call, other)]}
        raise _port_taken(balancer)
    most = _MOST[balancer.shape["Type"]]
    refuse_above(most, len(siblings) + 1, "TooManyListeners", "listeners per load balancer")
    _check_verifying(siblings, settings)
    arn = names.listener_arn(balancer.id, call.new_id(16))
    shape = {"ListenerArn": arn, "LoadBalancerArn": balancer.id, **settings}
    listener = Record(Kind.LISTENER, arn, call.region, call.account, shape, parent=balancer.id, tags=tags)
    call.tx.put(listener)
    call.tx.put(_new_default_rule(call, listener, actions))
    return {"Listeners": [_answer(call, listener)]}


def describe_listeners(call: Call, params: Params) -> Result:
    """The listeners of a load balancer, or those with the given ARNs."""
    arns, balancer_arn = params.get("ListenerArns", ()), params.get("LoadBalancerArn", "")
    if bool(arns) == bool(balancer_arn):
        raise ApiError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
    if arns:
        found: Sequence[Record] = [find(call, Kind.LISTENER, arn) for arn in dict.fromkeys(arns)]
    else:
        found = call.tx.children(Kind.LISTENER, find(call, Kind.LOAD_BALANCER, balancer_arn).id)
    answer = paged("Listeners", found, params)
    return {**answer, "Listeners": [_answer(call, listener) for listener in answer["Listeners"]]}


def modify_listener(call: Call, params: Params) -> Result:
    """Replaces what is given; default actions as a whole. Away from HTTPS, all that belongs to it goes."""
    listener = find(call, Kind.LISTENER, params["ListenerArn"])
    balancer = find(call, Kind.LOAD_BALANCER, listener.parent)
    settings = _settings(call, balancer, params, listener)
    others = [each for each in call.tx.children(Kind.LISTENER, balancer.id) if each.id != listener.id]
    if _on_port(others, settings) is not None:
        raise _port_taken(balancer)
    _check_verifying(others, settings)
    if not is_secure(settings.get("Protocol", "")):
        _check_nothing_needs_https(call, listener, params)
    shape = {"ListenerArn": listener.id, "LoadBalancerArn": balancer.id, **settings}
    more = listener.more if "Certificates" in settings else {}
    modified = replace(listener, shape=shape, more=more)
    call.tx.put(modified)
    if "DefaultActions" in params:
        rule = default_rule(call, listener)
        actions = _actions(call, balancer, settings, params)
        call.tx.put(replace(rule, shape={**rule.shape, "Actions": actions}))
    return {"Listeners": [_answer(call, modified)]}


def delete_listener(call: Call, params: Params) -> Result:
    """Deletes a listener with its rules."""
    remove_listener(call, find(call, Kind.LISTENER, params["ListenerArn"]))
    return {}


def remove_listener(call: Call, listener: Record) -> None:
    """Takes a listener and its rules out of the records."""
    for rule in call.tx.children(Kind.RULE, listener.id):
        call.tx.delete(Kind.RULE, rule.id)
    call.tx.delete(Kind.LISTENER, listener.id)


def default_rule(call: Call, listener: Record) -> Record:
    """The rule that every listener has."""
    return next(rule for rule in call.tx.children(Kind.RULE, listener.id) if rule.shape["IsDefault"])


def _settings(call: Call, balancer: Record, params: Params, kept: Record | None = None) -> dict[str, Any]:
    """Port, protocol and what HTTPS needs: what is given, else what `kept` has."""
    before: Mapping[str, Any] = kept.shape if kept is not None else {}
    balancer_type = balancer.shape["Type"]
    if balancer_type == "gateway":
        if given := [member for member in ("Port", "Protocol") if member in params]:
            message = f"You cannot specify '{given[0]}' for listeners of load balancers with type 'gateway'"
            raise ApiError("ValidationError", message)
        return read_security(call, "", params)
    port, protocol = params.get("Port", before.get("Port")), params.get("Protocol", before.get("Protocol"))
    if port is None:
        raise ApiError("ValidationError", "A listener port must be specified")
    if protocol is None:
        raise ApiError("ValidationError", "A listener protocol must be specified")
    allowed = _PROTOCOLS[balancer_type]
    if protocol not in allowed:
        raise ApiError("ValidationError", f"Listener protocol '{protocol}' must be one of '{', '.join(allowed)}'")
    return {"Port": port, "Protocol": protocol, **read_security(call, protocol, params, before)}


def _settings_of(listener: Record) -> dict[str, Any]:
    members = ("Port", "Protocol", *MEMBERS)
    return {member: listener.shape[member] for member in members if member in listener.shape}


def _actions(call: Call, balancer: Record, settings: Mapping[str, Any], params: Params) -> list[dict[str, Any]]:
    protocol, port = settings.get("Protocol", _GENEVE[0]), settings.get("Port", _GENEVE[1])
    return read_actions(call, balancer, protocol, params["DefaultActions"], port=port)


def _on_port(listeners: Sequence[Record], settings: Mapping[str, Any]) -> Record | None:
    return next((each for each in listeners if each.shape.get("Port") == settings.get("Port")), None)


def _port_taken(balancer: Record) -> ApiError:
    message = f"A listener already exists on this port for this load balancer '{balancer.id}'"
    return ApiError("DuplicateListener", message)


def _check_verifying(others: Sequence[Record], settings: Mapping[str, Any]) -> None:
    """Raises ApiError where too many listeners of a load balancer would verify client certificates."""

    def verifies(shape: Mapping[str, Any]) -> bool:
        return bool(shape.get("MutualAuthentication", {}).get("Mode") == "verify")

    if verifies(settings) and sum(verifies(other.shape) for other in others) >= _VERIFYING_PER_BALANCER:
        message = f"Up to '{_VERIFYING_PER_BALANCER}' listeners of a load balancer can verify client certificates"
        raise ApiError("InvalidConfigurationRequest", message)


def _check_nothing_needs_https(call: Call, listener: Record, params: Params) -> None:
    """Raises ApiError where a rule that stays has an action that authenticates."""
    for rule in call.tx.children(Kind.RULE, listener.id):
        if rule.shape["IsDefault"] and "DefaultActions" in params:
            continue
        for action in rule.shape["Actions"][:-1]:
            message = f"Actions of type '{action['Type']}' are supported only on HTTPS listeners"
            raise ApiError("InvalidLoadBalancerAction", message)


def _new_default_rule(call: Call, listener: Record, actions: list[dict[str, Any]]) -> Record:
    arn = rule_arn(listener.id, call.new_id(16))
    shape = {
        "RuleArn": arn,
        "Priority": DEFAULT_PRIORITY,
        "Conditions": [],
        "Actions": actions,
        "IsDefault": True,
        "Transforms": [],
    }
    return Record(Kind.RULE, arn, call.region, call.account, shape, parent=listener.id)


def _answer(call: Call, listener: Record) -> dict[str, Any]:
    return {**listener.shape, "DefaultActions": default_rule(call, listener).shape["Actions"]}


OPERATIONS: Final[Operations] = {
    "CreateListener": create_listener,
    "DescribeListeners": describe_listeners,
    "ModifyListener": modify_listener,
    "DeleteListener": delete_listener,
}
