"""Attributes of any kind of resource: read against a table of rows, and listed with their defaults."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lb.api.call import ApiError
from lb.model.attributes import Attribute


def merged(
    rows: Sequence[Attribute],
    kept: Mapping[str, str],
    given: Sequence[Mapping[str, Any]],
    unknown: Callable[[str], str],
) -> dict[str, str]:
    """The attributes in `kept` overwritten by the `Attributes` in `given`, those that differ from their default.

    Raises ApiError; `unknown` makes the message for a key that is in no row.
    """
    by_key = {row.key: row for row in rows}
    # A listener that gave up HTTPS gave up what only HTTPS has.
    values = {key: value for key, value in kept.items() if key in by_key}
    for attribute in given:
        key, value = attribute.get("Key", ""), attribute.get("Value", "")
        row = by_key.get(key)
        if row is None:
            raise ApiError("ValidationError", unknown(key))
        try:
            row.check(value)
        except ValueError as error:
            raise ApiError("ValidationError", str(error)) from error
        # An empty text resets what is a text.
        values[key] = row.default if row.pattern and not value else value
    return {key: value for key, value in values.items() if value != by_key[key].default}


def listed(rows: Sequence[Attribute], values: Mapping[str, str]) -> list[dict[str, str]]:
    """Every attribute as Describe answers it."""
    return [{"Key": row.key, "Value": values.get(row.key, row.default)} for row in rows]
