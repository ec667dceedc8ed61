"""The reserved capacity of a load balancer, kept as a record: here nothing has to be reserved, so it is provisioned at once.

`more["MinimumLoadBalancerCapacity"]` is the reservation, `more["CapacityModifiedTime"]` when it was last changed, and
`more["CapacityDecreases"]` the days on which it was lowered, a day for each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.limits import refuse_above
from lb.api.elbv2.lookup import find
from lb.resources.records import Kind, Record

_RESERVATION: Final = "MinimumLoadBalancerCapacity"
_MODIFIED: Final = "CapacityModifiedTime"
_DECREASES: Final = "CapacityDecreases"
# Fact sheet 1.7.
_MOST_UNITS: Final = 15_000
_DECREASES_PER_DAY: Final = 2


def describe_capacity_reservation(call: Call, params: Params) -> Result:
    """The reservation, and its share in each zone."""
    return _answer(call, find(call, Kind.LOAD_BALANCER, params["LoadBalancerArn"]))


def modify_capacity_reservation(call: Call, params: Params) -> Result:
    """Sets the reservation or resets it; it can be lowered twice a day."""
    balancer = find(call, Kind.LOAD_BALANCER, params["LoadBalancerArn"])
    if balancer.shape["Type"] == "gateway":
        message = "Capacity reservations are not supported for load balancers with type 'gateway'"
        raise ApiError("OperationNotPermitted", message)
    wanted = _wanted_units(params)
    more = {**balancer.more, _MODIFIED: call.created_time, _DECREASES: _decreases(call, balancer)}
    if wanted < _units(balancer.more):
        if len(more[_DECREASES]) >= _DECREASES_PER_DAY:
            message = "You've exceeded the daily capacity decrease limit for this reservation"
            raise ApiError("CapacityDecreaseRequestLimitExceeded", message)
        more[_DECREASES] = [*more[_DECREASES], _today(call)]
    more[_RESERVATION] = {"CapacityUnits": wanted} if wanted else {}
    modified = replace(balancer, more=more)
    call.tx.put(modified)
    return _answer(call, modified)


def _wanted_units(params: Params) -> int:
    capacity, reset = params.get(_RESERVATION), params.get("ResetCapacityReservation", False)
    if (capacity is not None) == reset:
        message = "You must specify either a minimum load balancer capacity or a reset of the capacity reservation"
        raise ApiError("InvalidConfigurationRequest", message)
    if capacity is None:
        return 0
    units: int = capacity.get("CapacityUnits", 0)
    if units < 1:
        raise ApiError("ValidationError", "The capacity units must be greater than '0'")
    refuse_above(_MOST_UNITS, units, "CapacityUnitsLimitExceeded", "capacity units per load balancer")
    return units


def _units(more: Mapping[str, Any]) -> int:
    units: int = more.get(_RESERVATION, {}).get("CapacityUnits", 0)
    return units


def _today(call: Call) -> str:
    return call.now.date().isoformat()


def _decreases(call: Call, balancer: Record) -> Sequence[str]:
    return [day for day in balancer.more.get(_DECREASES, ()) if day == _today(call)]


def _answer(call: Call, balancer: Record) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "DecreaseRequestsRemaining": _DECREASES_PER_DAY - len(_decreases(call, balancer)),
        "CapacityReservationState": [],
    }
    if _MODIFIED in balancer.more:
        answer["LastModifiedTime"] = balancer.more[_MODIFIED]
    if units := _units(balancer.more):
        zones = balancer.shape["AvailabilityZones"]
        answer[_RESERVATION] = {"CapacityUnits": units}
        answer["CapacityReservationState"] = [
            {
                "State": {"Code": "provisioned"},
                "AvailabilityZone": zone["ZoneName"],
                "EffectiveCapacityUnits": units / len(zones),
            }
            for zone in zones
        ]
    return answer


OPERATIONS: Final[Operations] = {
    "DescribeCapacityReservation": describe_capacity_reservation,
    "ModifyCapacityReservation": modify_capacity_reservation,
}
