"""What checks look at: the state of one moment, as the AWS APIs and the finished requests tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lb.resources.records import NOTHING, Kind, Record, Transaction

LESSON_TAG: Final = "lb:lesson"
"""Key of the tag of everything that belongs to a lesson; the value is the lesson's id."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target as DescribeTargetHealth answers it. `reason` is its code, empty for a healthy one."""

    id: str
    port: int
    state: str
    reason: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A finished request, which came at `at_s` and was over `lasted_s` later.

    `server` is the instance that it went to, `target_group` an ARN; empty for none. `sticky` tells whether the client sent
    the load balancer's cookie, `idle_closed` whether the target closed a kept-alive connection on which the request had just
    been sent.
    """

    at_s: float
    load_balancer: str
    status: int
    lasted_s: float = 0.0
    server: str = ""
    target_group: str = ""
    sticky: bool = False
    idle_closed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """An attempt of the web server to reach the database; `outcome` is one of lb.compute.database_diagnosis."""

    at_s: float
    outcome: str
    message: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment, for one lesson. Requests and database attempts are oldest first.

    `targets` is by ARN of the target group, `instances` and `images` are states by id, `pages` front pages by instance.
    `database_port` is that of DB instances, None where no database is configured.
    """

    lesson: str
    records: Transaction
    targets: Mapping[str, Sequence[Target]] = field(default_factory=lambda: NOTHING)
    instances: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    images: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    pages: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    requests: Sequence[Answered] = ()
    database: Sequence[Asked] = ()
    database_port: int | None = None

    def since(self, began_s: float) -> "Snapshot":
        """The same with only what happened from `began_s` (epoch seconds) on."""
        return replace(
            self,
            requests=[each for each in self.requests if each.at_s >= began_s],
            database=[each for each in self.database if each.at_s >= began_s],
        )

    def server(self, name: str) -> Record | None:
        """The instance with this Name tag: the lesson's own before any other, the newest before older ones."""
        named = [
            record
            for record in self.records.all(Kind.INSTANCE)
            if record.tags.get("Name") == name and self.instances.get(record.id) not in ("shutting-down", "terminated")
        ]
        own = [record for record in named if record.tags.get(LESSON_TAG) == self.lesson]
        return found[-1] if (found := own or named) else None

    def server_name(self, instance_id: str) -> str:
        """What a sentence calls an instance: its Name tag, or its id."""
        record = self.records.get(Kind.INSTANCE, instance_id)
        return record.tags.get("Name", instance_id) if record is not None else instance_id

    def target_group(self, name: str) -> Record | None:
        """The target group with this name."""
        return self._named(Kind.TARGET_GROUP, "TargetGroupName", name)

    def load_balancer(self, name: str) -> Record | None:
        """The load balancer with this name."""
        return self._named(Kind.LOAD_BALANCER, "LoadBalancerName", name)

    def db_instance(self, name: str) -> Record | None:
        """The DB instance with this identifier."""
        return self._named(Kind.DB_INSTANCE, "DBInstanceIdentifier", name)

    def requests_of(self, load_balancer: str) -> list[Answered]:
        """The finished requests to the load balancer with this name."""
        return [each for each in self.requests if each.load_balancer == load_balancer]

    def _named(self, kind: Kind, member: str, name: str) -> Record | None:
        named = [record for record in self.records.all(kind) if record.shape[member] == name]
        own = [record for record in named if record.tags.get(LESSON_TAG) == self.lesson]
        return found[-1] if (found := own or named) else None
