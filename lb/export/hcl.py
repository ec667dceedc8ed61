"""Writes Terraform's language: blocks, arguments and quoted text, in the layout of `terraform fmt`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Code:
    """An expression that is written as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """`kind "label" { ... }`: `body` has arguments by name, and blocks. Arguments that are None or empty are left out."""

    kind: str
    labels: tuple[str, ...]
    body: "tuple[tuple[str, Any] | Block, ...]"


def block(kind: str, *labels: str, **arguments: Any) -> Block:
    """A block with arguments, and with blocks for values that are one or a list of them."""
    body: list[tuple[str, Any] | Block] = []
    for name, value in arguments.items():
        match value:
            case Block():
                body.append(value)
            case [Block(), *_]:
                body += value
            case _:
                body.append((name, value))
    return Block(kind, labels, tuple(body))


def write(item: Block) -> str:
    """The text of a block."""
    return "\n".join(_lines(item, "")) + "\n"


def quoted(text: str) -> str:
    """Text that Terraform reads back as it is: no part of it is a template."""
    # JSON's escapes are among those of HCL but for \\b and \\f, which become \\u0008 and \\u000c.
    escaped = (
        json.dumps(text, ensure_ascii=False).replace("\\\\", "\0").replace("\\b", "\\u0008").replace("\\f", "\\u000c")
    )
    return escaped.replace("\0", "\\\\").replace("${", "$${").replace("%{", "%%{")


def _lines(item: Block, indent: str) -> Iterator[str]:
    head = " ".join([item.kind, *map(quoted, item.labels)])
    yield f"{indent}{head} {{"
    inner = indent + _INDENT
    arguments = [
        (name, _value(value, inner)) for name, value in _arguments(item) if value is not None and value not in ([], {})
    ]
    blocks = [each for each in item.body if isinstance(each, Block)]
    width = max((len(name) for name, text in arguments if "\n" not in text), default=0)
    for name, text in arguments:
        yield f"{inner}{name if chr(10) in text else name.ljust(width)} = {text}"
    for number, each in enumerate(blocks):
        if number or arguments:
            yield ""
        yield from _lines(each, inner)
    yield f"{indent}}}"


def _arguments(item: Block) -> Iterator[tuple[str, Any]]:
    for each in item.body:
        if not isinstance(each, Block):
            yield each


def _value(value: Any, indent: str) -> str:
    match value:
        case Code():
            return value.text
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return quoted(value)
        case Mapping():
            inner = indent + _INDENT
            members = {quoted(key): _value(each, inner) for key, each in value.items()}
            width = max(map(len, members))
            lines = [f"{inner}{key.ljust(width)} = {text}" for key, text in members.items()]
            return "\n".join(["{", *lines, f"{indent}}}"])
    return "[" + ", ".join(_value(each, indent) for each in value) + "]"
