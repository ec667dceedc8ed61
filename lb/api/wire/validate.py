"""Typed parameters against the constraints of the model: required members, enums, ranges, lengths and patterns."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import re2  # type: ignore[import-untyped]

from lb.api.call import ApiError, Params
from lb.api.wire.message import Protocol
from lb.api.wire.shape import Shape

_MOST_REPORTED: Final = 10
_JAVA_CODE_POINT: Final = re.compile(r"(?<!\\)\\u([0-9A-Fa-f]{4})")


def check(shape: Shape, params: Params, protocol: Protocol) -> None:
    """Raises ApiError: `ValidationError` with every violation (ten at most), for EC2 its own code for the first."""
    found = list(islice(_problems(shape, params, ()), _MOST_REPORTED))
    if not found:
        return
    if protocol is Protocol.EC2:
        raise found[0].as_ec2()
    errors = "error" if len(found) == 1 else "errors"
    raise ApiError(
        "ValidationError", f"{len(found)} validation {errors} detected: {'; '.join(str(each) for each in found)}"
    )


@dataclass(frozen=True, slots=True)
class _Problem:
    path: tuple[str, ...]
    value: Any
    constraint: str
    is_secret: bool = False

    def __str__(self) -> str:
        shown = "" if self.is_secret else " null" if self.value is None else f" '{_shown(self.value)}'"
        return f"Value{shown} at '{'.'.join(self.path)}' failed to satisfy constraint: {self.constraint}"

    def as_ec2(self) -> ApiError:
        name = ".".join(part for part in self.path if part != "member")
        if self.value is None:
            return ApiError("MissingParameter", f"The request must contain the parameter {name}")
        value = "" if self.is_secret else f" ({_shown(self.value)})"
        return ApiError("InvalidParameterValue", f"Value{value} for parameter {name} is invalid. {self.constraint}")


def _problems(shape: Shape, value: Any, path: tuple[str, ...]) -> Iterator[_Problem]:
    match shape.type_name:
        case "structure":
            for name in shape.required_members:
                if value.get(name) is None:
                    yield _Problem((*path, _camel(name)), None, "Member must not be null")
            for name, each in value.items():
                yield from _problems(shape.members[name], each, (*path, _camel(name)))
        case "list":
            yield from _size(shape, value, path, "length")
            for index, each in enumerate(value, 1):
                yield from _problems(shape.member, each, (*path, str(index), "member"))
        case "map":
            yield from _size(shape, value, path, "length")
            for key, each in value.items():
                yield from _problems(shape.key, key, (*path, "key"))
                yield from _problems(shape.value, each, (*path, str(key), "member"))
        case "string":
            yield from _size(shape, value, path, "length")
            yield from _text(shape, value, path)
        case "blob":
            yield from _size(shape, value, path, "length")
        case "integer" | "long" | "float" | "double":
            yield from _size(shape, value, path, "value")


def _size(shape: Shape, value: Any, path: tuple[str, ...], what: str) -> Iterator[_Problem]:
    size = value if what == "value" else len(value)
    limits: Mapping[str, Any] = shape.metadata
    if "min" in limits and size < limits["min"]:
        yield _problem(shape, value, path, f"Member must have {what} greater than or equal to {limits['min']}")
    if "max" in limits and size > limits["max"]:
        yield _problem(shape, value, path, f"Member must have {what} less than or equal to {limits['max']}")


def _text(shape: Shape, value: str, path: tuple[str, ...]) -> Iterator[_Problem]:
    if shape.enum and value not in shape.enum:
        yield _problem(shape, value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern is not None and (compiled := _compiled(pattern)) is not None and compiled.fullmatch(value) is None:
        yield _problem(shape, value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _problem(shape: Shape, value: Any, path: tuple[str, ...], constraint: str) -> _Problem:
    return _Problem(path, value, constraint, is_secret=bool(shape.metadata.get("sensitive")))


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    """A model's pattern on RE2, whose time is linear; None where it needs look-around, which RE2 does not have."""
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(_JAVA_CODE_POINT.sub(r"\\x{\1}", pattern), options)
    except re2.error:
        return None


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(value: Any) -> str:
    match value:
        case Mapping():
            return f"{{{', '.join(f'{key}={_shown(each)}' for key, each in value.items())}}}"
        case bytes():
            return f"{len(value)} bytes"
        case str():
            return value
        case Sequence():
            return f"[{', '.join(_shown(each) for each in value)}]"
    return str(value)
