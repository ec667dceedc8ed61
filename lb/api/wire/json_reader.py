"""JSON bodies as typed values, by the shape of an operation's input. Members that the model does not know are ignored."""

import json
from typing import Any, Final

from lb.api.call import ApiError
from lb.api.wire import scalars
from lb.api.wire.shape import Shape

_MAX_DEPTH: Final = 32


def read_json(shape: Shape, body: bytes) -> dict[str, Any]:
    """The members of an input structure; an empty body has none. Raises ApiError (MalformedInput)."""
    try:
        document = json.loads(body.decode() or "{}")
    except (ValueError, RecursionError):
        raise ApiError("MalformedInput", "The request body is not valid JSON") from None
    if not isinstance(document, dict):
        raise ApiError("MalformedInput", "Start of structure or map was expected")
    found: dict[str, Any] = _value(shape, document, 0)
    return found


def _value(shape: Shape, value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ApiError("MalformedInput", f"The request body is nested deeper than {_MAX_DEPTH} levels")
    kind = shape.type_name
    match value:
        case dict() if kind == "structure":
            return {
                name: _value(member, given, depth + 1)
                for name, member in shape.members.items()
                if (given := value.get(member.serialization.get("name", name))) is not None
            }
        case dict() if kind == "map":
            return {_value(shape.key, key, depth): _value(shape.value, each, depth + 1) for key, each in value.items()}
        case dict():
            raise ApiError("MalformedInput", "Start of structure or map found where not expected.")
        case list() if kind == "list":
            return [_value(shape.member, each, depth + 1) for each in value]
        case list():
            raise ApiError("MalformedInput", "Start of list found where not expected")
    converted = _scalar(kind, value)
    if converted is None:
        raise ApiError("MalformedInput", f"{_token(value)} can not be converted to {_article(kind)}")
    return converted


def _scalar(kind: str, value: Any) -> Any:
    match kind, value:
        case "boolean", bool():
            return value
        case _, bool():
            return None
        case "string", str():
            # JSON can escape half of a surrogate pair, which is no text and could never be answered.
            return value if value.isascii() or _is_text(value) else None
        case "blob", str():
            return scalars.blob(value)
        case "timestamp", str():
            return scalars.timestamp(value)
        case "timestamp", int() | float():
            return scalars.instant(value)
        case (("integer" | "long"), int()):
            return scalars.whole(value, kind)
        case (("integer" | "long"), float()):
            return scalars.whole(int(value), kind) if value.is_integer() else None
        case (("float" | "double"), int() | float()):
            return _as_float(value)
        case (("float" | "double"), ("NaN" | "Infinity" | "-Infinity")):
            return float(value)
    return None


def _as_float(value: float) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _is_text(value: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in value)


def _token(value: Any) -> str:
    match value:
        case None:
            return "NULL_VALUE"
        case bool():
            return f"{value}_VALUE".upper()
        case int() | float():
            return "NUMBER_VALUE"
    return "STRING_VALUE"


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind.capitalize()}"
