"""boto3: the same walk-through with waiters, paginators and the exceptions of its clients."""

import pytest

from lb.compute.website import front_page


def call(operation, **parameters):
    """The first of the resources that a call answers with, without the wrapping."""
    answer = operation(**parameters)
    (found,) = (value for name, value in answer.items() if name not in ("ResponseMetadata", "NextMarker"))
    return found[0]


@pytest.fixture
def elbv2(endpoint):
    """A client of ELBv2."""
    with endpoint.client("elbv2") as client:
        yield client


@pytest.fixture
def network(endpoint):
    """The default VPC, and two of its subnets."""
    with endpoint.client("ec2") as ec2:
        is_default = [{"Name": "is-default", "Values": ["true"]}]
        vpc = call(ec2.describe_vpcs, Filters=is_default)["VpcId"]
        pages = ec2.get_paginator("describe_subnets").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        return vpc, sorted(subnet["SubnetId"] for page in pages for subnet in page["Subnets"])[:2]


@pytest.fixture
def balancer(elbv2, network):
    """A load balancer in two subnets, ready."""
    made = call(elbv2.create_load_balancer, Name="web", Subnets=network[1], Tags=[{"Key": "of", "Value": "boto3"}])
    elbv2.get_waiter("load_balancer_available").wait(LoadBalancerArns=[made["LoadBalancerArn"]])
    return made["LoadBalancerArn"]


def make_group(elbv2, network, name, *ports):
    """A target group with targets on these ports."""
    made = call(
        elbv2.create_target_group,
        Name=name,
        Protocol="HTTP",
        Port=80,
        VpcId=network[0],
        TargetType="ip",
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
    )
    group = made["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port} for port in ports])
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
    )
    return group


def forward(group):
    """The actions of a rule that forwards."""
    return [{"Type": "forward", "TargetGroupArn": group}]


def make_listener(elbv2, balancer, port, actions):
    """A listener of a load balancer."""
    made = call(elbv2.create_listener, LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=actions)
    return made["ListenerArn"]


def test_a_load_balancer_is_made_changed_and_deleted(endpoint, elbv2, network, balancer, targets):
    both = make_group(elbv2, network, "both", *targets)
    second = make_group(elbv2, network, "second", targets[1])
    listener = make_listener(elbv2, balancer, endpoint.port, forward(both))
    path = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/info*"]}}]
    rule = call(elbv2.create_rule, ListenerArn=listener, Priority=10, Conditions=path, Actions=forward(second))
    for group in (both, second):
        endpoint.until_healthy(group.split("/")[1], 2 if group == both else 1)
        elbv2.get_waiter("target_in_service").wait(TargetGroupArn=group)
    assert {endpoint.page()[1], endpoint.page()[1]} == {front_page(1), front_page(2)}
    assert all("Web Server 2" in endpoint.page("/info?format=json")[1] for _ in range(3))

    elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=forward(both))
    assert {endpoint.page("/info")[1].count("Web Server 1") > 0 for _ in range(2)} == {True, False}
    elbv2.modify_listener(ListenerArn=listener, DefaultActions=forward(second))
    assert [endpoint.page()[1] for _ in range(3)] == [front_page(2)] * 3

    one = {"TargetGroupArn": second, "Targets": [{"Id": "127.0.0.1", "Port": targets[1]}]}
    elbv2.deregister_targets(**one)
    elbv2.get_waiter("target_deregistered").wait(**one, WaiterConfig={"Delay": 1})
    assert endpoint.page()[0] == 503

    with pytest.raises(elbv2.exceptions.ResourceInUseException):
        elbv2.delete_target_group(TargetGroupArn=second)
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    elbv2.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[balancer])
    for group in (both, second):
        elbv2.delete_target_group(TargetGroupArn=group)
    with pytest.raises(ConnectionRefusedError):
        endpoint.page()


def test_refusals_are_the_exceptions_of_the_client(endpoint, elbv2, network, balancer, targets):
    group = make_group(elbv2, network, "web", targets[0])
    listener = make_listener(elbv2, balancer, endpoint.port, forward(group))
    path = [{"Field": "path-pattern", "Values": ["/a"]}]
    rule = {"ListenerArn": listener, "Priority": 1, "Conditions": path, "Actions": forward(group)}
    elbv2.create_rule(**rule)
    known = elbv2.exceptions
    of_instances = call(elbv2.create_target_group, Name="i", Protocol="HTTP", Port=80, VpcId=network[0])[
        "TargetGroupArn"
    ]
    nobody = [{"Id": "i-00000000000000000"}]
    gone = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "410"}}]
    same_name = {"Name": "web", "Subnets": network[1]}
    same_listener = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": endpoint.port}
    for refusal, operation, parameters in (
        (known.PriorityInUseException, elbv2.create_rule, rule),
        (
            known.DuplicateListenerException,
            elbv2.create_listener,
            {**same_listener, "DefaultActions": gone},
        ),
        (
            known.DuplicateLoadBalancerNameException,
            elbv2.create_load_balancer,
            {**same_name, "Scheme": "internal"},
        ),
        (known.DuplicateTargetGroupNameException, elbv2.create_target_group, {"Name": "web", "TargetType": "lambda"}),
        (known.LoadBalancerNotFoundException, elbv2.describe_load_balancers, {"Names": ["nobody"]}),
        (known.TargetGroupNotFoundException, elbv2.describe_target_groups, {"Names": ["nobody"]}),
        (known.ListenerNotFoundException, elbv2.describe_rules, {"ListenerArn": f"{listener}0"}),
        (known.SubnetNotFoundException, elbv2.create_load_balancer, {"Name": "x", "Subnets": ["subnet-1", "subnet-2"]}),
        (known.ResourceInUseException, elbv2.delete_target_group, {"TargetGroupArn": group}),
        (known.InvalidTargetException, elbv2.register_targets, {"TargetGroupArn": of_instances, "Targets": nobody}),
    ):
        with pytest.raises(refusal):
            operation(**parameters)
    with pytest.raises(known.ClientError) as refused:
        elbv2.create_load_balancer(Name="-x-", Subnets=network[1])
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_paginators_see_everything_once(elbv2, network):
    names = [f"group-{number:02}" for number in range(25)]
    for name in names:
        elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=network[0])
    pages = list(elbv2.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 10}))
    assert [len(page["TargetGroups"]) for page in pages] == [10, 10, 5]
    assert sorted(group["TargetGroupName"] for page in pages for group in page["TargetGroups"]) == names


def test_a_waiter_for_a_load_balancer_that_is_not_there_gives_up(elbv2):
    waiter = elbv2.get_waiter("load_balancer_exists")
    with pytest.raises(Exception, match="Max attempts exceeded"):
        waiter.wait(Names=["nobody"], WaiterConfig={"Delay": 1, "MaxAttempts": 2})


def test_another_region_is_another_world(endpoint, elbv2, balancer):
    with endpoint.client("elbv2", region="eu-west-1") as elsewhere:
        assert elsewhere.describe_load_balancers()["LoadBalancers"] == []
    with endpoint.client("sts") as sts:
        assert balancer.split(":")[4] == sts.get_caller_identity()["Account"]
