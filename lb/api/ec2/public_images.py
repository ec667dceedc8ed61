"""The images that everybody may launch. Each is the embedded web server; they go by the names that clients look for."""

from collections.abc import Mapping
from typing import Any, Final

from lb.model.names import derived_id
from lb.resources.records import Kind, Record

ROOT_DEVICE: Final = "/dev/xvda"
_AMAZON: Final = ("137112412989", "amazon")
_CANONICAL: Final = ("099720109477", "")
_CREATED: Final = "2025-01-01T00:00:00.000Z"
_DESCRIPTION: Final = "The embedded web server of lb under the name of {}"
# Owner; name, as filters of guides look for it; what it stands for; the SSM parameters that name the newest one.
_IMAGES: Final = (
    (
        _AMAZON,
        "al2023-ami-2023.0.lb-embedded-web-server-kernel-6.1-x86_64",
        "Amazon Linux 2023",
        (
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64",
        ),
    ),
    (
        _AMAZON,
        "amzn2-ami-hvm-2.0.lb-embedded-web-server-x86_64-gp2",
        "Amazon Linux 2",
        ("/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2",),
    ),
    (
        _CANONICAL,
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-lb-embedded-web-server",
        "Ubuntu 24.04",
        ("/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",),
    ),
    (
        _CANONICAL,
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-lb-embedded-web-server",
        "Ubuntu 22.04",
        ("/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",),
    ),
)
_BY_PARAMETER: Final = "resolve:ssm:"


def public_images(region: str) -> list[Record]:
    """The images of a region."""
    return [_image(region, *each) for each in _IMAGES]


def image_by_parameter(region: str, image: str) -> str:
    """The id of the image that `resolve:ssm:PARAMETER` names; any other text as it is."""
    if not image.startswith(_BY_PARAMETER):
        return image
    asked = image.removeprefix(_BY_PARAMETER).partition(":")[0]
    return next((_id(region, name) for _, name, _, parameters in _IMAGES if asked in parameters), image)


def image_shape(image_id: str, name: str, owner: str, created: str) -> dict[str, Any]:
    """An Image, without its state."""
    return {
        "ImageId": image_id,
        "ImageLocation": f"{owner}/{name}",
        "Name": name,
        "OwnerId": owner,
        "CreationDate": created,
        "Public": False,
        "Architecture": "x86_64",
        "ImageType": "machine",
        "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances",
        "BootMode": "uefi-preferred",
        "EnaSupport": True,
        "Hypervisor": "xen",
        "RootDeviceName": ROOT_DEVICE,
        "RootDeviceType": "ebs",
        "SriovNetSupport": "simple",
        "VirtualizationType": "hvm",
        "BlockDeviceMappings": [
            {
                "DeviceName": ROOT_DEVICE,
                "Ebs": {
                    "SnapshotId": f"snap-0{derived_id('snapshot', image_id)}",
                    "DeleteOnTermination": True,
                    "Encrypted": False,
                    "VolumeSize": 8,
                    "VolumeType": "gp3",
                    "Iops": 3000,
                    "Throughput": 125,
                },
            }
        ],
    }


def _id(region: str, name: str) -> str:
    return f"ami-0{derived_id('image', region, name)}"


def _image(region: str, owner: tuple[str, str], name: str, system: str, _: tuple[str, ...]) -> Record:
    account, alias = owner
    made = _id(region, name)
    public: Mapping[str, Any] = {
        "Public": True,
        "Description": _DESCRIPTION.format(system),
        **({"ImageOwnerAlias": alias, "ImageLocation": f"{alias}/{name}"} if alias else {}),
    }
    return Record(Kind.IMAGE, made, region, account, {**image_shape(made, name, account, _CREATED), **public})
