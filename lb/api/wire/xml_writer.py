"""Results as XML: writers made once for each shape of a model, then called for every answer.

No served model has flattened lists, XML attributes or timestamp formats of its own, so that none of them is treated here;
`tests/api/wire/test_models.py` notices when one appears.
"""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from lb.api.wire.shape import Shape

Writer = Callable[[list[str], Any], None]
"""Appends the XML of a value to the parts of a document."""

_SPECIAL: Final = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED: Final[Mapping[str, str]] = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


def escape(text: str) -> str:
    """The text as XML content. Characters that XML cannot hold become U+FFFD."""
    # A parser turns a bare carriage return into a line feed.
    return _SPECIAL.sub(lambda found: _ESCAPED.get(found[0], "\ufffd"), text)


def structure_members(shape: Shape) -> Writer:
    """Writes the members of a structure, without an element around them.

    Members that the model does not have, and those that are None, are left out.
    """
    fields = {name: _element(member.serialization.get("name", name), member) for name, member in shape.members.items()}

    def write(out: list[str], value: Any) -> None:
        for name, item in value.items():
            if item is not None and (field := fields.get(name)) is not None:
                field(out, item)

    return write


def timestamp_text(value: datetime | str) -> str:
    """ISO 8601 in UTC with milliseconds; texts are as records keep them, and pass."""
    if isinstance(value, str):
        return escape(value)
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _element(tag: str, shape: Shape) -> Writer:
    match shape.type_name:
        case "structure":
            return _around(tag, structure_members(shape))
        case "list":
            return _list(tag, _element(shape.member.serialization.get("name", "member"), shape.member))
        case "map":
            return _map(tag, _element("key", shape.key), _element("value", shape.value))
    return _scalar(tag, _text_of(shape.type_name))


def _around(tag: str, inner: Writer) -> Writer:
    opening, closing = f"<{tag}>", f"</{tag}>"

    def write(out: list[str], value: Any) -> None:
        out.append(opening)
        inner(out, value)
        out.append(closing)

    return write


def _list(tag: str, item: Writer) -> Writer:
    def write(out: list[str], values: Any) -> None:
        for value in values:
            item(out, value)

    return _around(tag, write)


def _map(tag: str, key: Writer, item: Writer) -> Writer:
    def write(out: list[str], value: Any) -> None:
        for name, each in value.items():
            out.append("<entry>")
            key(out, name)
            item(out, each)
            out.append("</entry>")

    return _around(tag, write)


def _scalar(tag: str, text: Callable[[Any], str]) -> Writer:
    opening, closing = f"<{tag}>", f"</{tag}>"

    def write(out: list[str], value: Any) -> None:
        out.append(f"{opening}{text(value)}{closing}")

    return write


def _text_of(type_name: str) -> Callable[[Any], str]:
    match type_name:
        case "boolean":
            return lambda value: "true" if value else "false"
        case "timestamp":
            return timestamp_text
        case "blob":
            return lambda value: base64.b64encode(value).decode()
        case "integer" | "long" | "float" | "double":
            return str
    return lambda value: escape(str(value))
