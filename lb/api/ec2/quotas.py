"""How many of each resource a region may have. Source: "Amazon VPC quotas", "Amazon EC2 service quotas"; instances fewer."""

from collections.abc import Sized
from typing import Final

from lb.api.call import ApiError

MOST_INSTANCES: Final = 50
"""Of the account, in all regions: each is a process on this machine."""
MOST_PER_LAUNCH: Final = 20
MOST_IMAGES: Final = 50
MOST_ADDRESSES: Final = 5
MOST_GROUPS_PER_INTERFACE: Final = 5

_MOST: Final = {
    "VpcLimitExceeded": (5, "VPCs"),
    "SubnetLimitExceeded": (200, "subnets"),
    "SecurityGroupLimitExceeded": (2500, "security groups"),
    "InternetGatewayLimitExceeded": (5, "internet gateways"),
    "RouteTableLimitExceeded": (200, "route tables"),
    "RouteLimitExceeded": (500, "routes"),
    "RulesPerSecurityGroupLimitExceeded": (60, "rules per security group"),
    "AddressLimitExceeded": (MOST_ADDRESSES, "addresses"),
    "ImageLimitExceeded": (MOST_IMAGES, "images"),
    "SecurityGroupsPerInterfaceLimitExceeded": (MOST_GROUPS_PER_INTERFACE, "security groups per interface"),
}


def refuse_above(code: str, present: Sized) -> None:
    """Raises ApiError with this code where there are more than the quota."""
    most, what = _MOST[code]
    if len(present) > most:
        raise ApiError(code, f"The maximum number of {what} has been reached.")
