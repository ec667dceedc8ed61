import pytest

from lb.api.elbv2 import OPERATIONS
from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, SECURITY_GROUP, SUBNETS, VPC, Aws
from tests.api.elbv2.elb import ARN, Elb, model

TWO = list(SUBNETS[:2])


def subnet(record_id: str, zone: str, vpc: str = VPC, region: str = REGION) -> Record:
    shape = {"SubnetId": record_id, "VpcId": vpc, "AvailabilityZone": f"{region}{zone}"}
    return Record(Kind.SUBNET, record_id, region, ACCOUNT, shape)


def security_group(record_id: str, vpc: str = VPC) -> Record:
    return Record(
        Kind.SECURITY_GROUP, record_id, REGION, ACCOUNT, {"GroupId": record_id, "GroupName": "x", "VpcId": vpc}
    )


def test_a_new_load_balancer_is_answered_whole(elb: Elb):
    (made,) = elb("CreateLoadBalancer", Name="Web-1", Subnets=TWO)["LoadBalancers"]
    resource_id = made["LoadBalancerArn"].rsplit("/", 1)[1]
    assert made == {
        "LoadBalancerArn": f"{ARN}:loadbalancer/app/Web-1/{resource_id}",
        "DNSName": f"Web-1-{int(resource_id, 16) % 10**10:010d}.us-east-1.elb.localhost",
        "CanonicalHostedZoneId": "Z35SXDOTRQ7X7K",
        "CreatedTime": "2026-01-05T10:20:30.120Z",
        "LoadBalancerName": "Web-1",
        "Scheme": "internet-facing",
        "VpcId": VPC,
        "State": {"Code": "provisioning"},
        "Type": "application",
        "AvailabilityZones": [
            {"ZoneName": "us-east-1a", "SubnetId": SUBNETS[0], "LoadBalancerAddresses": []},
            {"ZoneName": "us-east-1b", "SubnetId": SUBNETS[1], "LoadBalancerAddresses": []},
        ],
        "SecurityGroups": [SECURITY_GROUP],
        "IpAddressType": "ipv4",
    }
    assert elb("DescribeLoadBalancers")["LoadBalancers"] == [{**made, "State": {"Code": "active"}}]


def test_what_is_given_is_kept(elb: Elb, aws: Aws):
    aws.put(security_group("sg-1"), security_group("sg-2"))
    arn = elb.balancer(
        Subnets=[],
        SubnetMappings=[{"SubnetId": SUBNETS[2]}, {"SubnetId": SUBNETS[0]}],
        SecurityGroups=["sg-2", "sg-1"],
        Scheme="internal",
        IpAddressType="dualstack",
        Tags=[{"Key": "stage", "Value": "test"}, {"Key": "empty"}],
    )
    (found,) = elb("DescribeLoadBalancers", LoadBalancerArns=[arn])["LoadBalancers"]
    assert found["DNSName"].startswith("internal-web-")
    assert [zone["ZoneName"] for zone in found["AvailabilityZones"]] == ["us-east-1c", "us-east-1a"]
    assert (found["SecurityGroups"], found["Scheme"], found["IpAddressType"]) == (
        ["sg-2", "sg-1"],
        "internal",
        "dualstack",
    )
    tags = elb("DescribeTags", ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    assert tags == [{"Key": "stage", "Value": "test"}, {"Key": "empty", "Value": ""}]


def test_the_state_is_what_runs_says(elb: Elb, aws: Aws):
    arn = elb.balancer()
    aws.live.states[arn] = ("failed", "port 80 is in use")
    (found,) = elb("DescribeLoadBalancers", Names=["web"])["LoadBalancers"]
    assert found["State"] == {"Code": "failed", "Reason": "port 80 is in use"}


def test_creating_the_same_again_answers_what_is_there(elb: Elb):
    arn = elb.balancer(Tags=[{"Key": "a", "Value": "b"}])
    assert elb.balancer(Subnets=TWO[::-1], SecurityGroups=[SECURITY_GROUP]) == arn
    assert elb.balancer(Tags=[{"Key": "a", "Value": "b"}]) == arn
    assert len(elb("DescribeLoadBalancers")["LoadBalancers"]) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"Scheme": "internal"},
        {"Subnets": list(SUBNETS)},
        {"Type": "network"},
        {"IpAddressType": "dualstack"},
        {"Tags": [{"Key": "a", "Value": "b"}]},
    ],
    ids=lambda other: next(iter(other)),
)
def test_the_same_name_with_other_settings_is_a_duplicate(elb: Elb, other: dict[str, object]):
    elb.balancer()
    error = elb.refused("CreateLoadBalancer", **{"Name": "web", "Subnets": TWO, **other})
    assert error.code == "DuplicateLoadBalancerName"
    assert error.message == "A load balancer with the same name 'web' exists, but with different settings"


def test_a_name_is_unique_in_its_region_only(elb: Elb, aws: Aws):
    elb.balancer()
    far = "eu-west-1"
    aws.put(
        *(subnet(f"subnet-{zone}", zone, "vpc-eu", far) for zone in "ab"),
        Record(Kind.INTERNET_GATEWAY, "igw-eu", far, ACCOUNT, {"Attachments": [{"VpcId": "vpc-eu"}]}),
    )
    made = elb("CreateLoadBalancer", Name="web", Subnets=["subnet-a", "subnet-b"], region=far)["LoadBalancers"][0]
    assert ":eu-west-1:" in made["LoadBalancerArn"]
    assert made["CanonicalHostedZoneId"] == "Z32O12XQLNTSW2"
    assert len(elb("DescribeLoadBalancers")["LoadBalancers"]) == 1
    error = elb.refused("DescribeLoadBalancers", LoadBalancerArns=[made["LoadBalancerArn"]])
    assert error.message == f"'{made['LoadBalancerArn']}' is not a valid load balancer ARN"


REFUSED = {
    "too long": (
        {"Name": "a" * 33},
        "ValidationError",
        f"The load balancer name '{'a' * 33}' cannot be longer than '32' characters",
    ),
    "other characters": (
        {"Name": "a_b"},
        "ValidationError",
        "The load balancer name 'a_b' can only contain characters that are alphanumeric characters or hyphens(-)",
    ),
    "letters of other alphabets": (
        {"Name": "é"},
        "ValidationError",
        "The load balancer name 'é' can only contain characters that are alphanumeric characters or hyphens(-)",
    ),
    "a hyphen at its end": (
        {"Name": "a-"},
        "ValidationError",
        "The load balancer name 'a-' cannot begin or end with '-'",
    ),
    "internal-": (
        {"Name": "internal-a"},
        "ValidationError",
        "The load balancer name 'internal-a' cannot begin with 'internal-'",
    ),
    "no name": ({"Name": ""}, "ValidationError", "The load balancer name '' cannot be empty"),
    "no subnet": (
        {"Subnets": []},
        "ValidationError",
        "At least two subnets in two different Availability Zones must be specified",
    ),
    "one subnet": (
        {"Subnets": TWO[:1]},
        "ValidationError",
        "At least two subnets in two different Availability Zones must be specified",
    ),
    "one subnet twice": (
        {"Subnets": [TWO[0], TWO[0]]},
        "ValidationError",
        "At least two subnets in two different Availability Zones must be specified",
    ),
    "two in one zone": (
        {"Subnets": [*TWO, "subnet-again"]},
        "InvalidConfigurationRequest",
        "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
    ),
    "subnets of two VPCs": (
        {"Subnets": [TWO[0], "subnet-elsewhere"]},
        "InvalidConfigurationRequest",
        f"All subnets must belong to the same VPC: '{VPC}, vpc-other'",
    ),
    "an unknown subnet": (
        {"Subnets": [TWO[0], "subnet-9"]},
        "SubnetNotFound",
        "The subnet ID 'subnet-9' is not valid",
    ),
    "a subnet of another region": (
        {"Subnets": [TWO[0], "subnet-eu"]},
        "SubnetNotFound",
        "The subnet ID 'subnet-eu' is not valid",
    ),
    "a mapping without a subnet": (
        {"Subnets": [], "SubnetMappings": [{"SubnetId": TWO[0]}, {}]},
        "SubnetNotFound",
        "The subnet ID '' is not valid",
    ),
    "subnets and mappings": (
        {"SubnetMappings": [{"SubnetId": TWO[0]}]},
        "ValidationError",
        "You must specify either subnets or subnet mappings, but not both",
    ),
    "an address of its own": (
        {"Subnets": [], "SubnetMappings": [{"SubnetId": TWO[0], "AllocationId": "eipalloc-1"}, {"SubnetId": TWO[1]}]},
        "InvalidConfigurationRequest",
        "You cannot specify 'AllocationId' for a load balancer with type 'application'",
    ),
    "no way in": (
        {"Subnets": ["subnet-elsewhere", "subnet-elsewhere-b"]},
        "InvalidSubnet",
        "VPC vpc-other has no internet gateway",
    ),
    "an unknown security group": (
        {"SecurityGroups": ["sg-9"]},
        "InvalidConfigurationRequest",
        "One or more security groups are invalid",
    ),
    "a security group of another VPC": (
        {"SecurityGroups": ["sg-elsewhere"]},
        "InvalidConfigurationRequest",
        "One or more security groups are invalid",
    ),
    "no public IPv4 inside": (
        {"Scheme": "internal", "IpAddressType": "dualstack-without-public-ipv4"},
        "InvalidConfigurationRequest",
        (
            "The IP address type 'dualstack-without-public-ipv4' is supported only for internet-facing "
            "Application Load Balancers"
        ),
    ),
    "a pool inside": (
        {"Scheme": "internal", "IpamPools": {"Ipv4IpamPoolId": "ipam-pool-1"}},
        "InvalidConfigurationRequest",
        "IPAM pools are supported only for internet-facing Application Load Balancers",
    ),
    "source NAT": (
        {"EnablePrefixForIpv6SourceNat": "on"},
        "InvalidConfigurationRequest",
        "An IPv6 prefix for source NAT is not supported for load balancers with type 'application'",
    ),
    "a tag twice": (
        {"Tags": [{"Key": "a"}, {"Key": "a"}]},
        "DuplicateTagKeys",
        "Tag key was specified more than once: a",
    ),
    "gateway with a scheme": (
        {"Type": "gateway", "Scheme": "internal"},
        "InvalidScheme",
        "A scheme cannot be specified for load balancers with type 'gateway'",
    ),
    "gateway with a security group": (
        {"Type": "gateway", "SecurityGroups": [SECURITY_GROUP]},
        "InvalidConfigurationRequest",
        "Security groups are not supported for load balancers with type 'gateway'",
    ),
    "network without a subnet": (
        {"Type": "network", "Subnets": []},
        "ValidationError",
        "At least one subnet must be specified",
    ),
    "network with an unknown address": (
        {"Type": "network", "Subnets": [], "SubnetMappings": [{"SubnetId": TWO[0], "AllocationId": "eipalloc-9"}]},
        "AllocationIdNotFound",
        "The allocation ID 'eipalloc-9' does not exist",
    ),
}


@pytest.mark.parametrize(("params", "code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_load_balancer_is_refused(elb: Elb, aws: Aws, params: dict[str, object], code: str, message: str):
    aws.put(
        subnet("subnet-again", "a"),
        subnet("subnet-elsewhere", "b", "vpc-other"),
        subnet("subnet-elsewhere-b", "c", "vpc-other"),
        subnet("subnet-eu", "b", VPC, "eu-west-1"),
        security_group("sg-elsewhere", "vpc-other"),
    )
    error = elb.refused("CreateLoadBalancer", **{"Name": "web", "Subnets": TWO, **params})
    assert (error.code, error.message) == (code, message)


def test_an_internal_one_needs_no_internet_gateway(elb: Elb, aws: Aws):
    aws.put(*(subnet(f"subnet-{zone}", zone, "vpc-other") for zone in "ab"))
    arn = elb.balancer(Subnets=["subnet-a", "subnet-b"], Scheme="internal")
    assert elb("DescribeLoadBalancers", LoadBalancerArns=[arn])["LoadBalancers"][0]["VpcId"] == "vpc-other"


def test_network_and_gateway_load_balancers_are_records(elb: Elb, aws: Aws):
    aws.put(Record(Kind.ADDRESS, "eipalloc-1", REGION, ACCOUNT, {"PublicIp": "192.0.2.1"}))
    mapping = {"SubnetId": TWO[0], "AllocationId": "eipalloc-1"}
    network = elb.balancer("net", Type="network", Subnets=[], SubnetMappings=[mapping])
    gateway = elb.balancer("gwy", Type="gateway", Subnets=TWO[:1])
    assert f"{ARN}:loadbalancer/net/net/" in network
    assert f"{ARN}:loadbalancer/gwy/gwy/" in gateway
    shown = elb("DescribeLoadBalancers")["LoadBalancers"]
    assert shown[0]["AvailabilityZones"][0]["LoadBalancerAddresses"] == [
        {"AllocationId": "eipalloc-1", "IpAddress": "192.0.2.1"}
    ]
    assert "SecurityGroups" not in shown[0]
    assert not {"Scheme", "DNSName", "SecurityGroups", "CanonicalHostedZoneId"} & shown[1].keys()


def test_fifty_load_balancers_are_the_most(elb: Elb):
    for number in range(50):
        elb.balancer(f"web-{number}")
    error = elb.refused("CreateLoadBalancer", Name="web-50", Subnets=TWO)
    assert error.code == "TooManyLoadBalancers"
    elb.balancer("net", Type="network")


def test_filters_and_pages(elb: Elb):
    arns = [elb.balancer(name) for name in ("a", "b", "c")]
    assert [each["LoadBalancerName"] for each in elb("DescribeLoadBalancers", Names=["c", "a"])["LoadBalancers"]] == [
        "c",
        "a",
    ]
    shown = elb("DescribeLoadBalancers", LoadBalancerArns=[arns[1], arns[1]])["LoadBalancers"]
    assert [each["LoadBalancerName"] for each in shown] == ["b"]
    first = elb("DescribeLoadBalancers", PageSize=2)
    last = elb("DescribeLoadBalancers", PageSize=2, Marker=first["NextMarker"])
    assert [each["LoadBalancerArn"] for part in (first, last) for each in part["LoadBalancers"]] == arns
    assert "NextMarker" not in last


NOT_FOUND = {
    "a name": ({"Names": ["web", "no", "never"]}, "LoadBalancerNotFound", "Load balancers '[no, never]' not found"),
    "an ARN": (
        {"LoadBalancerArns": [f"{ARN}:loadbalancer/app/no/0123456789abcdef"]},
        "LoadBalancerNotFound",
        "One or more load balancers not found",
    ),
    "no ARN": ({"LoadBalancerArns": ["web"]}, "ValidationError", "'web' is not a valid load balancer ARN"),
    "another account": (
        {"LoadBalancerArns": ["arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/a/1"]},
        "ValidationError",
        "'arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/a/1' is not a valid load balancer ARN",
    ),
    "both": (
        {"Names": ["web"], "LoadBalancerArns": ["web"]},
        "ValidationError",
        "Load balancer names and load balancer ARNs cannot be specified at the same time",
    ),
    "too many": (
        {"Names": ["web"] * 21},
        "ValidationError",
        "Up to '20' load balancers can be described in a single call",
    ),
}


@pytest.mark.parametrize(("params", "code", "message"), NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_a_filter_is_refused(elb: Elb, params: dict[str, object], code: str, message: str):
    elb.balancer()
    error = elb.refused("DescribeLoadBalancers", **params)
    assert (error.code, error.message) == (code, message)


def test_an_account_without_load_balancers_has_an_empty_list(elb: Elb):
    assert elb("DescribeLoadBalancers", Names=[]) == {"LoadBalancers": []}


def test_listeners_and_rules_go_with_their_load_balancer(elb: Elb, aws: Aws):
    kept, gone = elb.balancer("kept"), elb.balancer("gone")
    elb.listener(kept)
    for port in (80, 81):
        elb.listener(gone, port)
    elb("DeleteLoadBalancer", LoadBalancerArn=gone)
    assert [each.id for each in aws.records.all(Kind.LOAD_BALANCER)] == [kept]
    assert len(list(aws.records.all(Kind.LISTENER))) == len(list(aws.records.all(Kind.RULE))) == 1
    assert elb("DeleteLoadBalancer", LoadBalancerArn=gone) == {}
    assert elb.refused("DeleteLoadBalancer", LoadBalancerArn="gone").code == "ValidationError"


def test_deletion_protection_keeps_a_load_balancer(elb: Elb):
    arn = elb.balancer()
    for value in ("true", "false"):
        pair = {"Key": "deletion_protection.enabled", "Value": value}
        elb("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=[pair])
        if value == "true":
            error = elb.refused("DeleteLoadBalancer", LoadBalancerArn=arn)
            assert error.code == "OperationNotPermitted"
            assert error.message == f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
    elb("DeleteLoadBalancer", LoadBalancerArn=arn)
    assert elb("DescribeLoadBalancers")["LoadBalancers"] == []


def test_every_operation_of_the_model_has_a_handler():
    assert set(OPERATIONS) == set(model().operation_names)
