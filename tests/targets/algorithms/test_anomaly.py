"""Anomaly detection and mitigation: tables of one decision, whole stories, and what holds for any history."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.targets.anomaly import LOWEST_WEIGHT, Counts, Standing, decide

GOOD = (100, 0, 0)
BAD = (100, 60, 0)


def window(*rows: tuple[int, int, int]) -> dict[str, Counts]:
    return {f"t{number}": Counts(*row) for number, row in enumerate(rows)}


def anomalous(standings: dict[str, Standing]) -> str:
    return "".join("A" if one.anomalous else "n" for one in standings.values())


# Requests, 5xx answers and connection errors of each target in one interval -> A(nomalous) or n(ormal).
ONE_DECISION = [
    ("all well", [GOOD, GOOD, GOOD], "nnn"),
    ("one fails", [BAD, GOOD, GOOD], "Ann"),
    ("one cannot be connected to", [GOOD, (100, 0, 60), GOOD], "nAn"),
    ("5xx and connection errors add up", [GOOD, GOOD, (100, 8, 8)], "nnA"),
    ("two healthy targets are too few to compare", [BAD, GOOD], "nn"),
    ("one target alone", [BAD], "n"),
    ("nobody", [], ""),
    ("all fail alike: the application is broken, not a target", [BAD, BAD, BAD], "nnn"),
    ("a majority is never anomalous", [BAD, BAD, GOOD], "nnn"),
    ("half may be", [BAD, BAD, GOOD, GOOD], "AAnn"),
    ("one of ten", [GOOD] * 9 + [BAD], "nnnnnnnnnA"),
    ("slightly worse than its peers", [(1000, 60, 0), GOOD, GOOD], "nnn"),
    ("everybody has some failures, one more", [(100, 20, 0), (100, 20, 0), (100, 90, 0)], "nnA"),
    ("too few requests to tell", [(4, 4, 0), GOOD, GOOD], "nnn"),
    ("few requests, all failed", [(5, 5, 0), GOOD, GOOD], "Ann"),
    ("one failure of few requests", [(6, 1, 0), (6, 0, 0), (6, 0, 0)], "nnn"),
    ("peers without requests are no yardstick", [BAD, (0, 0, 0), (0, 0, 0)], "nnn"),
    ("peers of whom one is silent", [BAD, GOOD, (0, 0, 0)], "nnn"),
    ("a failure counted twice is one", [GOOD, GOOD, (100, 100, 100)], "nnA"),
]


@pytest.mark.parametrize(("rows", "expected"), [row[1:] for row in ONE_DECISION], ids=[row[0] for row in ONE_DECISION])
def test_one_decision(rows, expected):
    assert anomalous(decide({}, window(*rows), mitigate=True)) == expected


def test_mitigation_lowers_the_weight_step_by_step_and_raises_it_after_recovery():
    standings: dict[str, Standing] = {}
    lowering = []
    for _ in range(6):
        standings = decide(standings, window(BAD, GOOD, GOOD), mitigate=True)
        lowering.append(standings["t0"].weight)
        assert standings["t0"].result == "anomalous"
        assert standings["t0"].mitigation_in_effect
        assert standings["t1"].weight == standings["t2"].weight == 1.0
    assert lowering == [0.5, 0.25, 0.125, 0.0625, LOWEST_WEIGHT, LOWEST_WEIGHT]
    weights = []
    for _ in range(12):
        standings = decide(standings, window(GOOD, GOOD, GOOD), mitigate=True)
        weights.append(standings["t0"].weight)
    assert not standings["t0"].anomalous
    assert not standings["t0"].mitigation_in_effect
    recovery = weights[weights.index(LOWEST_WEIGHT, 1) + 1 :] if LOWEST_WEIGHT in weights[1:] else weights
    assert all(0.0 <= later - earlier <= 0.2 + 1e-9 for earlier, later in pairwise(recovery))
    assert recovery[-1] == 1.0


@pytest.mark.parametrize(
    ("was_anomalous", "failures", "expected"),
    [(False, 7, False), (True, 7, True), (True, 4, False), (False, 11, True), (True, 11, True)],
)
def test_it_takes_more_to_become_anomalous_than_to_stay_so(was_anomalous, failures, expected):
    standings = {"t0": Standing(was_anomalous, requests=1000, failures=failures * 10)}
    after = decide(standings, window((1000, failures * 10, 0), (1000, 0, 0), (1000, 0, 0)), mitigate=True)
    assert after["t0"].anomalous is expected


def test_without_mitigation_the_verdict_is_told_and_the_weight_stays():
    standings = decide({}, window(BAD, GOOD, GOOD), mitigate=False)
    assert standings["t0"].result == "anomalous"
    assert not standings["t0"].mitigation_in_effect


def test_switching_mitigation_off_restores_the_weight_at_once():
    standings = decide({}, window(BAD, GOOD, GOOD), mitigate=True)
    assert decide(standings, window(BAD, GOOD, GOOD), mitigate=False)["t0"].weight == 1.0


def test_with_fewer_than_three_healthy_targets_nothing_is_in_effect():
    standings = decide({}, window(BAD, GOOD, GOOD), mitigate=True)
    after = decide(standings, {"t0": Counts(*BAD), "t1": Counts(*GOOD)}, mitigate=True)
    assert (after["t0"].result, after["t0"].weight) == ("normal", 1.0)


def test_a_target_that_was_not_healthy_starts_anew():
    standings = decide({}, window(BAD, GOOD, GOOD), mitigate=True)
    away = decide(standings, {"t1": Counts(*GOOD), "t2": Counts(*GOOD)}, mitigate=True)
    assert "t0" not in away
    assert decide(away, window((0, 0, 0), GOOD, GOOD), mitigate=True)["t0"] == Standing()


@pytest.mark.parametrize("rate_s", [2, 20, 200])
def test_a_whole_story_with_the_traffic_that_the_weights_leave(rate_s):
    """Mitigation ends after recovery, however little traffic it had left the target."""
    standings: dict[str, Standing] = {}
    history = []
    for step in range(120):
        weights = [standings.get(f"t{n}", Standing()).weight for n in range(3)]
        requests = [round(rate_s * 5 * weight / sum(weights)) for weight in weights]
        failing = step < 20
        rows = [(requests[0], requests[0] if failing else 0, 0), (requests[1], 0, 0), (requests[2], 0, 0)]
        standings = decide(standings, window(*rows), mitigate=True)
        history.append(standings["t0"])
    assert any(one.weight < 0.6 for one in history[:20])
    assert all(not one.anomalous and one.weight == 1.0 for one in history[-20:])


def test_a_target_that_goes_on_failing_gets_little_traffic_most_of_the_time():
    standings: dict[str, Standing] = {}
    served = 0
    for _ in range(200):
        weights = [standings.get(f"t{n}", Standing()).weight for n in range(3)]
        requests = [round(300 * weight / sum(weights)) for weight in weights]
        served += requests[0]
        standings = decide(
            standings, window((requests[0], requests[0], 0), (requests[1], 0, 0), (requests[2], 0, 0)), mitigate=True
        )
    assert served / (200 * 300) < 0.05


counts = st.builds(Counts, st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from("abcdefg"), counts), st.booleans()), max_size=12))
def test_any_history_keeps_weights_in_range_and_a_majority_normal(history):
    standings: dict[str, Standing] = {}
    for one, mitigate in history:
        before = standings
        standings = decide(before, one, mitigate=mitigate)
        assert standings.keys() == one.keys()
        for key, standing in standings.items():
            assert LOWEST_WEIGHT <= standing.weight <= 1.0
            assert 0.0 <= standing.failure_share <= 1.0
            assert mitigate or standing.weight == 1.0
            # Smooth: never less than half of before, never more than a fifth of a full share more, or back to no mitigation.
            was = before.get(key, Standing()).weight
            assert standing.weight == 1.0 or was / 2 - 1e-9 <= standing.weight <= was + 0.25
        if len(one) < 3:
            assert anomalous(standings) == "n" * len(one)


@given(st.lists(counts, min_size=3, max_size=9))
def test_one_decision_finds_at_most_half_of_the_targets_anomalous(rows):
    standings = decide({}, {str(number): row for number, row in enumerate(rows)}, mitigate=True)
    assert anomalous(standings).count("A") * 2 <= len(rows)


@given(st.lists(counts, min_size=3, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_the_targets_does_not_matter(rows, rng):
    named = [(str(number), row) for number, row in enumerate(rows)]
    shuffled = list(named)
    rng.shuffle(shuffled)
    assert decide({}, dict(named), mitigate=True) == decide({}, dict(shuffled), mitigate=True)
