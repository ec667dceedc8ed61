"""The answer of a Describe operation that comes in pages (fact sheet 11.5)."""

from collections.abc import Sequence
from typing import Any

from lb.api.call import Params, Result
from lb.api.wire import paginate
from lb.resources.records import Record


def paged(member: str, items: Sequence[Any], params: Params) -> Result:
    """One page of `items` as `member` of the answer, with `NextMarker` where there are more."""
    return paginate.paged(member, items, params, paginate.ELB, _identity)


def _identity(item: Any) -> str:
    # A record stays the same one when it is modified between two pages.
    return item.id if isinstance(item, Record) else repr(item)
