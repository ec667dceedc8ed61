"""A rule's conditions, compiled: does this request meet it, and why (not)?

Each condition has one matcher, `_first`, and both questions ask it: `explain` cannot disagree with `matches`.
Sources: fact sheet 3.2.
"""

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, Final, Generic, TypeVar

from lb.model import rules
from lb.model.said import Said, said
from lb.routing.patterns import Pattern, compile_literal, compile_regex, compile_wildcard
from lb.routing.request import RequestView, header_start

_LONGEST_SHOWN: Final = 120
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request meets a condition. `field` is ELB's name for the kind of condition."""

    field: str
    matched: bool
    why: Said


class CompiledCondition(ABC, Generic[_Found]):
    """One condition of a rule, ready to be asked."""

    __slots__ = ()
    field: ClassVar[str]

    @abstractmethod
    def _first(self, request: RequestView) -> _Found | None:
        """The first match, in a form that `_hit` can name; None for no match."""

    @abstractmethod
    def _hit(self, request: RequestView, found: _Found) -> Said:
        """What matched what."""

    @abstractmethod
    def _missed(self, request: RequestView) -> Said:
        """Why nothing matched."""

    def matches(self, request: RequestView) -> bool:
        """Whether the request meets the condition."""
        return self._first(request) is not None

    def explain(self, request: RequestView) -> Verdict:
        """The same with the reason."""
        found = self._first(request)
        why = self._missed(request) if found is None else self._hit(request, found)
        return Verdict(self.field, found is not None, why)


def compile_condition(condition: rules.Condition) -> CompiledCondition[Any]:
    """Compiles a checked condition. Raises lb.model.regexes.InvalidRegex."""
    match condition:
        case rules.HostHeader():
            return HostCondition(_patterns(condition, fold=True))
        case rules.PathPattern():
            return PathCondition(_patterns(condition, fold=False))
        case rules.HttpRequestMethod():
            return MethodCondition(tuple(compile_literal(value) for value in condition.values))
        case rules.HttpHeader():
            return HeaderCondition(condition.name, _patterns(condition, fold=True))
        case rules.QueryString():
            return QueryCondition(tuple(map(_query_pattern, condition.values)))
        case rules.SourceIp():
            return SourceCondition(condition.values)


class OneValueCondition(CompiledCondition[Pattern]):
    """A condition on something that every request has exactly one of."""

    __slots__ = ("patterns",)

    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        self.patterns = patterns

    @staticmethod
    @abstractmethod
    def value_of(request: RequestView, /) -> bytes:
        """What the patterns are compared with."""

    def _first(self, request: RequestView) -> Pattern | None:
        return self._matching(self.value_of(request))

    def _matching(self, value: bytes) -> Pattern | None:
        for pattern in self.patterns:
            if pattern.matches(value):
                return pattern
        return None

    def _hit(self, request: RequestView, found: Pattern) -> Said:
        return _matches(self.value_of(request), found.text)

    def _missed(self, request: RequestView) -> Said:
        value = self.value_of(request)
        return said(
            "{value} does not match {patterns}{hint}",
            value=_quoted(value),
            patterns=_any_of(self.patterns),
            hint=self._hint(value),
        )

    def _hint(self, value: bytes) -> Said | str:
        """What is only just missing; empty where nothing is."""
        return ""


class HostCondition(OneValueCondition):
    """host-header: the name without its port, whatever its case."""

    __slots__ = ()
    field = "host-header"
    value_of = staticmethod(attrgetter("host"))

    def _hint(self, value: bytes) -> Said | str:
        if any(pattern.text.startswith("*.") and pattern.matches(b"." + value) for pattern in self.patterns):
            return said("; '*.' stands for subdomains only")
        return ""


class PathCondition(OneValueCondition):
    """path-pattern: the path without the query, with case."""

    __slots__ = ()
    field = "path-pattern"
    value_of = staticmethod(attrgetter("path"))

    def _hint(self, value: bytes) -> Said | str:
        if self._matching(value + b"/") is not None:
            return said("; it would with a '/' at its end")
        lowered = value.lower()
        if any(compile_wildcard(pattern.text, fold=True).matches(lowered) for pattern in self.patterns):
            return said("; the case of letters counts in paths")
        return ""


class MethodCondition(OneValueCondition):
    """http-request-method: exactly so."""

    __slots__ = ()
    field = "http-request-method"
    value_of = staticmethod(attrgetter("head.method"))

    def _hint(self, value: bytes) -> Said | str:
        return said("; the case of letters counts in methods") if self._matching(value.upper()) is not None else ""


class HeaderCondition(CompiledCondition[tuple[bytes, Pattern]]):
    """http-header: any line of the header, whatever its case."""

    __slots__ = ("name", "patterns", "start")
    field = "http-header"

    def __init__(self, name: str, patterns: tuple[Pattern, ...]) -> None:
        self.name = name
        self.patterns = patterns
        self.start = header_start(name)

    def _first(self, request: RequestView) -> tuple[bytes, Pattern] | None:
        for value in request.header_values(self.start):
            for pattern in self.patterns:
                if pattern.matches(value):
                    return value, pattern
        return None

    def _hit(self, request: RequestView, found: tuple[bytes, Pattern]) -> Said:
        return said("{header}: {verdict}", header=self.name, verdict=_matches(found[0], found[1].text))

    def _missed(self, request: RequestView) -> Said:
        values = request.header_values(self.start)
        if not values:
            return said("the request has no header {header}", header=self.name)
        facts = {"value": ", ".join(map(_quoted, values)), "patterns": _any_of(self.patterns), "hint": ""}
        if len(values) > 1:
            verdict = said("{value} do not match {patterns}{hint}", **facts)
        else:
            verdict = said("{value} does not match {patterns}{hint}", **facts)
        return said("{header}: {verdict}", header=self.name, verdict=verdict)


@dataclass(frozen=True, slots=True, eq=False)
class QueryPattern:
    """A key and a value to look for; without a key, the value of any."""

    key: Pattern | None
    value: Pattern

    @property
    def text(self) -> str:
        """The pattern as configured."""
        return self.value.text if self.key is None else f"{self.key.text}={self.value.text}"


class QueryCondition(CompiledCondition[tuple[bytes, bytes, QueryPattern]]):
    """query-string: any pair of the query matches any of the values, whatever the case."""

    __slots__ = ("patterns",)
    field = "query-string"

    def __init__(self, patterns: tuple[QueryPattern, ...]) -> None:
        self.patterns = patterns

    def _first(self, request: RequestView) -> tuple[bytes, bytes, QueryPattern] | None:
        for key, value in request.query_pairs:
            for pattern in self.patterns:
                if (pattern.key is None or pattern.key.matches(key)) and pattern.value.matches(value):
                    return key, value, pattern
        return None

    def _hit(self, request: RequestView, found: tuple[bytes, bytes, QueryPattern]) -> Said:
        key, value, pattern = found
        return _matches(key + b"=" + value, pattern.text)

    def _missed(self, request: RequestView) -> Said:
        if not request.query_pairs:
            return said("the request has no query string")
        return said(
            "no pair of {query} matches {patterns}",
            query=_quoted(request.raw_query),
            patterns=_any_of(self.patterns),
        )


class SourceCondition(CompiledCondition[str]):
    """source-ip: the address of the TCP peer, never X-Forwarded-For."""

    __slots__ = ("blocks", "values")
    field = "source-ip"

    def __init__(self, values: tuple[str, ...]) -> None:
        self.values = values
        networks = [ipaddress.ip_network(value, strict=False) for value in values]
        # IP version, how many low bits of an address do not matter, and the others.
        self.blocks = tuple(
            (network.version, network.max_prefixlen - network.prefixlen, _leading_bits(network)) for network in networks
        )

    def _first(self, request: RequestView) -> str | None:
        version, number = request.source
        for value, (block_version, shift, leading) in zip(self.values, self.blocks, strict=True):
            if version == block_version and number >> shift == leading:
                return value
        return None

    def _hit(self, request: RequestView, found: str) -> Said:
        return said("{client_ip} lies in {block}", client_ip=request.client_ip, block=found)

    def _missed(self, request: RequestView) -> Said:
        forwarded = request.head.forwarded_for is not None
        return said(
            "the connection comes from {client_ip}, which is not in {blocks}{hint}",
            client_ip=request.client_ip,
            blocks=_one_or_any(self.values),
            hint=said("; X-Forwarded-For is not looked at") if forwarded else "",
        )


def _leading_bits(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> int:
    return int(network.network_address) >> (network.max_prefixlen - network.prefixlen)


def _patterns(condition: rules.HostHeader | rules.PathPattern | rules.HttpHeader, *, fold: bool) -> tuple[Pattern, ...]:
    wildcards = (compile_wildcard(value, fold=fold) for value in condition.values)
    return (*wildcards, *(compile_regex(regex, fold=fold) for regex in condition.regex_values))


def _query_pattern(pair: rules.QueryPair) -> QueryPattern:
    key = None if pair.key is None else compile_wildcard(pair.key, fold=True, escapes=True)
    return QueryPattern(key, compile_wildcard(pair.value, fold=True, escapes=True))


def _matches(value: bytes, pattern: str) -> Said:
    return said('{value} matches "{pattern}"', value=_quoted(value), pattern=pattern)


def _any_of(patterns: Sequence[Pattern | QueryPattern]) -> Said | str:
    return _one_or_any([f'"{pattern.text}"' for pattern in patterns])


def _one_or_any(shown: Sequence[str]) -> Said | str:
    return said("any of {several}", several=", ".join(shown)) if len(shown) > 1 else shown[0]


def _quoted(value: bytes) -> str:
    text = value.decode("ascii", "backslashreplace")
    return f'"{text[:_LONGEST_SHOWN]}..."' if len(text) > _LONGEST_SHOWN else f'"{text}"'
