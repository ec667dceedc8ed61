"""Sticky sessions: which target or target group a request's cookies name, and the Set-Cookie lines of the answer.

Rules (fact sheet 4.4): `AWSALB` and `AWSALBCORS` go together, the latter wins; browsers keep them for 7 days while the
configured duration is enforced inside the value; both are renewed on every answer. `AWSALBTG` does the same for target
groups. `AWSALBAPP` follows a cookie of the application. A cookie that is missing, broken, too old, or names a target that
gets no requests now means a new choice by the algorithm. Cookies go on to the target untouched, which is not done here.

Assumed: the duration counts from the last answer; of a repeated cookie the first counts; an AWSALB cookie of
another target group is no cookie (both groups write the same name, so the last answer wins in the browser).
"""

import re
from collections.abc import Mapping
from email.utils import formatdate
from enum import Enum
from hashlib import sha256
from typing import Any, Final, Generic, NamedTuple, TypeVar

from lb.model.said import Said
from lb.routing.remembered import Remembered
from lb.targets.sealing import AWSALB, AWSALBAPP, AWSALBTG, Kind, Sealer

_BROWSER_LIFETIME_S: Final = 7 * 24 * 3600
_MARK_LENGTH: Final = 12
_TOKEN_BYTES: Final = min(kind.text_bytes for kind in (AWSALB, AWSALBTG, AWSALBAPP)) - _MARK_LENGTH
_PIECES: Final = tuple(b"AWSALBAPP-%d" % number for number in range(4))
_REMOVED: Final = b"_remove_"
# The header blocks of some thousand clients.
_REMEMBERED_BYTES: Final = 2 * 1024 * 1024

_COOKIE_LINE: Final = re.compile(rb"\r\n(?i:cookie):([^\r]*+)")
# To be used with a semicolon before the line: one leading character to look for is what makes the search fast.
_OURS: Final = re.compile(rb";[ \t]*+(AWSALB[A-Z]*+(?:-[0-3])?+)[ \t]*+=([^;]*+)")

T = TypeVar("T")


class Why(Enum):
    """Why a request stays where it was, or why a new choice is made. `{cookie}` and `{named}` are filled in."""

    KEPT = "its {cookie} cookie names {named}"
    NO_COOKIE = "it brings no {cookie} cookie"
    NO_APPLICATION_COOKIE = "it brings {cookie} without the application's own cookie"
    BROKEN = "its {cookie} cookie cannot be opened: it is broken, or protected with another key"
    FOREIGN = "its {cookie} cookie belongs to another target group or load balancer"
    EXPIRED = "its {cookie} cookie is older than the stickiness duration"
    NOT_USABLE = "{named}, which its {cookie} cookie names, gets no requests now"


class Choice(NamedTuple, Generic[T]):
    """What the cookies say. `kept` None means a new choice by algorithm or weights."""

    kept: T | None
    why: Why
    cookie: str
    named: str = ""

    @property
    def text(self) -> Said:
        """The reason in words."""
        return Said(self.why.value, {"cookie": self.cookie, "named": self.named})

    @property
    def error_reason(self) -> str | None:
        """`error_reason` in the access log (fact sheet 9.5); only group stickiness has one."""
        invalid = self.cookie.startswith("AWSALBTG") and self.why in (Why.BROKEN, Why.FOREIGN)
        return "AWSALBTGCookieInvalid" if invalid else None


class _Genuine(NamedTuple):
    """What a cookie that we sealed for this scope says: its own name, the token in it, and the second it was issued."""

    cookie: str
    token: str
    issued_s: int


def token_of(name: str) -> str:
    """How a cookie names a target (by its key) or a target group (by its label): as it is, or a digest of a long name."""
    return name if len(name.encode()) <= _TOKEN_BYTES else "#" + sha256(name.encode()).hexdigest()[:32]


def read_cookies(block: bytes) -> dict[bytes, bytes]:
    """The balancer's own cookies in a header block whose lines each begin with CRLF; values without their quotes."""
    found: dict[bytes, bytes] = {}
    for line in _COOKIE_LINE.findall(block):
        for name, value in _OURS.findall(b";" + line):
            found.setdefault(name, _unquoted(value))
    return found


def _unquoted(value: bytes) -> bytes:
    value = value.strip(b" \t")
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == 0x22 else value


class _Issuer:
    """Seals the names of one scope (a target group or a load balancer) and remembers the lines of the current second."""

    __slots__ = ("_duration_s", "_kind", "_lines", "_mark", "_sealer", "_second")

    def __init__(self, sealer: Sealer, kind: Kind, scope_arn: str, duration_s: int) -> None:
        self._sealer = sealer
        self._kind = kind
        self._mark = sha256(scope_arn.encode()).hexdigest()[:_MARK_LENGTH].encode()
        self._duration_s = duration_s
        self._second = -1
        self._lines: dict[tuple[str, bool], bytes] = {}

    def read(self, value: bytes, cookie: str) -> _Genuine | Choice[Any]:
        """What one cookie value says; a new choice where it is not genuine, or of another scope."""
        opened = self._sealer.open(self._kind, value)
        if opened is None:
            return Choice(None, Why.BROKEN, cookie)
        text, issued_s = opened
        if not text.startswith(self._mark):
            return Choice(None, Why.FOREIGN, cookie)
        return _Genuine(cookie, text[_MARK_LENGTH:].decode(), issued_s)

    def choose(self, genuine: _Genuine, known: Mapping[str, T], now_s: int) -> Choice[T]:
        """What that means now. `known` maps the tokens of whatever may be used now."""
        cookie, token, issued_s = genuine
        # Whole seconds: a cookie lives for its duration and up to one second more, never less.
        if now_s - issued_s > self._duration_s:
            return Choice(None, Why.EXPIRED, cookie, token)
        kept = known.get(token)
        return Choice(kept, Why.NOT_USABLE if kept is None else Why.KEPT, cookie, token)

    def value(self, token: str, now_s: int) -> bytes:
        """The sealed value for a token."""
        return self._sealer.seal(self._kind, self._mark + token.encode(), now_s)

    def lines_of(self, now_s: int) -> dict[tuple[str, bool], bytes]:
        """The lines made this second, by token and whether the connection is HTTPS."""
        if now_s != self._second:
            self._lines.clear()
            self._second = now_s
        return self._lines


class PairCookie:
    """A cookie and its twin for cross-origin requests, as `lb_cookie` and group stickiness use them.

    What a header block says is remembered where its cookie is genuine. How old it is and who may be used is asked anew
    for each request.
    """

    __slots__ = ("_cors", "_issuer", "_new", "_plain", "_read_before")

    def __init__(self, sealer: Sealer, kind: Kind, scope_arn: str, duration_s: int) -> None:
        self._issuer = _Issuer(sealer, kind, scope_arn, duration_s)
        self._plain = kind.name
        self._cors = kind.name + b"CORS"
        self._new: Choice[Any] = Choice(None, Why.NO_COOKIE, kind.name.decode())
        self._read_before: Remembered[_Genuine] = Remembered(_REMEMBERED_BYTES)

    def choose(self, block: bytes, known: Mapping[str, T], wall_s: float) -> Choice[T]:
        """What the cookies of a request say at `wall_s` (seconds since 1970).

        `block` is the request's header block; `known` maps `token_of` each usable target (or group of the action) to it.
        """
        genuine = self._read_before.get(block)
        if genuine is None:
            found = self._read(block)
            if isinstance(found, Choice):
                return found
            genuine = found
            self._read_before.put(block, genuine)
        return self._issuer.choose(genuine, known, int(wall_s))

    def _read(self, block: bytes) -> _Genuine | Choice[Any]:
        if self._plain not in block:
            return self._new
        cookies = read_cookies(block)
        for name in (self._cors, self._plain):
            value = cookies.get(name)
            if value is not None:
                return self._issuer.read(value, name.decode())
        return self._new

    def lines(self, token: str, wall_s: float, *, secure: bool) -> bytes:
        """The Set-Cookie lines, each with the CRLF before it, that name `token`; `secure` on HTTPS connections."""
        now_s = int(wall_s)
        made = self._issuer.lines_of(now_s)
        lines = made.get((token, secure))
        if lines is None:
            value = self._issuer.value(token, now_s)
            lines = _line(self._plain, value, now_s) + _line(self._cors, value, now_s) + _same_site(secure)
            made[token, secure] = lines
        return lines


def lb_cookie(sealer: Sealer, target_group_arn: str, duration_s: int) -> PairCookie:
    """`AWSALB` and `AWSALBCORS` of one target group; tokens are those of target keys."""
    return PairCookie(sealer, AWSALB, target_group_arn, duration_s)


def group_cookie(sealer: Sealer, load_balancer_arn: str, duration_s: int) -> PairCookie:
    """`AWSALBTG` and `AWSALBTGCORS` of one forward action; tokens are those of target group labels."""
    return PairCookie(sealer, AWSALBTG, load_balancer_arn, duration_s)


class AppCookie:
    """`app_cookie`: stickiness that begins when the target sets the application's cookie.

    Observed: where the target sets none, the four pieces are removed, without SameSite. Assumed: not so on answers to
    requests that were kept, because that would end every session at its second answer; a cookie that the target sets in
    order to delete it counts as set. One piece is enough for our values, so no other is issued (observed too).
    """

    __slots__ = ("_issuer", "_name", "_new", "_request", "_response")

    def __init__(self, sealer: Sealer, target_group_arn: str, cookie_name: str, duration_s: int) -> None:
        self._issuer = _Issuer(sealer, AWSALBAPP, target_group_arn, duration_s)
        self._new: Choice[Any] = Choice(None, Why.NO_COOKIE, "AWSALBAPP")
        self._name = name = cookie_name.encode()
        self._request = re.compile(rb";[ \t]*+" + re.escape(name) + rb"[ \t]*+=")
        self._response = re.compile(rb"\r\n(?i:set-cookie):[ \t]*" + re.escape(name) + rb"[ \t]*=")

    def choose(self, block: bytes, known: Mapping[str, T], wall_s: float) -> Choice[T]:
        """What the cookies of a request say; see `PairCookie.choose`."""
        if b"AWSALBAPP-" not in block:
            return self._new
        cookies = read_cookies(block)
        value = b"".join(piece for name in _PIECES if (piece := cookies.get(name, b"")) != _REMOVED)
        if not value:
            return self._new
        if not any(self._request.search(b";" + line) for line in _COOKIE_LINE.findall(block)):
            return Choice(None, Why.NO_APPLICATION_COOKIE, "AWSALBAPP")
        found = self._issuer.read(value, "AWSALBAPP")
        return found if isinstance(found, Choice) else self._issuer.choose(found, known, int(wall_s))

    def lines(self, answer: bytes, token: str, wall_s: float, *, kept: bool, secure: bool) -> bytes:
        """The Set-Cookie lines, each with the CRLF before it.

        `answer` is the header block of the target's answer, lines beginning with CRLF; `kept` tells whether the request's
        cookies chose the target that `token` names.
        """
        now_s = int(wall_s)
        made = self._issuer.lines_of(now_s)
        if not (self._name in answer and self._response.search(answer)):
            if kept:
                return b""
            removal = made.get(("", False))
            if removal is None:
                removal = made["", False] = b"".join(_line(name, _REMOVED, now_s) for name in _PIECES)
            return removal
        lines = made.get((token, secure))
        if lines is None:
            lines = _line(_PIECES[0], self._issuer.value(token, now_s), now_s) + _same_site(secure)
            made[token, secure] = lines
        return lines


def _line(name: bytes, value: bytes, now_s: int) -> bytes:
    expires = formatdate(now_s + _BROWSER_LIFETIME_S, usegmt=True).encode()
    return b"\r\nSet-Cookie: %b=%b; Expires=%b; Path=/" % (name, value, expires)


def _same_site(secure: bool) -> bytes:
    return b"; SameSite=None; Secure" if secure else b"; SameSite=None"
