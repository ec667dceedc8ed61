"""Route tables, and the subnets that use them."""

from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.internet_gateways import is_attached
from lb.api.ec2.lookup import find, select
from lb.api.ec2.new_tables import association, table_record
from lb.api.ec2.quotas import refuse_above
from lb.api.ec2.tags import given_tags
from lb.api.ec2.vpcs import members
from lb.resources.records import Kind, Record

_FILTERS: Final = {
    "association.gateway-id": "Associations.GatewayId",
    "association.main": "Associations.Main",
    "association.route-table-association-id": "Associations.RouteTableAssociationId",
    "association.route-table-id": "Associations.RouteTableId",
    "association.subnet-id": "Associations.SubnetId",
    "owner-id": "OwnerId",
    "route-table-id": "RouteTableId",
    "route.destination-cidr-block": "Routes.DestinationCidrBlock",
    "route.destination-ipv6-cidr-block": "Routes.DestinationIpv6CidrBlock",
    "route.gateway-id": "Routes.GatewayId",
    "route.instance-id": "Routes.InstanceId",
    "route.origin": "Routes.Origin",
    "route.state": "Routes.State",
    "vpc-id": "VpcId",
}
_ASSOCIATED: Final = {"State": "associated"}


def create_route_table(call: Call, params: Params) -> Result:
    """Creates a route table that no subnet uses."""
    vpc = find(call, Kind.VPC, params["VpcId"])
    table = table_record(call, vpc, given_tags(params, "route-table"), is_main=False)
    call.tx.put(table)
    refuse_above("RouteTableLimitExceeded", members(call, Kind.ROUTE_TABLE, vpc.id))
    return {"RouteTable": _item(call, table)}


def describe_route_tables(call: Call, params: Params) -> Result:
    """All route tables of the region, or those with the given ids."""
    items = [_item(call, table) for table in select(call, Kind.ROUTE_TABLE, params.get("RouteTableIds"))]
    return describe("RouteTables", items, params, _FILTERS, "RouteTableId")


def delete_route_table(call: Call, params: Params) -> Result:
    """Deletes a route table that no subnet uses, and that is not the main one."""
    table = find(call, Kind.ROUTE_TABLE, params["RouteTableId"])
    if table.shape["Associations"]:
        message = f"The routeTable '{table.id}' has dependencies and cannot be deleted."
        raise ApiError("DependencyViolation", message)
    call.tx.delete(Kind.ROUTE_TABLE, table.id)
    return {}


def associate_route_table(call: Call, params: Params) -> Result:
    """Makes a subnet, or an internet gateway, use a route table."""
    table = find(call, Kind.ROUTE_TABLE, params["RouteTableId"])
    if (subnet_id := params.get("SubnetId")) is not None:
        subnet = find(call, Kind.SUBNET, subnet_id)
        what, is_same_vpc = {"SubnetId": subnet.id}, subnet.shape["VpcId"] == table.shape["VpcId"]
    elif (gateway_id := params.get("GatewayId")) is not None:
        gateway = find(call, Kind.INTERNET_GATEWAY, gateway_id)
        what, is_same_vpc = {"GatewayId": gateway.id}, is_attached(gateway, table.shape["VpcId"])
    else:
        raise ApiError("MissingParameter", "Either 'subnetId' or 'gatewayId' should be provided.")
    ((member, resource),) = what.items()
    if not is_same_vpc:
        message = f"Route table {table.id} and {resource} belong to different networks"
        raise ApiError("InvalidParameterValue", message)
    for other in members(call, Kind.ROUTE_TABLE, table.shape["VpcId"]):
        for present in other.shape["Associations"]:
            if present.get(member) != resource:
                continue
            if other.id == table.id:
                return {"AssociationId": present["RouteTableAssociationId"], "AssociationState": _ASSOCIATED}
            message = f"the specified association for route table {table.id} conflicts with an existing association"
            raise ApiError("Resource.AlreadyAssociated", message)
    return _associate(call, table, association(call, table.id, **what))


def disassociate_route_table(call: Call, params: Params) -> Result:
    """Makes a subnet use the main route table again."""
    table, present = _find_association(call, params["AssociationId"])
    if present["Main"]:
        message = f"cannot disassociate the main route table association {params['AssociationId']}"
        raise ApiError("InvalidParameterValue", message)
    _remove(call, table, present)
    return {}


def replace_route_table_association(call: Call, params: Params) -> Result:
    """Makes a subnet use another route table, or another one the main one of the VPC."""
    before, present = _find_association(call, params["AssociationId"])
    table = find(call, Kind.ROUTE_TABLE, params["RouteTableId"])
    if table.shape["VpcId"] != before.shape["VpcId"]:
        message = f"Route table {before.id} and route table {table.id} belong to different networks"
        raise ApiError("InvalidParameterValue", message)
    _remove(call, before, present)
    what = {member: present[member] for member in ("Main", "SubnetId", "GatewayId") if member in present}
    made = _associate(call, find(call, Kind.ROUTE_TABLE, table.id), association(call, table.id, **what))
    return {"NewAssociationId": made["AssociationId"], "AssociationState": _ASSOCIATED}


def _find_association(call: Call, association_id: str) -> tuple[Record, dict[str, Any]]:
    for table in call.tx.all(Kind.ROUTE_TABLE, call.region):
        for present in table.shape["Associations"]:
            if present["RouteTableAssociationId"] == association_id:
                return table, present
    raise ApiError("InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist")


def _associate(call: Call, table: Record, made: dict[str, Any]) -> dict[str, Any]:
    call.tx.put(replace(table, shape={**table.shape, "Associations": [*table.shape["Associations"], made]}))
    return {"AssociationId": made["RouteTableAssociationId"], "AssociationState": _ASSOCIATED}


def _remove(call: Call, table: Record, present: dict[str, Any]) -> None:
    kept = [each for each in table.shape["Associations"] if each is not present]
    call.tx.put(replace(table, shape={**table.shape, "Associations": kept}))


def _item(call: Call, table: Record) -> dict[str, Any]:
    return shown(table, Routes=[{**route, "State": _state(call, table, route)} for route in table.shape["Routes"]])


def _state(call: Call, table: Record, route: dict[str, Any]) -> str:
    """A route to what is gone leads nowhere."""
    if (instance_id := route.get("InstanceId")) is not None:
        instance = call.tx.get(Kind.INSTANCE, instance_id)
        return "active" if instance is not None and instance.more["desired"] == "running" else "blackhole"
    gateway = call.tx.get(Kind.INTERNET_GATEWAY, route["GatewayId"])
    is_there = gateway is not None and is_attached(gateway, table.shape["VpcId"])
    return "active" if is_there or route["GatewayId"] == "local" else "blackhole"


OPERATIONS: Final[Operations] = {
    "CreateRouteTable": create_route_table,
    "DescribeRouteTables": describe_route_tables,
    "DeleteRouteTable": delete_route_table,
    "AssociateRouteTable": associate_route_table,
    "DisassociateRouteTable": disassociate_route_table,
    "ReplaceRouteTableAssociation": replace_route_table_association,
}
