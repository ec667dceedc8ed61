"""Finding one's way about a file as it was read, before anything is known of its shape; what has another shape is skipped."""

from collections.abc import Iterator
from typing import Any

from lb.configfile.problems import KeyPath

PlacedMapping = tuple[KeyPath, dict[str, Any]]
"""A mapping of the file and where it stands."""


def mapping_in(holder: object, key: str) -> dict[str, Any]:
    """The mapping under a key, empty where there is none."""
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else {}


def listeners_in(data: object) -> Iterator[PlacedMapping]:
    """Every listener of the file."""
    for name, load_balancer in mapping_in(data, "load_balancers").items():
        yield from _listed(load_balancer, "listeners", ("load_balancers", name))


def rules_in(listener: PlacedMapping) -> Iterator[PlacedMapping]:
    """The rules of a listener, without the default rule."""
    path, keys = listener
    yield from _listed(keys, "rules", path)


def actions_in(listener: PlacedMapping) -> Iterator[PlacedMapping]:
    """What holds the actions of a listener: itself, for the default action, and the `action` of each rule."""
    yield listener
    for path, rule in rules_in(listener):
        yield (*path, "action"), mapping_in(rule, "action")


def _listed(holder: object, key: str, path: KeyPath) -> Iterator[PlacedMapping]:
    items = holder.get(key) if isinstance(holder, dict) else None
    for position, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield (*path, key, position), item
