"""The `Filters` of EC2's Describe operations: all filters must hold, one value of each is enough.

Values may have wildcards: `*` for any characters, `?` for one, a backslash before them takes their meaning. Source: "Filter
your results" in the EC2 user guide.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError
from lb.routing.patterns import Pattern, compile_wildcard

Fields = Mapping[str, str]
"""Filter name to the members that it looks at, with dots: `Attachments.VpcId` is that of every attachment."""

Item = Mapping[str, Any]
_MOST_VALUES: Final = 200
_TAG: Final = "tag:"
_TAGS: Final[Fields] = {"tag-key": "Tags.Key", "tag-value": "Tags.Value"}


def keep(items: Iterable[Item], filters: Sequence[Mapping[str, Any]], fields: Fields) -> list[Item]:
    """The items that pass all filters. Raises ApiError for a filter that `fields` do not know."""
    if sum(len(each.get("Values", ())) for each in filters) > _MOST_VALUES:
        message = f"The maximum number of filter values specified on a single call is {_MOST_VALUES}"
        raise ApiError("FilterLimitExceeded", message)
    tests = [(_reader(each, fields), [compile_wildcard(v, escapes=True) for v in _values(each)]) for each in filters]
    return [item for item in items if all(_passes(item, reader, patterns) for reader, patterns in tests)]


def _passes(item: Item, path: tuple[str, str], patterns: Sequence[Pattern]) -> bool:
    members, tag = path
    found = _tag_values(item, tag) if tag else _values_at(item, members)
    return any(pattern.matches(text.encode()) for text in found for pattern in patterns)


def _reader(given: Mapping[str, Any], fields: Fields) -> tuple[str, str]:
    """The members that a filter looks at, or the key of the tag."""
    name = given.get("Name", "null")
    if name.startswith(_TAG):
        return "", name.removeprefix(_TAG)
    path = fields.get(name) or _TAGS.get(name)
    if path is None:
        raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return path, ""


def _values(given: Mapping[str, Any]) -> Sequence[str]:
    values: Sequence[str] = given.get("Values", ())
    if not values:
        raise ApiError("InvalidParameterValue", f"The filter '{given.get('Name')}' must have at least one value")
    return values


def _tag_values(item: Item, key: str) -> Iterator[str]:
    return (tag["Value"] for tag in item.get("Tags", ()) if tag["Key"] == key)


def _values_at(item: Item, path: str) -> Iterator[str]:
    found: list[Any] = [item]
    for member in path.split("."):
        found = [below for each in found for below in _flat(each.get(member))]
    return (str(value).lower() if isinstance(value, bool) else str(value) for value in found)


def _flat(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)
