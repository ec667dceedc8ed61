"""Users' regular expressions, on RE2: a text in, something to search with out.

RE2's time is linear in the value whatever the expression, so that no expression can hang the balancer, and it speaks nearly
the dialect that ELB documents: no look-around, no back references, no atomic groups. Values are bytes as they came from the
wire, one byte a character.
"""

import re
from enum import StrEnum
from typing import Any, Final

import re2  # type: ignore[import-untyped]

_UNICODE_CLASS: Final = re.compile(r"\\(?:\\|([pP]))")
# Linear means in the value times the expression, and counted repetitions can make the latter enormous. At this size the
# worst expression needs some 0.3 s for the longest URI; usual ones have fewer than 200 and need microseconds.
_MOST_INSTRUCTIONS: Final = 2000
_SET_MEMORY: Final = 32 * 1024 * 1024


class RegexFault(StrEnum):
    """What can be wrong with a regular expression."""

    SYNTAX = "syntax"
    TOO_BIG = "too big"


class InvalidRegex(ValueError):
    """A regular expression that cannot be used."""

    def __init__(self, fault: RegexFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


def compile_regex(text: str, *, fold: bool = False, groups: bool = False) -> Any:
    """The RE2 object for an expression. Its `search` takes bytes; its `groups` is their number.

    With `fold` case does not matter; `groups` tells whether a match will be asked for its groups. Raises InvalidRegex.
    """
    if not text.isascii():
        raise InvalidRegex(RegexFault.SYNTAX, f"The regular expression '{text}' must hold only ASCII characters")
    if any(found[1] for found in _UNICODE_CLASS.finditer(text)):
        raise InvalidRegex(RegexFault.SYNTAX, f"The regular expression '{text}' must not use Unicode classes (\\p)")
    options = _options()
    options.case_sensitive = not fold
    options.never_capture = not groups
    try:
        compiled = re2.compile(text.encode(), options)
    except re2.error as error:
        reason = _reason(error)
        fault = RegexFault.TOO_BIG if "too large" in reason else RegexFault.SYNTAX
        raise InvalidRegex(fault, f"The regular expression '{text}' is not valid: {reason}") from error
    if compiled.programsize > _MOST_INSTRUCTIONS:
        raise InvalidRegex(RegexFault.TOO_BIG, f"The regular expression '{text}' is too big: use smaller repetitions")
    return compiled


def quoted(literal: bytes) -> bytes:
    """An expression that finds just these bytes."""
    quote: bytes = re2.escape(literal)
    return quote


class RegexSet:
    """Many expressions that are searched for at once, in about the time of one."""

    __slots__ = ("_set",)

    def __init__(self, sources: list[bytes]) -> None:
        """Raises InvalidRegex where they are too big together."""
        options = _options()
        options.max_mem = _SET_MEMORY
        self._set = re2.Set.SearchSet(options)
        try:
            # RE2 gives up on a set when its memory runs out, and tells so only by finding nothing. The empty expression
            # is found in every value.
            self._set.Add(b"")
            for source in sources:
                self._set.Add(source)
            self._set.Compile()
        except re2.error as error:
            raise InvalidRegex(RegexFault.TOO_BIG, f"The regular expressions cannot be joined: {error}") from error

    def found(self, value: bytes) -> list[int] | None:
        """The positions, counted from 1, of the expressions found in the value, and 0; None where RE2 gave up."""
        positions: list[int] | None = self._set.Match(value)
        return positions


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return options


def _reason(error: Exception) -> str:
    why = error.args[0]
    return why.decode("ascii", "replace") if isinstance(why, bytes) else str(why)
