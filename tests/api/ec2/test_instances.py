"""Instances: their states, what is said of them, and their attributes."""

import pytest

from lb.resources.records import Kind
from tests.api.ec2.ec2 import Ec2

CHANGES = {
    "StopInstances": ("StoppingInstances", "stopping", "stopped"),
    "TerminateInstances": ("TerminatingInstances", "shutting-down", "terminated"),
}


def desired(ec2: Ec2, instance: str) -> str:
    return ec2.aws.records.get(Kind.INSTANCE, instance).more["desired"]


@pytest.mark.parametrize("operation", CHANGES)
def test_an_instance_goes_through_the_state_between(ec2: Ec2, operation: str):
    member, between, after = CHANGES[operation]
    (instance,) = ec2.run()
    (change,) = ec2(operation, InstanceIds=[instance])[member]
    assert (change["PreviousState"], change["CurrentState"]["Name"]) == ({"Code": 16, "Name": "running"}, between)
    assert desired(ec2, instance) == after
    ec2.aws.live.instances[instance] = between
    assert ec2.instance(instance)["State"]["Name"] == between
    (change,) = ec2(operation, InstanceIds=[instance])[member]
    assert change["PreviousState"] == change["CurrentState"]
    ec2.settle()
    (change,) = ec2(operation, InstanceIds=[instance])[member]
    assert change["PreviousState"] == change["CurrentState"]
    assert ec2.instance(instance)["State"]["Name"] == after
    assert ec2.instance(instance)["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert "PublicIpAddress" not in ec2.instance(instance)


def test_a_stopped_instance_starts_again(ec2: Ec2):
    (instance,) = ec2.run()
    ec2("StopInstances", InstanceIds=[instance])
    ec2.aws.live.instances[instance] = "stopping"
    error = ec2.refused("StartInstances", InstanceIds=[instance])
    message = f"The instance '{instance}' is not in a state from which it can be started."
    assert (error.code, error.message) == ("IncorrectInstanceState", message)
    ec2.settle()
    (change,) = ec2("StartInstances", InstanceIds=[instance])["StartingInstances"]
    assert change["CurrentState"] == {"Code": 0, "Name": "pending"}
    assert desired(ec2, instance) == "running"


def test_a_stopped_instance_is_terminated_at_once(ec2: Ec2):
    (instance,) = ec2.run()
    ec2("StopInstances", InstanceIds=[instance])
    ec2.settle()
    (change,) = ec2("TerminateInstances", InstanceIds=[instance])["TerminatingInstances"]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("stopped", "terminated")


def test_an_instance_whose_server_does_not_start_says_so(ec2: Ec2):
    (instance,) = ec2.run()
    ec2.aws.live.instances[instance] = "stopped"
    assert ec2.instance(instance)["StateReason"]["Code"] == "Server.InternalError"


def test_what_is_terminated_does_not_come_back(ec2: Ec2):
    (instance,) = ec2.run()
    ec2("TerminateInstances", InstanceIds=[instance])
    ec2.settle()
    for operation in ("StartInstances", "StopInstances", "RebootInstances"):
        assert ec2.code(operation, InstanceIds=[instance]) == "IncorrectInstanceState"


def test_reboots_are_counted_for_who_carries_them_out(ec2: Ec2):
    (instance,) = ec2.run()
    for _ in range(2):
        ec2("RebootInstances", InstanceIds=[instance])
    assert ec2.aws.records.get(Kind.INSTANCE, instance).more["reboots"] == 2


@pytest.mark.parametrize(
    ("attribute", "operation", "what"),
    [
        ("DisableApiTermination", "TerminateInstances", "terminated"),
        ("DisableApiStop", "StopInstances", "stopped"),
    ],
)
def test_a_protected_instance_is_left_alone(ec2: Ec2, attribute: str, operation: str, what: str):
    (instance,) = ec2.run(**{attribute: True})
    error = ec2.refused(operation, InstanceIds=[instance])
    name = attribute[0].lower() + attribute[1:]
    assert error.code == "OperationNotPermitted"
    assert error.message == (
        f"The instance '{instance}' may not be {what}. Modify its '{name}' instance attribute and try again."
    )
    ec2("ModifyInstanceAttribute", InstanceId=instance, **{attribute: {"Value": False}})
    ec2(operation, InstanceIds=[instance])


def test_all_or_none_of_several_instances_change(ec2: Ec2):
    (instance,) = ec2.run()
    error = ec2.refused("StopInstances", InstanceIds=[instance, "i-0123", "i-0124"])
    assert (error.code, error.message) == (
        "InvalidInstanceID.NotFound",
        "The instance IDs 'i-0123, i-0124' do not exist",
    )
    assert desired(ec2, instance) == "running"
    error = ec2.refused("StopInstances", InstanceIds=["i-0123"])
    assert error.message == "The instance ID 'i-0123' does not exist"
    assert ec2.code("TerminateInstances", InstanceIds=["web"]) == "InvalidInstanceID.Malformed"


def test_instances_are_listed_by_launch_and_filtered(ec2: Ec2):
    first, second = ec2.run(2)
    (third,) = ec2.run(TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "role", "Value": "db"}]}])
    listed = ec2("DescribeInstances")["Reservations"]
    assert [[each["InstanceId"] for each in reservation["Instances"]] for reservation in listed] == [
        [first, second],
        [third],
    ]

    def found(name: str, *values: str):
        answer = ec2("DescribeInstances", Filters=[{"Name": name, "Values": list(values)}])
        return [each["InstanceId"] for reservation in answer["Reservations"] for each in reservation["Instances"]]

    assert found("tag:role", "d?") == found("tag-key", "role") == found("tag:role", "web", "db") == [third]
    assert found("instance-state-name", "running") == [first, second, third]
    assert found("instance-state-code", "80") == []
    assert found("reservation-id", listed[0]["ReservationId"]) == [first, second]
    assert found("vpc-id", ec2.vpc[:-1] + "*") == [first, second, third]
    error = ec2.refused("DescribeInstances", Filters=[{"Name": "colour", "Values": ["red"]}])
    assert (error.code, error.message) == ("InvalidParameterValue", "The filter 'colour' is invalid")


def test_instances_come_in_pages(ec2: Ec2):
    made = ec2.run(7)
    first = ec2("DescribeInstances", MaxResults=5)
    rest = ec2("DescribeInstances", MaxResults=5, NextToken=first["NextToken"])
    pages = [first["Reservations"][0]["Instances"], rest["Reservations"][0]["Instances"]]
    assert [each["InstanceId"] for page in pages for each in page] == made
    assert "NextToken" not in rest
    assert ec2.code("DescribeInstances", MaxResults=4) == "InvalidParameterValue"
    assert ec2.code("DescribeInstances", NextToken="next") == "InvalidNextToken"


def test_the_status_is_of_running_instances_unless_all_are_asked_for(ec2: Ec2):
    running, starting = ec2.run(2)
    ec2.aws.live.instances[starting] = "pending"
    (status,) = ec2("DescribeInstanceStatus")["InstanceStatuses"]
    assert (status["InstanceId"], status["InstanceStatus"]["Status"]) == (running, "ok")
    every = ec2("DescribeInstanceStatus", IncludeAllInstances=True)["InstanceStatuses"]
    assert [each["InstanceStatus"]["Status"] for each in every] == ["ok", "initializing"]
    assert ec2.code("DescribeInstanceStatus", InstanceIds=["i-0123"]) == "InvalidInstanceID.NotFound"


ATTRIBUTES = {
    "disableApiTermination": ("DisableApiTermination", {"Value": False}),
    "disableApiStop": ("DisableApiStop", {"Value": False}),
    "instanceInitiatedShutdownBehavior": ("InstanceInitiatedShutdownBehavior", {"Value": "stop"}),
    "sourceDestCheck": ("SourceDestCheck", {"Value": True}),
    "instanceType": ("InstanceType", {"Value": "t3.micro"}),
    "ebsOptimized": ("EbsOptimized", {"Value": False}),
    "enaSupport": ("EnaSupport", {"Value": True}),
    "rootDeviceName": ("RootDeviceName", {"Value": "/dev/xvda"}),
    "userData": ("UserData", {}),
    "enclaveOptions": ("EnclaveOptions", {"Enabled": False}),
    "productCodes": ("ProductCodes", []),
    "kernel": ("KernelId", {}),
    "ramdisk": ("RamdiskId", {}),
    "sriovNetSupport": ("SriovNetSupport", {}),
}


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_attributes_at_first(ec2: Ec2, attribute: str):
    (instance,) = ec2.run()
    member, value = ATTRIBUTES[attribute]
    answer = ec2("DescribeInstanceAttribute", InstanceId=instance, Attribute=attribute)
    assert answer == {"InstanceId": instance, member: value}


def test_groups_of_an_instance_can_be_changed(ec2: Ec2):
    (instance,) = ec2.run()
    group = ec2("CreateSecurityGroup", GroupName="web", Description="d")["GroupId"]
    ec2("ModifyInstanceAttribute", InstanceId=instance, Groups=[group])
    groups = [{"GroupId": group, "GroupName": "web"}]
    assert ec2("DescribeInstanceAttribute", InstanceId=instance, Attribute="groupSet")["Groups"] == groups
    (interface,) = ec2("DescribeNetworkInterfaces")["NetworkInterfaces"]
    assert interface["Groups"] == groups
    assert ec2.code("ModifyInstanceAttribute", InstanceId=instance, Groups=["sg-0123"]) == "InvalidGroup.NotFound"
    assert ec2.code("ModifyInstanceAttribute", InstanceId=instance, Groups=[]) == "InvalidParameterValue"


def test_user_data_is_changed_while_the_instance_is_stopped(ec2: Ec2):
    (instance,) = ec2.run()
    change = {"InstanceId": instance, "UserData": {"Value": b"<h1>new</h1>"}}
    error = ec2.refused("ModifyInstanceAttribute", **change)
    message = f"The instance '{instance}' is not in the 'stopped' state."
    assert (error.code, error.message) == ("IncorrectInstanceState", message)
    ec2("StopInstances", InstanceIds=[instance])
    ec2.settle()
    ec2("ModifyInstanceAttribute", **change)
    assert ec2.aws.records.get(Kind.INSTANCE, instance).more["user_data"] == "<h1>new</h1>"
    answer = ec2("DescribeInstanceAttribute", InstanceId=instance, Attribute="userData")
    assert answer["UserData"] == {"Value": "PGgxPm5ldzwvaDE+"}
    no_text = {"InstanceId": instance, "UserData": {"Value": b"\xff"}}
    assert ec2.code("ModifyInstanceAttribute", **no_text) == "InvalidUserData.Malformed"


def test_an_attribute_can_be_named_by_text(ec2: Ec2):
    (instance,) = ec2.run()
    named = {"InstanceId": instance, "Attribute": "disableApiTermination"}
    ec2("ModifyInstanceAttribute", **named, Value="true")
    assert ec2("DescribeInstanceAttribute", **named)["DisableApiTermination"] == {"Value": True}
    assert ec2.code("ModifyInstanceAttribute", **named, Value="maybe") == "InvalidParameterValue"
    assert ec2.code("ModifyInstanceAttribute", InstanceId=instance) == "InvalidParameterCombination"
    kernel = {"InstanceId": instance, "Attribute": "kernel", "Value": "aki-1"}
    assert ec2.code("ModifyInstanceAttribute", **kernel) == "InvalidParameterValue"


def test_a_stopped_instance_can_get_another_type(ec2: Ec2):
    (instance,) = ec2.run()
    bigger = {"InstanceId": instance, "InstanceType": {"Value": "t3.large"}}
    assert ec2.code("ModifyInstanceAttribute", **bigger) == "IncorrectInstanceState"
    ec2("StopInstances", InstanceIds=[instance])
    ec2.settle()
    ec2("ModifyInstanceAttribute", **bigger)
    assert ec2.instance(instance)["InstanceType"] == "t3.large"


def test_each_instance_has_a_root_volume_until_it_is_terminated(ec2: Ec2):
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20}}
    (instance,) = ec2.run(BlockDeviceMappings=[mapping])
    (device,) = ec2.instance(instance)["BlockDeviceMappings"]
    volume_id = device["Ebs"]["VolumeId"]
    (volume,) = ec2("DescribeVolumes", VolumeIds=[volume_id])["Volumes"]
    assert (volume["Size"], volume["Attachments"][0]["InstanceId"]) == (20, instance)
    ec2("TerminateInstances", InstanceIds=[instance])
    assert ec2.code("DescribeVolumes", VolumeIds=[volume_id]) == "InvalidVolume.NotFound"


def test_credits_and_profiles_are_answered(ec2: Ec2):
    (instance,) = ec2.run()
    credit = [{"InstanceId": instance, "CpuCredits": "standard"}]
    answer = ec2("DescribeInstanceCreditSpecifications", InstanceIds=[instance])
    assert answer == {"InstanceCreditSpecifications": credit}
    assert ec2("DescribeIamInstanceProfileAssociations") == {"IamInstanceProfileAssociations": []}
