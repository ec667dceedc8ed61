"""The operations of every AWS service that is served, by botocore's name of the service."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lb.api import elbv2
from lb.api.call import Operations

OPERATIONS: Final[Mapping[str, Operations]] = MappingProxyType({"elbv2": elbv2.OPERATIONS})
