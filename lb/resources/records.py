"""Records: every resource that the AWS APIs know, as the values their Describe operations answer.

`Records` is the state of the moment; a `Transaction` reads through to it and collects changes, which are applied together or
not at all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

Json = Mapping[str, Any]
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Kind(StrEnum):
    """The kind of a resource; the text is what the store writes."""

    REGION = "region"
    LOAD_BALANCER = "load-balancer"
    LISTENER = "listener"
    RULE = "rule"
    TARGET_GROUP = "target-group"
    TARGET = "target"
    TRUST_STORE = "trust-store"
    TRUST_STORE_REVOCATION = "trust-store-revocation"
    VPC = "vpc"
    SUBNET = "subnet"
    SECURITY_GROUP = "security-group"
    SECURITY_GROUP_RULE = "security-group-rule"
    INTERNET_GATEWAY = "internet-gateway"
    ROUTE_TABLE = "route-table"
    ADDRESS = "address"
    NETWORK_INTERFACE = "network-interface"
    KEY_PAIR = "key-pair"
    INSTANCE = "instance"
    IMAGE = "image"
    CERTIFICATE = "certificate"
    CERTIFICATE_AUTHORITY = "certificate-authority"
    SERVER_CERTIFICATE = "server-certificate"
    DB_INSTANCE = "db-instance"
    DB_SUBNET_GROUP = "db-subnet-group"


Key = tuple[Kind, str]
_Family = tuple[Kind, str]  # a kind, and the parent


@dataclass(frozen=True, slots=True)
class Record:
    """One resource.

    `id` is its ARN (ELBv2, ACM, IAM, RDS) or its EC2 id. `shape` is what Describe answers, without what is only known at
    run time (states, health) and without tags; all values are JSON values, times are ISO 8601 texts in UTC. `parent` is
    the id of the record that it belongs to: a listener's load balancer, a rule's listener, a target's target group.
    `attributes` are ELBv2 attributes that differ from their default. `more` is what no Describe shows.
    """

    kind: Kind
    id: str
    region: str
    account: str
    shape: Json
    parent: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    tags: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    more: Json = field(default_factory=lambda: NOTHING)

    @property
    def key(self) -> Key:
        """Names the record among all."""
        return self.kind, self.id


_PARENTS: Final = MappingProxyType(
    {Kind.LISTENER: Kind.LOAD_BALANCER, Kind.RULE: Kind.LISTENER, Kind.TARGET: Kind.TARGET_GROUP}
)


class OwnedByFileError(Exception):
    """A change to a resource that the configuration file defines."""

    def __init__(self, record: Record) -> None:
        super().__init__(f"{record.id} is defined in the configuration file; change it there")


@dataclass(frozen=True, slots=True)
class Change:
    """A record as it is from now on; `record` None deletes it."""

    key: Key
    record: Record | None


class Records:
    """All records, each kind in order of creation."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._kinds: dict[Kind, dict[str, Record]] = {kind: {} for kind in Kind}
        self._children: dict[_Family, dict[str, Record]] = {}
        # What `all` and `children` have told since it was last changed.
        self._told: dict[Kind | _Family, tuple[Record, ...]] = {}
        self._from_file: frozenset[Key] = frozenset()
        self.apply(Change(record.key, record) for record in records)

    def get(self, kind: Kind, record_id: str) -> Record | None:
        """The record, or None."""
        return self._kinds[kind].get(record_id)

    def all(self, kind: Kind) -> tuple[Record, ...]:
        """Every record of a kind; the same object until one of them changes."""
        told = self._told.get(kind)
        if told is None:
            told = self._told[kind] = tuple(self._kinds[kind].values())
        return told

    def children(self, kind: Kind, parent: str) -> tuple[Record, ...]:
        """The records of a kind that belong to `parent`; the same object until one of them changes."""
        family = kind, parent
        told = self._told.get(family)
        if told is None:
            siblings = self._children.get(family)
            if siblings is None:
                return ()
            told = self._told[family] = tuple(siblings.values())
        return told

    def is_from_file(self, key: Key) -> bool:
        """Whether the configuration file defines the record."""
        return key in self._from_file

    def apply(self, changes: Iterable[Change]) -> None:
        """Carries out changes. A record keeps its place and its parent for as long as it lives."""
        for change in changes:
            kind, record_id = change.key
            if change.record is not None:
                family = kind, change.record.parent
                self._kinds[kind][record_id] = change.record
                self._children.setdefault(family, {})[record_id] = change.record
            elif (gone := self._kinds[kind].pop(record_id, None)) is not None:
                family = kind, gone.parent
                siblings = self._children[family]
                del siblings[record_id]
                if not siblings:
                    del self._children[family]
            else:
                continue
            self._told.pop(kind, None)
            self._told.pop(family, None)

    def replace_file(self, records: Iterable[Record]) -> None:
        """Takes over what the configuration file defines now, instead of what it defined before."""
        records = list(records)
        kept = frozenset(record.key for record in records)
        self.apply(Change(key, None) for key in self._from_file - kept)
        self.apply(Change(record.key, record) for record in records)
        self._from_file = kept


class Transaction:
    """Reads records and collects changes to them."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._changes: dict[Key, Record | None] = {}
        # Of what was changed: kinds, and kinds with the parent. All else is read as it is kept.
        self._touched: set[Kind | _Family] = set()

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was changed, in order."""
        return tuple(Change(key, record) for key, record in self._changes.items())

    def get(self, kind: Kind, record_id: str) -> Record | None:
        """The record as the transaction sees it, or None."""
        key = kind, record_id
        return self._changes[key] if key in self._changes else self._records.get(kind, record_id)

    def all(self, kind: Kind, region: str | None = None) -> Sequence[Record]:
        """Every record of a kind, those of one region only where it is given."""
        kept = self._records.all(kind)
        found = tuple(self._seen(kind, kept)) if kind in self._touched else kept
        return found if region is None else tuple(record for record in found if record.region == region)

    def children(self, kind: Kind, parent: str) -> Sequence[Record]:
        """The records of a kind that belong to `parent`."""
        kept = self._records.children(kind, parent)
        if (kind, parent) not in self._touched:
            return kept
        return tuple(record for record in self._seen(kind, kept) if record.parent == parent)

    def _seen(self, kind: Kind, kept: Iterable[Record]) -> Iterator[Record]:
        for record in kept:
            changed: Record | None = self._changes.get(record.key, record)
            if changed is not None:
                yield changed
        for key, new in self._changes.items():
            if new is not None and key[0] is kind and self._records.get(*key) is None:
                yield new

    def put(self, record: Record) -> None:
        """Creates or replaces a record. Raises OwnedByFileError, also for one that would belong to the file's."""
        self._refuse_file(record.key)
        if (kind := _PARENTS.get(record.kind)) is not None:
            self._refuse_file((kind, record.parent))
        self._touch(record)
        self._changes[record.key] = record

    def _touch(self, record: Record) -> None:
        self._touched |= {record.kind, (record.kind, record.parent)}

    def delete(self, kind: Kind, record_id: str) -> None:
        """Deletes a record that exists. Raises OwnedByFileError."""
        key = kind, record_id
        self._refuse_file(key)
        kept = self._records.get(kind, record_id)
        if kept is None:
            del self._changes[key]
        else:
            self._touch(kept)
            self._changes[key] = None

    def _refuse_file(self, key: Key) -> None:
        if self._records.is_from_file(key) and (record := self._records.get(*key)) is not None:
            raise OwnedByFileError(record)
