"""Form parameters as typed values, by the shape of an operation's input: the query protocol and EC2's variant of it.

Parameters that the model does not know are ignored, as AWS does. List indices say the order only: holes close up.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from lb.api.call import ApiError
from lb.api.wire import scalars
from lb.api.wire.form import Node
from lb.api.wire.message import Protocol
from lb.api.wire.shape import Shape

_LONGEST_INDEX: Final = 10


def read_parameters(shape: Shape, root: Node, protocol: Protocol) -> dict[str, Any]:
    """The members of an input structure. Raises ApiError (MalformedInput) for a value that is not of its type."""
    return _Reader(is_ec2=protocol is Protocol.EC2).members(shape, root, "")


class _Reader:
    def __init__(self, *, is_ec2: bool) -> None:
        self._is_ec2 = is_ec2

    def members(self, shape: Shape, node: Node, path: str) -> dict[str, Any]:
        found = {}
        for name, member in shape.members.items():
            key = self._key(name, member)
            below = node.children.get(key)
            if below is not None:
                value = self._value(member, below, f"{path}.{key}" if path else key)
                if value is not None:
                    found[name] = value
        return found

    def _key(self, name: str, member: Shape) -> str:
        names = member.serialization
        if not self._is_ec2:
            return str(names.get("name", name))
        if "queryName" in names:
            return str(names["queryName"])
        own = str(names.get("name", name))
        return own[:1].upper() + own[1:]

    def _value(self, shape: Shape, node: Node, path: str) -> Any:
        match shape.type_name:
            case "structure":
                self._refuse_text(node, path)
                return self.members(shape, node, path)
            case "list":
                self._refuse_text(node, path)
                return self._list(shape, node, path)
            case "map":
                self._refuse_text(node, path)
                return self._map(shape, node, path)
        if node.children:
            raise ApiError("MalformedInput", f"Start of structure or map found where not expected, at '{path}'")
        text = node.text or ""
        value = _scalar_reader(shape.type_name)(text)
        if value is None:
            raise ApiError("MalformedInput", f"'{text}' at '{path}' is not a valid {shape.type_name.capitalize()}")
        return value

    def _list(self, shape: Shape, node: Node, path: str) -> list[Any] | None:
        items = node
        if not self._is_ec2:
            key = shape.member.serialization.get("name", "member")
            path = f"{path}.{key}"
            inner = node.children.get(key)
            if inner is None:
                return [] if node.text is not None else None
            self._refuse_text(inner, path)
            items = inner
        values = (self._value(shape.member, item, f"{path}.{index}") for index, item in _in_order(items, path))
        return [value for value in values if value is not None]

    def _map(self, shape: Shape, node: Node, path: str) -> dict[Any, Any] | None:
        entries = node.children.get("entry")
        if entries is None:
            return {} if node.text is not None else None
        found = {}
        for index, entry in _in_order(entries, f"{path}.entry"):
            at = f"{path}.entry.{index}"
            key, value = entry.children.get("key"), entry.children.get("value")
            if key is None or value is None:
                raise ApiError("MalformedInput", f"'{at}' must have a key and a value")
            each = self._value(shape.value, value, f"{at}.value")
            if each is not None:
                found[self._value(shape.key, key, f"{at}.key")] = each
        return found

    @staticmethod
    def _refuse_text(node: Node, path: str) -> None:
        if node.text:
            raise ApiError("MalformedInput", f"A value was found where a structure or list was expected, at '{path}'")


def _in_order(node: Node, path: str) -> Iterator[tuple[int, Node]]:
    indices = []
    for key in node.children:
        if not (key.isascii() and key.isdigit() and len(key) <= _LONGEST_INDEX):
            raise ApiError("MalformedInput", f"'{key}' is not a valid list index, at '{path}'")
        indices.append((int(key), key))
    return ((index, node.children[key]) for index, key in sorted(indices))


def _scalar_reader(type_name: str) -> Callable[[str], Any]:
    match type_name:
        case "integer" | "long":
            return lambda text: scalars.integer(text, type_name)
        case "float" | "double":
            return scalars.number
        case "boolean":
            return scalars.boolean
        case "timestamp":
            return scalars.timestamp
        case "blob":
            return scalars.blob
    return str
