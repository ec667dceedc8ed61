"""The health state machine of one target (fact sheet 6.3 and 6.4): (state, probe result, settings) -> state."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from lb.model.config import HealthCheck
from lb.model.reasons import Reason, TargetState


class ProbeOutcome(Enum):
    """How a probe ended."""

    PASSED = auto()
    CODE_MISMATCH = auto()
    TIMED_OUT = auto()
    FAILED = auto()


_REASONS = {
    ProbeOutcome.CODE_MISMATCH: Reason.RESPONSE_CODE_MISMATCH,
    ProbeOutcome.TIMED_OUT: Reason.TIMEOUT,
    ProbeOutcome.FAILED: Reason.FAILED_HEALTH_CHECKS,
}


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe. `status` is None where no status came; `detail` says in words what went wrong.

    `answer` is the first line of the answer, empty where none came; `at_s` the end, in epoch seconds.
    """

    outcome: ProbeOutcome
    status: int | None
    detail: str
    latency_s: float
    at_s: float
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """State with its reason, and the run of equal results that the next verdict depends on."""

    state: TargetState
    reason: Reason | None = None
    codes: tuple[int, ...] = ()
    passes: int = 0
    failures: int = 0

    @property
    def description(self) -> str | None:
        """`TargetHealth.Description`."""
        if self.reason is None:
            return None
        return self.reason.description.format(codes=", ".join(map(str, self.codes)))

    def looks_like(self, other: "Health") -> bool:
        """Whether DescribeTargetHealth would answer the same for both."""
        return (self.state, self.reason, self.codes) == (other.state, other.reason, other.codes)


REGISTERED = Health(TargetState.INITIAL, Reason.REGISTRATION_IN_PROGRESS)
NOT_IN_USE = Health(TargetState.UNUSED, Reason.NOT_IN_USE)
DRAINING = Health(TargetState.DRAINING, Reason.DEREGISTRATION_IN_PROGRESS)


def advance(health: Health, result: ProbeResult, check: HealthCheck) -> Health:
    """The health after one more probe. Any opposite result resets the counter of the other kind."""
    if health.state not in (TargetState.INITIAL, TargetState.HEALTHY, TargetState.UNHEALTHY):
        return health
    if result.outcome is ProbeOutcome.PASSED:
        return _passed(replace(health, passes=health.passes + 1, failures=0), check)
    return _failed(replace(health, passes=0, failures=health.failures + 1), result, check)


def _passed(health: Health, check: HealthCheck) -> Health:
    # One success is enough from `initial`; only the way back from `unhealthy` takes the threshold.
    if health.state is TargetState.UNHEALTHY and health.passes < check.healthy_threshold:
        return health
    return replace(health, state=TargetState.HEALTHY, reason=None, codes=())


def _failed(health: Health, result: ProbeResult, check: HealthCheck) -> Health:
    if health.state is not TargetState.UNHEALTHY and health.failures < check.unhealthy_threshold:
        if health.state is TargetState.INITIAL:
            return replace(health, reason=Reason.INITIAL_HEALTH_CHECKING)
        return health
    codes: tuple[int, ...] = ()
    if result.outcome is ProbeOutcome.CODE_MISMATCH and result.status is not None:
        codes = (result.status,)
    return replace(health, state=TargetState.UNHEALTHY, reason=_REASONS[result.outcome], codes=codes)
