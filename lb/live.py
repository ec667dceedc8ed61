"""What the AWS APIs see of a running balancer, and how they change it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lb.api.call import ApiError, MetricSource, TargetHealth
from lb.compute.instances import Instances
from lb.control import BusyError, Control
from lb.proxy.node import Node
from lb.resources.records import Kind, Records, Transaction
from lb.routing.plan import PlanError
from lb.store.store import StoreError
from lb.targets.roster import Slot

_T = TypeVar("_T")
_UNAVAILABLE = 503


class ApiState:
    """The records of the control side; what it cannot carry out becomes an error of the API (`lb.api.calls.State`)."""

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def records(self) -> Records:
        """As they are now."""
        return self._control.records

    async def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """`Control.transact`. Raises ApiError."""
        try:
            return await self._control.transact(work)
        except PlanError as error:
            raise ApiError("InvalidConfigurationRequest", str(error)) from error
        except (StoreError, BusyError) as error:
            raise ApiError("ServiceUnavailable", str(error), _UNAVAILABLE) from error


class LiveView:
    """Reads the parts of a running balancer; changes nothing (`lb.api.call.Live`)."""

    def __init__(
        self,
        control: Control,
        node: Node,
        instances: Instances,
        metrics: MetricSource,
        database: tuple[str, int] | None,
    ) -> None:
        self._control = control
        self._node = node
        self._instances = instances
        self._database = database
        self.metrics = metrics

    def load_balancer_state(self, arn: str) -> tuple[str, str]:
        """`failed` where a listener's port cannot be had; otherwise `active`, with what is not carried as the reason."""
        reasons = []
        for listener in self._control.records.children(Kind.LISTENER, arn):
            protocol, port = listener.shape["Protocol"], listener.shape["Port"]
            if protocol != "HTTP":
                reasons.append(f"{protocol}:{port} is kept as a record: this load balancer carries HTTP only")
            elif (failure := self._control.port_failure(port)) is not None:
                return "failed", failure
        return "active", "; ".join(reasons)

    def target_health(self, target_group_arn: str) -> Sequence[TargetHealth]:
        """Registered and draining targets."""
        roster = self._node.rosters.get(target_group_arn)
        return [_health(slot) for slot in roster.slots] if roster is not None else []

    def instance_state(self, instance_id: str) -> str:
        """See lb.compute.instances."""
        return self._instances.state(instance_id)

    def image_state(self, image_id: str) -> str:
        """See lb.compute.instances."""
        return self._instances.image_state(image_id)

    def database_endpoint(self) -> tuple[str, int] | None:
        """Host and port of the configured MySQL server."""
        return self._database


def _health(slot: Slot) -> TargetHealth:
    target, health = slot.endpoint.target, slot.health
    reason = health.reason.code if health.reason else ""
    return TargetHealth(target.id, target.port, target.zone, health.state.value, reason, health.description or "")
