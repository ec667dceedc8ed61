"""The texts of DescribeTargetHealth (fact sheet 6.4), which clients match on."""

import pytest

from lb.model.reasons import Reason, TargetState

TEXTS = {
    Reason.REGISTRATION_IN_PROGRESS: ("Elb.RegistrationInProgress", "Target registration is in progress"),
    Reason.INITIAL_HEALTH_CHECKING: ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    Reason.RESPONSE_CODE_MISMATCH: ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]"),
    Reason.TIMEOUT: ("Target.Timeout", "Request timed out"),
    Reason.FAILED_HEALTH_CHECKS: ("Target.FailedHealthChecks", "Health checks failed"),
    Reason.NOT_IN_USE: (
        "Target.NotInUse",
        "Target group is not configured to receive traffic from the load balancer",
    ),
    Reason.DEREGISTRATION_IN_PROGRESS: ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
}


@pytest.mark.parametrize("reason", Reason)
def test_code_and_description(reason: Reason):
    assert (reason.code, reason.description.format(codes="404")) == TEXTS[reason]


def test_states():
    assert {state.value for state in TargetState} == {"initial", "healthy", "unhealthy", "unused", "draining"}
    assert all(str(state) == state.value for state in TargetState)
