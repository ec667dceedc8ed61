"""DescribeAccountAttributes."""

from typing import Final

from lb.api.call import Call, Operations, Params, Result
from lb.api.ec2.quotas import MOST_ADDRESSES, MOST_GROUPS_PER_INTERFACE, MOST_INSTANCES
from lb.api.ec2.vpcs import default_vpc


def describe_account_attributes(call: Call, params: Params) -> Result:
    """What the account has and may have in the region."""
    asked = params.get("AttributeNames")
    default = default_vpc(call)
    values = {
        "supported-platforms": "VPC",
        "default-vpc": "none" if default is None else default.id,
        "max-instances": str(MOST_INSTANCES),
        "vpc-max-security-groups-per-interface": str(MOST_GROUPS_PER_INTERFACE),
        "max-elastic-ips": str(MOST_ADDRESSES),
        "vpc-max-elastic-ips": str(MOST_ADDRESSES),
    }
    return {
        "AccountAttributes": [
            {"AttributeName": name, "AttributeValues": [{"AttributeValue": value}]}
            for name, value in values.items()
            if not asked or name in asked
        ]
    }


OPERATIONS: Final[Operations] = {"DescribeAccountAttributes": describe_account_attributes}
