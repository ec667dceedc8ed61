"""Images."""

import pytest

from lb.resources.records import Kind
from tests.api.aws_call import ACCOUNT
from tests.api.ec2.ec2 import Ec2


def named(ec2: Ec2, pattern: str, **params):
    return ec2("DescribeImages", Filters=[{"Name": "name", "Values": [pattern]}], **params)["Images"]


@pytest.mark.parametrize(
    ("pattern", "owner"),
    [
        ("al2023-ami-2023*-x86_64", "amazon"),
        ("amzn2-ami-hvm-*-x86_64-gp2", "amazon"),
        ("ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*", "099720109477"),
        ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*", "099720109477"),
    ],
)
def test_public_images_are_found_as_guides_look_for_them(ec2: Ec2, pattern: str, owner: str):
    (image,) = named(ec2, pattern, Owners=[owner])
    assert (image["State"], image["Public"], image["Architecture"]) == ("available", True, "x86_64")
    assert "embedded web server" in image["Description"]


def test_public_images_belong_to_nobody_else(ec2: Ec2):
    assert ec2("DescribeImages", Owners=["self"])["Images"] == []
    error = ec2.refused("DeregisterImage", ImageId=ec2.image())
    assert (error.code, error.status) == ("AuthFailure", 403)


def test_an_image_is_made_of_an_instance(ec2: Ec2):
    (instance,) = ec2.run()
    image_id = ec2("CreateImage", InstanceId=instance, Name="Web Server 1", Description="page 1")["ImageId"]
    ec2.aws.live.images[image_id] = "pending"
    (image,) = ec2("DescribeImages", Owners=["self"])["Images"]
    assert (image["ImageId"], image["State"], image["OwnerId"]) == (image_id, "pending", ACCOUNT)
    assert (image["Name"], image["SourceInstanceId"]) == ("Web Server 1", instance)
    assert ec2.aws.records.get(Kind.IMAGE, image_id).more == {"source_instance": instance}
    assert ec2("DeregisterImage", ImageId=image_id) == {"Return": True}
    error = ec2.refused("DescribeImages", ImageIds=[image_id])
    assert (error.code, error.message) == ("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")


def test_an_image_that_cannot_be_is_refused(ec2: Ec2):
    (instance,) = ec2.run()
    image = ec2("CreateImage", InstanceId=instance, Name="copy")["ImageId"]
    error = ec2.refused("CreateImage", InstanceId=instance, Name="copy")
    assert (error.code, error.message) == (
        "InvalidAMIName.Duplicate",
        f"AMI name copy is already in use by AMI {image}",
    )
    assert ec2.code("CreateImage", InstanceId=instance, Name="a|b") == "InvalidAMIName.Malformed"
    assert ec2.code("CreateImage", InstanceId="i-0123", Name="new") == "InvalidInstanceID.NotFound"
    ec2("TerminateInstances", InstanceIds=[instance])
    ec2.settle()
    assert ec2.code("CreateImage", InstanceId=instance, Name="new") == "IncorrectInstanceState"
    assert ec2.code("DescribeImages", ImageIds=["web"]) == "InvalidAMIID.Malformed"


def test_no_more_images_than_the_quota(ec2: Ec2):
    (instance,) = ec2.run()
    for number in range(50):
        ec2("CreateImage", InstanceId=instance, Name=f"copy {number}")
    assert ec2.code("CreateImage", InstanceId=instance, Name="one more") == "ImageLimitExceeded"
