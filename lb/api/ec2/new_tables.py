"""Route tables as records."""

from collections.abc import Mapping, Sequence
from typing import Any

from lb.api.call import Call
from lb.api.ec2.lookup import new_id
from lb.resources.records import Kind, Record


def table_record(call: Call, vpc: Record, tags: Mapping[str, str], *, is_main: bool) -> Record:
    """A new route table of a VPC, with the route within the VPC."""
    table_id = new_id(call, Kind.ROUTE_TABLE)
    associations: Sequence[Mapping[str, Any]] = [association(call, table_id, Main=True)] if is_main else []
    shape = {
        "RouteTableId": table_id,
        "VpcId": vpc.id,
        "OwnerId": call.account,
        "Associations": associations,
        "PropagatingVgws": [],
        "Routes": [
            {
                "DestinationCidrBlock": vpc.shape["CidrBlock"],
                "GatewayId": "local",
                "Origin": "CreateRouteTable",
                "State": "active",
            }
        ],
    }
    return Record(Kind.ROUTE_TABLE, table_id, call.region, call.account, shape, vpc.id, tags=tags)


def association(call: Call, table_id: str, **what: Any) -> dict[str, Any]:
    """A new association of a route table: `Main`, or `SubnetId`, or `GatewayId`."""
    return {
        "Main": False,
        "RouteTableAssociationId": f"rtbassoc-0{call.new_id(16)}",
        "RouteTableId": table_id,
        "AssociationState": {"State": "associated"},
        **what,
    }
