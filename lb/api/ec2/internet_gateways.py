"""Internet gateways: created, attached to VPCs, detached, deleted."""

from dataclasses import replace
from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.interfaces import public_address
from lb.api.ec2.lookup import find, new_id, select
from lb.api.ec2.quotas import refuse_above
from lb.api.ec2.tags import given_tags
from lb.resources.records import Kind, Record

_FILTERS: Final = {
    "attachment.state": "Attachments.State",
    "attachment.vpc-id": "Attachments.VpcId",
    "internet-gateway-id": "InternetGatewayId",
    "owner-id": "OwnerId",
}


def is_attached(gateway: Record, vpc_id: str) -> bool:
    """Whether an internet gateway is that of a VPC."""
    return any(attachment["VpcId"] == vpc_id for attachment in gateway.shape["Attachments"])


def create_internet_gateway(call: Call, params: Params) -> Result:
    """Creates an internet gateway that is attached to nothing."""
    gateway_id = new_id(call, Kind.INTERNET_GATEWAY)
    shape = {"InternetGatewayId": gateway_id, "OwnerId": call.account, "Attachments": []}
    tags = given_tags(params, "internet-gateway")
    gateway = Record(Kind.INTERNET_GATEWAY, gateway_id, call.region, call.account, shape, tags=tags)
    call.tx.put(gateway)
    refuse_above("InternetGatewayLimitExceeded", call.tx.all(Kind.INTERNET_GATEWAY, call.region))
    return {"InternetGateway": shown(gateway)}


def attach_internet_gateway(call: Call, params: Params) -> Result:
    """Attaches an internet gateway to a VPC that has none."""
    gateway = find(call, Kind.INTERNET_GATEWAY, params["InternetGatewayId"])
    vpc = find(call, Kind.VPC, params["VpcId"])
    if gateway.shape["Attachments"]:
        message = f"resource {gateway.id} is already attached to network {gateway.shape['Attachments'][0]['VpcId']}"
        raise ApiError("Resource.AlreadyAssociated", message)
    for other in call.tx.all(Kind.INTERNET_GATEWAY, call.region):
        if is_attached(other, vpc.id):
            message = f"Network {vpc.id} already has an internet gateway attached"
            raise ApiError("InvalidParameterValue", message)
    attachments = [{"VpcId": vpc.id, "State": "available"}]
    call.tx.put(replace(gateway, shape={**gateway.shape, "Attachments": attachments}))
    return {}


def detach_internet_gateway(call: Call, params: Params) -> Result:
    """Detaches an internet gateway from a VPC in which nothing has a public address."""
    gateway = find(call, Kind.INTERNET_GATEWAY, params["InternetGatewayId"])
    vpc = find(call, Kind.VPC, params["VpcId"])
    if not is_attached(gateway, vpc.id):
        raise ApiError("Gateway.NotAttached", f"resource {gateway.id} is not attached to network {vpc.id}")
    if _has_public_addresses(call, vpc.id):
        message = (
            f"Network {vpc.id} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway."
        )
        raise ApiError("DependencyViolation", message)
    call.tx.put(replace(gateway, shape={**gateway.shape, "Attachments": []}))
    return {}


def describe_internet_gateways(call: Call, params: Params) -> Result:
    """All internet gateways of the region, or those with the given ids."""
    items = [shown(gateway) for gateway in select(call, Kind.INTERNET_GATEWAY, params.get("InternetGatewayIds"))]
    return describe("InternetGateways", items, params, _FILTERS, "InternetGatewayId")


def delete_internet_gateway(call: Call, params: Params) -> Result:
    """Deletes an internet gateway that is attached to nothing."""
    gateway = find(call, Kind.INTERNET_GATEWAY, params["InternetGatewayId"])
    if gateway.shape["Attachments"]:
        message = f"The internetGateway '{gateway.id}' has dependencies and cannot be deleted."
        raise ApiError("DependencyViolation", message)
    call.tx.delete(Kind.INTERNET_GATEWAY, gateway.id)
    return {}


def _has_public_addresses(call: Call, vpc_id: str) -> bool:
    return any(
        instance.shape["VpcId"] == vpc_id
        and instance.more["desired"] != "terminated"
        and public_address(call, instance)
        for instance in call.tx.all(Kind.INSTANCE, call.region)
    ) or any(
        balancer.shape["VpcId"] == vpc_id and balancer.shape.get("Scheme") == "internet-facing"
        for balancer in call.tx.all(Kind.LOAD_BALANCER, call.region)
    )


OPERATIONS: Final[Operations] = {
    "CreateInternetGateway": create_internet_gateway,
    "AttachInternetGateway": attach_internet_gateway,
    "DetachInternetGateway": detach_internet_gateway,
    "DescribeInternetGateways": describe_internet_gateways,
    "DeleteInternetGateway": delete_internet_gateway,
}
