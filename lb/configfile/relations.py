"""What must hold between the parts of a file: listeners, their ports and default actions; rules are in `rule_relations`.

Works on the data as read, not on checked values, so that an error elsewhere in the file hides none of these. Whatever has
the wrong shape is skipped: the schema reports it.
"""

from collections import Counter
from collections.abc import Iterator

from lb.configfile.document import Document
from lb.configfile.problems import KeyPath, dotted
from lb.configfile.raw import PlacedMapping, listeners_in
from lb.configfile.rule_relations import check_rules
from lb.configfile.rules_schema import ACTIONS
from lb.configfile.schema import LISTENERS_PER_LOAD_BALANCER


def check_relations(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Key path and message of everything that does not fit together."""
    listeners = list(listeners_in(document.data))
    yield from _too_many_listeners(listeners)
    yield from _port_conflicts(document, listeners)
    yield from _default_actions(document, listeners)
    yield from check_rules(document, listeners)


def _too_many_listeners(listeners: list[PlacedMapping]) -> Iterator[tuple[KeyPath, str]]:
    for path, count in Counter(path[:-1] for path, _ in listeners).items():
        if count > LISTENERS_PER_LOAD_BALANCER:
            yield path, f"must be a list of 1 to {LISTENERS_PER_LOAD_BALANCER} listeners, not a list of {count}"


def _port_conflicts(document: Document, listeners: list[PlacedMapping]) -> Iterator[tuple[KeyPath, str]]:
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


def _default_actions(document: Document, listeners: list[PlacedMapping]) -> Iterator[tuple[KeyPath, str]]:
    one = f"one of {', '.join(ACTIONS[:-1])} and {ACTIONS[-1]}"
    for path, listener in listeners:
        given = [key for key in listener if key in ACTIONS]
        if not given:
            yield path, f"needs a default action: {one}"
        for key in given[1:]:
            first = f"{given[0]} (line {document.line_of((*path, given[0]))})"
            yield (*path, key), f"is a second default action, beside {first}; a listener has {one}"
