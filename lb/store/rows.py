"""A record as the columns of a table row, and back. Pure.

The id is kept as bytes: both databases then compare it exactly, where a text column would ignore trailing spaces (MySQL)
or refuse half a surrogate pair (SQLite).
"""

import json
from collections.abc import Iterable, Mapping, Set
from typing import Any

from lb.resources.records import Change, Key, Kind, Record

Row = tuple[str, bytes, str]
"""Kind, id, and everything else as an ASCII JSON object."""

_ALWAYS = ("region", "account", "shape")
_UNLESS_EMPTY = ("parent", "attributes", "tags", "more")


def row_of(record: Record) -> Row:
    """The row of a record. Raises TypeError or ValueError for values that JSON does not have."""
    fields = {name: getattr(record, name) for name in _ALWAYS}
    fields |= {name: value for name in _UNLESS_EMPTY if (value := getattr(record, name))}
    return *columns_of(record.key), json.dumps(fields, default=_plain, allow_nan=False, separators=(",", ":"))


def record_of(row: Row) -> Record:
    """The record of a row. Raises ValueError for a row that holds none."""
    kind, record_id = key_of(row[:2])
    try:
        return Record(kind, record_id, **json.loads(row[2]))
    except TypeError as error:
        raise ValueError(f"{kind} {record_id}: {error}") from error


def columns_of(key: Key) -> tuple[str, bytes]:
    """The key columns of a row."""
    return key[0].value, key[1].encode("utf-8", "surrogatepass")


def key_of(columns: tuple[str, bytes]) -> Key:
    """The key that two columns hold. Raises ValueError for a kind that does not exist."""
    return Kind(columns[0]), columns[1].decode("utf-8", "surrogatepass")


def anew(held: Set[Key], records: Iterable[Record]) -> list[Change]:
    """What leads from any records with the keys `held` to `records`."""
    changes = {record.key: Change(record.key, record) for record in records}
    return [*(Change(key, None) for key in held - changes.keys()), *changes.values()]


def note(held: set[Key], changes: Iterable[Change]) -> None:
    """Keeps `held` the keys of the records that there are after `changes`."""
    for change in changes:
        (held.discard if change.record is None else held.add)(change.key)


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
