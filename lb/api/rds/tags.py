"""Tags of DB instances and DB subnet groups."""

from dataclasses import replace
from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.rds.instances import find_instance
from lb.api.rds.subnet_groups import find_group_by_arn
from lb.api.rds.tag_errors import TAG_ERRORS
from lb.api.tag_list import read_tags, tag_list, untagged
from lb.resources.records import Record


def add_tags_to_resource(call: Call, params: Params) -> Result:
    """Adds tags, or gives those that are there another value."""
    record = _resource(call, params["ResourceName"])
    call.tx.put(replace(record, tags=read_tags(params["Tags"], TAG_ERRORS, record.tags)))
    return {}


def remove_tags_from_resource(call: Call, params: Params) -> Result:
    """Removes tags by their keys; one that is not there is no error."""
    call.tx.put(untagged(_resource(call, params["ResourceName"]), params["TagKeys"]))
    return {}


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


OPERATIONS: Final[Operations] = {
    "AddTagsToResource": add_tags_to_resource,
    "RemoveTagsFromResource": remove_tags_from_resource,
    "ListTagsForResource": list_tags_for_resource,
}
