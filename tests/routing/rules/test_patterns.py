"""Wildcards against a matcher that is written in another way; regular expressions against the clock."""

import time
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lb.model.regexes import InvalidRegex, RegexFault, RegexSet, compile_regex, quoted
from lb.routing import patterns
from lb.routing.patterns import compile_wildcard

# Few letters, so that patterns meet values; and all that means something to fnmatch, to regular expressions or to us.
LETTERS = "aAb.[]\\^$+(|){}-/%"
PATTERNS = st.text(LETTERS + "**??", max_size=12)
VALUES = st.text(LETTERS + "*?", max_size=16)


def fits(pattern: str, value: str, *, escapes: bool = False) -> bool:
    """The meaning of a pattern, character by character from the left."""

    @cache
    def rest_fits(at: int, value_at: int) -> bool:
        if at == len(pattern):
            return value_at == len(value)
        character = pattern[at]
        if escapes and character == "\\" and pattern[at + 1 : at + 2] in ("*", "?", "\\"):
            return value[value_at : value_at + 1] == pattern[at + 1] and rest_fits(at + 2, value_at + 1)
        if character == "*":
            return any(rest_fits(at + 1, later) for later in range(value_at, len(value) + 1))
        if value_at == len(value):
            return False
        return (character == "?" or character == value[value_at]) and rest_fits(at + 1, value_at + 1)

    return rest_fits(0, 0)


def found_by_source(pattern: patterns.Pattern, value: bytes) -> bool:
    """What an index may conclude from what the pattern says of itself."""
    if pattern.exact is not None:
        return value == pattern.exact
    if pattern.head is not None:
        return value.startswith(pattern.head)
    if pattern.tail is not None:
        return value.endswith(pattern.tail)
    found = RegexSet([pattern.source]).found(value)
    assert found is not None
    return 1 in found


@given(PATTERNS, VALUES)
@example("a*b*", "a.b")
@example("*a*a*", "a")
@example("**", "")
@example("?*?", "a")
@example("a?b*a?b", "aXbaXb")
@example("a*a", "a")
@example("[ab]", "a")
def test_wildcards_mean_what_they_say(text: str, value: str):
    pattern = compile_wildcard(text)
    assert pattern.matches(value.encode()) is fits(text, value)
    assert found_by_source(pattern, value.encode()) is fits(text, value)


@given(PATTERNS, VALUES)
def test_wildcards_without_case(text: str, value: str):
    pattern = compile_wildcard(text, fold=True)
    assert pattern.matches(value.lower().encode()) is fits(text.lower(), value.lower())
    assert found_by_source(pattern, value.lower().encode()) is fits(text.lower(), value.lower())


@given(PATTERNS, VALUES)
@example("\\*", "*")
@example("\\\\*", "\\x")
@example("a\\", "a\\")
@example("\\a", "\\a")
def test_wildcards_with_escapes(text: str, value: str):
    pattern = compile_wildcard(text, escapes=True)
    assert pattern.matches(value.encode()) is fits(text, value, escapes=True)
    assert found_by_source(pattern, value.encode()) is fits(text, value, escapes=True)


@given(st.lists(st.sampled_from(["a", "b", "ab", "a?"]), min_size=3, max_size=6), st.text("ab", max_size=12))
@example(["a", "b", "a", "b"], "abab")
@example(["", "a", "b?", ""], "abxa")
@example(["ab", "ab", "ab"], "abab")
def test_pieces_are_found_in_order(pieces: list[str], value: str):
    text = "*".join(pieces)
    assert compile_wildcard(text).matches(value.encode()) is fits(text, value)


def test_a_wildcard_stands_for_any_byte():
    value = bytes(range(256)).replace(b"\n", b"")
    assert compile_wildcard("*" + "?" * 10 + "*").matches(value)
    assert not compile_wildcard("?").matches("é".encode())


@pytest.mark.parametrize("text", ["*a*a*a*a*a*b", "*?a?*?a?*b", "/*aaaaaaaaaaaaaaaaaaaaaaab", "*" + "a?" * 60 + "*b"])
def test_no_pattern_can_hang_the_balancer(text: str):
    pattern = compile_wildcard(text)
    started = time.process_time()
    assert not pattern.matches(b"/" + b"a" * 16_000)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("text", ["(a+)+$", "(a|aa)+$", "(a|a?)+b", "(.*a){20}b", "a[ab]{900}c"])
def test_no_regular_expression_can_hang_the_balancer(text: str):
    pattern = patterns.compile_regex(text)
    started = time.process_time()
    pattern.matches(b"/" + b"ab" * 8_000 + b"!")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("^/a", b"/ab", True),
        ("^/a$", b"/ab", False),
        ("b", b"/ab", True),
        ("B", b"/ab", False),
        ("(?i)B", b"/ab", True),
        ("^.$", b"\xe9", True),
        (r"\d{3}", b"/a123", True),
        ("a|^$", b"", True),
    ],
)
def test_regular_expressions_search(text: str, value: bytes, expected: bool):
    pattern = patterns.compile_regex(text)
    assert pattern.matches(value) is expected
    assert found_by_source(pattern, value) is expected


def test_a_regular_expression_without_case():
    pattern = patterns.compile_regex("^A|B$", fold=True)
    assert [pattern.matches(value) for value in (b"ax", b"xb", b"xbx")] == [True, True, False]
    assert [found_by_source(pattern, value) for value in (b"ax", b"xb", b"xbx")] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("(", RegexFault.SYNTAX),
        ("a**", RegexFault.SYNTAX),
        ("é", RegexFault.SYNTAX),
        (r"\PL", RegexFault.SYNTAX),
        (r"(?<=a)b", RegexFault.SYNTAX),
        ("(?>a)", RegexFault.SYNTAX),
        ("[a-z]{1000}[a-z]{1000}[a-z]{1000}", RegexFault.TOO_BIG),
    ],
)
def test_regular_expressions_that_are_refused(text: str, fault: RegexFault):
    with pytest.raises(InvalidRegex) as refused:
        compile_regex(text)
    assert refused.value.fault is fault


def test_a_backslash_before_a_backslash_is_no_unicode_class():
    assert compile_regex(r"\\pL").search(b"\\pL")


@given(st.binary(max_size=20))
def test_a_quoted_literal_finds_itself(literal: bytes):
    assert sorted(RegexSet([quoted(literal)]).found(b"x" + literal + b"y") or ()) == [0, 1]


def test_a_set_that_cannot_be_joined_is_refused():
    with pytest.raises(InvalidRegex):
        RegexSet([b"("])
