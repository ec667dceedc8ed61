"""The histogram: stated error, bounded memory, nothing lost when parts are put together."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.observe.metrics.histogram import BOUNDS, RELATIVE_ERROR, Histogram

DURATIONS = st.floats(0, 20_000) | st.floats(0.0001, 1) | st.sampled_from(BOUNDS)
PERCENTS = st.floats(0, 100) | st.sampled_from((0.0, 50.0, 90.0, 99.0, 99.9, 100.0))


def made(values):
    histogram = Histogram()
    histogram.add(values)
    return histogram


def nearest_rank(values, percent):
    return sorted(values)[max(1, math.ceil(percent * len(values) / 100)) - 1]


def test_bounds_rise_and_are_at_most_5_percent_apart():
    assert all(low < high <= low * 1.0500001 for low, high in pairwise(BOUNDS))
    assert (BOUNDS[0], BOUNDS[-1]) == (0.0001, 10_000.0)


@given(st.lists(DURATIONS, min_size=1, max_size=200), PERCENTS)
def test_percentiles_are_within_the_stated_error(values, percent):
    true = nearest_rank(values, percent)
    found = made(values).percentile(percent)
    if true <= 0.0001:
        assert abs(found - true) <= 0.00005 + 1e-12
    elif true <= 10_000:
        assert abs(found - true) <= true * RELATIVE_ERROR
    else:
        assert 10_000 < found <= max(values)


@given(st.lists(DURATIONS, max_size=100), st.lists(DURATIONS, max_size=100), st.sampled_from(BOUNDS))
def test_two_put_together_are_the_one_of_all(first, second, bound):
    together, whole = made(first), made(first + second)
    together.merge(made(second))
    assert list(together.buckets()) == list(whole.buckets())
    assert (together.count, together.lowest, together.highest) == (whole.count, whole.lowest, whole.highest)
    assert together.total == pytest.approx(sum(first + second))
    assert together.at_most(bound) == sum(value <= bound for value in first + second)


@given(st.lists(st.lists(DURATIONS, max_size=5), max_size=50))
def test_no_more_buckets_than_there_are_bounds(batches):
    histogram = Histogram()
    for batch in batches:
        histogram.add(batch)
    assert len(histogram._counts) <= len(BOUNDS) + 1
    assert sum(number for _, number in histogram.buckets()) == histogram.count == sum(map(len, batches))


def test_nothing_has_no_percentile():
    assert Histogram().percentile(99) == 0.0
    assert list(Histogram().buckets()) == []


def test_one_value_is_every_percentile_exactly():
    assert {made([0.0123]).percentile(percent) for percent in (0, 1, 50, 100)} == {0.0123}
