"""Tags of certificates, by the older operations and by those that newer services have."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.acm.lookup import find
from lb.api.call import Call, Operations, Params, Result
from lb.api.tag_list import TagErrors, read_tags, tag_list, untagged
from lb.resources.records import Record

TAG_ERRORS: Final = TagErrors(invalid="InvalidTagException", too_many="TooManyTagsException")
_GENERIC_ERRORS: Final = TagErrors(invalid="ValidationException", too_many="ServiceQuotaExceededException")


def add_tags_to_certificate(call: Call, params: Params) -> Result:
    """Adds tags, or gives those that are there another value."""
    return _add(call, find(call, params["CertificateArn"]), params["Tags"], TAG_ERRORS)


def list_tags_for_certificate(call: Call, params: Params) -> Result:
    """The tags of a certificate."""
    return {"Tags": tag_list(find(call, params["CertificateArn"]).tags)}


def remove_tags_from_certificate(call: Call, params: Params) -> Result:
    """Removes tags; one that is given with a value only where it has that value."""
    record = find(call, params["CertificateArn"])
    gone = {tag["Key"] for tag in params["Tags"] if tag.get("Value") in (None, record.tags.get(tag["Key"]))}
    call.tx.put(untagged(record, gone))
    return {}


def tag_resource(call: Call, params: Params) -> Result:
    """As AddTagsToCertificate."""
    return _add(call, find(call, params["ResourceArn"]), params["Tags"], _GENERIC_ERRORS)


def list_tags_for_resource(call: Call, params: Params) -> Result:
    """As ListTagsForCertificate."""
    return {"Tags": tag_list(find(call, params["ResourceArn"]).tags)}


def untag_resource(call: Call, params: Params) -> Result:
    """Removes tags by their keys."""
    call.tx.put(untagged(find(call, params["ResourceArn"]), params["TagKeys"]))
    return {}


def _add(call: Call, record: Record, tags: Sequence[Any], errors: TagErrors) -> Result:
    call.tx.put(replace(record, tags=read_tags(tags, errors, record.tags)))
    return {}


OPERATIONS: Final[Operations] = {
    "AddTagsToCertificate": add_tags_to_certificate,
    "ListTagsForCertificate": list_tags_for_certificate,
    "RemoveTagsFromCertificate": remove_tags_from_certificate,
    "TagResource": tag_resource,
    "ListTagsForResource": list_tags_for_resource,
    "UntagResource": untag_resource,
}
