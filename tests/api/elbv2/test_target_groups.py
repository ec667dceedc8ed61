"""CreateTargetGroup, DescribeTargetGroups, ModifyTargetGroup, DeleteTargetGroup and their attributes."""

from typing import Any

import pytest

from lb.api.elbv2.rules import delete_rule
from lb.api.elbv2.target_group_attributes import describe_target_group_attributes, modify_target_group_attributes
from lb.api.elbv2.target_groups import (
    create_target_group,
    delete_target_group,
    describe_target_groups,
    modify_target_group,
)
from lb.api.elbv2.targets import register_targets
from lb.resources.records import Kind, Record
from lb.resources.target_groups import group_of
from tests.api.aws_call import ACCOUNT, VPC, Aws
from tests.api.elbv2 import built
from tests.api.elbv2.built import forward

HTTP = {"Protocol": "HTTP", "Port": 80, "VpcId": VPC}


def described(aws: Aws, arn: str) -> dict[str, Any]:
    (group,) = aws.do(describe_target_groups, TargetGroupArns=[arn])["TargetGroups"]
    return dict(group)


def attributes(aws: Aws, arn: str) -> dict[str, str]:
    answered = aws.do(describe_target_group_attributes, TargetGroupArn=arn)["Attributes"]
    return {pair["Key"]: pair["Value"] for pair in answered}


def modify(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def test_a_new_target_group_has_all_defaults(aws: Aws):
    arn = built.group(aws)
    assert described(aws, arn) == {
        "TargetGroupArn": arn,
        "TargetGroupName": "web",
        "Protocol": "HTTP",
        "Port": 80,
        "VpcId": VPC,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [],
        "TargetType": "instance",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
    }


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"TargetType": "lambda"},
            {
                "HealthCheckEnabled": False,
                "HealthCheckIntervalSeconds": 35,
                "HealthCheckTimeoutSeconds": 30,
                "Matcher": {"HttpCode": "200"},
            },
        ),
        ({"ProtocolVersion": "GRPC"}, {"HealthCheckPath": "/AWS.ALB/healthcheck", "Matcher": {"GrpcCode": "12"}}),
        ({"ProtocolVersion": ""}, {"ProtocolVersion": "HTTP1", "Matcher": {"HttpCode": "200"}}),
        ({"Protocol": "TCP"}, {"HealthCheckProtocol": "TCP", "HealthCheckTimeoutSeconds": 10}),
        (
            {"Protocol": "TCP", "HealthCheckProtocol": "HTTP"},
            {"HealthCheckTimeoutSeconds": 6, "Matcher": {"HttpCode": "200-399"}},
        ),
        (
            {"Protocol": "GENEVE", "Port": 6081},
            {"HealthCheckPort": "80", "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 5},
        ),
    ],
    ids=["lambda", "grpc", "empty version", "tcp", "tcp checked by http", "geneve"],
)
def test_defaults_depend_on_type_and_protocol(aws: Aws, settings: dict[str, Any], expected: dict[str, Any]):
    group = described(aws, built.group(aws, **settings))
    assert {member: group[member] for member in expected} == expected
    if settings.get("TargetType") == "lambda":
        assert not {"Protocol", "Port", "VpcId", "ProtocolVersion", "HealthCheckPort"} & group.keys()


def test_every_kind_of_target_group_can_be_built(aws: Aws):
    for name, settings in (
        ("lambda", {"TargetType": "lambda"}),
        ("grpc", {"ProtocolVersion": "GRPC"}),
        ("tcp", {"Protocol": "TCP"}),
        ("alb", {"TargetType": "alb", "Protocol": "TCP"}),
    ):
        record = aws.records.get(Kind.TARGET_GROUP, built.group(aws, name, **settings))
        assert record is not None
        assert group_of(record, ()).name == name


def test_creating_the_same_again_answers_the_one_that_is_there(aws: Aws):
    first = aws.do(create_target_group, Name="web", **HTTP)
    again = aws.do(create_target_group, Name="web", HealthCheckPath="/", **HTTP)
    assert again == first
    error = aws.refused(create_target_group, Name="web", HealthCheckPath="/other", **HTTP)
    message = "A target group with the same name 'web' exists, but with different settings"
    assert (error.code, error.message) == ("DuplicateTargetGroupName", message)
    tags = [{"Key": "team", "Value": "web"}]
    assert aws.refused(create_target_group, Name="web", Tags=tags, **HTTP).code == "DuplicateTargetGroupName"


def test_a_name_is_free_in_another_region(aws: Aws):
    built.group(aws)
    vpc = Record(Kind.VPC, "vpc-0e", "eu-west-1", ACCOUNT, {"VpcId": "vpc-0e"})
    aws.put(vpc)
    made = aws.do(create_target_group, region="eu-west-1", Name="web", Protocol="HTTP", Port=81, VpcId="vpc-0e")
    assert ":eu-west-1:" in made["TargetGroups"][0]["TargetGroupArn"]
    assert len(aws.do(describe_target_groups)["TargetGroups"]) == 1
    assert aws.refused(create_target_group, Name="other", **{**HTTP, "VpcId": "vpc-0e"}).code == "ValidationError"


NAME_MEMBER = "targetGroup.targetGroupArn.targetGroupName"
NAME_RULE = "Member must satisfy regular expression pattern: (?!.*--)(?!^-)(?!.*-$)^[A-Za-z0-9-]+$"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({**HTTP, "Name": "w" * 33}, f"Target group name '{'w' * 33}' cannot be longer than '32' characters"),
    ({**HTTP, "Name": "-web"}, "Target group name '-web' cannot begin or end with '-'"),
    (
        {**HTTP, "Name": "web_1"},
        "Target group name 'web_1' can only contain characters that are alphanumeric characters or hyphens(-)",
    ),
    (
        {**HTTP, "Name": "a--b"},
        f"1 validation error detected: Value 'a--b' at '{NAME_MEMBER}' failed to satisfy constraint: {NAME_RULE}",
    ),
    ({"Protocol": "HTTP", "VpcId": VPC}, "A port must be specified"),
    ({"Port": 80, "VpcId": VPC}, "A protocol must be specified"),
    ({"Protocol": "HTTP", "Port": 80}, "A VPC ID must be specified"),
    ({**HTTP, "VpcId": "vpc-0gone"}, "The VPC ID 'vpc-0gone' is not found"),
    (
        {"TargetType": "lambda", "Port": 80},
        "Port cannot be specified for target groups with target type 'lambda'",
    ),
    (
        {"TargetType": "lambda", "Protocol": "HTTP"},
        "Protocol cannot be specified for target groups with target type 'lambda'",
    ),
    (
        {"TargetType": "lambda", "VpcId": VPC},
        "VPC ID cannot be specified for target groups with target type 'lambda'",
    ),
    ({**HTTP, "ProtocolVersion": "HTTP3"}, "Protocol version 'HTTP3' must be one of 'HTTP1, HTTP2, GRPC'"),
    (
        {**HTTP, "Protocol": "TCP", "ProtocolVersion": "HTTP1"},
        "Protocol version cannot be specified for target groups with protocol 'TCP'",
    ),
    (
        {**HTTP, "TargetType": "alb"},
        "Protocol 'HTTP' must be one of 'TCP' for target groups with target type 'alb'",
    ),
    (
        {**HTTP, "Protocol": "GENEVE"},
        "Port '80' must be '6081' for target groups with protocol 'GENEVE'",
    ),
    (
        {**HTTP, "HealthCheckIntervalSeconds": 5},
        "Health check timeout '5' must be smaller than the interval '5'",
    ),
    ({**HTTP, "HealthCheckProtocol": "TCP"}, "Health check protocol 'TCP' must be one of 'HTTP, HTTPS'"),
    (
        {"TargetType": "lambda", "HealthCheckProtocol": "HTTP"},
        "Health check protocol cannot be specified for target groups with target type 'lambda'",
    ),
    (
        {**HTTP, "HealthCheckEnabled": False},
        "Health check enabled must be true for target groups with target type 'instance'",
    ),
    ({**HTTP, "HealthCheckPort": "0"}, "Health check port '0' must be 'traffic-port' or in the range '1-65535'"),
    (
        {**HTTP, "HealthCheckPort": "65536"},
        "Health check port '65536' must be 'traffic-port' or in the range '1-65535'",
    ),
    ({**HTTP, "HealthCheckPath": "health"}, "Health check path 'health' must begin with a '/' character"),
    (
        {**HTTP, "HealthCheckPath": "/a b"},
        "Health check path '/a b' can only contain visible ASCII characters",
    ),
    (
        {**HTTP, "Matcher": {"GrpcCode": "0"}},
        "You must specify 'HttpCode', and only it, in the matcher of this target group",
    ),
    (
        {**HTTP, "ProtocolVersion": "GRPC", "Matcher": {"GrpcCode": "100"}},
        "Health check matcher gRPC code '100' must be within '0-99', a list or a range",
    ),
    (
        {**HTTP, "Matcher": {"HttpCode": "600"}},
        "Health check matcher HTTP code '600' is not valid: '600' must lie within 200-499, the lower code first",
    ),
]


@pytest.mark.parametrize(("params", "message"), WRONG, ids=[message[:50] for _, message in WRONG])
def test_target_groups_that_elb_refuses(aws: Aws, params: dict[str, Any], message: str):
    error = aws.refused(create_target_group, **{"Name": "web", **params})
    assert (error.code, error.message) == ("ValidationError", message)


def test_target_groups_are_found_by_name_arn_and_load_balancer(aws: Aws):
    web, img = built.group(aws, "web"), built.group(aws, "img")
    balancer = built.balancer(aws)
    listener = built.listener(aws, balancer, 80, forward(web))

    def found(**params: Any) -> list[str]:
        return [group["TargetGroupArn"] for group in aws.do(describe_target_groups, **params)["TargetGroups"]]

    assert found() == [web, img]
    assert found(Names=["img"]) == found(TargetGroupArns=[img]) == [img]
    assert found(LoadBalancerArn=balancer) == [web]
    made = built.rule(aws, listener, 1, forward(img))
    assert found(LoadBalancerArn=balancer) == [web, img]
    assert described(aws, img)["LoadBalancerArns"] == [balancer]
    aws.do(delete_rule, RuleArn=made["RuleArn"])
    assert described(aws, img)["LoadBalancerArns"] == []


def test_target_groups_come_in_pages(aws: Aws):
    names = [f"group-{number}" for number in range(5)]
    for name in names:
        built.group(aws, name)
    seen: list[str] = []
    params: dict[str, Any] = {"PageSize": 2}
    while True:
        answer = aws.do(describe_target_groups, **params)
        seen += [group["TargetGroupName"] for group in answer["TargetGroups"]]
        if "NextMarker" not in answer:
            break
        params["Marker"] = answer["NextMarker"]
    assert seen == names


def test_what_is_not_there_is_not_found(aws: Aws):
    for params in ({"Names": ["gone"]}, {"TargetGroupArns": [built.NO_SUCH_GROUP]}):
        error = aws.refused(describe_target_groups, **params)
        assert (error.code, error.message) == ("TargetGroupNotFound", "One or more target groups not found")
    assert aws.refused(describe_target_groups, LoadBalancerArn=built.NO_SUCH_BALANCER).code == "LoadBalancerNotFound"
    error = aws.refused(describe_target_groups, Names=["web"], TargetGroupArns=[built.NO_SUCH_GROUP])
    assert error.message == (
        "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time"
    )
    for handler in (modify_target_group, describe_target_group_attributes):
        assert aws.refused(handler, TargetGroupArn=built.NO_SUCH_GROUP).code == "TargetGroupNotFound"


def test_modifying_changes_what_is_given_and_keeps_the_rest(aws: Aws):
    arn = built.group(aws, HealthCheckPath="/health")
    (changed,) = aws.do(modify_target_group, TargetGroupArn=arn, HealthCheckIntervalSeconds=10)["TargetGroups"]
    assert (changed["HealthCheckPath"], changed["HealthCheckIntervalSeconds"]) == ("/health", 10)
    assert changed == described(aws, arn)
    error = aws.refused(modify_target_group, TargetGroupArn=arn, HealthCheckTimeoutSeconds=10)
    assert error.message == "Health check timeout '10' must be smaller than the interval '10'"


def test_a_check_that_changes_to_tcp_loses_what_belongs_to_http(aws: Aws):
    arn = built.group(aws, Protocol="TCP", HealthCheckProtocol="HTTP")
    (changed,) = aws.do(modify_target_group, TargetGroupArn=arn, HealthCheckProtocol="TCP")["TargetGroups"]
    assert not {"HealthCheckPath", "Matcher"} & changed.keys()


def test_a_target_group_in_use_is_not_deleted(aws: Aws):
    web = built.group(aws)
    listener = built.listener(aws, built.balancer(aws))
    made = built.rule(aws, listener, 1, forward(web))
    error = aws.refused(delete_target_group, TargetGroupArn=web)
    message = f"Target group '{web}' is currently in use by a listener or a rule"
    assert (error.code, error.message) == ("ResourceInUse", message)
    aws.do(delete_rule, RuleArn=made["RuleArn"])
    assert aws.do(delete_target_group, TargetGroupArn=web) == {}
    assert aws.do(describe_target_groups)["TargetGroups"] == []
    assert aws.do(delete_target_group, TargetGroupArn=web) == {}


def test_targets_go_with_their_group(aws: Aws):
    web = built.group(aws, TargetType="ip")
    aws.do(register_targets, TargetGroupArn=web, Targets=[{"Id": "10.0.0.1"}, {"Id": "10.0.0.2"}])
    aws.do(delete_target_group, TargetGroupArn=web)
    assert list(aws.records.all(Kind.TARGET)) == []


def test_attributes_have_elbs_defaults(aws: Aws):
    values = attributes(aws, built.group(aws))
    assert values["deregistration_delay.timeout_seconds"] == "300"
    assert values["target_group_health.dns_failover.minimum_healthy_targets.percentage"] == "off"
    assert "lambda.multi_value_headers.enabled" not in values
    functions = attributes(aws, built.group(aws, "function", TargetType="lambda"))
    assert functions == {"lambda.multi_value_headers.enabled": "false"}
    network = attributes(aws, built.group(aws, "tcp", Protocol="TCP", TargetType="ip"))
    assert (network["preserve_client_ip.enabled"], network["stickiness.type"]) == ("false", "source_ip")
    assert "slow_start.duration_seconds" not in network


def test_an_attribute_that_is_set_is_answered_and_reaches_the_balancer(aws: Aws):
    arn = built.group(aws)
    given = modify(**{"stickiness.enabled": "true", "deregistration_delay.timeout_seconds": "300"})
    assert aws.do(modify_target_group_attributes, TargetGroupArn=arn, Attributes=given) == {"Attributes": given}
    assert attributes(aws, arn)["stickiness.enabled"] == "true"
    record = aws.records.get(Kind.TARGET_GROUP, arn)
    assert record is not None
    assert group_of(record, ()).attributes == {"stickiness.enabled": "true"}


@pytest.mark.parametrize(
    ("values", "code", "message"),
    [
        ({"gone": "1"}, "ValidationError", "Target group attribute key 'gone' is not recognized"),
        (
            {"lambda.multi_value_headers.enabled": "true"},
            "InvalidConfigurationRequest",
            "The provided target group attribute is not supported",
        ),
        (
            {"deregistration_delay.timeout_seconds": "3601"},
            "ValidationError",
            "'deregistration_delay.timeout_seconds' value '3601' must be between '0-3600' inclusive",
        ),
        (
            {"stickiness.enabled": "true", "stickiness.type": "app_cookie"},
            "ValidationError",
            "You must set an application cookie name to enable stickiness of type 'app_cookie'",
        ),
    ],
    ids=["unknown", "of another type", "out of range", "together"],
)
def test_attributes_that_elb_refuses(aws: Aws, values: dict[str, str], code: str, message: str):
    arn = built.group(aws)
    error = aws.refused(modify_target_group_attributes, TargetGroupArn=arn, Attributes=modify(**values))
    assert (error.code, error.message) == (code, message)


def test_attributes_that_exclude_each_other_over_two_calls(aws: Aws):
    arn = built.group(aws)
    slow = modify(**{"slow_start.duration_seconds": "30"})
    aws.do(modify_target_group_attributes, TargetGroupArn=arn, Attributes=slow)
    random = modify(**{"load_balancing.algorithm.type": "weighted_random"})
    assert aws.refused(modify_target_group_attributes, TargetGroupArn=arn, Attributes=random).code == "ValidationError"
