"""pydantic's errors in our words: what is allowed at that key, and the nearest known key."""

from collections.abc import Iterator
from typing import Any, TypeGuard, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lb.configfile.keys import Keys
from lb.configfile.problems import KeyPath, known_instead, shown
from lb.configfile.schema import FileKeys

# pydantic ends the location of an error in a mapping's key, rather than its value, with this.
_KEY_MARK = "[key]"


def explain(error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    """Key path and message of every error."""
    for details in error.errors(include_url=False):
        path = details["loc"]
        if details["type"] == "value_error" and path[-1] == _KEY_MARK:
            path = path[:-1]
        yield path, _message(details, path)


def _message(details: ErrorDetails, path: KeyPath) -> str:
    match details["type"]:
        case "extra_forbidden":
            return f"is not a known key; {known_instead(str(path[-1]), _keys_at(path[:-1]), 'keys')}"
        case "missing":
            return f"is required: {_allowed_at(path)}"
        case "lb":
            return details["msg"]
        case _ if details["input"] is None:
            return f"has no value: give {_allowed_at(path)}, or remove it"
        case "value_error":
            return str(details["ctx"]["error"])
        case _:
            return f"must be {_allowed_at(path)}, not {shown(details['input'])}"


def _keys_at(path: KeyPath) -> tuple[str, ...]:
    kind = _kind_at(path)
    assert _is_keys(kind), f"{kind} at {path} is not a mapping with fixed keys"
    return tuple(kind.written())


def _allowed_at(path: KeyPath) -> str:
    holder = _kind_at(path[:-1]) if path else None
    if _is_keys(holder):
        description = holder.written()[str(path[-1])].description
        assert description is not None, f"{path[-1]} has no description"
        return description
    return f"a mapping with the keys {', '.join(_keys_at(path))}"


def _kind_at(path: KeyPath) -> Any:
    """The type at a key path: a model, or `dict` or `list` of one."""
    kind: Any = FileKeys
    for step in path:
        kind = kind.written()[str(step)].annotation if _is_keys(kind) else get_args(kind)[-1]
    return kind


def _is_keys(kind: Any) -> TypeGuard[type[Keys]]:
    return isinstance(kind, type) and issubclass(kind, Keys)
