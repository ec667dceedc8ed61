"""VPCs, their attributes, and what each has from the beginning."""

import pytest

from lb.resources.defaults import default_network
from lb.resources.records import Kind
from tests.api.aws_call import ACCOUNT, REGION
from tests.api.ec2.ec2 import Ec2


def made(ec2: Ec2, block: str = "10.0.0.0/16", **params) -> str:
    return ec2("CreateVpc", CidrBlock=block, **params)["Vpc"]["VpcId"]


def test_a_new_vpc_is_available_with_its_tags(ec2: Ec2):
    tags = [{"Key": "Name", "Value": "lab"}]
    vpc_id = made(ec2, TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])
    (vpc,) = ec2("DescribeVpcs", VpcIds=[vpc_id])["Vpcs"]
    assert (vpc["State"], vpc["CidrBlock"], vpc["IsDefault"], vpc["Tags"]) == ("available", "10.0.0.0/16", False, tags)
    assert vpc["CidrBlockAssociationSet"][0]["CidrBlockState"] == {"State": "associated"}


def test_a_new_vpc_has_a_default_group_a_main_table_and_a_network_acl(ec2: Ec2):
    in_vpc = [{"Name": "vpc-id", "Values": [made(ec2)]}]
    (group,) = ec2("DescribeSecurityGroups", Filters=in_vpc)["SecurityGroups"]
    assert group["GroupName"] == "default"
    assert group["IpPermissions"][0]["UserIdGroupPairs"] == [{"GroupId": group["GroupId"], "UserId": ACCOUNT}]
    assert group["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    main = {"Name": "association.main", "Values": ["true"]}
    (table,) = ec2("DescribeRouteTables", Filters=[*in_vpc, main])["RouteTables"]
    assert [route["GatewayId"] for route in table["Routes"]] == ["local"]
    (acl,) = ec2("DescribeNetworkAcls", Filters=[*in_vpc, {"Name": "default", "Values": ["true"]}])["NetworkAcls"]
    assert acl["IsDefault"]


def test_bits_of_hosts_are_dropped(ec2: Ec2):
    (vpc,) = ec2("DescribeVpcs", VpcIds=[made(ec2, "10.9.8.7/16")])["Vpcs"]
    assert vpc["CidrBlock"] == "10.9.0.0/16"


@pytest.mark.parametrize(
    ("block", "code", "message"),
    [
        ("10.0.0.0/8", "InvalidVpc.Range", "The CIDR '10.0.0.0/8' is invalid."),
        ("10.0.0.0/29", "InvalidVpc.Range", "The CIDR '10.0.0.0/29' is invalid."),
        (
            "10.0.0/16",
            "InvalidParameterValue",
            "Value (10.0.0/16) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
        ),
        (
            "10.0.0.0",
            "InvalidParameterValue",
            "Value (10.0.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
        ),
    ],
)
def test_a_block_that_no_vpc_can_have_is_refused(ec2: Ec2, block: str, code: str, message: str):
    error = ec2.refused("CreateVpc", CidrBlock=block)
    assert (error.code, error.message) == (code, message)


def test_a_vpc_without_a_block_or_with_ipv6_is_refused(ec2: Ec2):
    assert ec2.code("CreateVpc") == "MissingParameter"
    assert ec2.code("CreateVpc", CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True) == "UnsupportedOperation"


def test_no_more_vpcs_than_the_quota(ec2: Ec2):
    for number in range(4):
        made(ec2, f"10.{number}.0.0/16")
    error = ec2.refused("CreateVpc", CidrBlock="10.9.0.0/16")
    assert (error.code, error.message) == ("VpcLimitExceeded", "The maximum number of VPCs has been reached.")


def test_an_unknown_vpc_and_a_text_that_is_no_id_are_refused(ec2: Ec2):
    for operation in ("DeleteVpc", "DescribeVpcs"):
        given = {"VpcIds": ["vpc-0123"]} if operation == "DescribeVpcs" else {"VpcId": "vpc-0123"}
        error = ec2.refused(operation, **given)
        assert (error.code, error.message) == ("InvalidVpcID.NotFound", "The vpc ID 'vpc-0123' does not exist")
    error = ec2.refused("DeleteVpc", VpcId="web")
    assert (error.code, error.message) == ("InvalidVpcID.Malformed", 'Invalid id: "web" (expecting "vpc-...")')


def test_a_vpc_of_another_region_is_unknown(ec2: Ec2):
    assert ec2.code("DescribeVpcs", region="eu-west-1", VpcIds=[ec2.vpc]) == "InvalidVpcID.NotFound"


def test_a_deleted_vpc_takes_along_what_it_had_from_the_beginning(ec2: Ec2):
    before = {kind: len(list(ec2.aws.records.all(kind))) for kind in Kind}
    ec2("DeleteVpc", VpcId=made(ec2))
    assert {kind: len(list(ec2.aws.records.all(kind))) for kind in Kind} == before


def test_a_vpc_in_use_is_not_deleted(ec2: Ec2):
    vpc_id = made(ec2)

    def refused() -> bool:
        error = ec2.refused("DeleteVpc", VpcId=vpc_id)
        return (error.code, error.message) == (
            "DependencyViolation",
            f"The vpc '{vpc_id}' has dependencies and cannot be deleted.",
        )

    subnet = ec2("CreateSubnet", VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert refused()
    ec2("DeleteSubnet", SubnetId=subnet)
    group = ec2("CreateSecurityGroup", GroupName="g", Description="d", VpcId=vpc_id)["GroupId"]
    assert refused()
    ec2("DeleteSecurityGroup", GroupId=group)
    table = ec2("CreateRouteTable", VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    assert refused()
    ec2("DeleteRouteTable", RouteTableId=table)
    gateway = ec2("CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    ec2("AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc_id)
    assert refused()
    ec2("DetachInternetGateway", InternetGatewayId=gateway, VpcId=vpc_id)
    ec2("DeleteVpc", VpcId=vpc_id)


def test_the_default_vpc_comes_back_with_its_subnets(ec2: Ec2):
    message = "A Default VPC already exists for this account in this region."
    error = ec2.refused("CreateDefaultVpc")
    assert (error.code, error.message) == ("DefaultVpcAlreadyExists", message)
    vpc_id, gateway = ec2.vpc, ec2.only(Kind.INTERNET_GATEWAY).id
    for zone in "abc":
        ec2("DeleteSubnet", SubnetId=ec2.subnet(zone))
    ec2("DetachInternetGateway", InternetGatewayId=gateway, VpcId=vpc_id)
    ec2("DeleteVpc", VpcId=vpc_id)
    assert ec2("DescribeVpcs")["Vpcs"] == []
    assert ec2("CreateDefaultVpc")["Vpc"]["IsDefault"]
    present = {record.key: record.shape for kind in Kind for record in ec2.aws.records.all(kind)}
    assert present == {record.key: record.shape for record in default_network(REGION, ACCOUNT)}


@pytest.mark.parametrize(
    ("attribute", "member", "at_first"),
    [
        ("enableDnsSupport", "EnableDnsSupport", True),
        ("enableDnsHostnames", "EnableDnsHostnames", False),
        ("enableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics", False),
    ],
)
def test_attributes_have_defaults_and_can_be_changed(ec2: Ec2, attribute: str, member: str, at_first: bool):
    vpc_id = made(ec2)
    assert ec2("DescribeVpcAttribute", VpcId=vpc_id, Attribute=attribute)[member] == {"Value": at_first}
    ec2("ModifyVpcAttribute", VpcId=vpc_id, **{member: {"Value": not at_first}})
    assert ec2("DescribeVpcAttribute", VpcId=vpc_id, Attribute=attribute)[member] == {"Value": not at_first}


def test_hosts_have_names_in_the_default_vpc(ec2: Ec2):
    answer = ec2("DescribeVpcAttribute", VpcId=ec2.vpc, Attribute="enableDnsHostnames")
    assert answer == {"VpcId": ec2.vpc, "EnableDnsHostnames": {"Value": True}}


def test_one_attribute_at_a_time(ec2: Ec2):
    on = {"Value": True}
    assert ec2.code("ModifyVpcAttribute", VpcId=ec2.vpc) == "InvalidParameterCombination"
    both = {"EnableDnsSupport": on, "EnableDnsHostnames": on}
    assert ec2.code("ModifyVpcAttribute", VpcId=ec2.vpc, **both) == "InvalidParameterCombination"
    assert ec2.code("DescribeVpcAttribute", VpcId="vpc-0123", Attribute="enableDnsSupport") == "InvalidVpcID.NotFound"


def test_dhcp_options_are_those_that_vpcs_name(ec2: Ec2):
    (vpc,) = ec2("DescribeVpcs")["Vpcs"]
    (options,) = ec2("DescribeDhcpOptions", DhcpOptionsIds=[vpc["DhcpOptionsId"]])["DhcpOptions"]
    assert options["DhcpOptionsId"] == vpc["DhcpOptionsId"]
    assert ec2.code("DescribeDhcpOptions", DhcpOptionsIds=["dopt-0123"]) == "InvalidDhcpOptionID.NotFound"


def test_a_dry_run_says_so_and_changes_nothing(ec2: Ec2):
    error = ec2.refused("CreateVpc", CidrBlock="10.0.0.0/16", DryRun=True)
    assert (error.code, error.status) == ("DryRunOperation", 412)
    assert len(ec2("DescribeVpcs")["Vpcs"]) == 1
    assert ec2.code("CreateVpc", CidrBlock="10.0.0.0/8", DryRun=True) == "InvalidVpc.Range"
