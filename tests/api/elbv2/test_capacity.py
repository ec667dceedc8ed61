from datetime import timedelta

import pytest

from tests.api.aws_call import Aws
from tests.api.elbv2.elb import ARN, Elb


def reserve(elb: Elb, arn: str, units: int) -> dict[str, object]:
    capacity = {"CapacityUnits": units}
    answer: dict[str, object] = elb(
        "ModifyCapacityReservation", LoadBalancerArn=arn, MinimumLoadBalancerCapacity=capacity
    )
    return answer


def test_nothing_is_reserved_at_first(elb: Elb):
    answer = elb("DescribeCapacityReservation", LoadBalancerArn=elb.balancer())
    assert answer == {"DecreaseRequestsRemaining": 2, "CapacityReservationState": []}


def test_a_reservation_is_provisioned_at_once_and_shared_by_the_zones(elb: Elb):
    arn = elb.balancer()
    answer = reserve(elb, arn, 3000)
    assert answer == {
        "LastModifiedTime": "2026-01-05T10:20:30.120Z",
        "DecreaseRequestsRemaining": 2,
        "MinimumLoadBalancerCapacity": {"CapacityUnits": 3000},
        "CapacityReservationState": [
            {
                "State": {"Code": "provisioned"},
                "AvailabilityZone": f"us-east-1{zone}",
                "EffectiveCapacityUnits": 1500.0,
            }
            for zone in "ab"
        ],
    }
    assert elb("DescribeCapacityReservation", LoadBalancerArn=arn) == answer


def test_a_reservation_is_lowered_twice_a_day_at_most(elb: Elb, aws: Aws):
    arn = elb.balancer()
    reserve(elb, arn, 3000)
    assert reserve(elb, arn, 2000)["DecreaseRequestsRemaining"] == 1
    assert reserve(elb, arn, 2500)["DecreaseRequestsRemaining"] == 1
    reset = elb("ModifyCapacityReservation", LoadBalancerArn=arn, ResetCapacityReservation=True)
    assert (reset["DecreaseRequestsRemaining"], reset["CapacityReservationState"]) == (0, [])
    assert "MinimumLoadBalancerCapacity" not in reset
    reserve(elb, arn, 2000)
    less = {"LoadBalancerArn": arn, "MinimumLoadBalancerCapacity": {"CapacityUnits": 1000}}
    assert elb.refused("ModifyCapacityReservation", **less).code == "CapacityDecreaseRequestLimitExceeded"
    aws.now += timedelta(days=1)
    assert elb("ModifyCapacityReservation", **less)["DecreaseRequestsRemaining"] == 1


REFUSED = {
    "nothing asked": ({}, "InvalidConfigurationRequest"),
    "both asked": (
        {"MinimumLoadBalancerCapacity": {"CapacityUnits": 1}, "ResetCapacityReservation": True},
        "InvalidConfigurationRequest",
    ),
    "too much": ({"MinimumLoadBalancerCapacity": {"CapacityUnits": 15_001}}, "CapacityUnitsLimitExceeded"),
    "nothing": ({"MinimumLoadBalancerCapacity": {}}, "ValidationError"),
    "less than nothing": ({"MinimumLoadBalancerCapacity": {"CapacityUnits": -1}}, "ValidationError"),
}


@pytest.mark.parametrize(("params", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_reservation_is_refused(elb: Elb, params: dict[str, object], code: str):
    assert elb.refused("ModifyCapacityReservation", LoadBalancerArn=elb.balancer(), **params).code == code


def test_what_cannot_have_a_reservation(elb: Elb):
    unknown = f"{ARN}:loadbalancer/app/no/1"
    assert elb.refused("DescribeCapacityReservation", LoadBalancerArn=unknown).code == "LoadBalancerNotFound"
    assert elb.refused("ModifyCapacityReservation", LoadBalancerArn=unknown).code == "LoadBalancerNotFound"
    gateway = elb.balancer(Type="gateway")
    error = elb.refused("ModifyCapacityReservation", LoadBalancerArn=gateway, ResetCapacityReservation=True)
    assert error.code == "OperationNotPermitted"
