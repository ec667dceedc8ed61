"""Handlers of AWS operations called as functions: an account on records, its calls, and a `Live` that is a plain value."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from lb.api.call import ApiError, Call, Handler, Result, TargetHealth
from lb.observe.metrics.query import Datapoint, ListedMetric
from lb.resources.defaults import default_network
from lb.resources.records import Kind, Record, Records, Transaction

REGION = "us-east-1"
ACCOUNT = "000000000000"
NOW = datetime(2026, 1, 5, 10, 20, 30, 120_000, tzinfo=UTC)
NETWORK = tuple(default_network(REGION, ACCOUNT))
VPC, SECURITY_GROUP = (
    next(record.id for record in NETWORK if record.kind is kind) for kind in (Kind.VPC, Kind.SECURITY_GROUP)
)
SUBNETS = tuple(record.id for record in NETWORK if record.kind is Kind.SUBNET)
"""One in each of the zones a, b and c."""


@dataclass
class FakeMetrics:
    """What was measured, as given: datapoints by metric name."""

    points: dict[str, list[Datapoint]] = field(default_factory=dict)
    listed: list[ListedMetric] = field(default_factory=list)

    def get_statistics(
        self,
        name: str,
        dimensions: Mapping[str, str],
        start_s: float,
        end_s: float,
        period_s: int,
        statistics: Sequence[str],
    ) -> list[Datapoint]:
        return self.points.get(name, [])

    def list_metrics(self) -> list[ListedMetric]:
        return self.listed


@dataclass
class FakeLive:
    """What runs, as given; balancers are active, instances run and images are available where nothing else is said."""

    states: dict[str, tuple[str, str]] = field(default_factory=dict)
    health: dict[str, list[TargetHealth]] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    database: tuple[str, int] | None = ("mysql.test", 3306)

    def load_balancer_state(self, arn: str) -> tuple[str, str]:
        return self.states.get(arn, ("active", ""))

    def target_health(self, target_group_arn: str) -> Sequence[TargetHealth]:
        return self.health.get(target_group_arn, [])

    def instance_state(self, instance_id: str) -> str:
        return self.instances.get(instance_id, "running")

    def image_state(self, image_id: str) -> str:
        return self.images.get(image_id, "available")

    def database_endpoint(self) -> tuple[str, int] | None:
        return self.database


class Aws:
    """One account in one region, with its default network at first; ids are counted, not drawn."""

    def __init__(self, region: str = REGION) -> None:
        self.region = region
        self.records = Records(NETWORK)
        self.live = FakeLive()
        self.now = NOW
        self._ids = itertools.count(1)

    def call(self, *, region: str = "") -> Call:
        """A call on a transaction of its own; nothing is changed before `commit`."""
        return Call(
            region=region or self.region,
            account=ACCOUNT,
            now=self.now,
            tx=Transaction(self.records),
            live=self.live,
            new_id=lambda digits: f"{next(self._ids):0{digits}x}",
        )

    def commit(self, call: Call) -> None:
        """Carries out what a call changed."""
        self.records.apply(call.tx.changes)

    def put(self, *records: Record) -> None:
        """Records that are there already, such as a certificate or an instance."""
        call = self.call()
        for record in records:
            call.tx.put(record)
        self.commit(call)

    def do(self, handler: Handler, *, region: str = "", **params: Any) -> Result:
        """Calls a handler and carries out its changes."""
        call = self.call(region=region)
        result = handler(call, params)
        self.commit(call)
        return result

    def refused(self, handler: Handler, *, region: str = "", **params: Any) -> ApiError:
        """The error with which a handler refuses; what it changed before is forgotten, as the endpoint does."""
        with pytest.raises(ApiError) as error:
            handler(self.call(region=region), params)
        return error.value
