"""Conditions, transforms and actions of listener rules as Terraform's blocks."""

from collections.abc import Sequence
from typing import Final

from lb.export.description import Properties
from lb.export.hcl import Block, block
from lb.export.terraform_refs import code

_REDIRECT: Final = ("Protocol", "Host", "Port", "Path", "Query")


class NoArgumentError(Exception):
    """The provider has no argument for something that must not be left out; the text names it."""


def configs(condition: Properties) -> list[Properties]:
    """The `*Config` of a condition, where it has one."""
    return [value for member, value in condition.items() if member.endswith("Config")]


def condition(given: Properties) -> Block:
    """A block `condition`."""
    (config,) = configs(given) or [{"Values": given["Values"]}]
    kind = given["Field"].replace("-", "_")
    if kind == "query_string":
        pairs = [block(kind, key=pair.get("Key"), value=pair["Value"]) for pair in config["Values"]]
        return Block("condition", (), tuple(pairs))
    inner = block(
        kind,
        http_header_name=config.get("HttpHeaderName"),
        values=config.get("Values"),
        regex_values=config.get("RegexValues"),
    )
    return Block("condition", (), (inner,))


def transform(given: Properties) -> Block:
    """A block `transform`."""
    kind = given["Type"]
    config = given["UrlRewriteConfig" if kind == "url-rewrite" else "HostHeaderRewriteConfig"]
    rewrites = [block("rewrite", regex=each["Regex"], replace=each["Replace"]) for each in config["Rewrites"]]
    return block("transform", type=kind, config=Block(f"{kind.replace('-', '_')}_config", (), tuple(rewrites)))


def actions(kind: str, given: Sequence[Properties]) -> list[Block]:
    """Blocks that are called `kind`. Raises NoArgumentError."""
    return [_action(kind, action) for action in given]


def _action(kind: str, given: Properties) -> Block:
    order = given.get("Order")
    match given["Type"]:
        case "forward":
            return _forward(kind, given)
        case "redirect":
            parts = {part.lower(): given["RedirectConfig"].get(part) for part in _REDIRECT}
            inner = block("redirect", **parts, status_code=given["RedirectConfig"]["StatusCode"])
        case "fixed-response":
            config = given["FixedResponseConfig"]
            inner = block(
                "fixed_response",
                # The provider wants one; without a body nobody sees it.
                content_type=config.get("ContentType", "text/plain"),
                message_body=config.get("MessageBody"),
                status_code=config["StatusCode"],
            )
        case "authenticate-oidc":
            inner = _authentication("authenticate_oidc", given["AuthenticateOidcConfig"])
        case "authenticate-cognito":
            inner = _authentication("authenticate_cognito", given["AuthenticateCognitoConfig"])
        case other:
            raise NoArgumentError(f"actions of type {other}")
    return block(kind, type=given["Type"], order=order, inner=inner)


def _forward(kind: str, given: Properties) -> Block:
    config = given["ForwardConfig"]
    groups, sticky = config["TargetGroups"], config.get("TargetGroupStickinessConfig")
    order = given.get("Order")
    if len(groups) == 1 and groups[0].get("Weight", 1) == 1 and not sticky:
        return block(kind, type="forward", order=order, target_group_arn=code(groups[0]["TargetGroupArn"]))
    members = [block("target_group", arn=code(group["TargetGroupArn"]), weight=group.get("Weight")) for group in groups]
    stickiness = (
        block("stickiness", enabled=sticky["Enabled"], duration=sticky.get("DurationSeconds", 1)) if sticky else None
    )
    return block(
        kind, type="forward", order=order, forward=block("forward", target_group=members, stickiness=stickiness)
    )


def _authentication(kind: str, config: Properties) -> Block:
    names = {
        "AuthenticationRequestExtraParams": "authentication_request_extra_params",
        "AuthorizationEndpoint": "authorization_endpoint",
        "ClientId": "client_id",
        "ClientSecret": "client_secret",
        "Issuer": "issuer",
        "OnUnauthenticatedRequest": "on_unauthenticated_request",
        "Scope": "scope",
        "SessionCookieName": "session_cookie_name",
        "SessionTimeout": "session_timeout",
        "TokenEndpoint": "token_endpoint",
        "UserInfoEndpoint": "user_info_endpoint",
        "UserPoolArn": "user_pool_arn",
        "UserPoolClientId": "user_pool_client_id",
        "UserPoolDomain": "user_pool_domain",
    }
    return block(kind, **{names[member]: code(value) for member, value in config.items() if member in names})
