"""least_outstanding_requests: the least busy target, and turns among equals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.targets.algorithms.least_outstanding import LeastOutstandingRequests
from tests.targets.algorithms.candidates import Candidate, candidates


def started(usable: list[Candidate]) -> LeastOutstandingRequests[Candidate]:
    algorithm: LeastOutstandingRequests[Candidate] = LeastOutstandingRequests()
    algorithm.changed(usable, 0.0)
    return algorithm


@pytest.mark.parametrize(
    ("in_flight", "orders"),
    [
        ([0, 0, 0], [1, 2, 3, 1]),
        ([3, 3, 3], [1, 2, 3, 1]),
        ([1, 0, 2], [2, 2, 2]),
        ([5, 2, 2], [2, 3, 2, 3]),
        ([2, 5, 2], [1, 3, 1, 3]),
        ([7], [1, 1]),
    ],
)
def test_the_fewest_requests_in_flight_win_and_equals_take_turns(in_flight, orders):
    usable = [Candidate(order, in_flight=number) for order, number in enumerate(in_flight, 1)]
    algorithm = started(usable)
    assert [algorithm.pick(usable, 0.0).order for _ in orders] == orders


def test_an_idle_group_is_shared_evenly():
    usable = candidates(3)
    algorithm = started(usable)
    assert [algorithm.pick(usable, 0.0).order for _ in range(9)] == [1, 2, 3] * 3


def test_goes_on_behind_the_last_target_when_the_usable_ones_change():
    one, two, three, four = usable = candidates(4)
    algorithm = started(usable)
    assert [algorithm.pick(usable, 0.0).order for _ in range(2)] == [1, 2]
    algorithm.changed([one, two, four], 0.0)
    assert algorithm.pick([one, two, four], 0.0) is four
    algorithm.changed([one, three], 0.0)
    assert algorithm.pick([one, three], 0.0) is one


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.lists(st.integers(0, 7), max_size=60))
def test_never_a_busier_target_than_necessary_and_the_counts_are_the_rosters(in_flight, ends):
    usable = [Candidate(order, in_flight=number) for order, number in enumerate(in_flight, 1)]
    algorithm = started(usable)
    for end in ends:
        before = [slot.in_flight for slot in usable]
        chosen = algorithm.pick(usable, 0.0)
        assert [slot.in_flight for slot in usable] == before
        assert chosen.in_flight == min(before)
        chosen.in_flight += 1
        finished = usable[end % len(usable)]
        finished.in_flight = max(0, finished.in_flight - 1)


@given(st.integers(1, 9), st.integers(0, 5))
def test_requests_that_never_end_spread_evenly(number, in_flight):
    usable = candidates(number, in_flight=in_flight)
    algorithm = started(usable)
    for _ in range(number * 20):
        algorithm.pick(usable, 0.0).in_flight += 1
    assert {slot.in_flight for slot in usable} == {in_flight + 20}
