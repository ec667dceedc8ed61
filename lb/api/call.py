"""What a handler of an AWS operation is given, and how it refuses.

A handler is a plain function `(Call, Params) -> Result`, named as its operation. `Params` are the decoded and validated input
members as boto3 would take them (numbers, booleans, bytes, lists, mappings), `Result` the output members by the service
model; timestamps in a Result are datetimes or ISO 8601 texts. A handler awaits nothing and knows no socket, clock or random
number: changes go through `call.tx`, and the endpoint stores and publishes them together, or not at all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lb.observe.metrics.query import Datapoint, ListedMetric
from lb.resources.records import Transaction

Params = Mapping[str, Any]
Result = Mapping[str, Any]


class ApiError(Exception):
    """An error answer: AWS's code, the message, and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """A target as the health checker sees it. `reason` and `description` are empty for a healthy one (fact sheet 6.4)."""

    id: str
    port: int
    zone: str | None
    state: str
    reason: str = ""
    description: str = ""


class MetricSource(Protocol):
    """The metrics of the balancer; `lb.observe.metrics.query` says what goes in and out."""

    def get_statistics(
        self,
        name: str,
        dimensions: Mapping[str, str],
        start_s: float,
        end_s: float,
        period_s: int,
        statistics: Sequence[str],
    ) -> list[Datapoint]:
        """Datapoints of a metric, oldest first."""
        ...

    def list_metrics(self) -> list[ListedMetric]:
        """Every metric that has had points, with its dimensions."""
        ...


class Live(Protocol):
    """What is known only while the balancer runs."""

    def load_balancer_state(self, arn: str) -> tuple[str, str]:
        """`State.Code` and `State.Reason`; the reason is empty where there is none."""
        ...

    def target_health(self, target_group_arn: str) -> Sequence[TargetHealth]:
        """Registered and draining targets of a target group."""
        ...

    def instance_state(self, instance_id: str) -> str:
        """`pending`, `running`, `stopping`, `stopped`, `shutting-down` or `terminated`."""
        ...

    def image_state(self, image_id: str) -> str:
        """`pending`, `available` or `failed`."""
        ...

    def database_endpoint(self) -> tuple[str, int] | None:
        """Host and port of the MySQL server which is the endpoint of RDS instances, None where none is configured."""
        ...

    @property
    def metrics(self) -> MetricSource:
        """What was measured."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call: where it goes, when, and on what state. `new_id(n)` gives n random lower-case hex digits."""

    region: str
    account: str
    now: datetime
    tx: Transaction
    live: Live
    new_id: Callable[[int], str]

    @property
    def created_time(self) -> str:
        """The time of the call as records keep it."""
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Handler = Callable[[Call, Params], Result]
Operations = Mapping[str, Handler]
"""Operation name, as in the service model, to its handler."""
