"""`round_robin`: one after another, also when the usable targets change in between."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lb.targets.algorithms.round_robin import RoundRobin
from tests.targets.algorithms.candidates import Candidate, candidates

ITEMS = candidates(6)


def picks(cursor: RoundRobin[Candidate], usable: list[Candidate], count: int) -> list[int]:
    return [cursor.pick(usable, 0.0).order for _ in range(count)]


def test_two_targets_alternate_from_the_first():
    cursor: RoundRobin[Candidate] = RoundRobin()
    cursor.changed(ITEMS[:2], 0.0)
    assert picks(cursor, ITEMS[:2], 1000) == [1, 2] * 500


def test_one_target_gets_everything():
    cursor: RoundRobin[Candidate] = RoundRobin()
    cursor.changed(ITEMS[:1], 0.0)
    assert picks(cursor, ITEMS[:1], 3) == [1, 1, 1]


def test_a_change_goes_on_behind_the_last_pick():
    cursor: RoundRobin[Candidate] = RoundRobin()
    cursor.changed(ITEMS[:3], 0.0)
    assert picks(cursor, ITEMS[:3], 2) == [1, 2]
    without_second = [ITEMS[0], ITEMS[2]]
    cursor.changed(without_second, 0.0)
    assert picks(cursor, without_second, 3) == [3, 1, 3]
    cursor.changed(ITEMS[:3], 0.0)
    assert picks(cursor, ITEMS[:3], 3) == [1, 2, 3]


def test_a_change_to_the_same_targets_changes_nothing():
    cursor: RoundRobin[Candidate] = RoundRobin()
    cursor.changed(ITEMS[:3], 0.0)
    seen = []
    for _ in range(7):
        seen += picks(cursor, ITEMS[:3], 1)
        cursor.changed(ITEMS[:3], 0.0)
    assert seen == [1, 2, 3, 1, 2, 3, 1]


def test_two_cursors_know_nothing_of_each_other():
    first, second = RoundRobin(), RoundRobin()
    first.changed(ITEMS[:2], 0.0)
    second.changed(ITEMS[:2], 0.0)
    assert picks(first, ITEMS[:2], 1) == picks(second, ITEMS[:2], 1) == [1]


subsets = st.sets(st.sampled_from(range(6)), min_size=1).map(lambda chosen: [ITEMS[at] for at in sorted(chosen)])


@settings(deadline=None)
@given(st.lists(st.tuples(subsets, st.integers(0, 20)), min_size=1, max_size=8))
def test_shares_differ_by_one_at_most_and_nobody_is_picked_twice_in_a_row(phases: list[tuple[list[Candidate], int]]):
    cursor: RoundRobin[Candidate] = RoundRobin()
    last = None
    for usable, count in phases:
        cursor.changed(usable, 0.0)
        shares = {item.order: 0 for item in usable}
        for order in picks(cursor, usable, count):
            assert order != last or len(usable) == 1
            last = order
            shares[order] += 1
        assert max(shares.values()) - min(shares.values()) <= 1
