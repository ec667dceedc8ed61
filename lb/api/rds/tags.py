"""Tags of DB instances and DB subnet groups."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.rds.instances import find_instance
from lb.api.rds.subnet_groups import find_group_by_arn
from lb.api.rds.tag_errors import TAG_ERRORS
from lb.api.tag_list import read_tags, tag_list
from lb.resources.records import Record


def add_tags_to_resource(call: Call, params: Params) -> Result:
    """Adds tags, or gives those that are there another value."""
    record = _resource(call, params["ResourceName"])
    return _put(call, record, read_tags(params["Tags"], TAG_ERRORS, record.tags))


def remove_tags_from_resource(call: Call, params: Params) -> Result:
    """Removes tags by their keys; one that is not there is no error."""
    record = _resource(call, params["ResourceName"])
    gone = frozenset(params["TagKeys"])
    return _put(call, record, {key: value for key, value in record.tags.items() if key not in gone})


def list_tags_for_resource(call: Call, params: Params) -> Result:
    """The tags of a DB instance or a DB subnet group."""
    return {"TagList": tag_list(_resource(call, params["ResourceName"]).tags)}


def _resource(call: Call, arn: str) -> Record:
    start = f"arn:aws:rds:{call.region}:{call.account}:"
    if arn.startswith(f"{start}subgrp:"):
        return find_group_by_arn(call, arn)
    if not arn.startswith(f"{start}db:"):
        raise ApiError("InvalidParameterValue", f"Invalid resource name: {arn}")
    return find_instance(call, arn)


def _put(call: Call, record: Record, tags: Mapping[str, str]) -> Result:
    call.tx.put(replace(record, tags=tags))
    return {}


OPERATIONS: Final[Operations] = {
    "AddTagsToResource": add_tags_to_resource,
    "RemoveTagsFromResource": remove_tags_from_resource,
    "ListTagsForResource": list_tags_for_resource,
}
