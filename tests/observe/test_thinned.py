"""An even sample, whatever the pieces in which the run comes."""

from hypothesis import given
from hypothesis import strategies as st

from lb.observe.thinned import Thinned

PIECES = st.lists(st.integers(0, 60), max_size=30)


@given(pieces=PIECES, most=st.integers(1, 40), number=st.integers(0, 50))
def test_what_is_taken_is_in_order_and_spread_over_the_whole_run(pieces, most, number):
    sample = Thinned(most)
    begun = 0
    for piece in pieces:
        sample.add(range(begun, begun + piece))
        begun += piece
        assert len(sample._kept) <= most
    assert sample.count == begun
    kept = len(sample._kept)
    assert kept == begun or 2 * kept > most
    taken = sample.take(number)
    assert len(taken) == min(number, kept)
    assert taken == sorted(set(taken))
    if taken:
        part = begun / len(taken)
        for place, item in enumerate(taken):
            assert abs(item - (place + 0.5) * part) <= part / 2 + 2 * begun / most + 1
    assert (sample.count, sample.take(1)) == (0, [])


def test_a_short_run_is_kept_whole():
    sample = Thinned(8)
    sample.add("abc")
    sample.add("defgh")
    assert sample.take(100) == list("abcdefgh")
    sample.add("x")
    assert sample.take(1) == ["x"]
