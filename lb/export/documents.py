"""The JSON of `aws elbv2 describe-...` into a snapshot.

Most answers say what they are about. Those of describe-target-health and describe-...-attributes do not: there the name of
the file tells, which ends in the name of the target group or load balancer, or in NAME-PORT for a listener.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lb.export.snapshot import Json, Snapshot, attributes_of, listener_of, registered, tags_of

_LISTS: Final = ("LoadBalancers", "Listeners", "Rules", "TargetGroups", "TagDescriptions")
# An attribute that every answer of its kind has, and what the kind is called.
_KINDS: Final = (
    (re.compile(r"deletion_protection\."), "load balancer"),
    (re.compile(r"routing\.http\.re(?:sponse|quest)\.|tcp\.idle_timeout\."), "listener"),
    (re.compile(r"deregistration_delay\.|lambda\."), "target group"),
)


class DocumentError(Exception):
    """A document that cannot be used; the text names its file."""


def read_documents(documents: Iterable[tuple[str, Any]]) -> Snapshot:
    """The snapshot that documents make together. Each is the name of its file without its ending, and the JSON value.

    Raises DocumentError.
    """
    reading = _Reading(list(documents))
    return reading.snapshot()


class _Reading:
    def __init__(self, documents: list[tuple[str, Any]]) -> None:
        self._lists: dict[str, list[Json]] = {member: [] for member in _LISTS}
        self._others: list[tuple[str, Json]] = []
        for file, document in documents:
            self._sort(file, document)

    def _sort(self, file: str, document: Any) -> None:
        if not isinstance(document, dict):
            raise DocumentError(f"{file}: is not a JSON object, as the commands 'aws elbv2 describe-...' print it")
        known = {*_LISTS, "TargetHealthDescriptions", "Attributes", "Certificates"} & document.keys()
        if not known:
            members = ", ".join(sorted(document)) or "nothing"
            raise DocumentError(
                f"{file}: has {members}; this is no answer of 'aws elbv2 describe-...' that can be read"
            )
        if not all(isinstance(document[member], list) for member in known):
            raise DocumentError(f"{file}: {' and '.join(sorted(known))} must be lists")
        for member in known & self._lists.keys():
            self._lists[member] += document[member]
        self._others.append((file, document))

    def snapshot(self) -> Snapshot:
        try:
            return self._snapshot()
        except (KeyError, TypeError, AttributeError) as error:
            raise DocumentError(f"an item has no {error}, which every answer of ELB has") from error

    def _snapshot(self) -> Snapshot:
        lists = self._lists
        names = {each["LoadBalancerArn"]: each["LoadBalancerName"] for each in lists["LoadBalancers"]}
        groups = {each["TargetGroupArn"]: each["TargetGroupName"] for each in lists["TargetGroups"]}
        listeners = {
            each["ListenerArn"]: f"{names.get(each['LoadBalancerArn'], '')}-{each.get('Port', '')}"
            for each in lists["Listeners"]
        }
        kinds = {"load balancer": names, "listener": listeners, "target group": groups}
        rules: dict[str, list[Json]] = {}
        for rule in lists["Rules"]:
            rules.setdefault(listener_of(rule["RuleArn"]), []).append(rule)
        attributes: dict[str, Mapping[str, str]] = {}
        targets: dict[str, tuple[Json, ...]] = {}
        for file, document in self._others:
            if "TargetHealthDescriptions" in document:
                targets[_owner(file, "target group", groups)] = registered(document["TargetHealthDescriptions"])
            if "Attributes" in document:
                values = attributes_of(document["Attributes"])
                kind = _kind(file, values)
                attributes[_owner(file, kind, kinds[kind])] = values
        return Snapshot(
            load_balancers=_once(lists["LoadBalancers"], "LoadBalancerArn"),
            listeners=_once(lists["Listeners"], "ListenerArn"),
            target_groups=_once(lists["TargetGroups"], "TargetGroupArn"),
            rules={arn: tuple(sorted(_once(each, "RuleArn"), key=_place)) for arn, each in rules.items()},
            targets=targets,
            attributes=attributes,
            tags={each["ResourceArn"]: tags_of(each["Tags"]) for each in lists["TagDescriptions"]},
        )


def _once(items: list[Json], member: str) -> tuple[Json, ...]:
    """Each item once, though several files may have it."""
    return tuple({item[member]: item for item in items}.values())


def _place(rule: Json) -> tuple[bool, int]:
    return rule["IsDefault"], 0 if rule["IsDefault"] else int(rule["Priority"])


def _kind(file: str, attributes: Mapping[str, str]) -> str:
    for pattern, kind in _KINDS:
        if any(pattern.match(key) for key in attributes):
            return kind
    raise DocumentError(f"{file}: its attributes are those of no load balancer, listener or target group")


def _owner(file: str, kind: str, names: Mapping[str, str]) -> str:
    """ARN of what an answer is about, by the end of the file's name; where there is only one, it is that."""
    if len(names) == 1:
        return next(iter(names))
    matching = {arn: name for arn, name in names.items() if re.search(rf"(?:^|[^A-Za-z0-9]){re.escape(name)}$", file)}
    found = sorted(matching, key=lambda arn: len(matching[arn]))
    if not found:
        example = next(iter(names.values()), "NAME")
        raise DocumentError(
            f"{file}: the answer does not say which {kind} it is of: end the name of the file in that, such as"
            f" '...-{example}.json'"
        )
    return found[-1]
