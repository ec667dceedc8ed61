"""Tags of EC2 resources: those given to operations that create, CreateTags, DeleteTags and DescribeTags."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.describe import describe
from lb.api.ec2.lookup import find, kind_of
from lb.api.tag_list import tag_list
from lb.resources.records import Kind, Record

_MOST: Final = 50
_LONGEST_KEY: Final = 128
_LONGEST_VALUE: Final = 256
_MOST_RESOURCES: Final = 1000
_RESERVED: Final = "aws:"
_TYPES: Final = {
    Kind.VPC: "vpc",
    Kind.SUBNET: "subnet",
    Kind.SECURITY_GROUP: "security-group",
    Kind.SECURITY_GROUP_RULE: "security-group-rule",
    Kind.INTERNET_GATEWAY: "internet-gateway",
    Kind.ROUTE_TABLE: "route-table",
    Kind.ADDRESS: "elastic-ip",
    Kind.INSTANCE: "instance",
    Kind.IMAGE: "image",
    Kind.KEY_PAIR: "key-pair",
}
_MEMBERS: Final = ("ResourceId", "ResourceType", "Key", "Value")
_FILTERS: Final = {
    "key": "Key",
    "value": "Value",
    "resource-id": "ResourceId",
    "resource-type": "ResourceType",
}


def given_tags(params: Params, resource_type: str, also: Collection[str] = ()) -> dict[str, str]:
    """The tags that `TagSpecifications` give to resources of a type; `also` are types that may be named beside it.

    Raises ApiError.
    """
    found: dict[str, str] = {}
    for specification in params.get("TagSpecifications", ()):
        named = specification.get("ResourceType")
        if named is None:
            raise ApiError("InvalidParameterValue", "Tag specification resource type must have a value")
        if named != resource_type and named not in also:
            message = f"'{named}' is not a valid taggable resource type for this operation."
            raise ApiError("InvalidParameterValue", message)
        tags = specification.get("Tags", ())
        if not tags:
            raise ApiError("InvalidParameterValue", "Tag specification must have at least one tag")
        read = _read(tags)
        if named == resource_type:
            found |= read
    _check_count(found)
    return found


def create_tags(call: Call, params: Params) -> Result:
    """Adds tags to resources, or gives those that are there another value."""
    tags = _read(params["Tags"])
    for record in _resources(call, params["Resources"]):
        together = {**record.tags, **tags}
        _check_count(together)
        call.tx.put(replace(record, tags=together))
    return {}


def delete_tags(call: Call, params: Params) -> Result:
    """Removes tags by key, or by key and value; without any, all of them. A tag that is not there is no error."""
    for record in _resources(call, params["Resources"]):
        if "Tags" not in params:
            kept = {key: value for key, value in record.tags.items() if key.startswith(_RESERVED)}
        else:
            kept = {
                key: value
                for key, value in record.tags.items()
                if not any(tag.get("Key") == key and tag.get("Value", value) == value for tag in params["Tags"])
            }
        call.tx.put(replace(record, tags=kept))
    return {}


def describe_tags(call: Call, params: Params) -> Result:
    """The tags of all resources, one item each."""
    items = [
        # The filter `tag:KEY` looks at the tags of an item, which here is one itself.
        {"ResourceId": record.id, "ResourceType": resource_type, **tag, "Tags": [tag]}
        for kind, resource_type in _TYPES.items()
        for record in call.tx.all(kind, call.region)
        for tag in tag_list(record.tags)
    ]
    answer = describe("Tags", items, params, _FILTERS, "ResourceId")
    return {**answer, "Tags": [{name: item[name] for name in _MEMBERS} for item in answer["Tags"]]}


def _read(tags: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    read: dict[str, str] = {}
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not key:
            raise ApiError("InvalidParameterValue", "Tag key cannot be null or empty")
        if key in read:
            raise ApiError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        if key.lower().startswith(_RESERVED):
            message = (
                f"Value ( {key} ) for parameter key is invalid. "
                f"Tag keys starting with '{_RESERVED}' are reserved for internal use"
            )
            raise ApiError("InvalidParameterValue", message)
        if len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            what, longest = ("key", _LONGEST_KEY) if len(key) > _LONGEST_KEY else ("value", _LONGEST_VALUE)
            raise ApiError("InvalidParameterValue", f"Tag {what} exceeds the maximum length of {longest} characters")
        read[key] = value
    _check_count(read)
    return read


def _check_count(tags: Mapping[str, str]) -> None:
    if len(tags) > _MOST:
        raise ApiError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")


def _resources(call: Call, ids: Sequence[str]) -> list[Record]:
    if not ids:
        raise ApiError("MissingParameter", "The request must contain the parameter resourceIdSet")
    if len(ids) > _MOST_RESOURCES:
        raise ApiError("InvalidParameterValue", f"Up to {_MOST_RESOURCES} resources can be tagged in a single call")
    return [_resource(call, each) for each in dict.fromkeys(ids)]


def _resource(call: Call, record_id: str) -> Record:
    kind = kind_of(record_id)
    if kind is None:
        raise ApiError("InvalidID", f"The ID '{record_id}' is not valid")
    return find(call, kind, record_id)


OPERATIONS: Final[Operations] = {
    "CreateTags": create_tags,
    "DeleteTags": delete_tags,
    "DescribeTags": describe_tags,
}
