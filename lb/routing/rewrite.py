"""Transforms: the URI and the Host that a target gets instead of the client's (fact sheet 3.3).

They run after a rule has been chosen and lead to no other. A regular expression that finds nothing leaves the request as it
is; one that finds something and makes no usable request of it fails, and the answer is 500.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lb.http import limits
from lb.model.regexes import InvalidRegex, RegexFault, compile_regex
from lb.model.rules import Transform, UrlRewrite

_GROUP: Final = re.compile(rb"\$([1-9])")
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_URI: Final = re.compile(rb"/[\x21-\x7e\x80-\xff]*")
_LONGEST_HOST: Final = 255
_LONGEST_URI: Final = limits.REQUEST_LINE - len(" HTTP/1.1")


class TransformStatus(StrEnum):
    """The outcomes that access logs name. COMPILE_ERROR is for completeness: RE2 knows only the two others of its kind."""

    SUCCESS = "TransformSuccess"
    BUFFER_TOO_SMALL = "TransformBufferTooSmall"
    COMPILE_ERROR = "TransformCompileError"
    COMPILE_TOO_BIG = "TransformCompileTooBig"
    INVALID_HOST = "TransformInvalidHost"
    INVALID_PATH = "TransformInvalidPath"
    SYNTAX_ERROR = "TransformRegexSyntaxError"
    REPLACE_ERROR = "TransformReplaceError"


_FAULTS: Final = {
    RegexFault.SYNTAX: TransformStatus.SYNTAX_ERROR,
    RegexFault.TOO_BIG: TransformStatus.COMPILE_TOO_BIG,
}


class TransformFailed(Exception):
    """A transform that cannot be carried out. `status` is for the access log."""

    def __init__(self, status: TransformStatus) -> None:
        super().__init__(status.value)
        self.status = status


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What the transforms of a rule made of a request. None stands for what they left alone."""

    status: TransformStatus
    uri: bytes | None
    host: bytes | None


class Rewrite:
    """The transforms of one rule, ready for requests."""

    __slots__ = ("_host", "_uri")

    def __init__(self, uri: "_Replacement | None", host: "_Replacement | None") -> None:
        self._uri = uri
        self._host = host

    def apply(self, uri: bytes, host: bytes) -> Rewritten:
        """The outcome for a URI (path and query) and a Host value as the target would get them otherwise.

        The port of the host is not shown to the regular expression, and stays unless the replacement brings its own. Where
        the status is not SUCCESS nothing is rewritten, and the answer is 500.
        """
        try:
            return Rewritten(TransformStatus.SUCCESS, self._new_uri(uri), self._new_host(host))
        except TransformFailed as failure:
            return Rewritten(failure.status, None, None)

    def _new_uri(self, uri: bytes) -> bytes | None:
        new = self._uri.of(uri) if self._uri is not None else None
        if new is None:
            return None
        if not _URI.fullmatch(new):
            raise TransformFailed(TransformStatus.INVALID_PATH)
        if len(new) > _LONGEST_URI:
            raise TransformFailed(TransformStatus.BUFFER_TOO_SMALL)
        return new

    def _new_host(self, host: bytes) -> bytes | None:
        name, colon, port = host.rpartition(b":")
        if not (colon and port.isdigit()):
            name, colon, port = host, b"", b""
        new = self._host.of(name) if self._host is not None else None
        if new is None:
            return None
        found = _HOST.fullmatch(new)
        if found is None or len(new) > _LONGEST_HOST:
            raise TransformFailed(TransformStatus.INVALID_HOST)
        return new if re.search(rb":[0-9]+\Z", new) else new + colon + port


class _Replacement:
    """A regular expression and what takes the place of its first match."""

    __slots__ = ("_failure", "_parts", "_search")

    def __init__(self, transform: Transform, *, fold: bool) -> None:
        self._parts = tuple(_GROUP.split(transform.replace.encode()))
        self._failure: TransformStatus | None = None
        self._search: Any = None
        try:
            compiled = compile_regex(transform.regex, fold=fold, groups=True)
        except InvalidRegex as error:
            self._failure = _FAULTS[error.fault]
            return
        self._search = compiled.search
        if any(int(group) > compiled.groups for group in self._parts[1::2]):
            self._failure = TransformStatus.REPLACE_ERROR

    def of(self, value: bytes) -> bytes | None:
        """The value with its first match replaced; None where there is no match. Raises TransformFailed."""
        if self._search is None:
            raise TransformFailed(self._failure or TransformStatus.COMPILE_ERROR)
        found = self._search(value)
        if found is None:
            return None
        if self._failure is not None:
            raise TransformFailed(self._failure)
        groups = found.groups(b"")
        put = (groups[int(part) - 1] if position % 2 else part for position, part in enumerate(self._parts))
        return bytes(value[: found.start()] + b"".join(put) + value[found.end() :])


def compile_rewrite(transforms: Iterable[Transform]) -> Rewrite | None:
    """Compiles the transforms of a rule; None where there are none.

    Raises nothing: a transform that cannot work, such as one whose regular expression is wrong, fails for every request, as
    ELB's log has it. `lb.model.rule_checks` is for refusing it beforehand.
    """
    uri = host = None
    for transform in transforms:
        if isinstance(transform, UrlRewrite):
            uri = _Replacement(transform, fold=False)
        else:
            host = _Replacement(transform, fold=True)
    return None if uri is host is None else Rewrite(uri, host)
