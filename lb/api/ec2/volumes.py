"""Root volumes of instances, computed from them: clients that read an instance look for its volume."""

from typing import Any, Final

from lb.api.call import Call, Operations, Params, Result
from lb.api.ec2.describe import describe
from lb.api.ec2.lookup import VOLUME, pick
from lb.api.ec2.public_images import ROOT_DEVICE
from lb.api.ec2.tags import given_tags
from lb.api.tag_list import tag_list
from lb.model.names import derived_id
from lb.resources.records import Kind, Record

_INITIAL: Final = {
    "VolumeSize": 8,
    "VolumeType": "gp3",
    "Iops": 3000,
    "Throughput": 125,
    "Encrypted": False,
    "DeleteOnTermination": True,
}
_FILTERS: Final = {
    "attachment.delete-on-termination": "Attachments.DeleteOnTermination",
    "attachment.device": "Attachments.Device",
    "attachment.instance-id": "Attachments.InstanceId",
    "attachment.status": "Attachments.State",
    "availability-zone": "AvailabilityZone",
    "encrypted": "Encrypted",
    "size": "Size",
    "status": "State",
    "volume-id": "VolumeId",
    "volume-type": "VolumeType",
}


def volume_settings(params: Params) -> dict[str, Any]:
    """What RunInstances says of the root volume, with its tags."""
    settings = dict(_INITIAL)
    for mapping in params.get("BlockDeviceMappings", ()):
        if mapping.get("DeviceName") == ROOT_DEVICE:
            settings |= {name: value for name, value in mapping.get("Ebs", {}).items() if name in _INITIAL}
    tagged = [each for each in params.get("TagSpecifications", ()) if each.get("ResourceType") == "volume"]
    return {**settings, "Tags": given_tags({"TagSpecifications": tagged}, "volume")}


def block_devices(instance: Record) -> list[dict[str, Any]]:
    """The `BlockDeviceMappings` of an instance."""
    volume = {
        "VolumeId": _volume_id(instance),
        "Status": "attached",
        "AttachTime": instance.shape["LaunchTime"],
        "DeleteOnTermination": instance.more["volume"]["DeleteOnTermination"],
    }
    return [{"DeviceName": instance.shape["RootDeviceName"], "Ebs": volume}]


def describe_volumes(call: Call, params: Params) -> Result:
    """The root volumes of all instances, or those with the given ids."""
    instances = call.tx.all(Kind.INSTANCE, call.region)
    items = [_item(instance) for instance in instances if instance.more["desired"] != "terminated"]
    picked = pick(VOLUME, items, "VolumeId", params.get("VolumeIds"))
    return describe("Volumes", picked, params, _FILTERS, "VolumeId")


def _volume_id(instance: Record) -> str:
    return f"vol-0{derived_id('volume', instance.id)}"


def _item(instance: Record) -> dict[str, Any]:
    volume, shape = instance.more["volume"], instance.shape
    return {
        "VolumeId": _volume_id(instance),
        "Size": volume["VolumeSize"],
        "VolumeType": volume["VolumeType"],
        "Iops": volume["Iops"],
        "Throughput": volume["Throughput"],
        "Encrypted": volume["Encrypted"],
        "SnapshotId": f"snap-0{derived_id('snapshot', shape['ImageId'])}",
        "AvailabilityZone": shape["Placement"]["AvailabilityZone"],
        "CreateTime": shape["LaunchTime"],
        "State": "in-use",
        "MultiAttachEnabled": False,
        "Attachments": [
            {
                "VolumeId": _volume_id(instance),
                "InstanceId": instance.id,
                "Device": shape["RootDeviceName"],
                "State": "attached",
                "AttachTime": shape["LaunchTime"],
                "DeleteOnTermination": volume["DeleteOnTermination"],
            }
        ],
        "Tags": tag_list(volume["Tags"]),
    }


OPERATIONS: Final[Operations] = {"DescribeVolumes": describe_volumes}
