"""Wildcard patterns and regular expressions, compiled once: a text in, a Pattern that answers yes or no out.

Values are bytes as they came from the wire, one byte a character. Sources: fact sheet 3.2.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lb.model import regexes

_STAR: Final = object()
_ONE: Final = object()
_Token = bytes | object


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A compiled value of a condition. `text` is as configured.

    One of the others says what `matches` accepts, for an index to rely on: the `exact` value, any value that begins with
    `head` or ends with `tail`, or any value in which RE2 finds `source`.
    """

    text: str
    matches: Callable[[bytes], bool]
    exact: bytes | None = None
    head: bytes | None = None
    tail: bytes | None = None
    source: bytes = b""


def compile_wildcard(text: str, *, fold: bool = False, escapes: bool = False) -> Pattern:
    """A pattern for the whole value: `*` stands for any characters, `?` for exactly one.

    With `fold` case does not matter, and the values given to `matches` must be in lower case. With `escapes` a backslash
    takes the meaning from a following `*`, `?` or backslash, as in query strings.
    """
    raw = text.encode()
    tokens = _tokens(raw.lower() if fold else raw, escapes=escapes)
    match tokens:
        case []:
            return Pattern(text, b"".__eq__, exact=b"")
        case [bytes() as exact]:
            return Pattern(text, exact.__eq__, exact=exact)
        case [only] if only is _STAR:
            return Pattern(text, lambda _: True, head=b"")
        case [bytes() as head, last] if last is _STAR:
            return Pattern(text, lambda value: value.startswith(head), head=head)
        case [first, bytes() as tail] if first is _STAR:
            return Pattern(text, lambda value: value.endswith(tail), tail=tail)
        case [first, bytes() as inner, last] if first is last is _STAR:
            return Pattern(text, lambda value: inner in value, source=regexes.quoted(inner))
        case _:
            return Pattern(text, _general_matcher(tokens), source=_re2_source(tokens))


def compile_literal(text: str) -> Pattern:
    """A pattern without wildcards, for values that are compared with case."""
    exact = text.encode()
    return Pattern(text, exact.__eq__, exact=exact)


def compile_regex(text: str, *, fold: bool = False) -> Pattern:
    """A pattern that some part of the value must match. `fold` as for wildcards. Raises lb.model.regexes.InvalidRegex."""
    search = regexes.compile_regex(text, fold=fold).search
    source = text.encode()
    return Pattern(text, lambda value: search(value) is not None, source=b"(?i:%b)" % source if fold else source)


def _tokens(raw: bytes, *, escapes: bool) -> list[_Token]:
    """Literals, _STAR and _ONE in order; no two literals and no two stars in a row."""
    tokens: list[_Token] = []
    literal = bytearray()
    at = 0
    while at < len(raw):
        character = raw[at : at + 1]
        at += 1
        if escapes and character == b"\\" and raw[at : at + 1] in (b"*", b"?", b"\\"):
            literal += raw[at : at + 1]
            at += 1
        elif character in (b"*", b"?"):
            if literal:
                tokens.append(bytes(literal))
                literal.clear()
            if character == b"?":
                tokens.append(_ONE)
            elif not tokens or tokens[-1] is not _STAR:
                tokens.append(_STAR)
        else:
            literal += character
    if literal:
        tokens.append(bytes(literal))
    return tokens


def _general_matcher(tokens: list[_Token]) -> Callable[[bytes], bool]:
    """Takes for every piece between stars the first place where it fits.

    That finds a match wherever there is one, since a star can take whatever is left over. The atomic groups say so to the
    expression engine, which then never tries other places: the time is bounded by value length times pattern length.
    """
    pieces = [b""]
    for token in tokens:
        if token is _STAR:
            pieces.append(b"")
        else:
            pieces[-1] += re.escape(token) if isinstance(token, bytes) else b"."
    first, *middle, last = pieces if len(pieces) > 1 else [*pieces, b""]
    source = first + b"".join(b"(?>.*?%b)" % piece for piece in middle)
    if len(pieces) > 1:
        source += b".*" + last
    fits = re.compile(source, re.DOTALL).fullmatch
    return lambda value: fits(value) is not None


def _re2_source(tokens: list[_Token]) -> bytes:
    """The same as an expression for RE2."""
    pieces = (
        regexes.quoted(token) if isinstance(token, bytes) else b".*" if token is _STAR else b"." for token in tokens
    )
    return b"\\A(?s:%b)\\z" % b"".join(pieces)
