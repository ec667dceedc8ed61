"""The `Filters` of RDS, and its pages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError, Params, Result
from lb.api.wire import paginate

_LEAST: Final = 20
_MOST: Final = 100


def keep(
    shapes: Sequence[Mapping[str, Any]],
    filters: Sequence[Mapping[str, Any]],
    known: Mapping[str, Callable[[Mapping[str, Any]], str]],
) -> list[Mapping[str, Any]]:
    """What fits every filter; `known` tells what a filter looks at. Raises ApiError for another filter."""
    for each in filters:
        if each["Name"] not in known:
            raise ApiError("InvalidParameterValue", f"Unrecognized filter name: {each['Name']}")
    return [shape for shape in shapes if all(known[each["Name"]](shape) in each["Values"] for each in filters)]


def paged(member: str, shapes: Sequence[Any], params: Params, key: str) -> Result:
    """One page of `shapes` as `member` of the answer, with `Marker` where there are more; `key` names a shape."""
    asked = params.get("MaxRecords", _MOST)
    if not _LEAST <= asked <= _MOST:
        message = f"Invalid value {asked} for MaxRecords. Must be between {_LEAST} and {_MOST}"
        raise ApiError("InvalidParameterValue", message)
    return paginate.paged(member, shapes, params, paginate.RDS, lambda shape: str(shape[key]))
