"""Alarms, of which there are none; tools list them on the way to something else."""

from typing import Final

from lb.api.call import Call, Operations, Params, Result


def describe_alarms(call: Call, params: Params) -> Result:
    """Nothing, whatever the filters."""
    return {"MetricAlarms": [], "CompositeAlarms": []}


OPERATIONS: Final[Operations] = {"DescribeAlarms": describe_alarms}
