"""Which rules match a request: one look at each of its parts instead of one at each rule.

An index answers with a set of rules, as the bits of an integer. Once all parts have been looked at it holds exactly the rules
whose conditions are met, and of those that are `unsure` perhaps more: these have to be asked themselves. What makes it right
is what Pattern says of `exact`, `head`, `tail` and `source`, and nothing else; tests compare it with asking every condition.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from lb.model.regexes import InvalidRegex, RegexSet
from lb.routing.conditions import (
    CompiledCondition,
    HeaderCondition,
    HostCondition,
    MethodCondition,
    OneValueCondition,
    PathCondition,
    QueryCondition,
    SourceCondition,
)
from lb.routing.patterns import Pattern
from lb.routing.remembered import Remembered
from lb.routing.request import RequestView

_Condition = TypeVar("_Condition", bound=CompiledCondition[Any])
_Conditions = Sequence[Sequence[CompiledCondition[Any]]]
_Bits = dict[bytes, int]
# Asking a set costs about as much as asking two or three patterns.
_FEWEST_FOR_A_SET: Final = 4
_REMEMBERED_VALUES_BYTES: Final = 256 * 1024
_REMEMBERED_BLOCKS_BYTES: Final = 1024 * 1024


class RuleIndex:
    """The index of a listener's rules. `first` is cheap; `further` looks at headers, the query and the address.

    `needs_headers` are the rules about which `first` alone does not decide. What hosts, paths, methods and header blocks
    leave over is remembered.
    """

    __slots__ = ("_all", "_by_block", "_headers", "_one_value", "_query", "_source", "needs_headers", "unsure")

    def __init__(self, rules: _Conditions) -> None:
        self._all = (1 << len(rules)) - 1
        self.unsure = _unsure(rules)
        self._one_value: list[tuple[Callable[[RequestView], bytes], Remembered[int], int, PatternIndex]] = []
        kinds: tuple[type[OneValueCondition], ...] = (HostCondition, PathCondition, MethodCondition)
        for kind in kinds:
            bits, conditions = _of_kind(rules, kind)
            if conditions:
                index = PatternIndex((pattern, bit) for bit, each in conditions for pattern in each.patterns)
                known: Remembered[int] = Remembered(_REMEMBERED_VALUES_BYTES)
                self._one_value.append((kind.value_of, known, self._all & ~bits, index))
        self._by_block: Remembered[int] = Remembered(_REMEMBERED_BLOCKS_BYTES)
        self._headers = _header_indexes(rules, self._all)
        self.needs_headers = _of_kind(rules, HeaderCondition)[0] | self.unsure
        self._query = QueryIndex(*_of_kind(rules, QueryCondition), self._all)
        self._source = SourceIndex(*_of_kind(rules, SourceCondition), self._all)

    def first(self, request: RequestView) -> int:
        """The rules that host, path and method leave over, and the header block where it is known already."""
        candidates = self._all
        for value_of, known, others, index in self._one_value:
            value = value_of(request)
            found = known.get(value)
            if found is None:
                found = others | index.candidates(value)
                known.put(value, found)
            candidates &= found
            if not candidates:
                return 0
        if self._headers:
            found = self._by_block.get(request.head.block)
            if found is not None:
                candidates &= found
        return candidates

    def further(self, request: RequestView, candidates: int) -> int:
        """Those of the candidates that the rest of the request leaves over."""
        if self._headers:
            candidates &= self._by_headers(request)
        candidates = self._query.narrow(request, candidates)
        return self._source.narrow(request, candidates)

    def _by_headers(self, request: RequestView) -> int:
        block = request.head.block
        found = self._by_block.get(block)
        if found is None:
            found = self._all
            for start, others, index in self._headers:
                allowed = others
                for value in request.header_values(start):
                    allowed |= index.candidates(value)
                found &= allowed
            self._by_block.put(block, found)
        return found


class PatternIndex:
    """Patterns for one value, and the bit of the rule that each belongs to."""

    __slots__ = ("_asked", "_exact", "_heads", "_set", "_set_bits", "_tails")

    def __init__(self, patterns: Iterable[tuple[Pattern, int]]) -> None:
        self._exact: _Bits = defaultdict(int)
        heads: dict[int, _Bits] = defaultdict(lambda: defaultdict(int))
        tails: dict[int, _Bits] = defaultdict(lambda: defaultdict(int))
        others: _Bits = defaultdict(int)
        self._asked: list[tuple[Pattern, int]] = []
        for pattern, bit in patterns:
            if pattern.exact is not None:
                self._exact[pattern.exact] |= bit
            elif pattern.head is not None:
                heads[len(pattern.head)][pattern.head] |= bit
            elif pattern.tail is not None:
                tails[len(pattern.tail)][pattern.tail] |= bit
            else:
                others[pattern.source] |= bit
                self._asked.append((pattern, bit))
        self._heads = tuple(heads.items())
        self._tails = tuple((-length, table) for length, table in tails.items())
        self._set_bits = (0, *others.values())
        self._set = _set_of(list(others))

    def candidates(self, value: bytes) -> int:
        """The bits of the rules that have a pattern for this value."""
        found = self._exact.get(value, 0)
        for length, table in self._heads:
            bits = table.get(value[:length])
            if bits is not None:
                found |= bits
        for start, table in self._tails:
            bits = table.get(value[start:])
            if bits is not None:
                found |= bits
        positions = None if self._set is None else self._set.found(value)
        if positions is None:
            for pattern, bit in self._asked:
                if pattern.matches(value):
                    found |= bit
            return found
        for position in positions:
            found |= self._set_bits[position]
        return found


def _set_of(sources: list[bytes]) -> RegexSet | None:
    """The set; None where it is not worth while, or impossible."""
    if len(sources) < _FEWEST_FOR_A_SET:
        return None
    try:
        return RegexSet(sources)
    except InvalidRegex:
        # Each works, but not all together: then each is asked by itself.
        return None


class QueryIndex:
    """Query conditions by their key, where that is literal, and the value."""

    __slots__ = ("_any_key", "_keys", "_others")

    def __init__(self, bits: int, conditions: list[tuple[int, QueryCondition]], every: int) -> None:
        self._others = every & ~bits
        keys: dict[bytes | None, list[tuple[Pattern, int]]] = defaultdict(list)
        for bit, pattern in ((bit, pattern) for bit, condition in conditions for pattern in condition.patterns):
            keys[None if pattern.key is None else pattern.key.exact].append((pattern.value, bit))
        self._any_key = PatternIndex(keys.pop(None, ()))
        self._keys = {key: PatternIndex(patterns) for key, patterns in keys.items() if key is not None}

    def narrow(self, request: RequestView, candidates: int) -> int:
        """Those of the candidates that the query leaves over."""
        if not candidates & ~self._others:
            return candidates
        found = self._others
        for key, value in request.query_pairs:
            found |= self._any_key.candidates(value)
            index = self._keys.get(key)
            if index is not None:
                found |= index.candidates(value)
        return candidates & found


class SourceIndex:
    """Source conditions by the leading bits of their blocks. Exact: it answers with no rule too many."""

    __slots__ = ("_others", "_tables")

    def __init__(self, bits: int, conditions: list[tuple[int, SourceCondition]], every: int) -> None:
        self._others = every & ~bits
        tables: dict[tuple[int, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for bit, condition in conditions:
            for version, shift, leading in condition.blocks:
                tables[version, shift][leading] |= bit
        self._tables = tuple(tables.items())

    def narrow(self, request: RequestView, candidates: int) -> int:
        """Those of the candidates that the client's address leaves over."""
        if not candidates & ~self._others:
            return candidates
        version, number = request.source
        found = self._others
        for (table_version, shift), table in self._tables:
            if version == table_version:
                found |= table.get(number >> shift, 0)
        return candidates & found


def _of_kind(rules: _Conditions, kind: type[_Condition]) -> tuple[int, list[tuple[int, _Condition]]]:
    """The rules that have a condition of this kind, and the conditions with the bit of their rule."""
    found = [
        (1 << position, condition)
        for position, conditions in enumerate(rules)
        for condition in conditions
        if isinstance(condition, kind)
    ]
    bits = 0
    for bit, _ in found:
        bits |= bit
    return bits, found


def _header_indexes(rules: _Conditions, every: int) -> list[tuple[bytes, int, PatternIndex]]:
    """For each header that a rule asks for: how its lines begin, the rules that do not ask, the index of the others."""
    by_start: dict[bytes, list[tuple[Pattern, int]]] = defaultdict(list)
    asking: _Bits = defaultdict(int)
    for bit, condition in _of_kind(rules, HeaderCondition)[1]:
        asking[condition.start] |= bit
        by_start[condition.start].extend((pattern, bit) for pattern in condition.patterns)
    return [(start, every & ~asking[start], PatternIndex(patterns)) for start, patterns in by_start.items()]


def _unsure(rules: _Conditions) -> int:
    """The rules that have to be asked themselves: more than one condition on one thing, or one on query or source."""
    bits = 0
    for position, conditions in enumerate(rules):
        kinds = [
            condition.start if isinstance(condition, HeaderCondition) else type(condition) for condition in conditions
        ]
        if len(set(kinds)) < len(kinds) or QueryCondition in kinds or SourceCondition in kinds:
            bits |= 1 << position
    return bits
