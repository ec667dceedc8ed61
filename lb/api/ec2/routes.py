"""Routes of route tables, to internet gateways and instances."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.blocks import any_block
from lb.api.ec2.interfaces import interface_id
from lb.api.ec2.internet_gateways import is_attached
from lb.api.ec2.lookup import INTERFACE, find, pick
from lb.api.ec2.quotas import refuse_above
from lb.resources.records import Kind, Record

_DESTINATIONS: Final = {"DestinationCidrBlock": 4, "DestinationIpv6CidrBlock": 6}
_TARGETS: Final = ("GatewayId", "InstanceId", "NetworkInterfaceId")
_LOCAL: Final = "local"


def create_route(call: Call, params: Params) -> Result:
    """Adds a route; one that is there already is refused, unless it is the same."""
    table = find(call, Kind.ROUTE_TABLE, params["RouteTableId"])
    member, destination = _destination(params)
    route = {member: destination, **_target(call, table, params), "Origin": "CreateRoute", "State": "active"}
    for present in table.shape["Routes"]:
        if present.get(member) == destination:
            if present == route:
                return {"Return": True}
            raise ApiError("RouteAlreadyExists", f"The route identified by {destination} already exists.")
    _put(call, table, [*table.shape["Routes"], route])
    return {"Return": True}


def replace_route(call: Call, params: Params) -> Result:
    """Makes a route lead elsewhere."""
    table = find(call, Kind.ROUTE_TABLE, params["RouteTableId"])
    member, destination = _destination(params)
    present = _find_route(table, member, destination)
    if present is None:
        message = f"There is no route defined for '{destination}' in the route table. Use CreateRoute instead."
        raise ApiError("InvalidParameterValue", message)
    _refuse_local(table, present, destination, "replace")
    route = {member: destination, **_target(call, table, params), "Origin": "CreateRoute", "State": "active"}
    _put(call, table, [route if each is present else each for each in table.shape["Routes"]])
    return {}


def delete_route(call: Call, params: Params) -> Result:
    """Removes a route."""
    table = find(call, Kind.ROUTE_TABLE, params["RouteTableId"])
    member, destination = _destination(params)
    present = _find_route(table, member, destination)
    if present is None:
        message = f"no route with destination-cidr-block {destination} in route table {table.id}"
        raise ApiError("InvalidRoute.NotFound", message)
    _refuse_local(table, present, destination, "remove")
    _put(call, table, [each for each in table.shape["Routes"] if each is not present])
    return {}


def _put(call: Call, table: Record, routes: Sequence[dict[str, Any]]) -> None:
    refuse_above("RouteLimitExceeded", routes)
    call.tx.put(replace(table, shape={**table.shape, "Routes": routes}))


def _find_route(table: Record, member: str, destination: str) -> dict[str, Any] | None:
    return next((route for route in table.shape["Routes"] if route.get(member) == destination), None)


def _refuse_local(table: Record, route: dict[str, Any], destination: str, what: str) -> None:
    if route.get("GatewayId") == _LOCAL:
        message = f"cannot {what} local route {destination} in route table {table.id}"
        raise ApiError("InvalidParameterValue", message)


def _destination(params: Params) -> tuple[str, str]:
    for member, version in _DESTINATIONS.items():
        if member in params:
            return member, str(any_block(params[member], version))
    if (prefix_list := params.get("DestinationPrefixListId")) is not None:
        raise ApiError("InvalidPrefixListID.NotFound", f"The prefix list ID '{prefix_list}' does not exist")
    raise ApiError("MissingParameter", "The request must contain the parameter destinationCidrBlock")


def _target(call: Call, table: Record, params: Params) -> dict[str, str]:
    given = [member for member in _TARGETS if member in params]
    if not given:
        message = "The route must lead to a gatewayId, instanceId or networkInterfaceId of this endpoint"
        raise ApiError("InvalidParameterCombination", message)
    if len(given) > 1:
        message = "The parameter 'gatewayId' may not be used in combination with another target"
        raise ApiError("InvalidParameterCombination", message)
    value = params[given[0]]
    if given == ["GatewayId"]:
        if value == _LOCAL:
            raise ApiError("InvalidParameterValue", "The local route covers the blocks of the VPC already")
        return {"GatewayId": _gateway(call, table, value)}
    if given == ["InstanceId"]:
        instance = find(call, Kind.INSTANCE, value)
    else:
        running = [each for each in call.tx.all(Kind.INSTANCE, call.region) if each.more["desired"] != "terminated"]
        owned = [{"Interface": interface_id(each.id), "Instance": each.id} for each in running]
        (found,) = pick(INTERFACE, owned, "Interface", [value])
        instance = find(call, Kind.INSTANCE, found["Instance"])
    return {
        "InstanceId": instance.id,
        "InstanceOwnerId": call.account,
        "NetworkInterfaceId": interface_id(instance.id),
    }


def _gateway(call: Call, table: Record, gateway_id: str) -> str:
    gateway = call.tx.get(Kind.INTERNET_GATEWAY, gateway_id)
    if gateway is None or gateway.region != call.region:
        raise ApiError("InvalidGatewayID.NotFound", f"The gateway ID '{gateway_id}' does not exist")
    if not is_attached(gateway, table.shape["VpcId"]):
        message = f"route table {table.id} and network gateway {gateway_id} belong to different networks"
        raise ApiError("InvalidParameterValue", message)
    return gateway.id


OPERATIONS: Final[Operations] = {
    "CreateRoute": create_route,
    "ReplaceRoute": replace_route,
    "DeleteRoute": delete_route,
}
