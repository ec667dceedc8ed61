"""Remembered answers: bounded, and right for as long as they are remembered."""

from hypothesis import given
from hypothesis import strategies as st

from lb.routing.remembered import Remembered

BUDGET = 64 * 1024


def test_an_answer_is_found_again_and_others_are_not():
    memory = Remembered[int](BUDGET)
    memory.put(b"a", 0)
    assert memory.get(b"a") == 0
    assert memory.get(b"b") is None


def test_a_key_that_would_take_much_of_the_room_is_not_remembered():
    memory = Remembered[int](BUDGET)
    memory.put(b"x" * (BUDGET // 64), 1)
    assert memory.get(b"x" * (BUDGET // 64)) is None


@given(st.lists(st.tuples(st.integers(), st.integers(1, BUDGET // 32)), max_size=500))
def test_the_keys_never_take_more_than_the_budget(pieces: list[tuple[int, int]]):
    memory = Remembered[int](BUDGET)
    for number, length in pieces:
        memory.put(str(number).encode().ljust(length, b"."), number)
        known = memory._known
        assert sum(map(len, known)) <= BUDGET
        assert all(key.rstrip(b".") == str(answer).encode() for key, answer in known.items())


def test_a_full_memory_takes_new_answers():
    memory = Remembered[int](BUDGET)
    for number in range(10_000):
        memory.put(b"%d" % number, number)
        assert memory.get(b"%d" % number) == number
    assert memory.get(b"0") is None
