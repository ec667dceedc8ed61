"""Sealed cookie values: fixed lengths, opaque, and nothing but a genuine value opens."""

import re
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lb.targets.sealing import AWSALB, AWSALBAPP, AWSALBTG, KEY_BYTES, NONCE_BYTES, Kind, Sealer

KINDS = (AWSALB, AWSALBTG, AWSALBAPP)
KEY = bytes(range(KEY_BYTES))
BASE64 = re.compile(rb"[A-Za-z0-9+/]+")
SECOND = 1_767_686_400


def nonces() -> Callable[[], bytes]:
    """Nonces that never come twice."""
    numbers = count(1)
    return lambda: next(numbers).to_bytes(NONCE_BYTES, "big")


def sealer(key: bytes = KEY) -> Sealer:
    return Sealer(key, nonces())


@pytest.mark.parametrize(("kind", "characters"), [(AWSALB, 124), (AWSALBTG, 172), (AWSALBAPP, 144)])
@pytest.mark.parametrize("text", [b"", b"127.0.0.1:80", b"[2001:db8:1111:2222:3333:4444:5555:6666]:65535"])
def test_a_value_has_the_length_of_its_kind_whatever_it_says(kind: Kind, characters: int, text: bytes):
    value = sealer().seal(kind, text, SECOND)
    assert len(value) == characters
    assert BASE64.fullmatch(value)
    assert sealer().open(kind, value) == (text, SECOND)


def test_app_cookies_begin_like_those_of_aws():
    assert sealer().seal(AWSALBAPP, b"x", SECOND).startswith(b"AAAAAAAAAA")


def test_the_same_text_in_the_same_second_has_the_same_value_and_otherwise_another():
    box = sealer()
    value = box.seal(AWSALB, b"a", SECOND)
    assert box.seal(AWSALB, b"a", SECOND) == value
    others = {box.seal(AWSALB, b"b", SECOND), box.seal(AWSALB, b"a", SECOND + 1), box.seal(AWSALB, b"a", SECOND)}
    assert len(others) == 3
    assert value not in others


def test_the_text_cannot_be_seen():
    one, two = sealer(), Sealer(KEY[::-1], nonces())
    assert one.seal(AWSALB, b"a" * 40, SECOND)[20:] != two.seal(AWSALB, b"a" * 40, SECOND)[20:]


def test_another_node_with_the_same_key_opens_what_this_one_sealed():
    assert sealer().open(AWSALB, sealer().seal(AWSALB, b"a", SECOND)) == (b"a", SECOND)


def test_another_key_does_not_open_it():
    assert sealer(KEY[::-1]).open(AWSALB, sealer().seal(AWSALB, b"a", SECOND)) is None


@pytest.mark.parametrize("known", [True, False])
def test_a_value_does_not_open_as_another_kind(known: bool):
    box = sealer()
    alike = Kind(b"OTHER", AWSALB.characters)
    value = box.seal(AWSALB, b"a", SECOND)
    reader = box if known else sealer()
    assert reader.open(alike, value) is None
    assert reader.open(AWSALBTG, value) is None
    assert reader.open(AWSALB, value) == (b"a", SECOND)


def test_every_single_changed_character_breaks_a_value():
    for kind in KINDS:
        value = sealer().seal(kind, b"127.0.0.1:80", SECOND)
        box = sealer()
        for at in range(len(value)):
            swapped = b"B" if value[at : at + 1] == b"A" else b"A"
            assert box.open(kind, value[:at] + swapped + value[at + 1 :]) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value[:-1],
        lambda value: value + b"A",
        lambda value: value[:-4],
        lambda value: value[:-1] + b"=",
        lambda value: value[:-2] + b"==",
        lambda value: value.replace(b"+", b"%2B", 1) if b"+" in value else value + b"%2B",
        lambda value: b'"' + value + b'"',
        lambda value: value[:60] + b"\n" + value[61:],
        lambda value: value[:60] + b"-_" + value[62:],
        lambda value: value[::-1],
        lambda value: b"",
        lambda value: b"\xff" * len(value),
    ],
)
def test_broken_values_open_as_nothing(change):
    for kind in KINDS:
        assert sealer().open(kind, change(sealer().seal(kind, b"a", SECOND))) is None


@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.binary(max_size=200))
@example(AWSALB, b"A" * 124)
@example(AWSALBTG, b"A" * 172)
@example(AWSALBAPP, b"A" * 144)
@example(AWSALB, b"=" * 124)
@example(AWSALB, b"A" * 122 + b"==")
@example(AWSALBAPP, b"B" * 144)
def test_any_bytes_open_as_nothing(kind: Kind, value: bytes):
    assert sealer().open(kind, value) is None


@given(st.sampled_from(KINDS), st.text("abcxyz:0123456789.[]", max_size=48), st.integers(0, 2**40 - 1))
def test_whatever_is_sealed_opens_again(kind: Kind, text: str, second: int):
    box = sealer()
    value = box.seal(kind, text.encode(), second)
    assert box.open(kind, value) == (text.encode(), second)
    assert sealer().open(kind, value) == (text.encode(), second)


def test_what_is_remembered_is_bounded():
    box = sealer()
    first = box.seal(AWSALB, b"a", 0)
    for second in range(1, 10_000):
        box.seal(AWSALB, b"a", second)
    assert len(box._opened) <= 4096
    assert box.open(AWSALB, first) == (b"a", 0)


def test_broken_values_are_not_remembered():
    box = sealer()
    value = box.seal(AWSALB, b"a", SECOND)
    for number in range(100):
        box.open(AWSALB, b"%0124d" % number)
    assert list(box._opened) == [value]


@pytest.mark.parametrize("text", [b"x" * 61, b"a\0b"])
def test_a_text_that_does_not_fit_is_refused(text: bytes):
    with pytest.raises(ValueError, match="does not fit into a value of AWSALB"):
        sealer().seal(AWSALB, text, SECOND)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(size: int):
    with pytest.raises(ValueError, match=f"32 bytes, not {size}"):
        Sealer(bytes(size), nonces())
