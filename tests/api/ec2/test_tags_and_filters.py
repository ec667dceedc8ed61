"""Tags, and the filters of Describe operations."""

import pytest

from lb.api.call import ApiError
from lb.api.ec2.filters import keep
from tests.api.ec2.ec2 import Ec2

ITEMS = [
    {"Id": "a", "On": True, "Size": 8, "Parts": [{"Name": "x"}, {"Name": "y"}], "Tags": [{"Key": "k", "Value": "v"}]},
    {"Id": "ab*", "On": False, "Size": 80, "Parts": [], "Tags": []},
]
FIELDS = {"id": "Id", "on": "On", "size": "Size", "part": "Parts.Name", "none": "Not.There"}


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("id", ["a"], ["a"]),
        ("id", ["A"], []),
        ("id", ["a*"], ["a", "ab*"]),
        ("id", ["?b\\*"], ["ab*"]),
        ("id", ["a", "ab\\*"], ["a", "ab*"]),
        ("on", ["true"], ["a"]),
        ("size", ["8"], ["a"]),
        ("size", ["8?"], ["ab*"]),
        ("part", ["y"], ["a"]),
        ("none", ["*"], []),
        ("tag:k", ["v"], ["a"]),
        ("tag:other", ["*"], []),
        ("tag-key", ["k"], ["a"]),
        ("tag-value", ["v*"], ["a"]),
    ],
)
def test_filters_keep_what_matches_a_value(name: str, values: list[str], found: list[str]):
    assert [item["Id"] for item in keep(ITEMS, [{"Name": name, "Values": values}], FIELDS)] == found


def test_all_filters_must_hold():
    both = [{"Name": "id", "Values": ["a*"]}, {"Name": "on", "Values": ["false"]}]
    assert [item["Id"] for item in keep(ITEMS, both, FIELDS)] == ["ab*"]


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"Name": "x", "Values": ["1"]}, "InvalidParameterValue", "The filter 'x' is invalid"),
        ({"Values": ["1"]}, "InvalidParameterValue", "The filter 'null' is invalid"),
        ({"Name": "id"}, "InvalidParameterValue", "The filter 'id' must have at least one value"),
        (
            {"Name": "id", "Values": ["1"] * 201},
            "FilterLimitExceeded",
            "The maximum number of filter values specified on a single call is 200",
        ),
    ],
)
def test_filters_that_cannot_be_are_refused(given, code: str, message: str):
    with pytest.raises(ApiError) as error:
        keep(ITEMS, [given], FIELDS)
    assert (error.value.code, error.value.message) == (code, message)


def test_tags_are_added_replaced_listed_and_removed(ec2: Ec2):
    resources = [ec2.vpc, ec2.subnet()]
    ec2("CreateTags", Resources=resources, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ec2("CreateTags", Resources=[ec2.vpc], Tags=[{"Key": "a", "Value": "3"}])
    where = [{"Name": "resource-id", "Values": [ec2.vpc]}]
    assert ec2("DescribeTags", Filters=where)["Tags"] == [
        {"ResourceId": ec2.vpc, "ResourceType": "vpc", "Key": "a", "Value": "3"},
        {"ResourceId": ec2.vpc, "ResourceType": "vpc", "Key": "b", "Value": "2"},
    ]
    ec2("DeleteTags", Resources=[ec2.vpc], Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}])
    assert [tag["Key"] for tag in ec2("DescribeTags", Filters=where)["Tags"]] == ["a"]
    ec2("DeleteTags", Resources=[ec2.vpc])
    assert ec2("DescribeTags", Filters=where)["Tags"] == []
    by_tag = [{"Name": "tag:a", "Values": ["1"]}]
    assert [tag["ResourceId"] for tag in ec2("DescribeTags", Filters=by_tag)["Tags"]] == [ec2.subnet()]


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": "a"}, {"Key": "a"}], "InvalidParameterValue"),
        ([{"Key": "aws:a"}], "InvalidParameterValue"),
        ([{"Key": ""}], "InvalidParameterValue"),
        ([{"Key": "k" * 129}], "InvalidParameterValue"),
        ([{"Key": "k", "Value": "v" * 257}], "InvalidParameterValue"),
        ([{"Key": f"k{number}"} for number in range(51)], "TagLimitExceeded"),
    ],
)
def test_tags_that_cannot_be_are_refused(ec2: Ec2, tags, code: str):
    assert ec2.code("CreateTags", Resources=[ec2.vpc], Tags=tags) == code
    given = [{"ResourceType": "internet-gateway", "Tags": tags}]
    assert ec2.code("CreateInternetGateway", TagSpecifications=given) == code


def test_a_resource_has_no_more_tags_than_the_quota(ec2: Ec2):
    ec2("CreateTags", Resources=[ec2.vpc], Tags=[{"Key": f"k{number}"} for number in range(50)])
    assert ec2.code("CreateTags", Resources=[ec2.vpc], Tags=[{"Key": "more"}]) == "TagLimitExceeded"
    assert ec2.code("CreateTags", Resources=["vpc-0123"], Tags=[{"Key": "a"}]) == "InvalidVpcID.NotFound"
    error = ec2.refused("CreateTags", Resources=["web"], Tags=[{"Key": "a"}])
    assert (error.code, error.message) == ("InvalidID", "The ID 'web' is not valid")
    assert ec2.code("DeleteTags", Resources=[]) == "MissingParameter"


def test_tags_are_for_what_the_operation_creates(ec2: Ec2):
    wrong = [{"ResourceType": "subnet", "Tags": [{"Key": "a", "Value": "b"}]}]
    error = ec2.refused("CreateVpc", CidrBlock="10.0.0.0/16", TagSpecifications=wrong)
    message = "'subnet' is not a valid taggable resource type for this operation."
    assert (error.code, error.message) == ("InvalidParameterValue", message)
