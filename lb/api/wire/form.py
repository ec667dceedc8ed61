"""Form parameters as a tree: `A.member.1.B=x` becomes the nodes A, member, 1 and B, whatever the size of the numbers."""

from typing import Final
from urllib.parse import parse_qsl

from lb.api.call import ApiError

MAX_FIELDS: Final = 10_000
_MAX_DEPTH: Final = 16


class Node:
    """A part of a key: the text given for it, and what is below."""

    __slots__ = ("children", "text")

    def __init__(self) -> None:
        self.text: str | None = None
        self.children: dict[str, Node] = {}


def parse_form(query: str, body: bytes) -> list[tuple[str, str]]:
    """The fields of a query string and of a form body.

    Raises ApiError (MalformedInput) for what is not UTF-8, and for too many.
    """
    try:
        fields = [
            field
            for text in (query, body.decode())
            for field in parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        ]
    except UnicodeDecodeError:
        raise ApiError("MalformedInput", "The request is not valid UTF-8") from None
    except ValueError:
        raise ApiError("MalformedInput", f"The request has more than {MAX_FIELDS} parameters") from None
    return fields


def tree(fields: list[tuple[str, str]]) -> Node:
    """The fields by the parts of their keys. Raises ApiError (MalformedInput) for keys given twice or nested too deep."""
    root = Node()
    for key, value in fields:
        parts = key.split(".", _MAX_DEPTH)
        if len(parts) > _MAX_DEPTH:
            raise ApiError("MalformedInput", f"A parameter is nested deeper than {_MAX_DEPTH} levels")
        node = root
        for part in parts:
            below = node.children.get(part)
            if below is None:
                below = node.children[part] = Node()
            node = below
        if node.text is not None:
            raise ApiError("MalformedInput", f"The parameter '{key}' was given more than once")
        node.text = value
    return root
