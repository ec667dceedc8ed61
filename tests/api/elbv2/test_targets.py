"""RegisterTargets, DeregisterTargets, DescribeTargetHealth."""

from typing import Any

import pytest

from lb.api.call import TargetHealth
from lb.api.elbv2.target_health import describe_target_health
from lb.api.elbv2.targets import deregister_targets, register_targets
from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, VPC, Aws
from tests.api.elbv2 import built
from tests.api.elbv2.built import forward

ONE, TWO = "i-0000000000000001a", "i-0000000000000002b"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello"


@pytest.fixture
def web(aws: Aws) -> str:
    """A group of instances, in use; instances ONE and TWO run."""
    for name in (ONE, TWO):
        aws.put(instance(name))
    return in_use(aws, built.group(aws))


def instance(name: str, vpc: str = VPC) -> Record:
    return Record(Kind.INSTANCE, name, REGION, ACCOUNT, {"InstanceId": name, "VpcId": vpc})


def in_use(aws: Aws, group: str) -> str:
    built.listener(aws, built.balancer(aws), 80, forward(group))
    return group


def registered(aws: Aws, group: str) -> list[dict[str, Any]]:
    return [dict(record.shape) for record in aws.records.children(Kind.TARGET, group)]


def health(aws: Aws, group: str, **params: Any) -> list[dict[str, Any]]:
    return list(aws.do(describe_target_health, TargetGroupArn=group, **params)["TargetHealthDescriptions"])


def states(aws: Aws, group: str, **params: Any) -> list[tuple[str, int | None, str, str]]:
    return [
        (
            each["Target"]["Id"],
            each["Target"].get("Port"),
            each["TargetHealth"]["State"],
            each["TargetHealth"].get("Reason", ""),
        )
        for each in health(aws, group, **params)
    ]


def test_a_target_has_the_port_of_its_group_where_it_has_none(aws: Aws, web: str):
    targets = [{"Id": ONE}, {"Id": ONE, "Port": 8080}, {"Id": TWO}]
    assert aws.do(register_targets, TargetGroupArn=web, Targets=targets) == {}
    assert registered(aws, web) == [{"Id": ONE, "Port": 80}, {"Id": ONE, "Port": 8080}, {"Id": TWO, "Port": 80}]


def test_registering_twice_changes_nothing(aws: Aws, web: str):
    for _ in range(2):
        aws.do(register_targets, TargetGroupArn=web, Targets=[{"Id": ONE}, {"Id": ONE, "Port": 80}])
    assert registered(aws, web) == [{"Id": ONE, "Port": 80}]


def test_instances_must_exist_run_and_be_in_the_vpc(aws: Aws, web: str):
    aws.put(instance("i-00000000000000f0e", vpc="vpc-0other"))
    aws.live.instances[TWO] = "stopped"

    def refusal(name: str) -> tuple[str, str]:
        error = aws.refused(register_targets, TargetGroupArn=web, Targets=[{"Id": ONE}, {"Id": name}])
        return error.code, error.message

    assert refusal(TWO) == (
        "InvalidTarget",
        f"The following targets are not in a running state and cannot be registered: '{TWO}'",
    )
    assert refusal("i-00000000000000f0e") == (
        "InvalidTarget",
        f"The following targets are not in the target group VPC '{VPC}': 'i-00000000000000f0e'",
    )
    assert refusal("i-0123456789abcdef0")[0] == "InvalidTarget"
    assert refusal("10.0.0.1") == ("ValidationError", "Instance ID '10.0.0.1' is not valid")
    assert registered(aws, web) == []


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "203.0.113.9"])
def test_an_address_may_be_any(aws: Aws, address: str):
    group = built.group(aws, TargetType="ip")
    aws.do(register_targets, TargetGroupArn=group, Targets=[{"Id": address, "AvailabilityZone": "all"}])
    assert registered(aws, group) == [{"Id": address, "Port": 80, "AvailabilityZone": "all"}]


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        ({"TargetType": "ip"}, {"Id": "localhost"}),
        ({"TargetType": "ip"}, {"Id": "::1"}),
        ({"TargetType": "ip", "IpAddressType": "ipv6"}, {"Id": "10.0.0.1"}),
        ({"TargetType": "instance"}, {"Id": ONE, "AvailabilityZone": "all"}),
        ({"TargetType": "lambda"}, {"Id": "hello"}),
        ({"TargetType": "lambda"}, {"Id": FUNCTION, "Port": 80}),
        ({"TargetType": "alb", "Protocol": "TCP"}, {"Id": "web"}),
    ],
    ids=["a name", "IPv6", "IPv4", "a zone", "a function's name", "a function's port", "a balancer's name"],
)
def test_targets_that_are_not_of_the_type_of_the_group(aws: Aws, settings: dict[str, Any], target: dict[str, Any]):
    group = built.group(aws, "other", **settings)
    assert aws.refused(register_targets, TargetGroupArn=group, Targets=[target]).code == "ValidationError"


def test_no_target_at_all_is_refused(aws: Aws, web: str):
    for handler in (register_targets, deregister_targets):
        assert aws.refused(handler, TargetGroupArn=web, Targets=[]).message == "A target must be specified"
    unknown = built.NO_SUCH_GROUP
    assert aws.refused(register_targets, TargetGroupArn=unknown, Targets=[]).code == "TargetGroupNotFound"


def test_a_function_and_a_load_balancer_are_kept_as_targets(aws: Aws):
    functions = built.group(aws, "function", TargetType="lambda")
    aws.do(register_targets, TargetGroupArn=functions, Targets=[{"Id": FUNCTION}])
    assert registered(aws, functions) == [{"Id": FUNCTION}]
    second = [{"Id": f"{FUNCTION}:2"}]
    assert aws.refused(register_targets, TargetGroupArn=functions, Targets=second).code == "TooManyTargets"
    balancers = built.group(aws, "balancers", TargetType="alb", Protocol="TCP")
    aws.do(register_targets, TargetGroupArn=balancers, Targets=[{"Id": built.balancer(aws)}])
    unknown = [{"Id": built.NO_SUCH_BALANCER}]
    assert aws.refused(register_targets, TargetGroupArn=balancers, Targets=unknown).code == "LoadBalancerNotFound"


def test_a_group_has_a_thousand_targets(aws: Aws):
    group = built.group(aws, TargetType="ip")
    targets = [{"Id": f"10.0.{number // 250}.{number % 250}"} for number in range(1001)]
    aws.do(register_targets, TargetGroupArn=group, Targets=targets[:1000])
    assert aws.refused(register_targets, TargetGroupArn=group, Targets=targets).code == "TooManyTargets"


def test_the_groups_of_a_load_balancer_have_a_thousand_targets(aws: Aws):
    groups = [built.group(aws, name, TargetType="ip") for name in ("one", "two")]
    built.listener(aws, built.balancer(aws), 80, forward(*groups))
    for place, group in enumerate(groups):
        targets = [{"Id": f"10.{place}.{number // 250}.{number % 250}"} for number in range(500)]
        aws.do(register_targets, TargetGroupArn=group, Targets=targets)
    more = [{"Id": "10.9.9.9"}]
    assert aws.refused(register_targets, TargetGroupArn=groups[0], Targets=more).code == "TooManyTargets"


def test_deregistering_takes_one_port_or_all_of_them(aws: Aws, web: str):
    targets = [{"Id": ONE}, {"Id": ONE, "Port": 8080}, {"Id": ONE, "Port": 8081}, {"Id": TWO}]
    aws.do(register_targets, TargetGroupArn=web, Targets=targets)
    aws.do(deregister_targets, TargetGroupArn=web, Targets=[{"Id": ONE, "Port": 8080}])
    assert len(registered(aws, web)) == 3
    aws.do(deregister_targets, TargetGroupArn=web, Targets=[{"Id": ONE}])
    assert registered(aws, web) == [{"Id": TWO, "Port": 80}]
    assert aws.do(deregister_targets, TargetGroupArn=web, Targets=[{"Id": ONE}]) == {}
    wrong = [{"Id": "web-1"}]
    assert aws.refused(deregister_targets, TargetGroupArn=web, Targets=wrong).code == "ValidationError"


def test_health_is_what_the_checker_sees(aws: Aws, web: str):
    aws.do(register_targets, TargetGroupArn=web, Targets=[{"Id": ONE}, {"Id": TWO}])
    description = "Health checks failed with these codes: [404]"
    aws.live.health[web] = [
        TargetHealth(ONE, 80, None, "healthy"),
        TargetHealth(TWO, 80, None, "unhealthy", "Target.ResponseCodeMismatch", description),
    ]
    assert health(aws, web) == [
        {"Target": {"Id": ONE, "Port": 80}, "HealthCheckPort": "80", "TargetHealth": {"State": "healthy"}},
        {
            "Target": {"Id": TWO, "Port": 80},
            "HealthCheckPort": "80",
            "TargetHealth": {
                "State": "unhealthy",
                "Reason": "Target.ResponseCodeMismatch",
                "Description": description,
            },
        },
    ]


def test_a_target_that_the_checker_does_not_know_yet_is_being_registered(aws: Aws, web: str):
    aws.do(register_targets, TargetGroupArn=web, Targets=[{"Id": ONE}])
    assert states(aws, web) == [(ONE, 80, "initial", "Elb.RegistrationInProgress")]


def test_a_draining_target_is_shown_until_it_is_gone(aws: Aws, web: str):
    drains = TargetHealth(ONE, 80, None, "draining", "Target.DeregistrationInProgress", "Target deregistration ...")
    aws.live.health[web] = [drains]
    expected = [(ONE, 80, "draining", "Target.DeregistrationInProgress")]
    assert states(aws, web) == states(aws, web, Targets=[{"Id": ONE}]) == expected
    aws.live.health[web] = []
    assert states(aws, web) == []


def test_a_target_that_is_not_registered_is_unused_when_it_is_asked_about(aws: Aws, web: str):
    aws.do(register_targets, TargetGroupArn=web, Targets=[{"Id": ONE, "Port": 8080}])
    unknown = "unused", "Target.NotRegistered"
    assert states(aws, web, Targets=[{"Id": TWO}, {"Id": ONE, "Port": 81}]) == [
        (TWO, 80, *unknown),
        (ONE, 81, *unknown),
    ]
    (asked,) = health(aws, web, Targets=[{"Id": TWO}])
    assert asked["TargetHealth"]["Description"] == "Target is not registered to the target group"
    assert "HealthCheckPort" not in asked
    assert [target[:2] for target in states(aws, web, Targets=[{"Id": ONE}])] == [(ONE, 8080)]


def test_targets_of_a_group_that_is_not_in_use_are_unused(aws: Aws):
    group = built.group(aws, TargetType="ip")
    aws.do(register_targets, TargetGroupArn=group, Targets=[{"Id": "10.0.0.1"}])
    (only,) = health(aws, group)
    assert only["TargetHealth"] == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target group is not configured to receive traffic from the load balancer",
    }
    assert "HealthCheckPort" not in only


def test_a_stopped_instance_is_unused_and_a_terminated_one_is_gone(aws: Aws, web: str):
    aws.do(register_targets, TargetGroupArn=web, Targets=[{"Id": ONE}, {"Id": TWO}])
    aws.live.instances = {ONE: "stopped", TWO: "terminated"}
    (only,) = health(aws, web)
    assert only["Target"]["Id"] == ONE
    assert only["TargetHealth"] == {
        "State": "unused",
        "Reason": "Target.InvalidState",
        "Description": "Target is in the stopped state",
    }
    assert states(aws, web, Targets=[{"Id": TWO}]) == [(TWO, 80, "unused", "Target.NotRegistered")]


def test_the_port_of_the_health_check_is_the_groups_where_it_has_one(aws: Aws):
    group = in_use(aws, built.group(aws, TargetType="ip", HealthCheckPort="9000"))
    aws.do(register_targets, TargetGroupArn=group, Targets=[{"Id": "10.0.0.1"}])
    assert health(aws, group)[0]["HealthCheckPort"] == "9000"


def test_functions_are_not_checked(aws: Aws):
    group = in_use(aws, built.group(aws, TargetType="lambda"))
    aws.do(register_targets, TargetGroupArn=group, Targets=[{"Id": FUNCTION}])
    assert states(aws, group) == [(FUNCTION, None, "unavailable", "Target.HealthCheckDisabled")]


def test_more_is_told_where_it_is_asked_for(aws: Aws, web: str):
    aws.do(register_targets, TargetGroupArn=web, Targets=[{"Id": ONE}])
    (plain,) = health(aws, web)
    assert not {"AnomalyDetection", "AdministrativeOverride"} & plain.keys()
    (anomalies,) = health(aws, web, Include=["AnomalyDetection"])
    assert anomalies["AnomalyDetection"] == {"Result": "normal", "MitigationInEffect": "no"}
    assert health(aws, web, Include=["All"])[0]["AdministrativeOverride"]["State"] == "no_override"


def test_the_health_of_an_unknown_group_is_not_found(aws: Aws):
    error = aws.refused(describe_target_health, TargetGroupArn=built.NO_SUCH_GROUP)
    assert (error.code, error.message) == ("TargetGroupNotFound", "One or more target groups not found")
