"""The health state machine (fact sheet 6.3 and 6.4)."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lb.model.config import HealthCheck
from lb.model.reasons import Reason, TargetState
from lb.targets.health import DRAINING, NOT_IN_USE, REGISTERED, Health, ProbeOutcome, ProbeResult, advance
from tests.routing.configs import CHECK

STATUSES = {ProbeOutcome.PASSED: 200, ProbeOutcome.CODE_MISMATCH: 404}
REASONS = {
    ProbeOutcome.CODE_MISMATCH: Reason.RESPONSE_CODE_MISMATCH,
    ProbeOutcome.TIMED_OUT: Reason.TIMEOUT,
    ProbeOutcome.FAILED: Reason.FAILED_HEALTH_CHECKS,
}
FAILURES = tuple(REASONS)


def result(outcome: ProbeOutcome, status: int | None = None) -> ProbeResult:
    return ProbeResult(outcome, status or STATUSES.get(outcome), "", 0.01, 0.0)


def check(healthy: int = 5, unhealthy: int = 2) -> HealthCheck:
    return replace(CHECK, healthy_threshold=healthy, unhealthy_threshold=unhealthy)


def after(start: Health, outcomes: str, settings: HealthCheck) -> Health:
    """`P` passed, `F` failed, `M` mismatched, `T` timed out."""
    letters = {
        "P": ProbeOutcome.PASSED,
        "F": ProbeOutcome.FAILED,
        "M": ProbeOutcome.CODE_MISMATCH,
        "T": ProbeOutcome.TIMED_OUT,
    }
    for letter in outcomes:
        start = advance(start, result(letters[letter]), settings)
    return start


INITIAL, HEALTHY, UNHEALTHY = TargetState.INITIAL, TargetState.HEALTHY, TargetState.UNHEALTHY


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("", INITIAL),
        ("P", HEALTHY),
        ("F", INITIAL),
        ("FP", HEALTHY),
        ("FF", INITIAL),
        ("FFF", UNHEALTHY),
        ("FPFF", HEALTHY),
        ("PFF", HEALTHY),
        ("PFFF", UNHEALTHY),
        ("PMTF", UNHEALTHY),
        ("PFFPFF", HEALTHY),
        ("PFFPFFF", UNHEALTHY),
        ("FFFP", UNHEALTHY),
        ("FFFPP", HEALTHY),
        ("FFFPFP", UNHEALTHY),
        ("FFFPFPP", HEALTHY),
        ("FFFPPFF", HEALTHY),
        ("FFFPPFFF", UNHEALTHY),
    ],
)
def test_states_with_two_successes_and_three_failures_as_thresholds(outcomes: str, state: TargetState):
    assert after(REGISTERED, outcomes, check(healthy=2, unhealthy=3)).state is state


@pytest.mark.parametrize("healthy", [2, 5, 10])
def test_one_success_is_enough_for_a_new_target(healthy: int):
    assert after(REGISTERED, "P", check(healthy=healthy)).state is HEALTHY


def test_the_answer_of_describe_target_health_along_the_way():
    def answer(outcomes: str) -> tuple[str, str | None, str | None]:
        health = after(REGISTERED, outcomes, check(healthy=2, unhealthy=2))
        return health.state.value, health.reason.code if health.reason else None, health.description

    assert answer("") == ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
    assert answer("F") == ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
    assert answer("P") == ("healthy", None, None)
    assert answer("PF") == ("healthy", None, None)
    mismatch = ("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]")
    assert answer("MM") == mismatch
    assert answer("FM") == mismatch
    assert answer("MMP") == mismatch
    assert answer("MT") == ("unhealthy", "Target.Timeout", "Request timed out")
    assert answer("MMT") == ("unhealthy", "Target.Timeout", "Request timed out")
    assert answer("TF") == ("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
    assert answer("FFPP") == ("healthy", None, None)


def test_the_codes_are_those_of_the_last_probe():
    health = after(REGISTERED, "MM", check())
    assert advance(health, result(ProbeOutcome.CODE_MISMATCH, 503), check()).description == (
        "Health checks failed with these codes: [503]"
    )


@pytest.mark.parametrize(
    ("health", "answer"),
    [
        (NOT_IN_USE, ("unused", "Target.NotInUse")),
        (DRAINING, ("draining", "Target.DeregistrationInProgress")),
        (REGISTERED, ("initial", "Elb.RegistrationInProgress")),
    ],
)
def test_the_states_that_no_probe_leads_to(health: Health, answer: tuple[str, str]):
    assert health.reason is not None
    assert (health.state.value, health.reason.code) == answer


@pytest.mark.parametrize("outcome", ProbeOutcome)
@pytest.mark.parametrize("health", [NOT_IN_USE, DRAINING])
def test_probes_change_nothing_for_a_target_that_gets_no_traffic(health: Health, outcome: ProbeOutcome):
    assert advance(health, result(outcome), check(1, 1)) == health


@pytest.mark.parametrize("outcome", ProbeOutcome)
@pytest.mark.parametrize("state", [INITIAL, HEALTHY, UNHEALTHY])
@pytest.mark.parametrize("before", range(4))
def test_every_pair_of_state_and_outcome(state: TargetState, outcome: ProbeOutcome, before: int):
    """The table of 6.3 for a target that has seen `before` equal results in a row, with thresholds of 3."""
    passed = outcome is ProbeOutcome.PASSED
    reason = {INITIAL: Reason.INITIAL_HEALTH_CHECKING, HEALTHY: None, UNHEALTHY: Reason.TIMEOUT}[state]
    start = Health(state, reason, (), passes=before if passed else 0, failures=0 if passed else before)
    end = advance(start, result(outcome), check(3, 3))
    enough = before + 1 >= 3
    if passed:
        assert end.state is (UNHEALTHY if state is UNHEALTHY and not enough else HEALTHY)
        assert (end.passes, end.failures) == (before + 1, 0)
    else:
        assert end.state is (UNHEALTHY if enough or state is UNHEALTHY else state)
        assert (end.passes, end.failures) == (0, before + 1)
    if end.state is HEALTHY:
        assert (end.reason, end.codes) == (None, ())
    elif end.state is UNHEALTHY and not passed:
        assert end.reason is REASONS[outcome]
        assert end.codes == ((404,) if outcome is ProbeOutcome.CODE_MISMATCH else ())
    else:
        assert end.reason is reason


@pytest.mark.parametrize("outcome", ProbeOutcome)
@pytest.mark.parametrize("state", [INITIAL, HEALTHY, UNHEALTHY])
def test_an_opposite_result_resets_the_counter(state: TargetState, outcome: ProbeOutcome):
    start = Health(state, None, (), passes=2, failures=2)
    end = advance(start, result(outcome), check(100, 100))
    assert (end.failures if outcome is ProbeOutcome.PASSED else end.passes) == 0


def oracle(outcomes: list[ProbeOutcome], healthy: int, unhealthy: int) -> tuple[TargetState, Reason | None]:
    """The state by looking at whole runs of equal verdicts, from the registration on."""
    state = INITIAL
    reason = REGISTERED.reason
    for passed, run in itertools.groupby(outcomes, lambda outcome: outcome is ProbeOutcome.PASSED):
        members = list(run)
        if passed:
            if state is not UNHEALTHY or len(members) >= healthy:
                state, reason = HEALTHY, None
        elif state is UNHEALTHY or len(members) >= unhealthy:
            state, reason = UNHEALTHY, REASONS[members[-1]]
        elif state is INITIAL:
            reason = Reason.INITIAL_HEALTH_CHECKING
    return state, reason


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(list(ProbeOutcome)), max_size=40), st.integers(1, 5), st.integers(1, 5))
def test_sequences_against_the_oracle(outcomes: list[ProbeOutcome], healthy: int, unhealthy: int):
    health = REGISTERED
    for count, outcome in enumerate(outcomes, start=1):
        health = advance(health, result(outcome), check(healthy, unhealthy))
        assert (health.state, health.reason) == oracle(outcomes[:count], healthy, unhealthy)
        assert bool(health.codes) is (health.reason is Reason.RESPONSE_CODE_MISMATCH)


@settings(deadline=None)
@given(st.lists(st.sampled_from(list(ProbeOutcome)), max_size=20))
def test_a_health_that_looks_alike_is_described_alike(outcomes: list[ProbeOutcome]):
    seen = [REGISTERED]
    for outcome in outcomes:
        seen.append(advance(seen[-1], result(outcome), check(2, 2)))
    for one, other in itertools.combinations(seen, 2):
        described = [(each.state, each.reason, each.description) for each in (one, other)]
        assert one.looks_like(other) is (described[0] == described[1])
