"""The operations of every AWS service that is served, by botocore's name of the service."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lb.api import acm, cloudwatch, ec2, elbv2, iam, rds, sts
from lb.api.call import Operations

OPERATIONS: Final[Mapping[str, Operations]] = MappingProxyType(
    {
        "elbv2": elbv2.OPERATIONS,
        "ec2": ec2.OPERATIONS,
        "sts": sts.OPERATIONS,
        "iam": iam.OPERATIONS,
        "acm": acm.OPERATIONS,
        "cloudwatch": cloudwatch.OPERATIONS,
        "rds": rds.OPERATIONS,
    }
)
