"""Images: made of instances, described, deregistered."""

import re
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.instance_state import require_state
from lb.api.ec2.lookup import check_id, find, new_id, not_found
from lb.api.ec2.public_images import image_shape, public_images
from lb.api.ec2.quotas import refuse_above
from lb.api.ec2.tags import given_tags
from lb.resources.records import Kind, Record

_NAME: Final = re.compile(r"[a-zA-Z0-9()\[\] ./\-'@_]{3,128}")
_FILTERS: Final = {
    "architecture": "Architecture",
    "block-device-mapping.delete-on-termination": "BlockDeviceMappings.Ebs.DeleteOnTermination",
    "block-device-mapping.device-name": "BlockDeviceMappings.DeviceName",
    "block-device-mapping.snapshot-id": "BlockDeviceMappings.Ebs.SnapshotId",
    "block-device-mapping.volume-size": "BlockDeviceMappings.Ebs.VolumeSize",
    "block-device-mapping.volume-type": "BlockDeviceMappings.Ebs.VolumeType",
    "block-device-mapping.encrypted": "BlockDeviceMappings.Ebs.Encrypted",
    "creation-date": "CreationDate",
    "description": "Description",
    "ena-support": "EnaSupport",
    "hypervisor": "Hypervisor",
    "image-id": "ImageId",
    "image-type": "ImageType",
    "is-public": "Public",
    "manifest-location": "ImageLocation",
    "name": "Name",
    "owner-alias": "ImageOwnerAlias",
    "owner-id": "OwnerId",
    "platform": "Platform",
    "root-device-name": "RootDeviceName",
    "root-device-type": "RootDeviceType",
    "source-instance-id": "SourceInstanceId",
    "state": "State",
    "virtualization-type": "VirtualizationType",
}


def find_image(call: Call, image_id: str) -> Record:
    """An image of the account, or a public one. Raises ApiError."""
    check_id(Kind.IMAGE, image_id)
    for image in _all(call):
        if image.id == image_id:
            return image
    raise not_found(Kind.IMAGE, image_id)


def image_state(call: Call, image: Record) -> str:
    """`pending`, `available` or `failed`; public images are there from the beginning."""
    return "available" if image.shape["Public"] else call.live.image_state(image.id)


def create_image(call: Call, params: Params) -> Result:
    """Makes an image of what an instance serves; it is `pending` until the copy is made."""
    instance = find(call, Kind.INSTANCE, params["InstanceId"])
    require_state(call, instance, ("running", "stopping", "stopped"), "from which an image can be created")
    name = params["Name"]
    if _NAME.fullmatch(name) is None:
        message = (
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, "
            "'(', ')', '.', '-', '/' and '_'"
        )
        raise ApiError("InvalidAMIName.Malformed", message)
    owned = call.tx.all(Kind.IMAGE, call.region)
    if (other := next((image for image in owned if image.shape["Name"] == name), None)) is not None:
        message = f"AMI name {name} is already in use by AMI {other.id}"
        raise ApiError("InvalidAMIName.Duplicate", message)
    image_id = new_id(call, Kind.IMAGE)
    shape = {
        **image_shape(image_id, name, call.account, call.created_time),
        "Description": params.get("Description", ""),
        "SourceInstanceId": instance.id,
    }
    tags = given_tags(params, "image", also=("snapshot",))
    more = {"source_instance": instance.id}
    image = Record(Kind.IMAGE, image_id, call.region, call.account, shape, tags=tags, more=more)
    call.tx.put(image)
    refuse_above("ImageLimitExceeded", [*owned, image])
    return {"ImageId": image_id}


def describe_images(call: Call, params: Params) -> Result:
    """The images of the account and the public ones, or those with the given ids and owners."""
    ids = params.get("ImageIds")
    images = [find_image(call, each) for each in dict.fromkeys(ids)] if ids else _all(call)
    if owners := params.get("Owners"):
        known = {call.account if owner == "self" else owner for owner in owners}
        images = [image for image in images if {image.account, image.shape.get("ImageOwnerAlias")} & known]
    if users := params.get("ExecutableUsers"):
        images = [image for image in images if image.shape["Public"] is ("all" in users)]
    return describe("Images", [_item(call, image) for image in images], params, _FILTERS, "ImageId")


def deregister_image(call: Call, params: Params) -> Result:
    """Forgets an image of the account. Instances that were launched from it stay."""
    image = find_image(call, params["ImageId"])
    if image.shape["Public"]:
        raise ApiError("AuthFailure", f"Not authorized for image:{image.id}", 403)
    call.tx.delete(Kind.IMAGE, image.id)
    return {"Return": True}


def _all(call: Call) -> list[Record]:
    return [*call.tx.all(Kind.IMAGE, call.region), *public_images(call.region)]


def _item(call: Call, image: Record) -> dict[str, Any]:
    return shown(image, State=image_state(call, image))


OPERATIONS: Final[Operations] = {
    "CreateImage": create_image,
    "DescribeImages": describe_images,
    "DeregisterImage": deregister_image,
}
