from typing import Any

import pytest

from tests.api.service import Service

FOUND: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing said": ({}, ["mysql 8.4.5", "mysql 8.0.42", "mariadb 10.11.13", "mariadb 11.4.7"]),
    "an engine": ({"Engine": "mysql"}, ["mysql 8.4.5", "mysql 8.0.42"]),
    "its default": ({"Engine": "mysql", "DefaultOnly": True}, ["mysql 8.0.42"]),
    "a version": ({"EngineVersion": "8.0"}, ["mysql 8.0.42"]),
    "no version's beginning": ({"EngineVersion": "8.0.4"}, []),
    "a family": ({"DBParameterGroupFamily": "mariadb11.4"}, ["mariadb 11.4.7"]),
    "a filter": ({"Filters": [{"Name": "engine", "Values": ["mariadb"]}]}, ["mariadb 10.11.13", "mariadb 11.4.7"]),
    "another engine": ({"Engine": "postgres"}, []),
}


@pytest.mark.parametrize(("params", "expected"), FOUND.values(), ids=FOUND)
def test_versions_are_found_by(rds: Service, params: dict[str, Any], expected: list[str]):
    found = rds("DescribeDBEngineVersions", **params)["DBEngineVersions"]
    assert [f"{each['Engine']} {each['EngineVersion']}" for each in found] == expected


def test_an_unknown_filter_is_refused(rds: Service):
    error = rds.refused("DescribeDBEngineVersions", Filters=[{"Name": "color", "Values": ["red"]}])
    assert (error.code, error.message) == ("InvalidParameterValue", "Unrecognized filter name: color")
