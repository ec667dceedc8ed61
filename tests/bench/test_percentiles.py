"""Percentiles by nearest rank, in milliseconds."""

from hypothesis import given
from hypothesis import strategies as st

from bench.percentiles import Percentiles, percentiles


def test_a_thousand_known_values():
    assert percentiles(value / 1000 for value in range(1, 1001)) == Percentiles(500.0, 900.0, 990.0, 999.0, 1000.0)


def test_one_value_is_every_percentile():
    assert percentiles([0.25]) == Percentiles(250.0, 250.0, 250.0, 250.0, 250.0)


def test_no_values_have_no_percentiles():
    assert percentiles([]) is None


@given(st.lists(st.floats(0, 100), min_size=1))
def test_each_is_a_value_that_occurred_and_they_never_fall(values):
    found = percentiles(values)
    assert found is not None
    columns = [found.p50_ms, found.p90_ms, found.p99_ms, found.p999_ms, found.max_ms]
    assert set(columns) <= {value * 1000 for value in values}
    assert columns == sorted(columns)
