"""RDS as a flow around a load balancer needs it: DB instances whose endpoint is the configured MySQL server."""

from typing import Final

from lb.api.call import Operations
from lb.api.rds import engines, instances, subnet_groups, tags

OPERATIONS: Final[Operations] = {
    **instances.OPERATIONS,
    **subnet_groups.OPERATIONS,
    **engines.OPERATIONS,
    **tags.OPERATIONS,
}
"""Operation to its handler."""
