"""Internet gateways, route tables and routes."""

import pytest

from lb.resources.records import Kind
from tests.api.ec2.ec2 import Ec2


@pytest.fixture
def vpc(ec2: Ec2) -> str:
    return ec2("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture
def gateway(ec2: Ec2, vpc: str) -> str:
    gateway = ec2("CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    ec2("AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    return gateway


@pytest.fixture
def table(ec2: Ec2, vpc: str) -> str:
    return ec2("CreateRouteTable", VpcId=vpc)["RouteTable"]["RouteTableId"]


@pytest.fixture
def subnet(ec2: Ec2, vpc: str) -> str:
    return ec2("CreateSubnet", VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]


def routes(ec2: Ec2, table: str):
    (found,) = ec2("DescribeRouteTables", RouteTableIds=[table])["RouteTables"]
    return {route["DestinationCidrBlock"]: (route.get("GatewayId"), route["State"]) for route in found["Routes"]}


def test_a_gateway_is_attached_to_one_vpc(ec2: Ec2, vpc: str, gateway: str):
    where = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    (found,) = ec2("DescribeInternetGateways", Filters=where)["InternetGateways"]
    assert found["Attachments"] == [{"VpcId": vpc, "State": "available"}]
    error = ec2.refused("AttachInternetGateway", InternetGatewayId=gateway, VpcId=ec2.vpc)
    message = f"resource {gateway} is already attached to network {vpc}"
    assert (error.code, error.message) == ("Resource.AlreadyAssociated", message)
    other = ec2("CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    error = ec2.refused("AttachInternetGateway", InternetGatewayId=other, VpcId=vpc)
    message = f"Network {vpc} already has an internet gateway attached"
    assert (error.code, error.message) == ("InvalidParameterValue", message)


def test_a_gateway_is_deleted_once_detached(ec2: Ec2, vpc: str, gateway: str):
    error = ec2.refused("DeleteInternetGateway", InternetGatewayId=gateway)
    message = f"The internetGateway '{gateway}' has dependencies and cannot be deleted."
    assert (error.code, error.message) == ("DependencyViolation", message)
    ec2("DetachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    error = ec2.refused("DetachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    assert (error.code, error.message) == (
        "Gateway.NotAttached",
        f"resource {gateway} is not attached to network {vpc}",
    )
    ec2("DeleteInternetGateway", InternetGatewayId=gateway)
    error = ec2.refused("DescribeInternetGateways", InternetGatewayIds=[gateway])
    message = f"The internetGateway ID '{gateway}' does not exist"
    assert (error.code, error.message) == ("InvalidInternetGatewayID.NotFound", message)


@pytest.mark.parametrize("user", ["load balancer", "instance"])
def test_a_gateway_stays_while_something_has_a_public_address(ec2: Ec2, user: str):
    if user == "instance":
        (instance,) = ec2.run()
    else:
        ec2.balancer()
    given = {"InternetGatewayId": ec2.only(Kind.INTERNET_GATEWAY).id, "VpcId": ec2.vpc}
    error = ec2.refused("DetachInternetGateway", **given)
    assert error.code == "DependencyViolation"
    assert error.message.startswith(f"Network {ec2.vpc} has some mapped public address(es).")
    if user == "instance":
        ec2("TerminateInstances", InstanceIds=[instance])
        ec2("DetachInternetGateway", **given)


def test_no_more_gateways_than_the_quota(ec2: Ec2):
    for _ in range(4):
        ec2("CreateInternetGateway")
    assert ec2.code("CreateInternetGateway") == "InternetGatewayLimitExceeded"


def test_a_route_leads_to_the_gateway_until_that_is_gone(ec2: Ec2, vpc: str, gateway: str, table: str):
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    assert ec2("CreateRoute", **route) == {"Return": True}
    assert ec2("CreateRoute", **route) == {"Return": True}
    assert routes(ec2, table) == {"10.0.0.0/16": ("local", "active"), "0.0.0.0/0": (gateway, "active")}
    ec2("DetachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    assert routes(ec2, table)["0.0.0.0/0"] == (gateway, "blackhole")
    ec2("DeleteRoute", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    assert routes(ec2, table) == {"10.0.0.0/16": ("local", "active")}


def test_a_route_can_lead_to_an_instance(ec2: Ec2):
    (instance,) = ec2.run()
    table = ec2.only(Kind.ROUTE_TABLE).id
    ec2("CreateRoute", RouteTableId=table, DestinationCidrBlock="10.9.0.0/16", InstanceId=instance)
    interface = ec2.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2("ReplaceRoute", RouteTableId=table, DestinationCidrBlock="10.9.0.0/16", NetworkInterfaceId=interface)
    where = [{"Name": "route.instance-id", "Values": [instance]}]
    (found,) = ec2("DescribeRouteTables", Filters=where)["RouteTables"]
    assert found["Routes"][-1]["NetworkInterfaceId"] == interface
    ec2("TerminateInstances", InstanceIds=[instance])
    assert routes(ec2, table)["10.9.0.0/16"] == (None, "blackhole")


def test_routes_that_cannot_be_are_refused(ec2: Ec2, vpc: str, gateway: str, table: str):
    everywhere = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    foreign = ec2.only(Kind.INTERNET_GATEWAY, Attachments=[{"State": "available", "VpcId": ec2.vpc}]).id
    error = ec2.refused("CreateRoute", **everywhere, GatewayId="igw-0123")
    assert (error.code, error.message) == ("InvalidGatewayID.NotFound", "The gateway ID 'igw-0123' does not exist")
    error = ec2.refused("CreateRoute", **everywhere, GatewayId=foreign)
    message = f"route table {table} and network gateway {foreign} belong to different networks"
    assert (error.code, error.message) == ("InvalidParameterValue", message)
    assert ec2.code("CreateRoute", **everywhere) == "InvalidParameterCombination"
    local = {"RouteTableId": table, "DestinationCidrBlock": "10.0.0.0/16"}
    assert ec2.code("CreateRoute", **local, GatewayId=gateway) == "RouteAlreadyExists"
    error = ec2.refused("DeleteRoute", **local)
    message = f"cannot remove local route 10.0.0.0/16 in route table {table}"
    assert (error.code, error.message) == ("InvalidParameterValue", message)
    error = ec2.refused("DeleteRoute", **everywhere)
    message = f"no route with destination-cidr-block 0.0.0.0/0 in route table {table}"
    assert (error.code, error.message) == ("InvalidRoute.NotFound", message)
    error = ec2.refused("ReplaceRoute", **everywhere, GatewayId=gateway)
    message = "There is no route defined for '0.0.0.0/0' in the route table. Use CreateRoute instead."
    assert (error.code, error.message) == ("InvalidParameterValue", message)


def test_a_subnet_uses_one_table(ec2: Ec2, vpc: str, table: str, subnet: str):
    given = {"SubnetId": subnet, "RouteTableId": table}
    association = ec2("AssociateRouteTable", **given)["AssociationId"]
    assert ec2("AssociateRouteTable", **given)["AssociationId"] == association
    other = ec2("CreateRouteTable", VpcId=vpc)["RouteTable"]["RouteTableId"]
    error = ec2.refused("AssociateRouteTable", SubnetId=subnet, RouteTableId=other)
    message = f"the specified association for route table {other} conflicts with an existing association"
    assert (error.code, error.message) == ("Resource.AlreadyAssociated", message)
    moved = ec2("ReplaceRouteTableAssociation", AssociationId=association, RouteTableId=other)["NewAssociationId"]
    where = [{"Name": "association.route-table-association-id", "Values": [moved]}]
    (found,) = ec2("DescribeRouteTables", Filters=where)["RouteTables"]
    assert (found["RouteTableId"], found["Associations"][0]["SubnetId"]) == (other, subnet)
    assert ec2.code("DeleteRouteTable", RouteTableId=other) == "DependencyViolation"
    ec2("DisassociateRouteTable", AssociationId=moved)
    ec2("DeleteRouteTable", RouteTableId=other)
    error = ec2.refused("DisassociateRouteTable", AssociationId=moved)
    assert (error.code, error.message) == (
        "InvalidAssociationID.NotFound",
        f"The association ID '{moved}' does not exist",
    )


def test_a_table_of_another_vpc_is_refused(ec2: Ec2, table: str):
    assert ec2.code("AssociateRouteTable", SubnetId=ec2.subnet(), RouteTableId=table) == "InvalidParameterValue"
    assert ec2.code("AssociateRouteTable", RouteTableId=table) == "MissingParameter"
    (main,) = ec2.only(Kind.ROUTE_TABLE, VpcId=ec2.vpc).shape["Associations"]
    given = {"AssociationId": main["RouteTableAssociationId"], "RouteTableId": table}
    assert ec2.code("ReplaceRouteTableAssociation", **given) == "InvalidParameterValue"


def test_a_gateway_can_use_a_table(ec2: Ec2, gateway: str, table: str):
    ec2("AssociateRouteTable", GatewayId=gateway, RouteTableId=table)
    where = [{"Name": "association.gateway-id", "Values": [gateway]}]
    assert len(ec2("DescribeRouteTables", Filters=where)["RouteTables"]) == 1


def test_another_table_can_become_the_main_one(ec2: Ec2, vpc: str, table: str):
    (main,) = ec2(
        "DescribeRouteTables",
        Filters=[{"Name": "association.main", "Values": ["true"]}, {"Name": "vpc-id", "Values": [vpc]}],
    )["RouteTables"]
    association = main["Associations"][0]["RouteTableAssociationId"]
    error = ec2.refused("DisassociateRouteTable", AssociationId=association)
    message = f"cannot disassociate the main route table association {association}"
    assert (error.code, error.message) == ("InvalidParameterValue", message)
    ec2("ReplaceRouteTableAssociation", AssociationId=association, RouteTableId=table)
    ec2("DeleteRouteTable", RouteTableId=main["RouteTableId"])
    error = ec2.refused("DeleteRouteTable", RouteTableId=table)
    message = f"The routeTable '{table}' has dependencies and cannot be deleted."
    assert (error.code, error.message) == ("DependencyViolation", message)
    ec2("DeleteVpc", VpcId=vpc)
    assert ec2.code("DescribeRouteTables", RouteTableIds=[table]) == "InvalidRouteTableID.NotFound"
