"""Actions of a listener or a rule as a client gives them, checked and brought into the form that ELB answers.

Actions that authenticate are kept and answered; nothing here carries them out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call
from lb.api.elbv2.group_use import check_association
from lb.api.elbv2.lookup import check_arn
from lb.api.elbv2.rule_refusals import answered
from lb.model import attributes
from lb.model.attributes import Scope
from lb.model.rule_checks import check_action
from lb.resources.records import NOTHING, Json, Kind, Record
from lb.resources.rules import ROUTING_CONFIGS, action_of, action_shape

_AUTHENTICATION_CONFIGS: Final = {
    "authenticate-oidc": "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
    "jwt-validation": "JwtValidationConfig",
}
_CONFIGS: Final = {**ROUTING_CONFIGS, **_AUTHENTICATION_CONFIGS}
_SESSION: Final = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604_800,
    "OnUnauthenticatedRequest": "authenticate",
}
# What never comes back from Describe.
_WRITE_ONLY: Final = ("ClientSecret", "UseExistingClientSecret")
# Listener protocol to the protocols of target groups that it can forward to; None is that of Lambda functions.
_WEB: Final = ("HTTP", "HTTPS", None)
_GROUP_PROTOCOLS: Final[Mapping[str, tuple[str | None, ...]]] = {
    "HTTP": _WEB,
    "HTTPS": _WEB,
    "TCP": ("TCP", "TCP_UDP"),
    "TLS": ("TCP", "TLS"),
    "UDP": ("UDP", "TCP_UDP"),
    "TCP_UDP": ("TCP_UDP",),
    "QUIC": ("QUIC", "TCP_QUIC"),
    "TCP_QUIC": ("TCP_QUIC",),
    "GENEVE": ("GENEVE",),
}


def read_actions(
    call: Call, balancer: Record, protocol: str, actions: Sequence[Mapping[str, Any]], *, port: int
) -> list[dict[str, Any]]:
    """`Actions` or `DefaultActions` for a listener of `balancer` that has this protocol and port, in their order.

    Raises ApiError.
    """
    ordered = _in_order(actions)
    for action in ordered:
        _check_members(action)
    *before, last = ordered
    _check_kinds([action["Type"] for action in before], last["Type"], protocol)
    routing = _routing(last)
    with answered():
        check_action(action_of(routing), protocol)
    if last["Type"] == "forward":
        _check_groups(call, balancer, protocol, routing["ForwardConfig"])
    elif protocol not in ("HTTP", "HTTPS"):
        raise _invalid(f"Actions of type '{last['Type']}' are not supported on listeners with protocol '{protocol}'")
    elif last["Type"] == "redirect":
        _check_loop(routing["RedirectConfig"], protocol, port)
    return [*(_authentication(action) for action in before), routing]


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidLoadBalancerAction", message)


def _in_order(actions: Sequence[Json]) -> list[Json]:
    if not actions:
        raise ApiError("ValidationError", "An action must be specified")
    if len(actions) == 1:
        return list(actions)
    if not all("Order" in action for action in actions):
        raise _invalid("You must specify an order for each action when there is more than one action")
    if len({action["Order"] for action in actions}) < len(actions):
        raise _invalid("The order of each action must be unique")
    return sorted(actions, key=lambda action: int(action["Order"]))


def _check_members(action: Json) -> None:
    """An action has the member that its type needs, and none that is for another type."""
    kind = action["Type"]
    own = _CONFIGS[kind]
    if kind == "forward":
        if not action.get("TargetGroupArn") and not action.get(own, NOTHING).get("TargetGroups"):
            raise _invalid("For actions of type 'forward', you must specify the following fields: 'TargetGroupArn'")
    elif own not in action:
        raise _invalid(f"For actions of type '{kind}', you must specify the following fields: '{own}'")
    foreign = [config for config in _CONFIGS.values() if config in action and config != own]
    if kind != "forward" and "TargetGroupArn" in action:
        foreign.append("TargetGroupArn")
    if foreign:
        raise _invalid(f"For actions of type '{kind}', you cannot specify the following fields: '{foreign[0]}'")


def _check_kinds(before: Sequence[str], last: str, protocol: str) -> None:
    """The routing action is the last, at most one that authenticates goes before it, on HTTPS only."""
    routing = "forward, redirect, fixed-response"
    if any(kind in ROUTING_CONFIGS for kind in before):
        raise _invalid(f"You can specify only one action of the types '{routing}', and it must be the last one")
    if last not in ROUTING_CONFIGS:
        raise _invalid(f"The last action must be of one of the types '{routing}'")
    if len(before) > 1:
        raise ApiError("TooManyActions", "A rule can only have one action that authenticates and one that routes")
    if before and protocol != "HTTPS":
        raise _invalid(f"Actions of type '{before[0]}' are supported only on HTTPS listeners")


def _routing(action: Json) -> dict[str, Any]:
    if action["Type"] != "forward":
        shape = action_shape(action_of(action))
        return _with_order(shape, action)
    config: Json = action.get("ForwardConfig", NOTHING)
    groups = config.get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    if not all(group.get("TargetGroupArn") for group in groups):
        raise ApiError("ValidationError", "A target group ARN must be specified")
    if "TargetGroupArn" in action and [group["TargetGroupArn"] for group in groups] != [action["TargetGroupArn"]]:
        raise _invalid("You cannot specify different target groups in 'TargetGroupArn' and 'ForwardConfig'")
    sticky: Json = config.get("TargetGroupStickinessConfig", NOTHING)
    if sticky.get("Enabled") and "DurationSeconds" not in sticky:
        raise ApiError("ValidationError", "You must specify a duration to enable target group stickiness")
    shape = action_shape(action_of({"Type": "forward", "ForwardConfig": {**config, "TargetGroups": groups}}))
    if "DurationSeconds" in sticky:
        # Answered as it was given, though stickiness may be off.
        shape["ForwardConfig"]["TargetGroupStickinessConfig"]["DurationSeconds"] = sticky["DurationSeconds"]
    return _with_order(shape, action)


def _with_order(shape: dict[str, Any], action: Json) -> dict[str, Any]:
    return {**shape, "Order": action["Order"]} if "Order" in action else shape


def _authentication(action: Json) -> dict[str, Any]:
    own = _CONFIGS[action["Type"]]
    given: Json = action[own]
    if action["Type"] == "authenticate-oidc" and not (
        given.get("ClientSecret") or given.get("UseExistingClientSecret")
    ):
        raise ApiError("ValidationError", "A client secret must be specified for actions of type 'authenticate-oidc'")
    defaults = {} if action["Type"] == "jwt-validation" else _SESSION
    kept = {member: value for member, value in given.items() if member not in _WRITE_ONLY}
    return _with_order({"Type": action["Type"], own: {**defaults, **kept}}, action)


def _check_groups(call: Call, balancer: Record, protocol: str, config: Json) -> None:
    """The target groups of a forward action exist, and go with the listener, the load balancer and each other."""
    arns = [group["TargetGroupArn"] for group in config["TargetGroups"]]
    groups = {arn: _target_group(call, arn) for arn in arns}
    for group in groups.values():
        _check_protocols(protocol, group)
    if len(groups) > 1:
        _check_stickiness(groups.values(), group_sticky=config["TargetGroupStickinessConfig"]["Enabled"])
    check_association(call, balancer, groups)


def _target_group(call: Call, arn: str) -> Record:
    check_arn(call, Kind.TARGET_GROUP, arn)
    group = call.tx.get(Kind.TARGET_GROUP, arn)
    if group is None:
        raise ApiError("TargetGroupNotFound", f"Target group '{arn}' not found")
    return group


def _check_protocols(protocol: str, group: Record) -> None:
    of_group = group.shape.get("Protocol")
    if of_group not in _GROUP_PROTOCOLS[protocol]:
        message = f"The listener and its associated target group '{group.id}' have incompatible protocols"
        raise ApiError("IncompatibleProtocols", f"{message}: '{protocol}' and '{of_group or 'lambda'}'")
    version = group.shape.get("ProtocolVersion", "HTTP1")
    if protocol == "HTTP" and version != "HTTP1":
        message = "is not supported with a target group with the protocol-version"
        raise ApiError("InvalidConfigurationRequest", f"Listener protocol '{protocol}' {message} '{version}'")


def _check_stickiness(groups: Iterable[Record], *, group_sticky: bool) -> None:
    for group in groups:
        if not attributes.is_on(Scope.TARGET_GROUP, group.attributes, "stickiness.enabled"):
            continue
        if attributes.text_of(Scope.TARGET_GROUP, group.attributes, "stickiness.type") == "app_cookie":
            raise _invalid("Application cookie stickiness cannot be used by several target groups of one action")
        if not group_sticky:
            raise _invalid(
                "You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups"
            )


def _check_loop(config: Json, protocol: str, port: int) -> None:
    """A redirect to the URL that was asked for, named rather than by keywords."""
    there = config["Protocol"].replace("#{protocol}", protocol), config["Port"].replace("#{port}", str(port))
    same = ("#{host}", "/#{path}", "#{query}")
    if there == (protocol, str(port)) and (config["Host"], config["Path"], config["Query"]) == same:
        raise _invalid("The redirect configuration is not valid because it creates a loop.")
