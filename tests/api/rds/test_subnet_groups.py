from typing import Any

import pytest

from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, SUBNETS, VPC, Aws
from tests.api.rds.test_instances import GIVEN
from tests.api.service import Service


@pytest.fixture(autouse=True)
def other_subnets(aws: Aws) -> None:
    """One more in zone a, and one of another VPC in zone b."""
    for subnet, vpc, zone in (("subnet-again", VPC, "a"), ("subnet-far", "vpc-far", "b")):
        shape = {"SubnetId": subnet, "VpcId": vpc, "AvailabilityZone": f"{REGION}{zone}"}
        aws.put(Record(Kind.SUBNET, subnet, REGION, ACCOUNT, shape))


def create(rds: Service, name: str = "inner", subnets: tuple[str, ...] = SUBNETS[1:], **more: Any) -> dict[str, Any]:
    given = {"DBSubnetGroupName": name, "DBSubnetGroupDescription": "for databases", "SubnetIds": list(subnets)}
    return dict(rds("CreateDBSubnetGroup", **given, **more)["DBSubnetGroup"])


def names(rds: Service, **params: Any) -> list[str]:
    return [each["DBSubnetGroupName"] for each in rds("DescribeDBSubnetGroups", **params)["DBSubnetGroups"]]


def test_a_group_knows_its_subnets(rds: Service):
    found = create(rds, "Inner Ring", Tags=[{"Key": "a", "Value": "b"}])
    assert found == {
        "DBSubnetGroupName": "inner ring",
        "DBSubnetGroupDescription": "for databases",
        "DBSubnetGroupArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:subgrp:inner ring",
        "VpcId": VPC,
        "SubnetGroupStatus": "Complete",
        "SupportedNetworkTypes": ["IPV4"],
        "Subnets": [
            {
                "SubnetIdentifier": subnet,
                "SubnetAvailabilityZone": {"Name": zone},
                "SubnetOutpost": {},
                "SubnetStatus": "Active",
            }
            for subnet, zone in zip(SUBNETS[1:], ("us-east-1b", "us-east-1c"), strict=True)
        ],
    }
    assert rds("DescribeDBSubnetGroups", DBSubnetGroupName="INNER ring")["DBSubnetGroups"] == [found]
    tags = rds("ListTagsForResource", ResourceName=found["DBSubnetGroupArn"])["TagList"]
    assert tags == [{"Key": "a", "Value": "b"}]


def test_groups_are_listed_by_region_and_in_pages(rds: Service):
    for number in range(21):
        create(rds, f"g{number}")
    first = rds("DescribeDBSubnetGroups", MaxRecords=20)
    assert names(rds, Marker=first["Marker"]) == ["g20"]
    assert names(rds, region="eu-west-1") == []
    assert rds("DescribeDBInstances")["DBInstances"] == []


def test_a_database_stands_in_its_group(rds: Service):
    group = create(rds)
    made = rds("CreateDBInstance", **GIVEN, DBSubnetGroupName="Inner")["DBInstance"]
    assert (made["DBSubnetGroup"], made["AvailabilityZone"]) == (group, "us-east-1b")


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "the reserved name": (
        {"name": "Default"},
        "InvalidParameterValue",
        "The DB subnet group name 'default' is reserved.",
    ),
    "a name with other characters": (
        {"name": "a/b"},
        "InvalidParameterValue",
        (
            "The parameter DBSubnetGroupName must contain no more than 255 characters: "
            "letters, digits, periods, underscores, spaces and hyphens."
        ),
    ),
    "an unknown subnet": (
        {"subnets": (SUBNETS[0], "subnet-gone")},
        "InvalidSubnet",
        "Some input subnets in :[subnet-gone] are invalid.",
    ),
    "subnets of two VPCs": (
        {"subnets": (SUBNETS[0], "subnet-far")},
        "InvalidSubnet",
        "All subnets of a DB subnet group must be in the same VPC.",
    ),
    "one zone": (
        {"subnets": (SUBNETS[0], "subnet-again")},
        "DBSubnetGroupDoesNotCoverEnoughAZs",
        (
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
            "Current AZ coverage: us-east-1a. Add subnets to cover at least 2 AZs."
        ),
    ),
    "no subnet": (
        {"subnets": ()},
        "DBSubnetGroupDoesNotCoverEnoughAZs",
        (
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
            "Current AZ coverage: . Add subnets to cover at least 2 AZs."
        ),
    ),
}


@pytest.mark.parametrize(("given", "code", "message"), BAD.values(), ids=BAD)
def test_a_group_is_refused_for(rds: Service, given: dict[str, Any], code: str, message: str):
    params = {
        "DBSubnetGroupName": given.get("name", "inner"),
        "DBSubnetGroupDescription": "for databases",
        "SubnetIds": list(given.get("subnets", SUBNETS)),
    }
    error = rds.refused("CreateDBSubnetGroup", **params)
    assert (error.code, error.message) == (code, message)


def test_a_name_is_taken_once(rds: Service):
    create(rds)
    given = {"DBSubnetGroupName": "INNER", "DBSubnetGroupDescription": "", "SubnetIds": list(SUBNETS)}
    error = rds.refused("CreateDBSubnetGroup", **given)
    assert (error.code, error.message) == ("DBSubnetGroupAlreadyExists", "The DB subnet group 'inner' already exists.")


def test_a_group_in_use_stays(rds: Service):
    create(rds)
    rds("CreateDBInstance", **GIVEN, DBSubnetGroupName="inner")
    error = rds.refused("DeleteDBSubnetGroup", DBSubnetGroupName="inner")
    assert error.code == "InvalidDBSubnetGroupStateFault"
    assert error.message == (
        "Cannot delete the subnet group 'inner' because at least one database instance: shop is still using it."
    )
    rds("DeleteDBInstance", DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    rds("DeleteDBSubnetGroup", DBSubnetGroupName="inner")
    assert names(rds) == []


@pytest.mark.parametrize("operation", ["DescribeDBSubnetGroups", "DeleteDBSubnetGroup"])
def test_a_group_that_is_not_there_is_unknown(rds: Service, operation: str):
    error = rds.refused(operation, DBSubnetGroupName="gone")
    assert (error.code, error.message) == ("DBSubnetGroupNotFoundFault", "DB subnet group 'gone' does not exist.")
