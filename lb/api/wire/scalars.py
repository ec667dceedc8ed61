"""Texts of the wire as numbers, truths, times and bytes. Each function returns None for a text that is none."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Final

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_NUMBER: Final = re.compile(
    r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,4})?|NaN|-?Infinity", re.ASCII
)
_BITS: Final = {"integer": 31, "long": 63}


def integer(text: str, type_name: str) -> int | None:
    """A whole number of 32 bits (`integer`) or 64 (`long`)."""
    if _INTEGER.fullmatch(text) is None:
        return None
    return whole(int(text), type_name)


def whole(value: int, type_name: str) -> int | None:
    """The number itself where its type can hold it."""
    limit = 1 << _BITS[type_name]
    return value if -limit <= value < limit else None


def number(text: str) -> float | None:
    """A number with or without a fraction, NaN or Infinity."""
    return float(text) if _NUMBER.fullmatch(text) is not None else None


def boolean(text: str) -> bool | None:
    """`true` or `false`, in any case of letters."""
    match text.lower():
        case "true":
            return True
        case "false":
            return False
    return None


def blob(text: str) -> bytes | None:
    """Bytes in base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def timestamp(text: str) -> datetime | None:
    """An instant: ISO 8601, UTC where it names no zone, or seconds since 1970."""
    if (seconds := number(text)) is not None:
        return instant(seconds)
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo is not None else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def instant(seconds: float) -> datetime | None:
    """Seconds since 1970 as an instant."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
