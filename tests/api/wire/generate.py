"""Inputs of AWS operations drawn from the service models: valid ones, and form requests with something wrong in them.

Everything comes from the random generator that is given, so that a seed names a run.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any
from urllib.parse import quote, quote_plus

from botocore.model import OperationModel, Shape
from botocore.serialize import create_serializer

TEXTS = ("a", "web-1", "Ünïcödé 負荷", "a b", "<b>&amp;\"'", "x\ty\nz\r\n", "100%", "a=b&c+d", "*", "0", "true", "🙂")
HOSTILE = (
    *("%00", "%FF%FE", "%ED%A0%80", "%C0%AF", "%", "%zz", "%0D%0AX-Injected%3A+1", "%1B%5B31m", "%EF%BF%BF"),
    *(quote_plus(text) for text in ("';DROP TABLE records;--", "../../etc/passwd", "<!ENTITY x SYSTEM 'file:///'>")),
    *(quote_plus(text) for text in ("]]>", "{{7*7}}", "${jndi:ldap://x}", "(a+)+$", "\u202e\u2066", "\u0000")),
)
_PROPERTY = re.compile(r"\\p\{[A-Z]\}")
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    """What an input is like."""

    VALID = "valid"
    MISSING = "missing"
    WRONG_TYPE = "wrong type"
    OUT_OF_RANGE = "out of range"
    HUGE = "huge"
    HOSTILE = "hostile"


@dataclass(frozen=True)
class Case:
    """A form body, and what was done to it."""

    kind: Kind
    body: bytes


class Unsatisfiable(Exception):
    """A pattern that no text was found for."""


class Generator:
    """Draws values of shapes. `known` has values to prefer, by the name of the shape or the member."""

    def __init__(self, rng: random.Random, known: Mapping[str, Sequence[Any]] | None = None) -> None:
        self._rng = rng
        self._known = known or {}

    def members(self, shape: Shape | None, depth: int = 0) -> dict[str, Any]:
        """A structure with its required members and some others, one at least: an empty one has no form on the wire."""
        if shape is None or not shape.members:
            return {}
        rng = self._rng
        optional = [name for name in shape.members if name not in shape.required_members]
        some = rng.sample(optional, min(len(optional), rng.randint(0, 6 if depth == 0 else 2)))
        if getattr(shape, "is_tagged_union", False):
            some = rng.sample(optional, 1)
        elif not shape.required_members and not some:
            some = [rng.choice(optional)]
        found = {}
        for name in (*shape.required_members, *some):
            try:
                found[name] = self._value(shape.members[name], name, depth + 1)
            except Unsatisfiable:
                if name in shape.required_members:
                    raise
        if not found and depth:
            raise Unsatisfiable(shape.name)
        return found

    def _value(self, shape: Shape, name: str, depth: int) -> Any:
        rng = self._rng
        known = self._known.get(shape.name) or self._known.get(name)
        if known and rng.random() < 0.7:
            return rng.choice(known)
        limits = shape.metadata
        match shape.type_name:
            case "structure":
                if depth > 8 or not shape.members:
                    raise Unsatisfiable(shape.name)
                return self.members(shape, depth)
            case "list":
                least = max(1, limits.get("min", 0))
                size = rng.randint(least, max(least, min(limits.get("max", 3), 3)))
                return [self._value(shape.member, "", depth + 1) for _ in range(size)]
            case "map":
                found = {}
                while len(found) < max(1, limits.get("min", 0)):
                    found[self._value(shape.key, "", depth + 1)] = self._value(shape.value, "", depth + 1)
                return found
            case "boolean":
                return rng.random() < 0.5
            case "integer" | "long":
                low = limits.get("min", 0)
                return rng.choice((low, min(limits.get("max", 2**31 - 1), low + rng.randint(0, 500))))
            case "float" | "double":
                return float(limits.get("min", 0)) + rng.choice((0.0, 0.25, 1.0))
            case "timestamp":
                return _EPOCH + timedelta(milliseconds=rng.randint(0, 10**10))
            case "blob":
                return rng.randbytes(rng.randint(max(1, limits.get("min", 1)), 40))
        return self._text(shape)

    def _text(self, shape: Shape) -> str:
        rng, limits = self._rng, shape.metadata
        if shape.enum:
            return rng.choice(shape.enum)
        low, high = limits.get("min", 0), limits.get("max", 10**6)
        if "pattern" not in limits:
            text = rng.choice(TEXTS)
            return (text * low)[: max(high, 1)] if low > len(text) else text[:high]
        pattern = _PROPERTY.sub("A-Za-z", limits["pattern"])
        for _ in range(30):
            try:
                text = "".join(_matching(_parser.parse(pattern), rng))
                if low <= len(text) <= high and re.fullmatch(pattern, text):
                    return text
            except re.error:
                break
        raise Unsatisfiable(limits["pattern"])


def _matching(parsed: Any, rng: random.Random) -> Iterator[str]:
    for op, argument in parsed:
        if op is ops.LITERAL:
            yield chr(argument)
        elif op is ops.ANY or op is ops.NOT_LITERAL:
            yield rng.choice("ab1-")
        elif op is ops.IN:
            yield _one_of(argument, rng)
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            low, high, inner = argument
            for _ in range(rng.randint(low, max(low, min(int(high), low + rng.choice((3, 12, 40)))))):
                yield from _matching(inner, rng)
        elif op is ops.SUBPATTERN:
            yield from _matching(argument[-1], rng)
        elif op is ops.BRANCH:
            yield from _matching(rng.choice(argument[1]), rng)


def _one_of(choices: Any, rng: random.Random) -> str:
    if choices[0][0] is ops.NEGATE:
        excluded = _parser.SubPattern(_parser.State(), [(ops.IN, list(choices))])
        return rng.choice([each for each in "abcXYZ019-_./ " if _accepts(excluded, each)])
    op, argument = rng.choice(choices)
    if op is ops.LITERAL:
        return chr(argument)
    if op is ops.RANGE:
        # XML has no control characters, and what lies beyond the basic plane has its own texts.
        low = max(argument[0], 0x20)
        return chr(rng.randint(low, max(low, min(argument[1], 0xFFFD))))
    return {ops.CATEGORY_DIGIT: "7", ops.CATEGORY_WORD: "w", ops.CATEGORY_SPACE: " "}.get(argument, "q")


def _accepts(parsed: Any, character: str) -> bool:
    for op, argument in parsed[0][1]:
        if op is ops.LITERAL and chr(argument) == character:
            return False
        if op is ops.RANGE and argument[0] <= ord(character) <= argument[1]:
            return False
    return True


def form_body(fields: Mapping[str, Any]) -> bytes:
    """Fields as botocore sends them."""
    return "&".join(
        f"{quote(key, safe='-._~')}={quote(str(value), safe='-._~')}" for key, value in fields.items()
    ).encode()


def fields_of(operation: OperationModel, params: Mapping[str, Any]) -> dict[str, Any]:
    """The form fields of a call, by botocore's serializer."""
    protocol = "ec2" if operation.service_model.resolved_protocol == "ec2" else "query"
    serializer = create_serializer(protocol, include_validation=False)
    return dict(serializer.serialize_to_request(params, operation)["body"])


def cases(
    operation: OperationModel, count: int, rng: random.Random, known: Mapping[str, Sequence[Any]] | None = None
) -> Iterator[Case]:
    """Form requests of one operation, kinds in turn."""
    generator = Generator(rng, known)
    kinds = tuple(Kind)
    for index in range(count):
        kind = kinds[index % len(kinds)]
        fields = fields_of(operation, generator.members(operation.input_shape))
        yield Case(kind, _SPOILERS[kind](fields, operation, rng))


def _valid(fields: dict[str, Any], _operation: OperationModel, _rng: random.Random) -> bytes:
    return form_body(fields)


def _missing(fields: dict[str, Any], operation: OperationModel, rng: random.Random) -> bytes:
    shape = operation.input_shape
    required = shape.required_members if shape is not None else ()
    # Where nothing is required at the top, a nested member goes, or the whole input.
    gone = rng.choice(required) if required else rng.choice([*_given(fields), ""])
    return form_body({key: value for key, value in fields.items() if not (f"{key}.".startswith(f"{gone}."))})


def _wrong_type(fields: dict[str, Any], operation: OperationModel, rng: random.Random) -> bytes:
    key = rng.choice(_given(fields) or ["PageSize"])
    top = key.split(".", 1)[0]
    match rng.randrange(6):
        case 0:
            fields[key] = rng.choice(("abc", "1.5", "0x10", "yes", "٣", "1_0", "NaN", "-", ""))
        case 1:
            fields[f"{key}.member.1"] = fields.pop(key, "x")
        case 2:
            fields = {name: value for name, value in fields.items() if not name.startswith(f"{top}.")} | {top: "text"}
        case 3:
            fields[f"{top}.member.x"] = "1"
        case 4:
            fields[f"{top}.member.0.Key"] = "1"
        case 5:
            fields[f"{top}..{rng.choice(('', '.', 'entry.1.key'))}"] = "1"
    return form_body(fields)


def _out_of_range(fields: dict[str, Any], operation: OperationModel, rng: random.Random) -> bytes:
    extremes = (
        "-1",
        "0",
        "65536",
        "2147483648",
        "-9223372036854775809",
        "9" * 30,
        "9" * 5000,
        "1e999",
        "A" * 2000,
        "NOPE",
    )
    for key in rng.sample(_given(fields), min(2, len(_given(fields)))) or ["PageSize"]:
        fields[key] = rng.choice(extremes)
    return form_body(fields)


def _huge(fields: dict[str, Any], operation: OperationModel, rng: random.Random) -> bytes:
    key = rng.choice(_given(fields) or ["Names.member.1"])
    top = key.split(".", 1)[0]
    match rng.randrange(5):
        case 0:
            fields[key] = "x" * 100_000
        case 1:
            fields[f"{top}.member.999999999"] = "x"
        case 2:
            fields |= {f"{top}.member.{index}": "x" for index in range(1, 3000)}
        case 3:
            fields[".".join([top, *["member", "1"] * 2000])] = "x"
        case 4:
            fields |= {f"Unknown{index}": "x" for index in range(12_000)}
    return form_body(fields)


def _hostile(fields: dict[str, Any], operation: OperationModel, rng: random.Random) -> bytes:
    body = form_body(fields)
    key = rng.choice(_given(fields) or ["Marker"])
    match rng.randrange(4):
        case 0:
            return body + f"&{key}={rng.choice(HOSTILE)}".encode()
        case 1:
            return b"&".join(part for part in body.split(b"&") if not part.startswith(f"{key}=".encode())) + (
                f"&{key}={rng.choice(HOSTILE)}".encode()
            )
        case 2:
            return body + f"&{rng.choice(HOSTILE)}=x".encode()
    return body + rng.choice((b"&&&;;==", b"&\xff\xfe=\x00", b"&Action=DeleteLoadBalancer", b"&Version=1999-01-01"))


def _given(fields: Mapping[str, Any]) -> list[str]:
    return [key for key in fields if key not in ("Action", "Version")]


_SPOILERS: Mapping[Kind, Callable[[dict[str, Any], OperationModel, random.Random], bytes]] = {
    Kind.VALID: _valid,
    Kind.MISSING: _missing,
    Kind.WRONG_TYPE: _wrong_type,
    Kind.OUT_OF_RANGE: _out_of_range,
    Kind.HUGE: _huge,
    Kind.HOSTILE: _hostile,
}
