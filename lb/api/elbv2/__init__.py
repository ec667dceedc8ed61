"""The ELBv2 API: all operations of Elastic Load Balancing, version 2015-12-01."""

from typing import Final

from lb.api.call import Operations
from lb.api.elbv2 import (
    capacity,
    certificates,
    lb_attributes,
    lb_network,
    limits,
    listener_attributes,
    listeners,
    load_balancers,
    revocations,
    rules,
    ssl_policies,
    tags,
    target_group_attributes,
    target_groups,
    target_health,
    targets,
    trust_stores,
)

OPERATIONS: Final[Operations] = {
    **load_balancers.OPERATIONS,
    **lb_attributes.OPERATIONS,
    **lb_network.OPERATIONS,
    **capacity.OPERATIONS,
    **listeners.OPERATIONS,
    **listener_attributes.OPERATIONS,
    **certificates.OPERATIONS,
    **ssl_policies.OPERATIONS,
    **rules.OPERATIONS,
    **target_groups.OPERATIONS,
    **target_group_attributes.OPERATIONS,
    **targets.OPERATIONS,
    **target_health.OPERATIONS,
    **trust_stores.OPERATIONS,
    **revocations.OPERATIONS,
    **tags.OPERATIONS,
    **limits.OPERATIONS,
}
"""Operation to its handler."""
