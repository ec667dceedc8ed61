"""States and reasons, with the exact texts that ELB answers (fact sheet 6.4).

Source: DescribeTargetHealth in the ELBv2 API, "Check the health of your targets" in the user guide.
"""

from enum import Enum, StrEnum


class TargetState(StrEnum):
    """`TargetHealth.State`."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    DRAINING = "draining"


class Reason(Enum):
    """`TargetHealth.Reason` with its description; `[{codes}]` is filled with what the probes returned."""

    REGISTRATION_IN_PROGRESS = ("Elb.RegistrationInProgress", "Target registration is in progress")
    INITIAL_HEALTH_CHECKING = ("Elb.InitialHealthChecking", "Initial health checks in progress")
    RESPONSE_CODE_MISMATCH = (
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [{codes}]",
    )
    TIMEOUT = ("Target.Timeout", "Request timed out")
    FAILED_HEALTH_CHECKS = ("Target.FailedHealthChecks", "Health checks failed")
    NOT_IN_USE = (
        "Target.NotInUse",
        "Target group is not configured to receive traffic from the load balancer",
    )
    DEREGISTRATION_IN_PROGRESS = ("Target.DeregistrationInProgress", "Target deregistration is in progress")

    def __init__(self, code: str, description: str) -> None:
        self.code = code
        self.description = description
