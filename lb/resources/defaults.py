"""What every region has from the beginning: a default VPC with a subnet in each of its zones, and what belongs to it.

Source: "Default VPCs" in the VPC user guide. Ids depend on region and account only, so every balancer makes the same ones.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any, Final

from lb.model.names import derived_id
from lb.resources.records import Kind, Record

VPC_BLOCK: Final = "172.31.0.0/16"
ZONES: Final = ("a", "b", "c")
_SUBNET_PREFIX: Final = 20
_EVERYWHERE: Final = "0.0.0.0/0"
# Not in AWS: a client here is on this machine, and a load balancer that nobody can reach would help nobody.
LOOPBACK_BLOCK: Final = "127.0.0.0/8"


def default_network(region: str, account: str) -> list[Record]:
    """The records of a region of an account."""
    return [Record(kind, made, region, account, shape, parent) for kind, made, shape, parent in _made(region, account)]


def default_vpc_id(region: str, account: str) -> str:
    """The id of the default VPC."""
    return _id("vpc", region, account, "vpc")


def _id(prefix: str, region: str, account: str, what: str) -> str:
    return f"{prefix}-0{derived_id('default', account, region, what)}"


def _made(region: str, account: str) -> Iterator[tuple[Kind, str, dict[str, Any], str]]:
    def named(prefix: str, what: str) -> str:
        return _id(prefix, region, account, what)

    vpc, group = default_vpc_id(region, account), named("sg", "security group")
    gateway, table = named("igw", "internet gateway"), named("rtb", "route table")
    yield (
        Kind.VPC,
        vpc,
        {
            "VpcId": vpc,
            "OwnerId": account,
            "CidrBlock": VPC_BLOCK,
            "CidrBlockAssociationSet": [
                {
                    "AssociationId": named("vpc-cidr-assoc", "block"),
                    "CidrBlock": VPC_BLOCK,
                    "CidrBlockState": {"State": "associated"},
                }
            ],
            "DhcpOptionsId": named("dopt", "dhcp options"),
            "InstanceTenancy": "default",
            "IsDefault": True,
            "State": "available",
        },
        "",
    )
    blocks = IPv4Network(VPC_BLOCK).subnets(new_prefix=_SUBNET_PREFIX)
    for place, (zone, block) in enumerate(zip(ZONES, blocks, strict=False), start=1):
        subnet = named("subnet", f"subnet {zone}")
        yield (
            Kind.SUBNET,
            subnet,
            {
                "SubnetId": subnet,
                "SubnetArn": f"arn:aws:ec2:{region}:{account}:subnet/{subnet}",
                "VpcId": vpc,
                "OwnerId": account,
                "AvailabilityZone": f"{region}{zone}",
                "AvailabilityZoneId": f"{region.replace('-', '')}-az{place}",
                "CidrBlock": str(block),
                "AvailableIpAddressCount": block.num_addresses - 5,
                "DefaultForAz": True,
                "MapPublicIpOnLaunch": True,
                "AssignIpv6AddressOnCreation": False,
                "Ipv6CidrBlockAssociationSet": [],
                "State": "available",
            },
            vpc,
        )
    yield (
        Kind.SECURITY_GROUP,
        group,
        {
            "GroupId": group,
            "GroupName": "default",
            "Description": "default VPC security group",
            "SecurityGroupArn": f"arn:aws:ec2:{region}:{account}:security-group/{group}",
            "VpcId": vpc,
            "OwnerId": account,
        },
        vpc,
    )
    for what, rule in (
        ("itself", {"IsEgress": False, "ReferencedGroupInfo": {"GroupId": group, "UserId": account, "VpcId": vpc}}),
        (
            "loopback",
            {"IsEgress": False, "CidrIpv4": LOOPBACK_BLOCK, "Description": "this machine (not in AWS)"},
        ),
        ("egress", {"IsEgress": True, "CidrIpv4": _EVERYWHERE}),
    ):
        made = named("sgr", f"rule {what}")
        shape = {
            "SecurityGroupRuleId": made,
            "SecurityGroupRuleArn": f"arn:aws:ec2:{region}:{account}:security-group-rule/{made}",
            "GroupId": group,
            "GroupOwnerId": account,
            "IpProtocol": "-1",
            "FromPort": -1,
            "ToPort": -1,
        }
        yield Kind.SECURITY_GROUP_RULE, made, {**shape, **rule}, group
    yield (
        Kind.INTERNET_GATEWAY,
        gateway,
        {"InternetGatewayId": gateway, "OwnerId": account, "Attachments": [{"State": "available", "VpcId": vpc}]},
        vpc,
    )
    yield (
        Kind.ROUTE_TABLE,
        table,
        {
            "RouteTableId": table,
            "VpcId": vpc,
            "OwnerId": account,
            "Associations": [
                {
                    "Main": True,
                    "RouteTableAssociationId": named("rtbassoc", "main route table"),
                    "RouteTableId": table,
                    "AssociationState": {"State": "associated"},
                }
            ],
            "PropagatingVgws": [],
            "Routes": [
                {
                    "DestinationCidrBlock": VPC_BLOCK,
                    "GatewayId": "local",
                    "Origin": "CreateRouteTable",
                    "State": "active",
                },
                {
                    "DestinationCidrBlock": _EVERYWHERE,
                    "GatewayId": gateway,
                    "Origin": "CreateRoute",
                    "State": "active",
                },
            ],
        },
        vpc,
    )
