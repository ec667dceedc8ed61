"""States of instances, and what may be done in which."""

from collections.abc import Collection
from typing import Any, Final

from lb.api.call import ApiError, Call
from lb.resources.records import Record

_CODES: Final = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}


def state_of(call: Call, instance: Record) -> str:
    """The state of an instance that earlier calls made what it is."""
    return call.live.instance_state(instance.id)


def state_shape(state: str) -> dict[str, Any]:
    """An InstanceState."""
    return {"Code": _CODES[state], "Name": state}


def require_state(call: Call, instance: Record, states: Collection[str], what: str) -> None:
    """Raises ApiError for an instance in another state; `what` ends the sentence."""
    if state_of(call, instance) not in states:
        raise ApiError("IncorrectInstanceState", f"The instance '{instance.id}' is not in a state {what}.")
