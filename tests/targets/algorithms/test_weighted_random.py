"""weighted_random: even by default, lower for targets whose weight was lowered."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lb.targets.algorithms.weighted_random import WeightedRandom
from tests.targets.algorithms.candidates import candidates, shares


class Dice:
    """Returns the same number again and again."""

    def __init__(self, number: float) -> None:
        self.number = number

    def random(self) -> float:
        return self.number


@pytest.mark.parametrize("number", [1, 2, 3, 10])
def test_all_targets_get_the_same_share_within_two_points(number):
    usable = candidates(number)
    algorithm = WeightedRandom(random.Random(1))
    algorithm.changed(usable, 0.0)
    assert shares(algorithm, usable, 10_000) == {slot.order: pytest.approx(1 / number, abs=0.02) for slot in usable}


@pytest.mark.parametrize("weights", [[0.5, 1.0, 1.0], [0.05, 1.0, 1.0], [0.2, 0.6, 1.0], [0.3, 0.3, 0.3]])
def test_lowered_weights_lower_the_share_within_two_points(weights):
    usable = candidates(3)
    algorithm = WeightedRandom(random.Random(2))
    algorithm.weigh({slot.key: weight for slot, weight in zip(usable, weights, strict=True)}, usable, 0.0)
    expected = {slot.order: pytest.approx(w / sum(weights), abs=0.02) for slot, w in zip(usable, weights, strict=True)}
    assert shares(algorithm, usable, 10_000) == expected


def test_weights_stay_with_their_targets_when_the_usable_ones_change():
    usable = candidates(4)
    algorithm = WeightedRandom(random.Random(3))
    algorithm.weigh({usable[3].key: 0.1}, usable, 0.0)
    fewer = [usable[0], usable[3]]
    algorithm.changed(fewer, 0.0)
    assert shares(algorithm, fewer, 10_000)[4] == pytest.approx(0.1 / 1.1, abs=0.02)


def test_weights_that_are_back_at_one_change_nothing_any_more():
    usable = candidates(2)
    algorithm = WeightedRandom(random.Random(4))
    algorithm.weigh({usable[0].key: 0.05}, usable, 0.0)
    algorithm.weigh({usable[0].key: 1.0}, usable, 0.0)
    assert shares(algorithm, usable, 10_000)[1] == pytest.approx(0.5, abs=0.02)


def test_the_same_seed_gives_the_same_order():
    usable = candidates(5)
    runs = []
    for _ in range(2):
        algorithm = WeightedRandom(random.Random(5))
        algorithm.changed(usable, 0.0)
        runs.append([algorithm.pick(usable, 0.0).order for _ in range(50)])
    assert runs[0] == runs[1]


@pytest.mark.parametrize("weight", [0.0, -1.0, 1.01, float("nan")])
def test_a_weight_out_of_range_is_refused(weight):
    usable = candidates(2)
    with pytest.raises(ValueError, match=r"192\.0\.2\.1:80"):
        WeightedRandom(random.Random(6)).weigh({usable[0].key: weight}, usable, 0.0)


@settings(max_examples=200)
@given(
    st.lists(st.floats(0.001, 1.0), min_size=1, max_size=12),
    st.one_of(st.floats(0.0, 1.0, exclude_max=True), st.just(1.0 - 2**-53)),
)
def test_always_a_usable_target_whatever_the_dice_say(weights, number):
    usable = candidates(len(weights))
    algorithm = WeightedRandom(Dice(number))
    algorithm.weigh({slot.key: weight for slot, weight in zip(usable, weights, strict=True)}, usable, 0.0)
    assert algorithm.pick(usable, 0.0) in usable
    algorithm.changed([], 0.0)  # nothing to pick from any more, and nothing to fail on
