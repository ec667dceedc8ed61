from typing import Any

import pytest

from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, SECURITY_GROUP, SUBNETS, VPC, Aws
from tests.api.service import Service

ARN = f"arn:aws:rds:{REGION}:{ACCOUNT}:db"
GIVEN: dict[str, Any] = {
    "DBInstanceIdentifier": "shop",
    "DBInstanceClass": "db.t3.micro",
    "Engine": "mysql",
    "AllocatedStorage": 20,
    "MasterUsername": "admin",
    "MasterUserPassword": "long enough",
}


@pytest.fixture(autouse=True)
def security_groups(aws: Aws) -> None:
    """One more in the default VPC, and one in another VPC."""
    for group, vpc in (("sg-db", VPC), ("sg-far", "vpc-far")):
        shape = {"GroupId": group, "GroupName": group, "VpcId": vpc}
        aws.put(Record(Kind.SECURITY_GROUP, group, REGION, ACCOUNT, shape))


def create(rds: Service, name: str = "shop", **more: Any) -> dict[str, Any]:
    return dict(rds("CreateDBInstance", **{**GIVEN, "DBInstanceIdentifier": name, **more})["DBInstance"])


def shown(rds: Service, name: str = "shop") -> dict[str, Any]:
    (found,) = rds("DescribeDBInstances", DBInstanceIdentifier=name)["DBInstances"]
    return dict(found)


def names(rds: Service, **params: Any) -> list[str]:
    return [each["DBInstanceIdentifier"] for each in rds("DescribeDBInstances", **params)["DBInstances"]]


def test_the_endpoint_is_the_configured_server(rds: Service):
    assert create(rds, "Shop")["DBInstanceStatus"] == "creating"
    found = shown(rds)
    assert (found["DBInstanceStatus"], found["Endpoint"]) == ("available", {"Address": "mysql.test", "Port": 3306})
    assert (found["DBInstanceIdentifier"], found["DBInstanceArn"]) == ("shop", f"{ARN}:shop")
    assert (found["Engine"], found["EngineVersion"]) == ("mysql", "8.0.42")
    assert found["DBParameterGroups"] == [
        {"DBParameterGroupName": "default.mysql8.0", "ParameterApplyStatus": "in-sync"}
    ]


def test_it_stands_in_the_default_vpc_with_its_default_security_group(rds: Service):
    found = create(rds)
    assert found["DBSubnetGroup"]["DBSubnetGroupName"] == "default"
    assert found["DBSubnetGroup"]["VpcId"] == VPC
    assert [subnet["SubnetIdentifier"] for subnet in found["DBSubnetGroup"]["Subnets"]] == list(SUBNETS)
    assert found["VpcSecurityGroups"] == [{"VpcSecurityGroupId": SECURITY_GROUP, "Status": "active"}]
    assert found["AvailabilityZone"] == "us-east-1a"


def test_what_is_asked_for_is_kept_but_the_password(rds: Service, aws: Aws):
    asked = {
        "DBName": "shop",
        "EngineVersion": "8.4",
        "AllocatedStorage": 50,
        "StorageType": "gp3",
        "MultiAZ": True,
        "BackupRetentionPeriod": 7,
        "AvailabilityZone": "us-east-1c",
        "VpcSecurityGroupIds": ["sg-db"],
        "DeletionProtection": True,
    }
    create(rds, **asked, Tags=[{"Key": "team", "Value": "a"}])
    found = shown(rds)
    kept = {name: value for name, value in asked.items() if name not in ("EngineVersion", "VpcSecurityGroupIds")}
    assert {name: found[name] for name in kept} == kept
    assert found["EngineVersion"] == "8.4.5"
    assert found["VpcSecurityGroups"] == [{"VpcSecurityGroupId": "sg-db", "Status": "active"}]
    assert found["TagList"] == [{"Key": "team", "Value": "a"}]
    assert "long enough" not in repr(list(aws.records.all(Kind.DB_INSTANCE)))


def test_without_a_configured_database_none_is_created(rds: Service, aws: Aws):
    aws.live.database = None
    error = rds.refused("CreateDBInstance", **GIVEN)
    assert error.code == "InsufficientDBInstanceCapacity"
    assert "LB_DB_HOST" in error.message


def test_an_instance_whose_database_is_configured_no_more_has_failed(rds: Service, aws: Aws):
    create(rds)
    aws.live.database = None
    found = shown(rds)
    assert (found["DBInstanceStatus"], "Endpoint" in found) == ("failed", False)


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "an identifier that ends with a hyphen": (
        {"DBInstanceIdentifier": "shop-"},
        "InvalidParameterValue",
        (
            "The parameter DBInstanceIdentifier is not a valid identifier. Identifiers must begin with a letter; must "
            "contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive "
            "hyphens."
        ),
    ),
    "another engine": ({"Engine": "postgres"}, "InvalidParameterValue", "Invalid DB engine"),
    "an unknown version": (
        {"EngineVersion": "8.4.55"},
        "InvalidParameterCombination",
        "Cannot find version 8.4.55 for mysql",
    ),
    "no user": (
        {"MasterUsername": None},
        "InvalidParameterValue",
        "The parameter MasterUsername must be provided and must not be blank.",
    ),
    "no password": (
        {"MasterUserPassword": None},
        "InvalidParameterValue",
        "The parameter MasterUserPassword must be provided and must not be blank.",
    ),
    "a short password": (
        {"MasterUserPassword": "short"},
        "InvalidParameterValue",
        "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.",
    ),
    "no storage": (
        {"AllocatedStorage": None},
        "InvalidParameterValue",
        "The parameter AllocatedStorage must be provided and must not be blank.",
    ),
    "little storage": (
        {"AllocatedStorage": 19},
        "InvalidParameterValue",
        "Invalid storage size for engine name mysql and storage type gp2: 19",
    ),
    "an unknown security group": (
        {"VpcSecurityGroupIds": ["sg-gone"]},
        "InvalidParameterValue",
        "Invalid security group , groupId= sg-gone, groupName=.",
    ),
    "a security group of another VPC": (
        {"VpcSecurityGroupIds": ["sg-far"]},
        "InvalidParameterCombination",
        (
            "The DB instance and EC2 security group are in different VPCs. "
            f"The DB instance is in {VPC} and the EC2 security group is in vpc-far"
        ),
    ),
    "an unknown subnet group": (
        {"DBSubnetGroupName": "gone"},
        "DBSubnetGroupNotFoundFault",
        "DB subnet group 'gone' does not exist.",
    ),
    "a zone without a subnet": (
        {"AvailabilityZone": "us-east-1f"},
        "InvalidVPCNetworkStateFault",
        "The DB subnet group 'default' has no subnet in the Availability Zone us-east-1f.",
    ),
    "a tag without a key": ({"Tags": [{"Value": "a"}]}, "InvalidParameterValue", "A tag must have a key"),
    "a reserved tag": (
        {"Tags": [{"Key": "aws:x", "Value": ""}]},
        "InvalidParameterValue",
        'Invalid Tag Key: "aws:x". AWS internal tags cannot be changed with this API',
    ),
}


@pytest.mark.parametrize(("changed", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_creating_is_refused_for(rds: Service, changed: dict[str, Any], code: str, message: str):
    given = {name: value for name, value in {**GIVEN, **changed}.items() if value is not None}
    error = rds.refused("CreateDBInstance", **given)
    assert (error.code, error.message) == (code, message)


def test_without_a_default_vpc_there_is_no_default_subnet_group(rds: Service):
    error = rds.refused("CreateDBInstance", region="eu-west-1", **GIVEN)
    assert (error.code, error.message) == ("DBSubnetGroupNotFoundFault", "DB subnet group 'default' does not exist.")


def test_a_password_that_aws_manages_need_not_be_given(rds: Service):
    given = {name: value for name, value in GIVEN.items() if name != "MasterUserPassword"}
    assert rds("CreateDBInstance", **given, ManageMasterUserPassword=True)["DBInstance"]["MasterUsername"] == "admin"


def test_an_identifier_is_taken_once_in_any_case_of_letters(rds: Service):
    create(rds)
    error = rds.refused("CreateDBInstance", **{**GIVEN, "DBInstanceIdentifier": "SHOP"})
    assert (error.code, error.message) == ("DBInstanceAlreadyExists", "DB instance already exists")


def test_instances_are_found_by_identifier_arn_and_filters(rds: Service):
    create(rds)
    create(rds, "blog", Engine="mariadb")
    assert names(rds) == ["shop", "blog"]
    assert names(rds, DBInstanceIdentifier="SHOP") == ["shop"]
    assert names(rds, DBInstanceIdentifier=f"{ARN}:blog") == ["blog"]
    assert names(rds, Filters=[{"Name": "engine", "Values": ["mariadb", "postgres"]}]) == ["blog"]
    both = [{"Name": "engine", "Values": ["mariadb"]}, {"Name": "db-instance-id", "Values": ["shop"]}]
    assert names(rds, Filters=both) == []
    error = rds.refused("DescribeDBInstances", Filters=[{"Name": "color", "Values": ["red"]}])
    assert (error.code, error.message) == ("InvalidParameterValue", "Unrecognized filter name: color")


def test_instances_come_in_pages(rds: Service):
    for number in range(21):
        create(rds, f"db{number}")
    first = rds("DescribeDBInstances", MaxRecords=20)
    assert len(first["DBInstances"]) == 20
    assert names(rds, Marker=first["Marker"]) == ["db20"]
    error = rds.refused("DescribeDBInstances", MaxRecords=19)
    assert error.message == "Invalid value 19 for MaxRecords. Must be between 20 and 100"
    assert rds.refused("DescribeDBInstances", Marker="nonsense").code == "InvalidParameterValue"


def test_an_instance_changes_at_once(rds: Service):
    create(rds)
    asked = {"AllocatedStorage": 40, "DBInstanceClass": "db.t3.large", "DeletionProtection": True}
    more = {"EngineVersion": "8.4", "VpcSecurityGroupIds": ["sg-db"], "ApplyImmediately": False}
    rds("ModifyDBInstance", DBInstanceIdentifier="shop", **asked, **more)
    found = shown(rds)
    assert {name: found[name] for name in asked} == asked
    assert found["EngineVersion"] == "8.4.5"
    assert [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]] == ["sg-db"]
    assert found["MasterUsername"] == "admin"


def test_an_instance_gets_another_identifier(rds: Service):
    create(rds, Tags=[{"Key": "team", "Value": "a"}])
    rds("ModifyDBInstance", DBInstanceIdentifier="shop", NewDBInstanceIdentifier="Store")
    assert names(rds) == ["store"]
    assert shown(rds, "store")["DBInstanceArn"] == f"{ARN}:store"
    assert shown(rds, "store")["TagList"] == [{"Key": "team", "Value": "a"}]
    create(rds)
    given = {"DBInstanceIdentifier": "shop", "NewDBInstanceIdentifier": "store"}
    assert rds.refused("ModifyDBInstance", **given).code == "DBInstanceAlreadyExists"


BAD_CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "little storage": ({"AllocatedStorage": 1}, "InvalidParameterValue"),
    "a short password": ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
    "an unknown version": ({"EngineVersion": "5"}, "InvalidParameterCombination"),
    "a security group of another VPC": ({"VpcSecurityGroupIds": ["sg-far"]}, "InvalidParameterCombination"),
    "an unknown subnet group": ({"DBSubnetGroupName": "gone"}, "DBSubnetGroupNotFoundFault"),
    "a bad identifier": ({"NewDBInstanceIdentifier": "1"}, "InvalidParameterValue"),
}


@pytest.mark.parametrize(("changed", "code"), BAD_CHANGES.values(), ids=BAD_CHANGES)
def test_a_change_is_refused_for(rds: Service, changed: dict[str, Any], code: str):
    create(rds)
    assert rds.refused("ModifyDBInstance", DBInstanceIdentifier="shop", **changed).code == code


def test_an_instance_is_deleted(rds: Service):
    create(rds)
    create(rds, "blog")
    answer = rds("DeleteDBInstance", DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    assert answer["DBInstance"]["DBInstanceStatus"] == "deleting"
    rds("DeleteDBInstance", DBInstanceIdentifier="blog", FinalDBSnapshotIdentifier="last")
    assert names(rds) == []


BAD_DELETIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no word on the snapshot": ({}, "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."),
    "two words on the snapshot": (
        {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "last"},
        "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is specified.",
    ),
}


@pytest.mark.parametrize(("params", "message"), BAD_DELETIONS.values(), ids=BAD_DELETIONS)
def test_a_deletion_is_refused_for(rds: Service, params: dict[str, Any], message: str):
    create(rds)
    error = rds.refused("DeleteDBInstance", DBInstanceIdentifier="shop", **params)
    assert (error.code, error.message) == ("InvalidParameterCombination", message)


def test_a_protected_instance_stays(rds: Service):
    create(rds, DeletionProtection=True)
    error = rds.refused("DeleteDBInstance", DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    assert error.code == "InvalidParameterCombination"
    assert error.message == "Cannot delete protected DB Instance, please disable deletion protection and try again."


@pytest.mark.parametrize("operation", ["DescribeDBInstances", "ModifyDBInstance", "DeleteDBInstance"])
def test_an_instance_that_is_not_there_is_unknown(rds: Service, operation: str):
    create(rds)
    assert rds("DescribeDBInstances", region="eu-west-1")["DBInstances"] == []
    error = rds.refused(operation, DBInstanceIdentifier="gone")
    assert (error.code, error.message) == ("DBInstanceNotFound", "DBInstance gone not found.")
    assert rds.refused(operation, region="eu-west-1", DBInstanceIdentifier=f"{ARN}:shop").code == "DBInstanceNotFound"


def test_tags_come_and_go(rds: Service):
    create(rds, Tags=[{"Key": "a", "Value": "1"}])
    arn = f"{ARN}:shop"
    rds("AddTagsToResource", ResourceName=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    assert rds("ListTagsForResource", ResourceName=arn)["TagList"] == shown(rds)["TagList"]
    assert shown(rds)["TagList"] == [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}]
    rds("RemoveTagsFromResource", ResourceName=arn, TagKeys=["a", "none"])
    assert shown(rds)["TagList"] == [{"Key": "b", "Value": "3"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert rds.refused("AddTagsToResource", ResourceName=arn, Tags=many).code == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("operation", "more"),
    [("AddTagsToResource", {"Tags": []}), ("RemoveTagsFromResource", {"TagKeys": []}), ("ListTagsForResource", {})],
)
def test_tags_of_what_is_not_there_are_unknown(rds: Service, operation: str, more: dict[str, Any]):
    group = f"arn:aws:rds:{REGION}:{ACCOUNT}:subgrp:gone"
    assert rds.refused(operation, ResourceName=f"{ARN}:gone", **more).code == "DBInstanceNotFound"
    assert rds.refused(operation, ResourceName=group, **more).code == "DBSubnetGroupNotFoundFault"
    assert rds.refused(operation, ResourceName="shop", **more).code == "InvalidParameterValue"
