"""Tags as services pass them: lists of `Key` and `Value`. ELBv2 and EC2 read them in their own ways."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lb.api.call import ApiError
from lb.resources.records import Record

_MOST: Final = 50
_RESERVED: Final = "aws:"


@dataclass(frozen=True, slots=True)
class TagErrors:
    """A service's codes for keys that cannot be, and for too many tags, with the status of the latter."""

    invalid: str
    too_many: str
    too_many_status: int = 400


def read_tags(
    given: Sequence[Mapping[str, Any]], errors: TagErrors, kept: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The tags of a resource that has `kept` once it is given more. Raises ApiError."""
    added: dict[str, str] = {}
    for tag in given:
        key: str = tag.get("Key", "")
        if not key:
            raise ApiError(errors.invalid, "A tag must have a key")
        if key in added:
            raise ApiError(errors.invalid, f"Duplicate tag keys found: {key}")
        if key.lower().startswith(_RESERVED):
            message = f'Invalid Tag Key: "{key}". AWS internal tags cannot be changed with this API'
            raise ApiError(errors.invalid, message)
        added[key] = tag.get("Value", "")
    together = {**(kept or {}), **added}
    if len(together) > _MOST:
        raise ApiError(errors.too_many, f"A resource can have up to {_MOST} tags", errors.too_many_status)
    return together


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as they are answered."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def untagged(record: Record, keys: Collection[str]) -> Record:
    """The record without the tags that have these keys; one that is not there is no error."""
    return replace(record, tags={key: value for key, value in record.tags.items() if key not in keys})
