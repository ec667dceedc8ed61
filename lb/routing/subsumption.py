"""Which rules can never be chosen, since the rules before them match everything that they match. Proofs, not guesses.

A rule is split into alternatives - one value of each of its conditions - and each alternative must be covered by some rule
before it. Where a proof is not possible or would take too long, nothing is claimed.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from lb.model.rules import (
    Condition,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    PathPattern,
    QueryPair,
    QueryString,
    Rule,
    SourceIp,
)
from lb.routing.patterns import compile_regex

_STAR: Final = -1
_ONE: Final = -2
# No byte has this number: it stands for all those that the patterns at hand do not name.
_OTHER: Final = 256
_MOST_STATES: Final = 20_000
_MOST_ALTERNATIVES: Final = 256
_ANY_ADDRESS: Final = ("0.0.0.0/0", "::/0")

Symbols = tuple[int, ...]
"""A wildcard pattern: bytes, and negative numbers for `*` and `?`."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What the rules before a rule take away from it.

    `rule` is never chosen where `whole` is set; otherwise `lost` has the conditions of one value each that no longer count.
    `by` are the rules that cover, in the order in which they are asked.
    """

    rule: Rule
    by: tuple[Rule, ...]
    whole: bool
    lost: tuple[Condition, ...] = ()


def covers(rules: Iterable[Rule]) -> Iterator[Cover]:
    """Every rule that is covered by others, wholly or one of its values. The rules are those of a listener, in any order."""
    ordered = sorted(rules, key=lambda rule: (rule.priority is None, rule.priority))
    for position, rule in enumerate(ordered):
        if position and (cover := _cover(rule, ordered[:position])) is not None:
            yield cover


def implies(narrow: Sequence[Condition], wide: Sequence[Condition]) -> bool:
    """Whether each request that meets all of `narrow` is certain to meet all of `wide`."""
    return all(_is_universal(each) or any(condition_implies(other, each) for other in narrow) for each in wide)


def condition_implies(narrow: Condition, wide: Condition) -> bool:
    """Whether each request that meets `narrow` is certain to meet `wide`. False where that cannot be proved."""
    match narrow, wide:
        case (HostHeader(), HostHeader()):
            return _texts_imply(narrow, wide, fold=True)
        case (PathPattern(), PathPattern()):
            return _texts_imply(narrow, wide, fold=False)
        case (HttpHeader(), HttpHeader()):
            return narrow.name.lower() == wide.name.lower() and _texts_imply(narrow, wide, fold=True)
        case (HttpRequestMethod(), HttpRequestMethod()):
            return set(narrow.values) <= set(wide.values)
        case (QueryString(), QueryString()):
            return all(any(_pair_implies(each, other) for other in wide.values) for each in narrow.values)
        case (SourceIp(), SourceIp()):
            return _blocks_imply(narrow.values, wide.values)
    return False


def _cover(rule: Rule, before: Sequence[Rule]) -> Cover | None:
    found = [(each, _first_cover(each, before)) for each in _alternatives(rule.conditions)]
    if all(by is not None for _, by in found):
        return Cover(rule, _in_order(by for _, by in found), whole=True)
    lost, by_whom = [], []
    for single in {each for alternative, _ in found for each in alternative}:
        users = [by for alternative, by in found if single in alternative]
        if all(by is not None for by in users):
            lost.append(single)
            by_whom += users
    return Cover(rule, _in_order(by_whom), whole=False, lost=tuple(sorted(lost, key=repr))) if lost else None


def _first_cover(alternative: Sequence[Condition], before: Sequence[Rule]) -> Rule | None:
    return next((rule for rule in before if implies(alternative, rule.conditions)), None)


def _in_order(rules: Iterable[Rule | None]) -> tuple[Rule, ...]:
    by_priority = {rule.priority: rule for rule in rules if rule is not None and rule.priority is not None}
    return tuple(by_priority[priority] for priority in sorted(by_priority))


def _alternatives(conditions: Sequence[Condition]) -> list[tuple[Condition, ...]]:
    """Conditions of one value each; a request meets `conditions` exactly where it meets all of one of them."""
    split = [tuple(_singles(condition)) for condition in conditions]
    count = 1
    for values in split:
        count *= len(values)
    return list(product(*split)) if count <= _MOST_ALTERNATIVES else [tuple(conditions)]


def _singles(condition: Condition) -> Iterator[Condition]:
    match condition:
        case HostHeader() | PathPattern() | HttpHeader():
            for value in condition.values:
                yield replace(condition, values=(value,), regex_values=())
            for regex in condition.regex_values:
                yield replace(condition, values=(), regex_values=(regex,))
        case QueryString():
            for pair in condition.values:
                yield QueryString((pair,))
        case HttpRequestMethod():
            for value in condition.values:
                yield HttpRequestMethod((value,))
        case SourceIp():
            for value in condition.values:
                yield SourceIp((value,))


def _is_universal(condition: Condition) -> bool:
    """Whether every request meets it. A header or a query may be missing; a host-header value holds at least a dot."""
    match condition:
        case PathPattern():
            return any(value and not value.strip("*") for value in condition.values)
        case SourceIp():
            return all(_blocks_imply((every,), condition.values) for every in _ANY_ADDRESS)
    return False


def _texts_imply(
    narrow: HostHeader | PathPattern | HttpHeader, wide: HostHeader | PathPattern | HttpHeader, *, fold: bool
) -> bool:
    wildcards = tuple(symbols(value, fold=fold) for value in wide.values)
    if any(set(each) == {_STAR} for each in wildcards):
        return True
    if not set(narrow.regex_values) <= set(wide.regex_values):
        return False
    searches = [compile_regex(regex, fold=fold) for regex in wide.regex_values]
    for value in narrow.values:
        each = symbols(value, fold=fold)
        literal = bytes(each) if min(each, default=0) >= 0 else None
        if literal is not None and any(search.matches(literal) for search in searches):
            continue
        if not includes(wildcards, each):
            return False
    return True


def _pair_implies(narrow: QueryPair, wide: QueryPair) -> bool:
    keys = wide.key is None or includes((_query_symbols(wide.key),), _query_symbols(narrow.key or "*"))
    return keys and includes((_query_symbols(wide.value),), _query_symbols(narrow.value))


def _query_symbols(text: str) -> Symbols:
    return symbols(text, fold=True, escapes=True)


def _blocks_imply(narrow: Iterable[str], wide: Iterable[str]) -> bool:
    known: dict[int, list[ipaddress.IPv4Network | ipaddress.IPv6Network]] = {4: [], 6: []}
    for value in wide:
        network = ipaddress.ip_network(value, strict=False)
        known[network.version].append(network)
    joined = {
        version: [(int(each[0]), int(each[-1])) for each in ipaddress.collapse_addresses(networks)]  # type: ignore[type-var]
        for version, networks in known.items()
    }
    return all(
        any(low <= int(each[0]) and int(each[-1]) <= high for low, high in joined[each.version])
        for each in (ipaddress.ip_network(value, strict=False) for value in narrow)
    )


def symbols(text: str, *, fold: bool = False, escapes: bool = False) -> Symbols:
    """A pattern as `lb.routing.patterns.compile_wildcard` takes it, in symbols."""
    raw = text.encode()
    raw = raw.lower() if fold else raw
    found: list[int] = []
    at = 0
    while at < len(raw):
        character = raw[at : at + 1]
        at += 1
        if escapes and character == b"\\" and raw[at : at + 1] in (b"*", b"?", b"\\"):
            found.append(raw[at])
            at += 1
        elif character == b"*":
            if not found or found[-1] != _STAR:
                found.append(_STAR)
        else:
            found.append(_ONE if character == b"?" else character[0])
    return tuple(found)


def includes(wide: Sequence[Symbols], narrow: Symbols) -> bool:
    """Whether every value that `narrow` matches is matched by one of `wide`.

    Walks both as automata at once: a place in `narrow`, and all the places in `wide` that the same bytes can lead to. False
    also where that takes too many steps. Most patterns that are not included fail with one of two values already.
    """
    shortest = tuple(_OTHER if symbol == _ONE else symbol for symbol in narrow if symbol != _STAR)
    longer = tuple(_OTHER if symbol < 0 else symbol for symbol in narrow)
    for value in (shortest, longer):
        if not any(_matches(each, value) for each in wide):
            return False
    if _STAR not in narrow and _ONE not in narrow:
        return True
    alphabet = sorted({symbol for each in (*wide, narrow) for symbol in each if symbol >= 0} | {_OTHER})
    start = (0, _closed(wide, frozenset((which, 0) for which in range(len(wide)))))
    seen = {start}
    waiting = [start]
    while waiting:
        at, places = waiting.pop()
        ends = all(symbol == _STAR for symbol in narrow[at:])
        if ends and not any(place == len(wide[which]) for which, place in places):
            return False
        for byte in alphabet:
            steps = _steps(narrow, at, byte)
            if not steps:
                continue
            then = _closed(
                wide, frozenset((which, to) for which, place in places for to in _steps(wide[which], place, byte))
            )
            for step in steps:
                if (step, then) not in seen:
                    seen.add((step, then))
                    waiting.append((step, then))
        if len(seen) > _MOST_STATES:
            return False
    return True


def _matches(pattern: Symbols, value: Sequence[int]) -> bool:
    """Whether a pattern matches a value; on a mismatch the last star takes one more byte."""
    at = place = 0
    star, resume = -1, 0
    while at < len(value):
        symbol = pattern[place] if place < len(pattern) else None
        if symbol == _STAR:
            star, resume = place, at
            place += 1
        elif symbol is not None and symbol in (value[at], _ONE):
            place += 1
            at += 1
        elif star >= 0:
            resume += 1
            place, at = star + 1, resume
        else:
            return False
    return all(symbol == _STAR for symbol in pattern[place:])


def _steps(pattern: Symbols, at: int, byte: int) -> tuple[int, ...]:
    """Where one byte leads from a place; a star may be left without any."""
    places: list[int] = []
    while at < len(pattern) and pattern[at] == _STAR:
        places.append(at)
        at += 1
    if at < len(pattern) and pattern[at] in (byte, _ONE):
        places.append(at + 1)
    return tuple(places)


def _closed(patterns: Sequence[Symbols], places: frozenset[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    """The places and those behind the stars that they stand before, without those that can do no more than another.

    What is behind the last star reached can always be had again: places before that star lead nowhere else.
    """
    found: set[tuple[int, int]] = set()
    for which, at in places:
        found.add((which, at))
        while at < len(patterns[which]) and patterns[which][at] == _STAR:
            at += 1
            found.add((which, at))
    stars: dict[int, int] = {}
    for which, at in found:
        if at < len(patterns[which]) and patterns[which][at] == _STAR:
            stars[which] = max(stars.get(which, -1), at)
    return frozenset((which, at) for which, at in found if at >= stars.get(which, -1))
