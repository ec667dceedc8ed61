"""Actions of rules and listeners: what is filled in, and what is refused."""

from typing import Any

import pytest

from lb.api.elbv2.listeners import create_listener
from lb.api.elbv2.rules import create_rule
from lb.api.elbv2.target_group_attributes import modify_target_group_attributes
from lb.api.elbv2.targets import register_targets
from tests.api.aws_call import Aws
from tests.api.elbv2 import built
from tests.api.elbv2.built import FIXED, PATH, forward

REDIRECT = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}}
LOGIN: dict[str, Any] = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://login.example",
        "AuthorizationEndpoint": "https://login.example/authorize",
        "TokenEndpoint": "https://login.example/token",
        "UserInfoEndpoint": "https://login.example/user",
        "ClientId": "web",
        "ClientSecret": "secret",
    },
}


@pytest.fixture
def balancer(aws: Aws) -> str:
    return built.balancer(aws)


@pytest.fixture
def listener(aws: Aws, balancer: str) -> str:
    return built.listener(aws, balancer)


def refusal(aws: Aws, listener: str, *actions: dict[str, Any]) -> tuple[str, str]:
    error = aws.refused(create_rule, ListenerArn=listener, Priority=1, Conditions=[PATH], Actions=list(actions))
    return error.code, error.message


def test_a_redirect_is_answered_with_all_its_parts(aws: Aws, listener: str):
    (action,) = built.rule(aws, listener, 1, REDIRECT)["Actions"]
    assert action == {
        "Type": "redirect",
        "RedirectConfig": {
            "Protocol": "HTTPS",
            "Port": "443",
            "Host": "#{host}",
            "Path": "/#{path}",
            "Query": "#{query}",
            "StatusCode": "HTTP_301",
        },
    }


def test_a_fixed_response_is_answered_as_it_was_given(aws: Aws, listener: str):
    given = {"StatusCode": "503", "ContentType": "text/html", "MessageBody": "<p>Back soon"}
    (action,) = built.rule(aws, listener, 1, {"Type": "fixed-response", "FixedResponseConfig": given})["Actions"]
    assert action == {"Type": "fixed-response", "FixedResponseConfig": given}


def test_weights_and_stickiness_are_answered_and_a_weight_is_one_by_default(aws: Aws, listener: str):
    blue, green = built.group(aws, "blue"), built.group(aws, "green")
    config = {
        "TargetGroups": [{"TargetGroupArn": blue}, {"TargetGroupArn": green, "Weight": 0}],
        "TargetGroupStickinessConfig": {"Enabled": False, "DurationSeconds": 60},
    }
    (action,) = built.rule(aws, listener, 1, {"Type": "forward", "ForwardConfig": config})["Actions"]
    assert "TargetGroupArn" not in action
    assert [group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]] == [1, 0]
    assert action["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": False, "DurationSeconds": 60}


def test_order_is_answered_where_it_was_given(aws: Aws, listener: str):
    (action,) = built.rule(aws, listener, 1, {**FIXED, "Order": 7})["Actions"]
    assert action["Order"] == 7


def test_on_https_a_login_may_come_before_the_action_that_routes(aws: Aws, balancer: str):
    secure = built.listener(aws, balancer, 443, protocol="HTTPS")
    login, routing = built.rule(aws, secure, 1, {**FIXED, "Order": 2}, LOGIN)["Actions"]
    assert (login["Type"], routing["Type"]) == ("authenticate-oidc", "fixed-response")
    assert "ClientSecret" not in login["AuthenticateOidcConfig"]
    assert login["AuthenticateOidcConfig"]["SessionTimeout"] == 604_800


def test_a_client_secret_is_given_or_kept(aws: Aws, balancer: str):
    secure = built.listener(aws, balancer, 443, protocol="HTTPS")
    config = {member: value for member, value in LOGIN["AuthenticateOidcConfig"].items() if member != "ClientSecret"}
    login = {**LOGIN, "AuthenticateOidcConfig": config}
    message = "A client secret must be specified for actions of type 'authenticate-oidc'"
    assert refusal(aws, secure, login, {**FIXED, "Order": 2}) == ("ValidationError", message)
    kept = {**LOGIN, "AuthenticateOidcConfig": {**config, "UseExistingClientSecret": True}}
    answered, _ = built.rule(aws, secure, 1, kept, {**FIXED, "Order": 2})["Actions"]
    assert "UseExistingClientSecret" not in answered["AuthenticateOidcConfig"]


def test_a_login_needs_https(aws: Aws, listener: str):
    code, message = refusal(aws, listener, LOGIN, {**FIXED, "Order": 2})
    assert code == "InvalidLoadBalancerAction"
    assert "HTTPS" in message


WRONG: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "none": ([], "ValidationError", "An action must be specified"),
    "two that route": (
        [{**FIXED, "Order": 1}, {**REDIRECT, "Order": 2}],
        "InvalidLoadBalancerAction",
        "You can specify only one action of the types 'forward, redirect, fixed-response', and it must be the last one",
    ),
    "none that routes": (
        [LOGIN],
        "InvalidLoadBalancerAction",
        "The last action must be of one of the types 'forward, redirect, fixed-response'",
    ),
    "no order": (
        [LOGIN, FIXED],
        "InvalidLoadBalancerAction",
        "You must specify an order for each action when there is more than one action",
    ),
    "one order twice": (
        [LOGIN, {**FIXED, "Order": 1}],
        "InvalidLoadBalancerAction",
        "The order of each action must be unique",
    ),
    "too many": (
        [LOGIN, {**LOGIN, "Order": 2}, {**FIXED, "Order": 3}],
        "TooManyActions",
        "A rule can only have one action that authenticates and one that routes",
    ),
    "a redirect without its member": (
        [{"Type": "redirect"}],
        "InvalidLoadBalancerAction",
        "For actions of type 'redirect', you must specify the following fields: 'RedirectConfig'",
    ),
    "a forward to nowhere": (
        [{"Type": "forward"}],
        "InvalidLoadBalancerAction",
        "For actions of type 'forward', you must specify the following fields: 'TargetGroupArn'",
    ),
    "another's member": (
        [{**FIXED, "RedirectConfig": {"StatusCode": "HTTP_301"}}],
        "InvalidLoadBalancerAction",
        "For actions of type 'fixed-response', you cannot specify the following fields: 'RedirectConfig'",
    ),
    "a loop": (
        [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Query": "a=b"}}],
        "InvalidLoadBalancerAction",
        "The redirect configuration is not valid because it creates a loop.",
    ),
    "a loop by name": (
        [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTP", "Port": "80"}}],
        "InvalidLoadBalancerAction",
        "The redirect configuration is not valid because it creates a loop.",
    ),
    "an unknown target group": (
        [forward(built.NO_SUCH_GROUP)],
        "TargetGroupNotFound",
        f"Target group '{built.NO_SUCH_GROUP}' not found",
    ),
    "no ARN": ([forward("web")], "ValidationError", "'web' is not a valid target group ARN"),
}


@pytest.mark.parametrize(("actions", "code", "message"), WRONG.values(), ids=WRONG.keys())
def test_actions_that_elb_refuses(aws: Aws, listener: str, actions: list[dict[str, Any]], code: str, message: str):
    assert refusal(aws, listener, *actions) == (code, message)


def test_forward_actions_that_elb_refuses(aws: Aws, listener: str):
    blue, green = built.group(aws, "blue"), built.group(aws, "green")
    heavy = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": blue, "Weight": 1000}]}}
    message = "The weight for each target group must be between 0 and 999, inclusive"
    assert refusal(aws, listener, heavy) == ("ValidationError", message)
    code, _ = refusal(aws, listener, {**forward(blue), **forward(blue, green), "TargetGroupArn": blue})
    assert code == "InvalidLoadBalancerAction"
    code, _ = refusal(aws, listener, forward(blue, green, TargetGroupStickinessConfig={"Enabled": True}))
    assert code == "ValidationError"
    code, _ = refusal(aws, listener, forward(*[blue] * 6))
    assert code == "InvalidLoadBalancerAction"


def test_a_target_group_belongs_to_one_load_balancer(aws: Aws, listener: str):
    web = built.group(aws)
    built.rule(aws, listener, 1, forward(web))
    built.rule(aws, listener, 2, forward(web))
    error = aws.refused(
        create_listener,
        LoadBalancerArn=built.balancer(aws, "second"),
        Protocol="HTTP",
        Port=80,
        DefaultActions=[forward(web)],
    )
    assert error.code == "TargetGroupAssociationLimit"
    message = "The following target groups cannot be associated with more than one load balancer: "
    assert error.message == message + web


def test_protocols_of_listener_and_target_group_must_go_together(aws: Aws, listener: str, balancer: str):
    tcp = built.group(aws, "tcp", Protocol="TCP")
    assert refusal(aws, listener, forward(tcp))[0] == "IncompatibleProtocols"
    http2 = built.group(aws, "http2", ProtocolVersion="HTTP2")
    assert refusal(aws, listener, forward(http2)) == (
        "InvalidConfigurationRequest",
        "Listener protocol 'HTTP' is not supported with a target group with the protocol-version 'HTTP2'",
    )
    built.rule(aws, built.listener(aws, balancer, 443, protocol="HTTPS"), 1, forward(http2))
    built.rule(aws, listener, 1, forward(built.group(aws, "function", TargetType="lambda")))


def test_a_network_load_balancer_only_forwards(aws: Aws):
    network = built.balancer(aws, "net", Type="network")
    settings = {"LoadBalancerArn": network, "Protocol": "TCP", "Port": 80}
    assert aws.refused(create_listener, DefaultActions=[FIXED], **settings).code == "InvalidLoadBalancerAction"
    tcp = built.group(aws, "tcp", Protocol="TCP")
    made = aws.do(create_listener, DefaultActions=[forward(tcp)], **settings)
    rule = {"Priority": 1, "Conditions": [PATH], "Actions": [forward(tcp)]}
    arn = made["Listeners"][0]["ListenerArn"]
    assert aws.refused(create_rule, ListenerArn=arn, **rule).code == "UnsupportedProtocol"


def test_sticky_target_groups_of_one_action_need_group_stickiness(aws: Aws, listener: str):
    blue, green = built.group(aws, "blue"), built.group(aws, "green")
    sticky = [{"Key": "stickiness.enabled", "Value": "true"}]
    aws.do(modify_target_group_attributes, TargetGroupArn=blue, Attributes=sticky)
    code, message = refusal(aws, listener, forward(blue, green))
    assert code == "InvalidLoadBalancerAction"
    assert message.startswith("You must enable group stickiness")
    on = {"Enabled": True, "DurationSeconds": 60}
    built.rule(aws, listener, 1, forward(blue, green, TargetGroupStickinessConfig=on))
    app = [
        {"Key": "stickiness.type", "Value": "app_cookie"},
        {"Key": "stickiness.app_cookie.cookie_name", "Value": "SESSION"},
    ]
    aws.do(modify_target_group_attributes, TargetGroupArn=blue, Attributes=app)
    code, _ = refusal(aws, listener, forward(blue, green, TargetGroupStickinessConfig=on))
    assert code == "InvalidLoadBalancerAction"


def test_a_load_balancer_has_a_hundred_target_groups(aws: Aws, balancer: str):
    groups = [built.group(aws, f"group-{number}") for number in range(101)]
    listener = built.listener(aws, balancer, 80, forward(groups[0]))
    for priority in range(1, 20):
        built.rule(aws, listener, priority, forward(*groups[priority * 5 : priority * 5 + 5]))
    built.rule(aws, listener, 20, forward(*groups[1:5]))
    error = aws.refused(
        create_rule, ListenerArn=listener, Priority=21, Conditions=[PATH], Actions=[forward(groups[100])]
    )
    assert error.code == "TooManyUniqueTargetGroupsPerLoadBalancer"


def test_a_load_balancer_has_a_thousand_targets(aws: Aws, listener: str):
    groups = [built.group(aws, name, TargetType="ip") for name in ("one", "two")]
    for place, arn in enumerate(groups):
        targets = [{"Id": f"10.{place}.{number // 250}.{number % 250}"} for number in range(501)]
        aws.do(register_targets, TargetGroupArn=arn, Targets=targets)
    built.rule(aws, listener, 1, forward(groups[0]))
    assert refusal(aws, listener, forward(groups[1]))[0] == "TooManyTargets"
