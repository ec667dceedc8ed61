"""The part of botocore's `Shape` that is used here; botocore itself has no annotations."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Shape(Protocol):
    """A type of a service model. Which properties it has depends on `type_name`."""

    @property
    def name(self) -> str:
        """Its name in the model."""
        ...

    @property
    def type_name(self) -> str:
        """`structure`, `list`, `map`, or what kind of scalar it is."""
        ...

    @property
    def serialization(self) -> Mapping[str, str]:
        """Its names on the wire, where it is a member: `name`, for EC2 `queryName`."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Constraints: `min`, `max`, `pattern`, `sensitive`."""
        ...

    @property
    def members(self) -> Mapping[str, "Shape"]:
        """Of a structure."""
        ...

    @property
    def required_members(self) -> Sequence[str]:
        """Of a structure."""
        ...

    @property
    def member(self) -> "Shape":
        """Of a list: its items."""
        ...

    @property
    def key(self) -> "Shape":
        """Of a map."""
        ...

    @property
    def value(self) -> "Shape":
        """Of a map."""
        ...

    @property
    def enum(self) -> Sequence[str]:
        """Of a string: the values allowed, empty where all are."""
        ...
