"""The bucket that calls are taken from."""

import pytest

from lb.api.call import ApiError
from lb.api.rate import BURST, CALLS_PER_S, Rate


def _taken(rate: Rate, asked: int) -> int:
    """How many of the calls asked for are taken before the first that is refused."""
    for count in range(asked):
        try:
            rate.take()
        except ApiError:
            return count
    return asked


@pytest.mark.parametrize(
    ("spent", "waited_s", "left"),
    [
        (0, 0.0, BURST),
        (0, 3600.0, BURST),
        (BURST, 0.0, 0),
        (BURST, 0.5 / CALLS_PER_S, 0),
        (BURST, 1.5 / CALLS_PER_S, 1),
        (BURST, 0.25, CALLS_PER_S // 4),
        (BURST, BURST / CALLS_PER_S, BURST),
        (BURST, 3600.0, BURST),
        (500, 0.25, BURST - 500 + CALLS_PER_S // 4),
    ],
)
def test_a_burst_then_what_has_been_refilled(spent: int, waited_s: float, left: int) -> None:
    now = [0.0]
    rate = Rate(lambda: now[0])
    assert _taken(rate, spent) == spent
    now[0] += waited_s
    assert _taken(rate, BURST + 1) == left


def test_calls_that_are_refused_cost_nothing() -> None:
    now = [0.0]
    rate = Rate(lambda: now[0])
    assert _taken(rate, BURST) == BURST
    assert [_taken(rate, 1) for _ in range(10)] == [0] * 10
    now[0] += 1.5 / CALLS_PER_S
    assert _taken(rate, 2) == 1
    with pytest.raises(ApiError) as refused:
        rate.take()
    assert (refused.value.code, refused.value.status) == ("Throttling", 400)
