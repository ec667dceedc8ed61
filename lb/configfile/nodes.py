"""Reading values of `lb.yaml` by hand, where their shape depends on what is in them.

A reader takes a Node, says on it what is wrong, and returns None where it cannot go on. One fault does not hide the next:
pydantic gets all of them at the end, each at its own key path.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import ParamSpec, TypeVar

from pydantic import PlainValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from lb.configfile.problems import KeyPath, known_instead, shown

_Built = TypeVar("_Built")
_Arguments = ParamSpec("_Arguments")


class Node:
    """A value of the file and its key path. What `refuse` is told goes on after "key: "."""

    def __init__(self, value: object, path: KeyPath, faults: list[tuple[KeyPath, str]]) -> None:
        self.value = value
        self._path = path
        self._faults = faults

    def below(self, step: str | int, value: object) -> "Node":
        """A value inside this one."""
        return Node(value, (*self._path, step), self._faults)

    def refuse(self, message: str) -> None:
        """Reports a fault."""
        self._faults.append((self._path, message))

    def refuse_kind(self, allowed: str) -> None:
        """Reports that this is another kind of value than allowed."""
        if self.value is None:
            self.refuse(f"has no value: give {allowed}, or remove it")
        else:
            self.refuse(f"must be {allowed}, not {shown(self.value)}")

    def passes(
        self, check: Callable[_Arguments, object], *arguments: _Arguments.args, **options: _Arguments.kwargs
    ) -> bool:
        """Whether a check lets it pass; reports the ValueError if not."""
        try:
            check(*arguments, **options)
        except ValueError as error:
            self.refuse(str(error))
            return False
        return True

    def items(self, allowed: str) -> "dict[str, Node] | None":
        """The values of a mapping with any keys, but not of an empty one."""
        if not isinstance(self.value, dict) or not self.value:
            self.refuse_kind(allowed)
            return None
        return {key: self.below(key, value) for key, value in self.value.items()}

    def fields(self, allowed: str, known: Sequence[str], required: Sequence[str] = ()) -> "dict[str, Node] | None":
        """The values of a mapping with fixed keys; None where a key is unknown or missing."""
        nodes = self.items(allowed)
        if nodes is None:
            return None
        whole = True
        for key in [key for key in nodes if key not in known]:
            nodes[key].refuse(f"is not a known key; {known_instead(key, known, 'keys')}")
            whole = False
        for key in required:
            if key not in nodes:
                self.below(key, None).refuse("is required")
                whole = False
        return nodes if whole else None

    def listed(self, allowed: str) -> "list[Node]":
        """The items of a list, or this itself where a single value stands for a list; none for an empty list."""
        if isinstance(self.value, list):
            if not self.value:
                self.refuse_kind(allowed)
            return [self.below(position, value) for position, value in enumerate(self.value)]
        return [self]

    def text(self, allowed: str, *, numbers: bool = False) -> str | None:
        """A text; with `numbers` also what YAML takes for a whole number."""
        is_number = isinstance(self.value, int) and not isinstance(self.value, bool)
        if isinstance(self.value, str) or (numbers and is_number):
            return str(self.value)
        self.refuse_kind(allowed)
        return None

    def number(self, allowed: str) -> int | None:
        """A whole number."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.value
        self.refuse_kind(allowed)
        return None


def reader(read: Callable[[Node], object]) -> PlainValidator:
    """A pydantic validator from a reader."""
    return PlainValidator(partial(read_value, read))


def read_value(read: Callable[[Node], _Built], value: object) -> _Built:
    """What a reader makes of a value. Raises pydantic's ValidationError with all that it refused."""
    faults: list[tuple[KeyPath, str]] = []
    built = read(Node(value, (), faults))
    if faults:
        raise ValidationError.from_exception_data("lb.yaml", [_details(*fault) for fault in faults])
    return built


def _details(path: KeyPath, message: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("lb", "{message}", {"message": message}), loc=path, input="")
