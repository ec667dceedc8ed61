"""The quotas of an account: DescribeAccountLimits, and where the other handlers look them up (fact sheet 1.7)."""

from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.paging import paged

_LIMITS: Final = {
    "application-load-balancers": 50,
    "target-groups": 3000,
    "targets-per-target-group": 1000,
    "targets-per-application-load-balancer": 1000,
    "target-id-registrations-per-application-load-balancer": 1000,
    "listeners-per-application-load-balancer": 50,
    "rules-per-application-load-balancer": 100,
    "certificates-per-application-load-balancer": 25,
    "condition-values-per-alb-rule": 5,
    "condition-wildcards-per-alb-rule": 5,
    "target-groups-per-application-load-balancer": 100,
    "target-groups-per-action-on-application-load-balancer": 5,
    "network-load-balancers": 50,
    "listeners-per-network-load-balancer": 50,
    "targets-per-network-load-balancer": 3000,
    "targets-per-availability-zone-per-network-load-balancer": 500,
    "certificates-per-network-load-balancer": 25,
    "target-groups-per-action-on-network-load-balancer": 1,
    "network-load-balancer-enis-per-vpc": 1200,
    "gateway-load-balancers": 100,
    "gateway-load-balancers-per-vpc": 100,
    "geneve-target-groups": 100,
    "targets-per-availability-zone-per-gateway-load-balancer": 300,
}


def limit(name: str) -> int:
    """A quota by the name that DescribeAccountLimits gives it."""
    return _LIMITS[name]


def refuse_above(most: int, count: int, code: str, what: str) -> None:
    """Raises ApiError where there would be more than the quota, in the words of the service model; `what` says of what."""
    if count > most:
        raise ApiError(code, f"You've reached the limit on the number of {what}")


def describe_account_limits(call: Call, params: Params) -> Result:
    """Every quota with its value as text."""
    return paged("Limits", [{"Name": name, "Max": str(most)} for name, most in _LIMITS.items()], params)


OPERATIONS: Final[Operations] = {"DescribeAccountLimits": describe_account_limits}
