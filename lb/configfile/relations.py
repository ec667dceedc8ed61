"""What must hold between the parts of a file: listeners, their ports, and who forwards to which target group.

Works on the data as read, not on checked values, so that an error elsewhere in the file hides none of these. Whatever has
the wrong shape is skipped: the schema reports it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from lb.configfile.document import Document
from lb.configfile.problems import KeyPath, dotted, known_instead, shown
from lb.configfile.schema import LISTENERS_PER_LOAD_BALANCER


def check_relations(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Key path and message of everything that does not fit together."""
    listeners = list(_listeners(document.data))
    yield from _too_many_listeners(listeners)
    yield from _port_conflicts(document, listeners)
    yield from _unknown_target_groups(document, listeners)
    yield from _shared_target_groups(document, listeners)


_Listeners = list[tuple[KeyPath, dict[str, Any]]]


def _mapping(holder: object, key: str) -> dict[str, Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, dict) else {}


def _listeners(data: object) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    for name, load_balancer in _mapping(data, "load_balancers").items():
        listeners = load_balancer.get("listeners") if isinstance(load_balancer, dict) else None
        for position, listener in enumerate(listeners if isinstance(listeners, list) else ()):
            if isinstance(listener, dict):
                yield ("load_balancers", name, "listeners", position), listener


def _too_many_listeners(listeners: _Listeners) -> Iterator[tuple[KeyPath, str]]:
    for path, count in Counter(path[:-1] for path, _ in listeners).items():
        if count > LISTENERS_PER_LOAD_BALANCER:
            yield path, f"must be a list of 1 to {LISTENERS_PER_LOAD_BALANCER} listeners, not a list of {count}"


def _port_conflicts(document: Document, listeners: _Listeners) -> Iterator[tuple[KeyPath, str]]:
    taken: dict[int, KeyPath] = {}
    for path, listener in listeners:
        port = listener.get("port")
        if isinstance(port, bool) or not isinstance(port, int):
            continue
        first = taken.setdefault(port, path)
        if first != path:
            owner = f"{dotted(first)} (line {document.line_of((*first, 'port'))})"
            message = f"port {port} is already used by {owner}; every listener of the file needs a port of its own"
            yield (*path, "port"), message


def _unknown_target_groups(document: Document, listeners: _Listeners) -> Iterator[tuple[KeyPath, str]]:
    known = tuple(_mapping(document.data, "target_groups"))
    for path, listener in listeners:
        name = listener.get("forward")
        if isinstance(name, str) and name not in known:
            ending = known_instead(name, known, "target groups")
            yield (*path, "forward"), f"no target group is named {shown(name)}; {ending}"


def _shared_target_groups(document: Document, listeners: _Listeners) -> Iterator[tuple[KeyPath, str]]:
    owners: dict[str, KeyPath] = {}
    for path, listener in listeners:
        name = listener.get("forward")
        if not isinstance(name, str):
            continue
        first = owners.setdefault(name, path)
        if first[1] != path[1]:
            owner = f"load balancer {shown(first[1])} (line {document.line_of((*first, 'forward'))})"
            rule = "a target group cannot be associated with more than one load balancer"
            message = f"target group {shown(name)} is already used by {owner}; {rule} (TargetGroupAssociationLimit)"
            yield (*path, "forward"), message
