"""The answer of a Describe operation: filtered, with tags, in pages."""

from collections.abc import Iterable
from typing import Any, Final

from lb.api.call import ApiError, Params, Result
from lb.api.ec2.filters import Fields, Item, keep
from lb.api.tag_list import tag_list
from lb.api.wire.paginate import EC2, paged
from lb.resources.records import Record

_PAGE_SIZES: Final = range(5, 1001)


def shown(record: Record, **more: Any) -> dict[str, Any]:
    """A resource as Describe answers it: with its tags, and with what is known at run time only."""
    return {**record.shape, **more, "Tags": tag_list(record.tags)}


def describe(member: str, items: Iterable[Item], params: Params, fields: Fields, identity: str) -> Result:
    """One page of the items that pass the filters. `identity` names the member that tells items apart. Raises ApiError."""
    size = params.get("MaxResults")
    if size is not None and size not in _PAGE_SIZES:
        message = f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
        raise ApiError("InvalidParameterValue", message)
    found = keep(items, params.get("Filters", ()), fields)
    return paged(member, found, params, EC2, lambda item: str(item[identity]))
