"""Instances as they are described: DescribeInstances, DescribeInstanceStatus."""

from collections.abc import Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.instance_state import state_of, state_shape
from lb.api.ec2.interfaces import instance_interface
from lb.api.ec2.lookup import check_id, find
from lb.api.ec2.volumes import block_devices
from lb.api.ec2.zones import zone_id
from lb.resources.records import Kind, Record

_FILTERS: Final = {
    "architecture": "Architecture",
    "availability-zone": "Placement.AvailabilityZone",
    "block-device-mapping.device-name": "BlockDeviceMappings.DeviceName",
    "block-device-mapping.status": "BlockDeviceMappings.Ebs.Status",
    "block-device-mapping.volume-id": "BlockDeviceMappings.Ebs.VolumeId",
    "client-token": "ClientToken",
    "dns-name": "PublicDnsName",
    "group-id": "SecurityGroups.GroupId",
    "group-name": "SecurityGroups.GroupName",
    "hypervisor": "Hypervisor",
    "iam-instance-profile.arn": "IamInstanceProfile.Arn",
    "image-id": "ImageId",
    "instance-id": "InstanceId",
    "instance-state-code": "State.Code",
    "instance-state-name": "State.Name",
    "instance-type": "InstanceType",
    "instance.group-id": "SecurityGroups.GroupId",
    "instance.group-name": "SecurityGroups.GroupName",
    "ip-address": "PublicIpAddress",
    "key-name": "KeyName",
    "launch-index": "AmiLaunchIndex",
    "launch-time": "LaunchTime",
    "monitoring-state": "Monitoring.State",
    "network-interface.addresses.association.public-ip": "NetworkInterfaces.Association.PublicIp",
    "network-interface.addresses.private-ip-address": "NetworkInterfaces.PrivateIpAddresses.PrivateIpAddress",
    "network-interface.network-interface-id": "NetworkInterfaces.NetworkInterfaceId",
    "network-interface.subnet-id": "NetworkInterfaces.SubnetId",
    "network-interface.vpc-id": "NetworkInterfaces.VpcId",
    "owner-id": "NetworkInterfaces.OwnerId",
    "placement-group-name": "Placement.GroupName",
    "private-dns-name": "PrivateDnsName",
    "private-ip-address": "PrivateIpAddress",
    "reservation-id": "ReservationId",
    "root-device-name": "RootDeviceName",
    "root-device-type": "RootDeviceType",
    "source-dest-check": "SourceDestCheck",
    "subnet-id": "SubnetId",
    "tenancy": "Placement.Tenancy",
    "virtualization-type": "VirtualizationType",
    "vpc-id": "VpcId",
}
_STATUS_FILTERS: Final = {
    "availability-zone": "AvailabilityZone",
    "instance-state-code": "InstanceState.Code",
    "instance-state-name": "InstanceState.Name",
    "instance-status.reachability": "InstanceStatus.Details.Status",
    "instance-status.status": "InstanceStatus.Status",
    "system-status.reachability": "SystemStatus.Details.Status",
    "system-status.status": "SystemStatus.Status",
}
# What DescribeNetworkInterfaces has and an instance does not show of its interface, its attachment and its address.
_HIDDEN: Final = frozenset(
    (
        *("AvailabilityZone", "RequesterManaged", "TagSet"),
        *("InstanceId", "InstanceOwnerId"),
        *("AllocationId", "AssociationId"),
    )
)
_USER_STOP: Final = {
    "Code": "Client.UserInitiatedShutdown",
    "Message": "Client.UserInitiatedShutdown: User initiated shutdown",
}
_FAILED: Final = {
    "Code": "Server.InternalError",
    "Message": "Server.InternalError: The web server could not be started; the log of lb says why",
}


def find_instances(call: Call, ids: Sequence[str]) -> list[Record]:
    """The instances with these ids, each once. Raises ApiError that names all which do not exist."""
    for each in ids:
        check_id(Kind.INSTANCE, each)
    present = {instance.id for instance in call.tx.all(Kind.INSTANCE, call.region)}
    unknown = [each for each in dict.fromkeys(ids) if each not in present]
    if len(unknown) > 1:
        raise ApiError("InvalidInstanceID.NotFound", f"The instance IDs '{', '.join(unknown)}' do not exist")
    return [find(call, Kind.INSTANCE, each) for each in dict.fromkeys(ids)]


def reservation(call: Call, instances: Sequence[Record], state: str | None = None) -> dict[str, Any]:
    """Instances that one call launched; `state` is that of instances which the call itself makes."""
    items = [_item(call, instance, state or state_of(call, instance)) for instance in instances]
    return _reservation(call, instances[0], items)


def describe_instances(call: Call, params: Params) -> Result:
    """All instances of the region, or those with the given ids, by the calls that launched them."""
    found = {instance.id: instance for instance in selected_instances(call, params)}
    items = [
        {**_item(call, instance, state_of(call, instance)), "ReservationId": instance.more["reservation"]}
        for instance in found.values()
    ]
    answer = describe("Instances", items, params, _FILTERS, "InstanceId")
    reservations: dict[str, list[dict[str, Any]]] = {}
    for item in answer["Instances"]:
        reservations.setdefault(item.pop("ReservationId"), []).append(item)
    token = {"NextToken": answer["NextToken"]} if "NextToken" in answer else {}
    listed = [_reservation(call, found[each[0]["InstanceId"]], each) for each in reservations.values()]
    return {"Reservations": listed, **token}


def describe_instance_status(call: Call, params: Params) -> Result:
    """The checks of running instances; with `IncludeAllInstances`, of all."""
    items = [_status(call, instance) for instance in selected_instances(call, params)]
    if not params.get("IncludeAllInstances"):
        items = [item for item in items if item["InstanceState"]["Name"] == "running"]
    return describe("InstanceStatuses", items, params, _STATUS_FILTERS, "InstanceId")


def selected_instances(call: Call, params: Params) -> Sequence[Record]:
    """The instances that `InstanceIds` name, or all of the region. Raises ApiError."""
    ids = params.get("InstanceIds")
    return find_instances(call, ids) if ids else call.tx.all(Kind.INSTANCE, call.region)


def _reservation(call: Call, first: Record, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ReservationId": first.more["reservation"],
        "OwnerId": call.account,
        "Groups": [],
        "Instances": items,
    }


def _item(call: Call, instance: Record, state: str) -> dict[str, Any]:
    """An instance as DescribeInstances answers it."""
    more: dict[str, Any] = {"State": state_shape(state), "StateTransitionReason": ""}
    if instance.more["desired"] != "running":
        more |= {"StateTransitionReason": "User initiated", "StateReason": _USER_STOP}
    elif state == "stopped":
        more["StateReason"] = _FAILED
    if instance.more["desired"] == "terminated":
        return shown(instance, **more, PublicDnsName="", NetworkInterfaces=[], BlockDeviceMappings=[])
    interface = _interface(call, instance)
    if "Association" in interface:
        more["PublicIpAddress"] = interface["Association"]["PublicIp"]
    devices = block_devices(instance)
    return shown(instance, **more, PublicDnsName="", NetworkInterfaces=[interface], BlockDeviceMappings=devices)


def _interface(call: Call, instance: Record) -> dict[str, Any]:
    """The network interface as the instance shows it: with less than DescribeNetworkInterfaces."""
    whole = instance_interface(call, instance)
    kept = {name: value for name, value in whole.items() if name not in _HIDDEN}
    kept["Attachment"] = {name: value for name, value in whole["Attachment"].items() if name not in _HIDDEN}
    if "Association" in whole:
        association = {name: value for name, value in whole["Association"].items() if name not in _HIDDEN}
        (address,) = whole["PrivateIpAddresses"]
        kept |= {"Association": association, "PrivateIpAddresses": [{**address, "Association": association}]}
    return kept


def _status(call: Call, instance: Record) -> dict[str, Any]:
    state = state_of(call, instance)
    check: dict[str, Any] = {"Status": "not-applicable"}
    if state == "running":
        check = {"Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]}
    elif state == "pending":
        check = {"Status": "initializing", "Details": [{"Name": "reachability", "Status": "initializing"}]}
    zone = instance.shape["Placement"]["AvailabilityZone"]
    return {
        "InstanceId": instance.id,
        "AvailabilityZone": zone,
        "AvailabilityZoneId": zone_id(call.region, zone),
        "InstanceState": state_shape(state),
        "InstanceStatus": check,
        "SystemStatus": check,
    }


OPERATIONS: Final[Operations] = {
    "DescribeInstances": describe_instances,
    "DescribeInstanceStatus": describe_instance_status,
}
