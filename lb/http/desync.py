"""Desync mitigation: how far a request strays from the RFCs, and whether the configured mode lets it through.

Tiers, reasons and the algorithm are those that Amazon publishes (fact sheet section 8). A finding replaces an earlier one
only when its tier is strictly higher, so the first finding of the highest tier is the one that is reported.
"""

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum

Header = tuple[bytes, bytes]


class Tier(IntEnum):
    """Classification, from harmless to dangerous."""

    COMPLIANT = 0
    ACCEPTABLE = 1
    AMBIGUOUS = 2
    SEVERE = 3


Verdict = tuple[Tier, str]
COMPLIANT: Verdict = (Tier.COMPLIANT, "")

# The lowest tier that each mode refuses.
BLOCKED_FROM: dict[str, Tier | None] = {
    "monitor": None,
    "defensive": Tier.SEVERE,
    "strictest": Tier.ACCEPTABLE,
}

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]*+")
_HEADER_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*+")
_NUL_CR_LF = re.compile(rb"[\0\r\n]")
_KNOWN_CODINGS = frozenset((b"chunked", b"compress", b"deflate", b"gzip", b"identity"))
_FRAMING = (b"transfer-encoding", b"content-length")
_HIGHEST_LENGTH = 2**64 - 1


def _look_alike(words: tuple[bytes, bytes]) -> re.Pattern[bytes]:
    # Possessive throughout: a name of spaces must not cost more than its length.
    letters = {ord("s"): rb"(?:s|\xc5\xbf)", ord("i"): rb"(?:i|\xc4\xb1)"}

    def spelled(word: bytes) -> bytes:
        return rb"[\0-\x20]*+".join(letters.get(c, bytes((c,))) for c in word)

    first, second = map(spelled, words)
    return re.compile(rb"[^0-9a-z]*+" + first + rb"[\0-\xff][^0-9a-z]*+" + second + rb"[^0-9a-z]*+", re.IGNORECASE)


_LOOKS_LIKE_TRANSFER_ENCODING = _look_alike((b"transfer", b"encoding"))
_LOOKS_LIKE_CONTENT_LENGTH = _look_alike((b"content", b"length"))


def looks_like_framing(name: bytes) -> bool:
    """Whether a header name reads like Transfer-Encoding or Content-Length to a careless parser."""
    return bool(_LOOKS_LIKE_TRANSFER_ENCODING.fullmatch(name) or _LOOKS_LIKE_CONTENT_LENGTH.fullmatch(name))


def is_blocked(tier: Tier, mode: str) -> bool:
    """Whether the mode (`monitor`, `defensive`, `strictest`) answers 400 to a request of this tier."""
    lowest = BLOCKED_FROM[mode]
    return lowest is not None and tier >= lowest


def classify(method: bytes, uri: bytes, version: bytes, headers: Sequence[Header]) -> Verdict:
    """Classifies one HTTP/1 request.

    `version` is the text after the URI, with any spaces around it (empty for HTTP/0.9); header values come without the
    white space around them.
    """
    worst = COMPLIANT
    for verdict in _findings(method, uri, version, headers):
        if verdict[0] > worst[0]:
            worst = verdict
    return worst


def _findings(method: bytes, uri: bytes, version: bytes, headers: Sequence[Header]) -> Iterable[Verdict]:
    codings: list[bytes] = []
    lengths: list[bytes] = []
    real = alike = False
    for name, value in headers:
        yield from _header_findings(name, value)
        lowered = name.lower()
        bad = _NUL_CR_LF.search(name) or _NUL_CR_LF.search(value)
        exact = lowered in _FRAMING
        if lowered == b"transfer-encoding" or (not bad and _LOOKS_LIKE_TRANSFER_ENCODING.fullmatch(name)):
            codings.append(value)
        elif lowered == b"content-length" or (not bad and _LOOKS_LIKE_CONTENT_LENGTH.fullmatch(name)):
            lengths.append(value)
        else:
            continue
        real, alike = real or exact, alike or not exact
    trimmed = version.strip(b" \t")
    if codings or lengths:
        yield from _framing_findings(method, trimmed, codings, lengths)
    if real and alike:
        yield Tier.SEVERE, "SuspiciousTeClPresent"
    if not _TOKEN.fullmatch(method) or not method:
        yield Tier.SEVERE, "BadMethod"
    yield from _version_findings(version, trimmed)
    yield from _uri_findings(uri)


def _header_findings(name: bytes, value: bytes) -> Iterable[Verdict]:
    if _NUL_CR_LF.search(name) or _NUL_CR_LF.search(value):
        yield Tier.SEVERE, "BadHeader"
        return
    if not _TOKEN.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
        yield Tier.ACCEPTABLE, "NonCompliantHeader"
    if not name.strip(b" \t") or name.startswith(b":"):
        yield Tier.AMBIGUOUS, "EmptyHeader"
    if name.lower() not in _FRAMING and looks_like_framing(name):
        yield Tier.AMBIGUOUS, "SuspiciousHeader"


def _framing_findings(
    method: bytes, version: bytes, codings: Sequence[bytes], lengths: Sequence[bytes]
) -> Iterable[Verdict]:
    ancient = version in (b"", b"HTTP/0.9")
    if codings and (ancient or version == b"HTTP/1.0"):
        yield Tier.AMBIGUOUS, "UndefinedTransferEncodingSemantics"
        return
    if lengths and ancient:
        yield Tier.AMBIGUOUS, "UndefinedContentLengthSemantics"
        return
    yield from _coding_findings(codings)
    numbers: list[int] = []
    for text in lengths:
        number = parse_content_length(text)
        if number is None:
            yield Tier.SEVERE, "BadContentLength"
        elif numbers and number != numbers[0]:
            yield Tier.SEVERE, "MultipleContentLength"
        elif numbers:
            yield Tier.AMBIGUOUS, "DuplicateContentLength"
        else:
            numbers.append(number)
    if method in (b"GET", b"HEAD"):
        if codings:
            yield Tier.AMBIGUOUS, "UndefinedTransferEncodingSemantics"
        if numbers and numbers[0] == 0:
            yield Tier.ACCEPTABLE, "GetHeadZeroContentLength"
        elif numbers:
            yield Tier.AMBIGUOUS, "UndefinedContentLengthSemantics"
    if codings and numbers:
        yield Tier.AMBIGUOUS, "BothTeClPresent"


def _coding_findings(values: Sequence[bytes]) -> Iterable[Verdict]:
    previous = b""
    for value in values:
        for item in value.split(b","):
            coding = item.split(b";", 1)[0].strip(b" \t").lower()
            if coding not in _KNOWN_CODINGS:
                yield Tier.SEVERE, "BadTransferEncoding"
            elif coding == previous == b"chunked":
                yield Tier.SEVERE, "MultipleTransferEncodingChunked"
            previous = coding


def _version_findings(version: bytes, trimmed: bytes) -> Iterable[Verdict]:
    if trimmed in (b"", b"HTTP/0.9"):
        yield Tier.ACCEPTABLE, "NonCompliantVersion"
    elif len(trimmed) != 8 or not trimmed.startswith(b"HTTP/1.") or not trimmed[7:].isdigit():
        yield Tier.SEVERE, "BadVersion"
    elif version != trimmed or trimmed not in (b"HTTP/1.0", b"HTTP/1.1"):
        yield Tier.ACCEPTABLE, "NonCompliantVersion"


def _uri_findings(uri: bytes) -> Iterable[Verdict]:
    for byte in uri:
        if byte == 0x20:
            yield Tier.ACCEPTABLE, "SpaceInUri"
        elif byte in (0x00, 0x0A, 0x0D):
            yield Tier.SEVERE, "BadUri"
            return
        elif byte < 0x20 or byte == 0x7F:
            yield Tier.AMBIGUOUS, "AmbiguousUri"


def parse_content_length(text: bytes) -> int | None:
    """The number in a Content-Length value, None if it is not one; an empty value is 0, as in Amazon's library."""
    text = text.strip(b" \t")
    if not text:
        return 0
    if not text.isdigit() or len(text) > 20:
        return None
    number = int(text)
    return number if number <= _HIGHEST_LENGTH else None
