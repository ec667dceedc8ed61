"""Long lists in pages, with markers that tell a client nothing."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from lb.api.call import ApiError

T = TypeVar("T")
_PRINT_SIZE: Final = 8
_POSITION_SIZE: Final = 4


@dataclass(frozen=True, slots=True)
class Paging:
    """How a service pages: its two parameters, the size of a page when none is asked for, its error for a bad marker.

    `next` is the member of the answer that has the marker of the next page.
    """

    size: str | None
    marker: str
    default_size: int
    error: str
    next: str


ELB: Final = Paging("PageSize", "Marker", 400, "ValidationError", "NextMarker")
EC2: Final = Paging("MaxResults", "NextToken", 1000, "InvalidNextToken", "NextToken")
RDS: Final = Paging("MaxRecords", "Marker", 100, "InvalidParameterValue", "Marker")
IAM: Final = Paging("MaxItems", "Marker", 100, "ValidationError", "Marker")
ACM: Final = Paging("MaxItems", "NextToken", 1000, "ValidationException", "NextToken")
CLOUDWATCH: Final = Paging(None, "NextToken", 500, "InvalidNextToken", "NextToken")


def page(
    items: Sequence[T], params: Mapping[str, Any], paging: Paging = ELB, key: Callable[[T], str] = repr
) -> tuple[Sequence[T], str | None]:
    """The page that `params` ask for, and the marker of the next one, None on the last.

    A page begins after the item that its marker was made for, even where items before it are gone, as long as `key` gives
    the same text for it; else where it would have begun. Raises ApiError for a marker that was never given out.
    """
    marker = params.get(paging.marker)
    start = 0 if marker is None else _start(items, marker, paging, key)
    asked = params.get(paging.size) if paging.size is not None else None
    end = start + (paging.default_size if asked is None else asked)
    if end >= len(items):
        return items[start:], None
    raw = end.to_bytes(_POSITION_SIZE, "big") + _print(key(items[end - 1]))
    return items[start:end], base64.urlsafe_b64encode(raw).decode()


def paged(
    member: str,
    items: Sequence[T],
    params: Mapping[str, Any],
    paging: Paging,
    key: Callable[[T], str] = repr,
    shown: Callable[[T], Any] = lambda item: item,
) -> dict[str, Any]:
    """One page of `items` as `member` of an answer, each as `shown`; with the marker of the next page where there is one.

    See `page`.
    """
    part, marker = page(items, params, paging, key)
    answer: dict[str, Any] = {member: [shown(item) for item in part]}
    return answer if marker is None else {**answer, paging.next: marker}


def _start(items: Sequence[T], marker: str, paging: Paging, key: Callable[[T], str]) -> int:
    try:
        raw = base64.b64decode(marker, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _POSITION_SIZE + _PRINT_SIZE:
        raise ApiError(paging.error, f"The value '{marker}' of {paging.marker} is not valid")
    position = int.from_bytes(raw[:_POSITION_SIZE], "big")
    last = raw[_POSITION_SIZE:]
    # Only items before it can have gone: new ones come at the end.
    for index in range(min(position, len(items)), 0, -1):
        if _print(key(items[index - 1])) == last:
            return index
    return position


def _print(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_PRINT_SIZE]
