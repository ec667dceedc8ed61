"""Which rules can never be chosen, since the rules before them match everything that they match. Proofs, not guesses.

A rule is split into alternatives - one value of each of its conditions - and each alternative must be covered by some rule
before it. Where a proof is not possible, nothing is claimed; where it would take too long, that is told. How long is counted
in steps and not in seconds, so that the same rules give the same result everywhere.
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
from lb.routing.patterns import Pattern, compile_regex

_STAR: Final = -1
_ONE: Final = -2
# No byte has this number: it stands for all those that the patterns at hand do not name.
_OTHER: Final = 256
# About a second for all proofs, and no more than a fiftieth of it for one.
_MOST_STEPS: Final = 8_000_000
_MOST_STEPS_EACH: Final = 160_000
_MOST_ALTERNATIVES: Final = 256
_ANY_ADDRESS: Final = ("0.0.0.0/0", "::/0")

Symbols = tuple[int, ...]
"""A wildcard pattern: bytes, and negative numbers for `*` and `?`."""

Ranges = tuple[tuple[int, int, int], ...]
"""Blocks of addresses: IP version, first and last address as numbers."""


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


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule that may or may not be covered: a proof would have taken too many steps."""

    rule: Rule


def covers(rules: Iterable[Rule], prover: "Prover") -> Iterator[Cover | Undecided]:
    """Every rule that is covered by others, wholly or one of its values. The rules are those of a listener, in any order."""
    ordered = sorted(rules, key=lambda rule: (rule.priority is None, rule.priority))
    for position, rule in enumerate(ordered):
        prover.gave_up = False
        cover = prover.cover(rule, ordered[:position]) if position else None
        if cover is not None:
            yield cover
        if prover.gave_up and not (cover is not None and cover.whole):
            yield Undecided(rule)


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


class Prover:
    """Proves that conditions imply others, in `steps` steps all in all; `gave_up` tells that some proof was not finished."""

    def __init__(self, steps: int = _MOST_STEPS) -> None:
        self.gave_up = False
        self._left = steps
        self._kept = steps // 2  # for proofs that need no search
        # What rules say is looked at once for every pair of rules.
        self._symbols: dict[tuple[str, bool, bool], Symbols] = {}
        self._regexes: dict[tuple[str, bool], Pattern] = {}
        self._blocks: dict[tuple[str, ...], Ranges] = {}

    def cover(self, rule: Rule, before: Sequence[Rule]) -> Cover | None:
        """What the rules `before` a rule, by priority, take away from it; None for nothing."""
        found = [(each, self._first_cover(each, before)) for each in _alternatives(rule.conditions)]
        if all(by is not None for _, by in found):
            return Cover(rule, _in_order(by for _, by in found), whole=True)
        lost, by_whom = [], []
        for single in {each for alternative, _ in found for each in alternative}:
            users = [by for alternative, by in found if single in alternative]
            if all(by is not None for by in users):
                lost.append(single)
                by_whom += users
        return Cover(rule, _in_order(by_whom), whole=False, lost=tuple(sorted(lost, key=repr))) if lost else None

    def _first_cover(self, alternative: Sequence[Condition], before: Sequence[Rule]) -> Rule | None:
        return next((rule for rule in before if self.implies(alternative, rule.conditions)), None)

    def implies(self, narrow: Sequence[Condition], wide: Sequence[Condition]) -> bool:
        """Whether each request that meets all of `narrow` is certain to meet all of `wide`."""
        return all(
            self._is_universal(each) or any(self.condition_implies(other, each) for other in narrow) for each in wide
        )

    def condition_implies(self, narrow: Condition, wide: Condition) -> bool:
        """Whether each request that meets `narrow` is certain to meet `wide`. False where that cannot be proved."""
        match narrow, wide:
            case (HostHeader(), HostHeader()):
                return self._texts_imply(narrow, wide, fold=True)
            case (PathPattern(), PathPattern()):
                return self._texts_imply(narrow, wide, fold=False)
            case (HttpHeader(), HttpHeader()):
                return narrow.name.lower() == wide.name.lower() and self._texts_imply(narrow, wide, fold=True)
            case (HttpRequestMethod(), HttpRequestMethod()):
                return set(narrow.values) <= set(wide.values)
            case (QueryString(), QueryString()):
                return all(any(self._pair_implies(each, other) for other in wide.values) for each in narrow.values)
            case (SourceIp(), SourceIp()):
                return self._blocks_imply(narrow.values, wide.values)
        return False

    def _is_universal(self, condition: Condition) -> bool:
        """Whether every request meets it. A header or a query may be missing; a host-header value holds at least a dot."""
        match condition:
            case PathPattern():
                return any(value and not value.strip("*") for value in condition.values)
            case SourceIp():
                return self._blocks_imply(_ANY_ADDRESS, condition.values)
        return False

    def _texts_imply(
        self,
        narrow: HostHeader | PathPattern | HttpHeader,
        wide: HostHeader | PathPattern | HttpHeader,
        *,
        fold: bool,
    ) -> bool:
        wildcards = tuple(self._symbols_of(value, fold=fold) for value in wide.values)
        if any(each == (_STAR,) for each in wildcards):
            return True
        if not set(narrow.regex_values) <= set(wide.regex_values):
            return False
        for value in narrow.values:
            each = self._symbols_of(value, fold=fold)
            literal = bytes(each) if min(each, default=0) >= 0 else None
            if literal is not None and any(self._finds(regex, literal, fold=fold) for regex in wide.regex_values):
                continue
            if not self.includes(wildcards, each):
                return False
        return True

    def _finds(self, regex: str, literal: bytes, *, fold: bool) -> bool:
        found = self._regexes.get((regex, fold))
        if found is None:
            found = self._regexes[regex, fold] = compile_regex(regex, fold=fold)
        return self._may_spend(len(literal)) and found.matches(literal)

    def _pair_implies(self, narrow: QueryPair, wide: QueryPair) -> bool:
        if wide.key is not None and not self._query_implies(narrow.key or "*", wide.key):
            return False
        return self._query_implies(narrow.value, wide.value)

    def _query_implies(self, narrow: str, wide: str) -> bool:
        each, other = (self._symbols_of(text, fold=True, escapes=True) for text in (narrow, wide))
        return self.includes((other,), each)

    def _symbols_of(self, text: str, *, fold: bool, escapes: bool = False) -> Symbols:
        found = self._symbols.get((text, fold, escapes))
        if found is None:
            found = self._symbols[text, fold, escapes] = symbols(text, fold=fold, escapes=escapes)
        return found

    def _blocks_imply(self, narrow: Sequence[str], wide: tuple[str, ...]) -> bool:
        whole = self._ranges(wide)
        return all(
            any(version == other and low <= first and last <= high for other, low, high in whole)
            for each in narrow
            for version, first, last in self._ranges((each,))
        )

    def _ranges(self, blocks: tuple[str, ...]) -> Ranges:
        found = self._blocks.get(blocks)
        if found is None:
            found = self._blocks[blocks] = _ranges(blocks)
        return found

    def _may_spend(self, steps: int) -> bool:
        """Whether a proof may go on. What it takes is counted all the same."""
        self._left -= steps
        if self._left < 0:
            self.gave_up = True
            return False
        return True

    def _one_matches(self, wide: Iterable[Symbols], value: Symbols) -> bool:
        for each in wide:
            matched, steps = _match(each, value)
            self._left -= steps
            if matched:
                return True
        return False

    def includes(self, wide: Sequence[Symbols], narrow: Symbols) -> bool:
        """Whether every value that `narrow` matches is matched by one of `wide`. False also where it gives up.

        Walks both as automata at once: a place in `narrow`, and all the places in `wide` that the same bytes can lead to.
        Before that, most patterns that are not included fail with one of two values, and most that are included match one
        of `wide` sign by sign.
        """
        if not self._may_spend(1):
            return False
        shortest = tuple(_OTHER if symbol == _ONE else symbol for symbol in narrow if symbol != _STAR)
        longer = tuple(_OTHER if symbol < 0 else symbol for symbol in narrow)
        if not (self._one_matches(wide, shortest) and self._one_matches(wide, longer)):
            return False
        if self._one_matches(wide, narrow):
            return True
        alphabet = sorted({symbol for each in (*wide, narrow) for symbol in each if symbol >= 0} | {_OTHER})
        start = (0, _closed(wide, frozenset((which, 0) for which in range(len(wide)))))
        seen = {start}
        waiting = [start]
        left = _MOST_STEPS_EACH
        while waiting:
            at, places = waiting.pop()
            steps = len(alphabet) * (4 + len(places))
            left -= steps
            self._left -= steps
            if left < 0 or self._left < self._kept:
                self.gave_up = True
                return False
            ends = all(symbol == _STAR for symbol in narrow[at:])
            if ends and not any(place == len(wide[which]) for which, place in places):
                return False
            for byte in alphabet:
                ahead = _steps(narrow, at, byte)
                if not ahead:
                    continue
                then = _closed(
                    wide, frozenset((which, to) for which, place in places for to in _steps(wide[which], place, byte))
                )
                for step in ahead:
                    if (step, then) not in seen:
                        seen.add((step, then))
                        waiting.append((step, then))
        return True


def _ranges(blocks: Sequence[str]) -> Ranges:
    networks = [ipaddress.ip_network(value, strict=False) for value in blocks]
    joined: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = [
        *ipaddress.collapse_addresses(each for each in networks if isinstance(each, ipaddress.IPv4Network)),
        *ipaddress.collapse_addresses(each for each in networks if isinstance(each, ipaddress.IPv6Network)),
    ]
    return tuple((each.version, int(each[0]), int(each[-1])) for each in joined)


def symbols(text: str, *, fold: bool = False, escapes: bool = False) -> Symbols:
    """A pattern as `lb.routing.patterns.compile_wildcard` takes it, in symbols; of wildcards in a row the star is last."""
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
        elif character == b"?":
            # In any order they mean the same; in this one two patterns are more often alike.
            found.insert(len(found) - (found[-1:] == [_STAR]), _ONE)
        else:
            found.append(character[0])
    return tuple(found)


def _match(pattern: Symbols, value: Sequence[int]) -> tuple[bool, int]:
    """Whether a pattern matches a value, and in how many steps; on a mismatch the last star takes one more byte.

    The value may be a pattern itself: its star is matched by a star only, its `?` by a star or a `?`.
    """
    if pattern and pattern[-1] >= 0 and value[-1:] != pattern[-1:]:
        return False, 1
    at = place = steps = 0
    star, resume = -1, 0
    size, end = len(pattern), len(value)
    while at < end:
        steps += 1
        symbol = pattern[place] if place < size else None
        if symbol == _STAR:
            star, resume = place, at
            place += 1
        elif symbol is not None and (symbol == value[at] or (symbol == _ONE and value[at] != _STAR)):
            place += 1
            at += 1
        elif star >= 0:
            resume += 1
            place, at = star + 1, resume
        else:
            return False, steps
    return all(symbol == _STAR for symbol in pattern[place:]), steps


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
