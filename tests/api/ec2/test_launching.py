"""RunInstances."""

import base64
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import pytest

from lb.model.config import Place
from lb.resources.places import Placing
from lb.resources.records import Kind, Record, Transaction
from lb.resources.traffic import Traffic
from tests.api.aws_call import ACCOUNT, REGION
from tests.api.ec2.ec2 import Ec2


def user_data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_launch_records_what_is_to_run(ec2: Ec2):
    first, second = ec2.run(2, UserData=user_data("<h1>hi</h1>"), KeyName="mine", InstanceType="t2.micro")
    records = [ec2.aws.records.get(Kind.INSTANCE, each) for each in (first, second)]
    for number, record in enumerate(records, start=1):
        wanted = {"desired": "running", "user_data": "<h1>hi</h1>", "image": ec2.image(), "number": number}
        assert wanted.items() <= dict(record.more).items()
        assert IPv4Address(record.more["address"]) in IPv4Network("127.16.0.0/12")
    assert records[0].more["address"] != records[1].more["address"]


def test_new_instances_are_pending(ec2: Ec2):
    made = ec2("RunInstances", ImageId=ec2.image(), MinCount=1, MaxCount=1)["Instances"]
    assert made[0]["State"] == {"Code": 0, "Name": "pending"}


def test_an_instance_stands_in_the_default_subnet_with_the_default_group(ec2: Ec2):
    (made,) = ec2.run(TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}])
    instance = ec2.instance(made)
    assert (instance["SubnetId"], instance["VpcId"]) == (ec2.subnet(), ec2.vpc)
    assert instance["Placement"]["AvailabilityZone"] == "us-east-1a"
    assert instance["SecurityGroups"] == [{"GroupId": ec2.group, "GroupName": "default"}]
    assert (instance["PrivateIpAddress"], instance["PrivateDnsName"]) == (
        "172.31.0.4",
        "ip-172-31-0-4.ec2.internal",
    )
    assert instance["PublicIpAddress"].startswith("127.")
    assert instance["Tags"] == [{"Key": "Name", "Value": "web"}]
    assert instance["NetworkInterfaces"][0]["Association"]["PublicIp"] == instance["PublicIpAddress"]


def test_a_registered_instance_is_a_target_at_its_own_address(ec2: Ec2):
    (made,) = ec2.run()
    arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/0123456789abcdef"
    group = {"TargetGroupArn": arn, "TargetGroupName": "web", "Protocol": "HTTP", "Port": 80, "TargetType": "instance"}
    checks = {"HealthCheckProtocol": "HTTP", "HealthCheckPort": "traffic-port", "HealthCheckPath": "/"}
    checks |= {"HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 5, "HealthyThresholdCount": 5}
    checks |= {"UnhealthyThresholdCount": 2, "HealthCheckEnabled": True, "Matcher": {"HttpCode": "200"}}
    checks |= {"VpcId": ec2.vpc, "ProtocolVersion": "HTTP1", "IpAddressType": "ipv4"}
    ec2.aws.put(
        Record(Kind.TARGET_GROUP, arn, REGION, ACCOUNT, group | checks),
        Record(Kind.TARGET, f"{arn}/{made}:80", REGION, ACCOUNT, {"Id": made, "Port": 80}, arn),
    )
    config = Traffic(Placing(), security_groups=True).config_of(Transaction(ec2.aws.records), lambda _: False)
    (target,) = config.target_groups[0].targets
    more = ec2.aws.records.get(Kind.INSTANCE, made).more
    assert (target.place, target.zone) == (Place(more["address"], 80), "us-east-1a")


def test_a_zone_a_subnet_and_groups_can_be_chosen(ec2: Ec2):
    group = ec2("CreateSecurityGroup", GroupName="web", Description="d")["GroupId"]
    (by_zone,) = ec2.run(Placement={"AvailabilityZone": "us-east-1c"}, SecurityGroups=["web"])
    assert ec2.instance(by_zone)["SubnetId"] == ec2.subnet("c")
    assert ec2.instance(by_zone)["SecurityGroups"] == [{"GroupId": group, "GroupName": "web"}]
    interface = {"DeviceIndex": 0, "SubnetId": ec2.subnet("b"), "Groups": [group], "AssociatePublicIpAddress": False}
    (by_interface,) = ec2.run(NetworkInterfaces=[interface])
    instance = ec2.instance(by_interface)
    assert (instance["SubnetId"], instance["SecurityGroups"][0]["GroupId"]) == (ec2.subnet("b"), group)
    assert "PublicIpAddress" not in instance


def test_an_empty_zone_is_none(ec2: Ec2):
    (made,) = ec2.run(SubnetId=ec2.subnet("b"), Placement={"AvailabilityZone": "", "Tenancy": "default"})
    assert ec2.instance(made)["Placement"]["AvailabilityZone"] == "us-east-1b"


def test_an_address_can_be_asked_for(ec2: Ec2):
    (made,) = ec2.run(PrivateIpAddress="172.31.0.77")
    assert ec2.instance(made)["PrivateIpAddress"] == "172.31.0.77"
    given = {"ImageId": ec2.image(), "MinCount": 1, "MaxCount": 1}
    for address, code in (
        ("172.31.0.77", "InvalidIPAddress.InUse"),
        ("10.0.0.1", "InvalidParameterValue"),
        ("172.31.0.3", "InvalidParameterValue"),
        ("172.31.15.255", "InvalidParameterValue"),
        ("web", "InvalidParameterValue"),
    ):
        assert ec2.code("RunInstances", **given, PrivateIpAddress=address) == code


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"ImageId": "ami-0123"}, "InvalidAMIID.NotFound", "The image id '[ami-0123]' does not exist"),
        ({"ImageId": "ubuntu"}, "InvalidAMIID.Malformed", 'Invalid id: "ubuntu" (expecting "ami-...")'),
        ({"SubnetId": "subnet-0123"}, "InvalidSubnetID.NotFound", "The subnet ID 'subnet-0123' does not exist"),
        ({"SecurityGroupIds": ["sg-0123"]}, "InvalidGroup.NotFound", "The security group 'sg-0123' does not exist"),
        ({"UserData": "%"}, "InvalidUserData.Malformed", "Invalid BASE64 encoding of user data"),
        (
            {"UserData": user_data("x" * 16385)},
            "InvalidParameterValue",
            "User data is limited to 16384 bytes",
        ),
        (
            {"MinCount": 0},
            "InvalidParameterValue",
            "Value (0) for parameter minCount is invalid. Minimum is 1.",
        ),
        (
            {"MinCount": 2},
            "InvalidParameterValue",
            "Value (2) for parameter minCount is invalid. It is greater than maxCount (1).",
        ),
        (
            {"LaunchTemplate": {"LaunchTemplateName": "x"}},
            "UnsupportedOperation",
            "Launch templates are not served by this endpoint",
        ),
        (
            {"Placement": {"AvailabilityZone": "us-east-1z"}},
            "InvalidParameterValue",
            "Invalid availability zone: [us-east-1z]",
        ),
    ],
)
def test_a_launch_that_cannot_be_is_refused(ec2: Ec2, params, code: str, message: str):
    error = ec2.refused("RunInstances", **{"ImageId": ec2.image(), "MinCount": 1, "MaxCount": 1} | params)
    assert (error.code, error.message) == (code, message)


def test_groups_and_interfaces_that_do_not_go_together_are_refused(ec2: Ec2):
    vpc = ec2("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2("CreateSecurityGroup", GroupName="web", Description="d", VpcId=vpc)["GroupId"]
    given = {"ImageId": ec2.image(), "MinCount": 1, "MaxCount": 1}
    error = ec2.refused("RunInstances", **given, SecurityGroupIds=[group])
    message = f"Security group {group} and subnet {ec2.subnet()} belong to different networks."
    assert (error.code, error.message) == ("InvalidParameter", message)
    combined = {"NetworkInterfaces": [{"DeviceIndex": 0}], "SubnetId": ec2.subnet()}
    assert ec2.code("RunInstances", **given, **combined) == "InvalidParameterCombination"
    two = [{"DeviceIndex": 0}, {"DeviceIndex": 1}]
    assert ec2.code("RunInstances", **given, NetworkInterfaces=two) == "UnsupportedOperation"
    by_name = {"SecurityGroups": ["default"], "SubnetId": ec2.subnet()}
    assert ec2.code("RunInstances", **given, **by_name) == "InvalidParameterCombination"
    assert ec2.code("RunInstances", MinCount=1, MaxCount=1) == "MissingParameter"


def test_the_same_client_token_launches_once(ec2: Ec2):
    given = {"ImageId": ec2.image(), "MinCount": 1, "MaxCount": 1, "ClientToken": "once"}
    first, again = ec2("RunInstances", **given), ec2("RunInstances", **given)
    assert first["ReservationId"] == again["ReservationId"]
    assert len(list(ec2.aws.records.all(Kind.INSTANCE))) == 1
    error = ec2.refused("RunInstances", **given | {"MaxCount": 2})
    assert error.code == "IdempotentParameterMismatch"


def test_no_more_instances_than_the_limits(ec2: Ec2):
    for _ in range(2):
        assert len(ec2.run(20)) == 20
    made = ec2("RunInstances", ImageId=ec2.image(), MinCount=1, MaxCount=20)["Instances"]
    assert len(made) == 10
    given = {"ImageId": ec2.image(), "MinCount": 1, "MaxCount": 1}
    assert ec2.code("RunInstances", **given) == "InstanceLimitExceeded"
    ec2("TerminateInstances", InstanceIds=[made[0]["InstanceId"]])
    (another,) = ec2.run()
    addresses = [instance.more["address"] for instance in ec2.aws.records.all(Kind.INSTANCE)]
    assert len(set(addresses)) == len(addresses)
    assert ec2.aws.records.get(Kind.INSTANCE, another).more["number"] == 51


def test_a_launch_is_at_most_twenty_instances(ec2: Ec2):
    given = {"ImageId": ec2.image(), "MinCount": 21, "MaxCount": 21}
    assert ec2.code("RunInstances", **given) == "InstanceLimitExceeded"


def test_a_small_subnet_runs_out_of_addresses(ec2: Ec2):
    vpc = ec2("CreateVpc", CidrBlock="10.0.0.0/28")["Vpc"]["VpcId"]
    subnet = ec2("CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/28")["Subnet"]["SubnetId"]
    ec2.run(11, SubnetId=subnet)
    error = ec2.refused("RunInstances", ImageId=ec2.image(), MinCount=1, MaxCount=1, SubnetId=subnet)
    assert error.code == "InsufficientFreeAddressesInSubnet"


def test_images_can_be_named_by_the_parameters_that_guides_use(ec2: Ec2):
    parameter = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    (made,) = ec2.run(ImageId=parameter)
    assert ec2.instance(made)["ImageId"] == ec2.image()
    given = {"ImageId": "resolve:ssm:/nothing", "MinCount": 1, "MaxCount": 1}
    assert ec2.code("RunInstances", **given) == "InvalidAMIID.Malformed"


def test_an_image_that_is_not_ready_is_refused(ec2: Ec2):
    (instance,) = ec2.run()
    image = ec2("CreateImage", InstanceId=instance, Name="copy")["ImageId"]
    ec2.aws.live.images[image] = "pending"
    given = {"ImageId": image, "MinCount": 1, "MaxCount": 1}
    assert ec2.code("RunInstances", **given) == "InvalidAMIID.Unavailable"
    ec2.aws.live.images[image] = "available"
    (clone,) = ec2.run(ImageId=image)
    assert ec2.aws.records.get(Kind.INSTANCE, clone).more["image"] == image


def test_terminated_instances_are_forgotten_after_an_hour(ec2: Ec2):
    (old,) = ec2.run()
    ec2("TerminateInstances", InstanceIds=[old])
    ec2.aws.now += timedelta(minutes=59)
    ec2.run()
    assert ec2.instance(old)["State"]["Name"] == "terminated"
    ec2.aws.now += timedelta(minutes=2)
    ec2.run()
    assert ec2.code("DescribeInstances", InstanceIds=[old]) == "InvalidInstanceID.NotFound"
