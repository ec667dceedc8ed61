"""Containers that stand for instances."""

from dataclasses import dataclass

from lb.model.config import Place
from lb.resources.records import Record


@dataclass(frozen=True, slots=True)
class Container:
    """A container that asks to be a target. `address` is empty while it does not run."""

    id: str
    name: str
    running: bool
    address: str
    target_group: str
    port: int


def container_of(instance: Record) -> str | None:
    """The id of the container that an instance stands for, None for an embedded web server."""
    found: str | None = instance.more.get("container")
    return found


def place_of(instance: Record) -> Place:
    """Where the container of an instance is."""
    return Place(instance.more["address"], instance.more["port"])
