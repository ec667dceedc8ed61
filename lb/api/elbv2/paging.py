"""The answer of a Describe operation that comes in pages (fact sheet 11.5)."""

from collections.abc import Sequence
from typing import Any

from lb.api.call import Params, Result
from lb.api.wire.paginate import ELB, page
from lb.resources.records import Record


def paged(member: str, items: Sequence[Any], params: Params) -> Result:
    """One page of `items` as `member` of the answer, with `NextMarker` where there are more."""
    part, marker = page(items, params, ELB, _identity)
    return {member: part} if marker is None else {member: part, "NextMarker": marker}


def _identity(item: Any) -> str:
    # A record stays the same one when it is modified between two pages.
    return item.id if isinstance(item, Record) else repr(item)
