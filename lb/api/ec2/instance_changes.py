"""StartInstances, StopInstances, RebootInstances, TerminateInstances: they record the wish, `lb.compute` carries it out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.addresses import disassociate_instance
from lb.api.ec2.instance_state import require_state, state_of, state_shape
from lb.api.ec2.instances import find_instances
from lb.api.ec2.terminated import forget_terminated
from lb.resources.records import Record

_BETWEEN: Final[Mapping[str, Mapping[str, str]]] = {
    "running": {"stopped": "pending"},
    "stopped": {"running": "stopping", "pending": "stopping"},
    "terminated": dict.fromkeys(("pending", "running", "stopping"), "shutting-down") | {"stopped": "terminated"},
}
"""What is wished for, then what is the case: the state that follows at once."""


def start_instances(call: Call, params: Params) -> Result:
    """Starts stopped instances; one that runs stays as it is."""
    instances = find_instances(call, params["InstanceIds"])
    for instance in instances:
        require_state(call, instance, ("stopped", "running", "pending"), "from which it can be started")
    return {"StartingInstances": [_wish(call, instance, "running") for instance in instances]}


def stop_instances(call: Call, params: Params) -> Result:
    """Stops running instances; one that is stopped stays as it is."""
    instances = find_instances(call, params["InstanceIds"])
    for instance in instances:
        require_state(call, instance, ("running", "pending", "stopping", "stopped"), "from which it can be stopped")
        _refuse_protected(instance, "DisableApiStop", "stopped")
    return {"StoppingInstances": [_wish(call, instance, "stopped") for instance in instances]}


def reboot_instances(call: Call, params: Params) -> Result:
    """Ends and starts the servers of running instances: `reboots` counts how often that was wished."""
    for instance in find_instances(call, params["InstanceIds"]):
        require_state(call, instance, ("running",), "from which it can be rebooted")
        more = {**instance.more, "reboots": instance.more.get("reboots", 0) + 1}
        call.tx.put(replace(instance, more=more))
    return {}


def terminate_instances(call: Call, params: Params) -> Result:
    """Ends instances for good; terminating one again is no error. Their elastic addresses are free again."""
    instances = find_instances(call, params["InstanceIds"])
    for instance in instances:
        _refuse_protected(instance, "DisableApiTermination", "terminated")
    answer = {"TerminatingInstances": [_wish(call, instance, "terminated") for instance in instances]}
    for instance in instances:
        disassociate_instance(call, instance.id)
    forget_terminated(call)
    return answer


def _wish(call: Call, instance: Record, desired: str) -> dict[str, Any]:
    before = state_of(call, instance)
    if instance.more["desired"] != desired:
        ended = {"terminated": call.created_time} if desired == "terminated" else {}
        call.tx.put(replace(instance, more={**instance.more, "desired": desired, **ended}))
    return {
        "InstanceId": instance.id,
        "PreviousState": state_shape(before),
        "CurrentState": state_shape(_BETWEEN[desired].get(before, before)),
    }


def _refuse_protected(instance: Record, attribute: str, what: str) -> None:
    if instance.more["attributes"][attribute] and instance.more["desired"] != "terminated":
        name = attribute[:1].lower() + attribute[1:]
        message = (
            f"The instance '{instance.id}' may not be {what}. Modify its '{name}' instance attribute and try again."
        )
        raise ApiError("OperationNotPermitted", message)


OPERATIONS: Final[Operations] = {
    "StartInstances": start_instances,
    "StopInstances": stop_instances,
    "RebootInstances": reboot_instances,
    "TerminateInstances": terminate_instances,
}
