"""The CloudWatch API: what was measured of load balancers and target groups (`AWS/ApplicationELB`).

Metrics name their load balancer, not its region, so every region answers the same. There are no alarms, and no metrics of
somebody else's can be put: PutMetricData is not implemented.
"""

from typing import Final

from lb.api.call import Operations
from lb.api.cloudwatch import alarms, metric_data, metrics

OPERATIONS: Final[Operations] = {**metrics.OPERATIONS, **metric_data.OPERATIONS, **alarms.OPERATIONS}
"""Operation to its handler."""
