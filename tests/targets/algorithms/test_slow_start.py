"""Slow start: the ramp of a new target, who is exempt, when it ends, and that the others keep their order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lb.targets.algorithms.slow_start import SlowStart
from tests.targets.algorithms.candidates import HEALTHY, UNHEALTHY, Candidate, candidates

DURATION_S = 30.0


def ramping(old: int, new: int, at: float = 100.0) -> tuple[SlowStart[Candidate], list[Candidate]]:
    """`old` targets outside slow start and `new` ones that became healthy at `at`."""
    algorithm: SlowStart[Candidate] = SlowStart(DURATION_S)
    usable = candidates(old + new)
    algorithm.changed(usable[:old], 0.0)
    algorithm.changed(usable, at)
    return algorithm, usable


def traffic(algorithm, usable, start: float, end: float, picks: int) -> list[tuple[float, int]]:
    """Evenly spaced picks: time and the order of the target."""
    times = [start + (end - start) * number / picks for number in range(picks)]
    return [(now, algorithm.pick(usable, now).order) for now in times]


def share(picked: list[tuple[float, int]], order: int) -> float:
    return sum(one == order for _, one in picked) / len(picked)


@pytest.mark.parametrize("old", [1, 2, 4, 9])
@pytest.mark.parametrize("rate", [50, 333])
def test_the_share_follows_the_linear_ramp_within_three_points(old, rate):
    algorithm, usable = ramping(old, 1)
    full = 1 / (old + 1)
    for second in range(0, 30, 3):
        picked = traffic(algorithm, usable, 100.0 + second, 103.0 + second, 3 * rate)
        expected = full * (second + 1.5) / DURATION_S
        assert share(picked, old + 1) == pytest.approx(expected, abs=0.03), second


def test_over_ten_thousand_requests_the_ramp_is_half_of_the_full_share():
    algorithm, usable = ramping(2, 1)
    picked = traffic(algorithm, usable, 100.0, 130.0, 10_000)
    assert share(picked, 3) == pytest.approx(1 / 6, abs=0.01)
    assert share(picked, 1) == pytest.approx(5 / 12, abs=0.01)


def test_two_new_targets_each_follow_the_ramp():
    algorithm, usable = ramping(2, 2)
    picked = traffic(algorithm, usable, 114.0, 116.0, 2_000)
    assert [share(picked, order) for order in (1, 2, 3, 4)] == pytest.approx([3 / 8, 3 / 8, 1 / 8, 1 / 8], abs=0.01)


def test_the_others_keep_their_round_robin_order_exactly():
    algorithm, usable = ramping(3, 2)
    others = [order for _, order in traffic(algorithm, usable, 100.0, 130.0, 5_000) if order <= 3]
    assert others == [number % 3 + 1 for number in range(len(others))]


def test_after_the_ramp_it_is_plain_round_robin():
    algorithm, usable = ramping(2, 1)
    traffic(algorithm, usable, 100.0, 130.0, 1_000)
    assert algorithm.progress(usable[2], 130.0) is None
    picked = [order for _, order in traffic(algorithm, usable, 130.0, 140.0, 9)]
    assert sorted(picked[:3]) == [1, 2, 3]
    assert picked == picked[:3] * 3


def test_without_a_ramp_it_is_plain_round_robin():
    algorithm, usable = ramping(3, 0)
    assert [order for _, order in traffic(algorithm, usable, 0.0, 1.0, 6)] == [1, 2, 3, 1, 2, 3]


def test_the_first_requests_already_reach_the_new_target():
    algorithm, usable = ramping(1, 1)
    assert 1 <= sum(order == 2 for _, order in traffic(algorithm, usable, 100.0, 100.05, 400)) <= 12


def test_progress_is_told():
    algorithm, usable = ramping(1, 1)
    assert algorithm.progress(usable[0], 115.0) is None
    assert algorithm.progress(usable[1], 100.0) == pytest.approx(0.02)
    assert algorithm.progress(usable[1], 115.0) == pytest.approx(0.51)


def is_ramping(algorithm: SlowStart[Candidate], slot: Candidate, now: float) -> bool:
    return algorithm.progress(slot, now) is not None


def test_exempt_targets_that_were_healthy_when_it_was_switched_on():
    algorithm: SlowStart[Candidate] = SlowStart(DURATION_S)
    usable = candidates(3)
    algorithm.changed(usable, 50.0)
    assert not any(is_ramping(algorithm, slot, 50.0) for slot in usable)


def test_exempt_the_first_batch_of_an_empty_group_though_its_targets_become_healthy_one_by_one():
    algorithm: SlowStart[Candidate] = SlowStart(DURATION_S)
    one, two, later = candidates(3)
    one.first_batch = two.first_batch = True
    algorithm.changed([], 0.0)
    algorithm.changed([one], 1.0)
    algorithm.changed([one, two], 2.0)
    assert not is_ramping(algorithm, two, 2.0)
    algorithm.changed([one, two, later], 3.0)
    assert is_ramping(algorithm, later, 3.0)


def test_exempt_where_no_healthy_target_is_outside_slow_start():
    algorithm: SlowStart[Candidate] = SlowStart(DURATION_S)
    one, two = candidates(2)
    algorithm.changed([], 0.0)
    algorithm.changed([one, two], 1.0)
    assert not is_ramping(algorithm, one, 1.0)
    assert not is_ramping(algorithm, two, 1.0)


def test_exempt_where_the_only_others_are_in_slow_start_themselves():
    algorithm, (one, two) = ramping(1, 1)
    three = Candidate(3)
    algorithm.changed([two], 101.0)  # the one outside slow start is gone
    algorithm.changed([two, three], 102.0)
    assert is_ramping(algorithm, two, 102.0)
    assert not is_ramping(algorithm, three, 102.0)
    assert not is_ramping(algorithm, one, 102.0)


def test_ends_when_the_target_is_unhealthy_and_starts_anew_when_it_is_back():
    algorithm, usable = ramping(2, 1)
    algorithm.changed(usable[:2], 120.0)
    assert not is_ramping(algorithm, usable[2], 120.0)
    algorithm.changed(usable, 125.0)
    assert algorithm.progress(usable[2], 125.0) == pytest.approx(0.02)
    assert is_ramping(algorithm, usable[2], 154.0)


def test_a_target_that_was_outside_slow_start_gets_a_ramp_when_it_comes_back():
    algorithm, usable = ramping(2, 0)
    algorithm.changed(usable[:1], 10.0)
    algorithm.changed(usable, 20.0)
    assert is_ramping(algorithm, usable[1], 20.0)


def test_in_fail_open_unhealthy_targets_are_used_without_a_ramp_and_get_one_when_healthy():
    algorithm: SlowStart[Candidate] = SlowStart(DURATION_S)
    one, two = usable = [Candidate(1), Candidate(2, UNHEALTHY)]
    algorithm.changed(usable, 0.0)
    assert [algorithm.pick(usable, 0.0).order for _ in range(4)] == [1, 2, 1, 2]
    two.health = HEALTHY
    algorithm.changed(usable, 5.0)
    assert is_ramping(algorithm, two, 5.0)
    one.health = UNHEALTHY
    two.health = UNHEALTHY
    algorithm.changed(usable, 6.0)
    assert not is_ramping(algorithm, two, 6.0)


def test_alone_on_their_ramps_targets_share_by_how_far_they_are():
    algorithm, (_, two) = ramping(1, 1)
    three = Candidate(3)
    one = Candidate(1)
    algorithm.changed([one, two, three], 110.0)
    algorithm.changed([two, three], 120.0)
    picked = traffic(algorithm, [two, three], 120.0, 120.01, 3_000)
    ahead, behind = 0.02 + 0.98 * 20 / 30, 0.02 + 0.98 * 10 / 30
    assert share(picked, 3) == pytest.approx(behind / (ahead + behind), abs=0.01)


def test_one_target_alone_on_its_ramp_gets_everything():
    algorithm, (_, two) = ramping(1, 1)
    algorithm.changed([two], 101.0)
    assert {order for _, order in traffic(algorithm, [two], 101.0, 120.0, 50)} == {2}


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 6),
    st.lists(
        st.tuples(st.sets(st.integers(0, 5)), st.floats(0.0, 20.0), st.integers(0, 12)),
        max_size=12,
    ),
)
def test_any_history_picks_usable_targets_only_and_nobody_outside_slow_start_twice_in_a_row(number, history):
    algorithm: SlowStart[Candidate] = SlowStart(DURATION_S)
    slots = candidates(number)
    now = 0.0
    for down, pause, picks in history:
        now += pause
        healthy = [slot for slot in slots if slot.order - 1 not in down]
        for slot in slots:
            slot.health = HEALTHY if slot in healthy else UNHEALTHY
        usable = healthy or slots
        algorithm.changed(usable, now)
        before = None
        for _ in range(picks):
            now += 0.1
            outside = [slot for slot in usable if not is_ramping(algorithm, slot, now)]
            chosen = algorithm.pick(usable, now)
            assert chosen in usable
            assert chosen.in_flight == 0
            if len(outside) > 1 and chosen in outside:
                assert chosen is not before
            before = chosen
