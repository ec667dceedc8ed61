import pytest

from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, SECURITY_GROUP, SUBNETS, VPC, Aws
from tests.api.elbv2.elb import ARN, Elb

TWO = list(SUBNETS[:2])
POOL = {"Ipv4IpamPoolId": "ipam-pool-1"}


def shown(elb: Elb, arn: str) -> dict[str, object]:
    found: dict[str, object] = elb("DescribeLoadBalancers", LoadBalancerArns=[arn])["LoadBalancers"][0]
    return found


@pytest.fixture
def elsewhere(aws: Aws) -> None:
    """Subnets and a security group of another VPC, and one more security group of this one."""
    for name, zone in (("subnet-x", "a"), ("subnet-y", "b")):
        shape = {"SubnetId": name, "VpcId": "vpc-x", "AvailabilityZone": f"{REGION}{zone}"}
        aws.put(Record(Kind.SUBNET, name, REGION, ACCOUNT, shape))
    for group, vpc in (("sg-x", "vpc-x"), ("sg-1", VPC)):
        shape = {"GroupId": group, "GroupName": "g", "VpcId": vpc}
        aws.put(Record(Kind.SECURITY_GROUP, group, REGION, ACCOUNT, shape))


def test_subnets_are_replaced(elb: Elb):
    arn = elb.balancer()
    answer = elb("SetSubnets", LoadBalancerArn=arn, Subnets=list(SUBNETS[1:]), IpAddressType="dualstack")
    assert [zone["SubnetId"] for zone in answer["AvailabilityZones"]] == list(SUBNETS[1:])
    assert answer["IpAddressType"] == "dualstack"
    assert shown(elb, arn)["AvailabilityZones"] == answer["AvailabilityZones"]
    assert shown(elb, arn)["IpAddressType"] == "dualstack"


def test_source_nat_is_for_network_load_balancers(elb: Elb):
    arn = elb.balancer("net", Type="network")
    answer = elb("SetSubnets", LoadBalancerArn=arn, Subnets=TWO[:1], EnablePrefixForIpv6SourceNat="on")
    assert answer["EnablePrefixForIpv6SourceNat"] == "on"
    error = elb.refused("SetSubnets", LoadBalancerArn=elb.balancer(), Subnets=TWO, EnablePrefixForIpv6SourceNat="on")
    assert error.code == "InvalidConfigurationRequest"


def test_security_groups_are_replaced(elb: Elb, elsewhere: None):
    arn = elb.balancer()
    answer = elb("SetSecurityGroups", LoadBalancerArn=arn, SecurityGroups=["sg-1", SECURITY_GROUP, "sg-1"])
    assert answer == {"SecurityGroupIds": ["sg-1", SECURITY_GROUP]}
    assert shown(elb, arn)["SecurityGroups"] == ["sg-1", SECURITY_GROUP]


def test_security_groups_of_a_network_load_balancer_must_be_there_from_the_start(elb: Elb):
    member = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    arn = elb.balancer("guarded", Type="network", SecurityGroups=[SECURITY_GROUP])
    groups = {"SecurityGroups": [SECURITY_GROUP], member: "off"}
    assert elb("SetSecurityGroups", LoadBalancerArn=arn, **groups)[member] == "off"
    assert shown(elb, arn)[member] == "off"
    bare = elb.balancer("bare", Type="network")
    error = elb.refused("SetSecurityGroups", LoadBalancerArn=bare, SecurityGroups=[SECURITY_GROUP])
    assert error.message == "A load balancer that was created without security groups cannot get any"


def test_the_address_type_is_replaced(elb: Elb):
    arn = elb.balancer()
    wanted = {"IpAddressType": "dualstack-without-public-ipv4"}
    assert elb("SetIpAddressType", LoadBalancerArn=arn, **wanted) == wanted
    assert shown(elb, arn)["IpAddressType"] == "dualstack-without-public-ipv4"


def test_an_address_pool_comes_and_goes(elb: Elb):
    arn = elb.balancer()
    assert elb("ModifyIpPools", LoadBalancerArn=arn, IpamPools=POOL) == {"IpamPools": POOL}
    assert shown(elb, arn)["IpamPools"] == POOL
    assert elb("ModifyIpPools", LoadBalancerArn=arn, RemoveIpamPools=["ipv4"]) == {}
    assert "IpamPools" not in shown(elb, arn)


INVALID = "InvalidConfigurationRequest"
REFUSED = {
    "one subnet": (
        "SetSubnets",
        {"Subnets": TWO[:1]},
        "ValidationError",
        "At least two subnets in two different Availability Zones must be specified",
    ),
    "subnets elsewhere": (
        "SetSubnets",
        {"Subnets": ["subnet-x", "subnet-y"]},
        INVALID,
        f"The subnets must belong to the VPC of the load balancer: '{VPC}'",
    ),
    "an unknown subnet": (
        "SetSubnets",
        {"Subnets": ["subnet-9", *TWO]},
        "SubnetNotFound",
        "The subnet ID 'subnet-9' is not valid",
    ),
    "a group elsewhere": (
        "SetSecurityGroups",
        {"SecurityGroups": ["sg-x"]},
        INVALID,
        "One or more security groups are invalid",
    ),
    "no group": (
        "SetSecurityGroups",
        {"SecurityGroups": []},
        "ValidationError",
        "A security group must be specified",
    ),
    "private link": (
        "SetSecurityGroups",
        {"SecurityGroups": ["sg-1"], "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on"},
        INVALID,
        (
            "'EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic' is supported only for load balancers "
            "with type 'network'"
        ),
    ),
    "neither pools nor none": (
        "ModifyIpPools",
        {},
        "ValidationError",
        "You must specify either IPAM pools or IPAM pools to remove",
    ),
}


@pytest.mark.parametrize(("operation", "params", "code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_change_is_refused(
    elb: Elb, elsewhere: None, operation: str, params: dict[str, object], code: str, message: str
):
    error = elb.refused(operation, LoadBalancerArn=elb.balancer(), **params)
    assert (error.code, error.message) == (code, message)


def test_what_is_for_public_application_load_balancers_only(elb: Elb):
    inside, network = elb.balancer("inside", Scheme="internal"), elb.balancer("net", Type="network")
    for arn in (inside, network):
        wanted = {"IpAddressType": "dualstack-without-public-ipv4"}
        assert elb.refused("SetIpAddressType", LoadBalancerArn=arn, **wanted).code == INVALID
        assert elb.refused("SetSubnets", LoadBalancerArn=arn, Subnets=TWO, **wanted).code == INVALID
        assert elb.refused("ModifyIpPools", LoadBalancerArn=arn, IpamPools=POOL).code == INVALID


CHANGES = {
    "SetSubnets": {"Subnets": TWO},
    "SetSecurityGroups": {"SecurityGroups": [SECURITY_GROUP]},
    "SetIpAddressType": {"IpAddressType": "ipv4"},
    "ModifyIpPools": {"IpamPools": POOL},
}


@pytest.mark.parametrize("operation", CHANGES)
def test_a_load_balancer_that_is_not_there_cannot_be_changed(elb: Elb, operation: str):
    arn = f"{ARN}:loadbalancer/app/no/0123456789abcdef"
    error = elb.refused(operation, LoadBalancerArn=arn, **CHANGES[operation])
    assert (error.code, error.message) == ("LoadBalancerNotFound", "One or more load balancers not found")


def test_a_gateway_load_balancer_has_no_security_groups(elb: Elb):
    arn = elb.balancer("gwy", Type="gateway")
    error = elb.refused("SetSecurityGroups", LoadBalancerArn=arn, SecurityGroups=[SECURITY_GROUP])
    assert error.message == "Security groups are not supported for load balancers with type 'gateway'"
