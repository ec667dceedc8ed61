"""Tags of load balancers, target groups, listeners, rules and trust stores (fact sheet 11.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.limits import refuse_above
from lb.api.elbv2.lookup import find
from lb.api.tag_list import tag_list, untagged
from lb.resources.records import Kind, Record

_PER_RESOURCE: Final = 50
_PER_CALL: Final = 20
_RESERVED: Final = "aws:"
_KINDS: Final = {
    "loadbalancer": Kind.LOAD_BALANCER,
    "listener": Kind.LISTENER,
    "listener-rule": Kind.RULE,
    "targetgroup": Kind.TARGET_GROUP,
    "truststore": Kind.TRUST_STORE,
}


def read_tags(tags: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The `Tags` of a create operation or of AddTags. Raises ApiError."""
    read: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key in read:
            raise ApiError("DuplicateTagKeys", f"Tag key was specified more than once: {key}")
        if key.lower().startswith(_RESERVED):
            raise ApiError("ValidationError", f"The tag key '{key}' cannot begin with '{_RESERVED}'")
        read[key] = tag.get("Value", "")
    _check_count(read)
    return read


def add_tags(call: Call, params: Params) -> Result:
    """Adds tags, or gives those that are there another value."""
    tags = read_tags(params["Tags"])
    for record in _resources(call, params["ResourceArns"]):
        together = {**record.tags, **tags}
        _check_count(together)
        call.tx.put(replace(record, tags=together))
    return {}


def remove_tags(call: Call, params: Params) -> Result:
    """Removes tags by their keys; a key that is not there is no error."""
    for record in _resources(call, params["ResourceArns"]):
        call.tx.put(untagged(record, params["TagKeys"]))
    return {}


def describe_tags(call: Call, params: Params) -> Result:
    """The tags of each resource, in the order asked."""
    return {
        "TagDescriptions": [
            {"ResourceArn": record.id, "Tags": tag_list(record.tags)}
            for record in _resources(call, params["ResourceArns"])
        ]
    }


def _resources(call: Call, arns: Sequence[str]) -> list[Record]:
    if not arns:
        raise ApiError("ValidationError", "A resource ARN must be specified")
    if len(arns) > _PER_CALL:
        raise ApiError("ValidationError", f"Up to '{_PER_CALL}' resources can be specified in a single call")
    return [_resource(call, arn) for arn in dict.fromkeys(arns)]


def _resource(call: Call, arn: str) -> Record:
    # What has no kind that can be told is refused as ELB refuses it: as no ARN of a load balancer.
    kind = _KINDS.get(arn.rsplit(":", 1)[-1].split("/", 1)[0], Kind.LOAD_BALANCER)
    return find(call, kind, arn)


def _check_count(tags: Mapping[str, str]) -> None:
    refuse_above(_PER_RESOURCE, len(tags), "TooManyTags", "tags for this resource")


OPERATIONS: Final[Operations] = {"AddTags": add_tags, "RemoveTags": remove_tags, "DescribeTags": describe_tags}
