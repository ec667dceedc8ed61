"""Subnets."""

import pytest

from tests.api.ec2.ec2 import Ec2


@pytest.fixture
def vpc(ec2: Ec2) -> str:
    return ec2("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def test_a_new_subnet_stands_in_its_zone(ec2: Ec2, vpc: str):
    made = ec2("CreateSubnet", VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1b")["Subnet"]
    (subnet,) = ec2("DescribeSubnets", SubnetIds=[made["SubnetId"]])["Subnets"]
    assert (subnet["AvailabilityZone"], subnet["AvailabilityZoneId"]) == ("us-east-1b", "useast1-az2")
    assert (subnet["AvailableIpAddressCount"], subnet["MapPublicIpOnLaunch"]) == (251, False)


def test_a_zone_can_be_named_by_its_id(ec2: Ec2, vpc: str):
    made = ec2("CreateSubnet", VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZoneId="useast1-az3")["Subnet"]
    assert made["AvailabilityZone"] == "us-east-1c"


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"CidrBlock": "10.1.0.0/24"}, "InvalidSubnet.Range", "The CIDR '10.1.0.0/24' is invalid."),
        ({"CidrBlock": "10.0.0.0/29"}, "InvalidSubnet.Range", "The CIDR '10.0.0.0/29' is invalid."),
        (
            {"CidrBlock": "10.0.0.128/25"},
            "InvalidSubnet.Conflict",
            "The CIDR '10.0.0.128/25' conflicts with another subnet",
        ),
        (
            {"CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1z"},
            "InvalidParameterValue",
            (
                "Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be created in "
                "the following availability zones: us-east-1a, us-east-1b, us-east-1c."
            ),
        ),
        ({}, "MissingParameter", "The request must contain the parameter cidrBlock"),
        (
            {"CidrBlock": "10.0.1.0/24", "Ipv6CidrBlock": "2001:db8::/64"},
            "UnsupportedOperation",
            "Subnets of this endpoint have no IPv6 block",
        ),
    ],
)
def test_a_subnet_that_cannot_be_is_refused(ec2: Ec2, vpc: str, params, code: str, message: str):
    ec2("CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/24")
    error = ec2.refused("CreateSubnet", VpcId=vpc, **params)
    assert (error.code, error.message) == (code, message)


def test_public_addresses_on_launch_can_be_switched(ec2: Ec2, vpc: str):
    subnet = ec2("CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ec2("ModifySubnetAttribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    ec2("ModifySubnetAttribute", SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    (found,) = ec2("DescribeSubnets", Filters=[{"Name": "map-public-ip-on-launch", "Values": ["true"]}, in_vpc(vpc)])[
        "Subnets"
    ]
    assert found["SubnetId"] == subnet
    assert found["PrivateDnsNameOptionsOnLaunch"]["HostnameType"] == "resource-name"
    refusal = {"AssignIpv6AddressOnCreation": {"Value": True}}
    assert ec2.code("ModifySubnetAttribute", SubnetId=subnet, **refusal) == "InvalidParameterValue"


def in_vpc(vpc: str):
    return {"Name": "vpc-id", "Values": [vpc]}


def test_interfaces_use_addresses_and_keep_the_subnet(ec2: Ec2):
    subnet = ec2.subnet()

    def free() -> int:
        return ec2("DescribeSubnets", SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]

    at_first = free()
    (instance,) = ec2.run(SubnetId=subnet)
    assert free() == at_first - 1
    error = ec2.refused("DeleteSubnet", SubnetId=subnet)
    message = f"The subnet '{subnet}' has dependencies and cannot be deleted."
    assert (error.code, error.message) == ("DependencyViolation", message)
    ec2("TerminateInstances", InstanceIds=[instance])
    ec2.balancer()
    assert free() == at_first - 1
    assert ec2.code("DeleteSubnet", SubnetId=subnet) == "DependencyViolation"


def test_a_deleted_subnet_leaves_its_route_table(ec2: Ec2, vpc: str):
    subnet = ec2("CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    table = ec2("CreateRouteTable", VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2("AssociateRouteTable", SubnetId=subnet, RouteTableId=table)
    ec2("DeleteSubnet", SubnetId=subnet)
    ec2("DeleteRouteTable", RouteTableId=table)
    error = ec2.refused("DescribeSubnets", SubnetIds=[subnet])
    assert (error.code, error.message) == ("InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist")
