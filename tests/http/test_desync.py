"""Desync mitigation: the table of cases beside this file, and what each mode makes of each tier."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lb.http import desync
from lb.http.desync import Tier
from lb.http.head import Rejected
from tests.http.messages import MODES, head_of, read

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("desync.yaml").read_text("utf-8"))
TIERS = {"Compliant": Tier.COMPLIANT, "Acceptable": Tier.ACCEPTABLE, "Ambiguous": Tier.AMBIGUOUS, "Severe": Tier.SEVERE}
# Fact sheet 8.1.
BLOCKED = {
    "monitor": set(),
    "defensive": {Tier.SEVERE},
    "strictest": {Tier.ACCEPTABLE, Tier.AMBIGUOUS, Tier.SEVERE},
}
# Fact sheet 8.2: every name that an access log may show.
REASONS = {
    *("GetHeadZeroContentLength", "NonCompliantHeader", "NonCompliantVersion", "SpaceInUri", "AmbiguousUri"),
    *(
        "BothTeClPresent",
        "DuplicateContentLength",
        "EmptyHeader",
        "SuspiciousHeader",
        "UndefinedContentLengthSemantics",
    ),
    *(
        "UndefinedTransferEncodingSemantics",
        "BadContentLength",
        "BadHeader",
        "BadMethod",
        "BadTransferEncoding",
        "BadUri",
    ),
    *("BadVersion", "MultipleContentLength", "MultipleTransferEncodingChunked", "SuspiciousTeClPresent"),
}


def wire(case: dict[str, Any]) -> bytes:
    """The case as a client sends it."""
    lines = [case.get("line", "POST / HTTP/1.1"), "Host: a", *case.get("headers", ()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def ids(cases: list[dict[str, Any]]) -> list[str]:
    return [case["name"] for case in cases]


PASSED_BY_MONITOR = [case for case in CASES if "answer" not in case and case["tier"] != "Compliant"]


def test_the_table_has_each_reason_and_names_no_case_twice():
    assert {case.get("reason") for case in CASES} - {None} == REASONS
    assert len(set(ids(CASES))) == len(CASES)
    for case in CASES:
        assert set(case) <= {"name", "line", "headers", "tier", "reason", "answer"}, case
        assert ("reason" in case) is (case["tier"] != "Compliant"), case


def tier_and_reason(data: bytes, mode: str) -> tuple[Tier, str]:
    """As the access log tells them, whether the request was blocked or not."""
    try:
        head = head_of(data, mode)
    except Rejected as refusal:
        return refusal.tier, refusal.reason
    return head.tier, head.reason


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_classification(case: dict[str, Any]):
    expected = (TIERS[case["tier"]], case.get("reason", ""))
    # The monitor mode lets everything through that can be framed; the others tell what they blocked.
    mode = "strictest" if "answer" in case else "monitor"
    if case["tier"] == "Compliant" and "answer" in case:
        return
    assert tier_and_reason(wire(case), mode) == expected


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_what_each_mode_makes_of_it(case: dict[str, Any], mode: str):
    tier = TIERS[case["tier"]]
    if tier in BLOCKED[mode]:
        with pytest.raises(Rejected) as raised:
            read(wire(case), mode)
        assert raised.value.status == 400
        assert (raised.value.tier, raised.value.reason) == (tier, case["reason"])
    elif "answer" in case:
        with pytest.raises(Rejected) as raised:
            read(wire(case), mode)
        assert raised.value.status == case["answer"]
    else:
        assert head_of(wire(case), mode).tier == tier


@pytest.mark.parametrize("case", PASSED_BY_MONITOR, ids=ids(PASSED_BY_MONITOR))
def test_dropping_invalid_names_does_not_hide_a_finding(case: dict[str, Any]):
    assert head_of(wire(case), "monitor", drop_invalid=True).reason == case["reason"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("tier", list(Tier))
def test_the_table_of_tiers_and_modes(tier: Tier, mode: str):
    assert desync.is_blocked(tier, mode) is (tier in BLOCKED[mode])


def test_tiers_are_ordered_by_danger():
    assert all(lower < higher for lower, higher in pairwise(TIERS.values()))


# --- what lines cannot carry: a line feed in a name, a value, the URI ---


@pytest.mark.parametrize(
    ("uri", "headers", "reason"),
    [
        (b"/", [(b"X", b"a\nb")], "BadHeader"),
        (b"/", [(b"X\nY", b"a")], "BadHeader"),
        (b"/a\nb", [], "BadUri"),
    ],
)
def test_a_line_feed_inside(uri: bytes, headers: list[tuple[bytes, bytes]], reason: str):
    assert desync.classify(b"GET", uri, b"HTTP/1.1", headers) == (Tier.SEVERE, reason)


names = st.sampled_from(
    (b"Host", b"Content-Length", b"Transfer_Encoding", b"transfer-encoding", b"X Y", b"", b"Content-Length ")
)
texts = st.sampled_from((b"chunked", b"5", b"6", b"", b"gzip,chunked", b"\0", b"x"))
headers = st.lists(st.tuples(names | st.binary(max_size=8), texts | st.binary(max_size=8)), max_size=5)


@settings(deadline=None)
@given(
    st.sampled_from((b"GET", b"POST", b"")) | st.binary(max_size=5),
    st.sampled_from((b"/", b"/a b")) | st.binary(max_size=8),
    st.sampled_from((b"", b"HTTP/0.9", b"HTTP/1.0", b"HTTP/1.1", b" HTTP/1.1")) | st.binary(max_size=9),
    headers,
)
def test_anything_gets_a_tier_and_a_known_reason(method: bytes, uri: bytes, version: bytes, headers: list):
    tier, reason = desync.classify(method, uri, version, headers)
    assert (reason in REASONS) if tier else reason == ""
    assert isinstance(tier, Tier)


@settings(deadline=None)
@given(headers, headers)
def test_more_headers_never_make_a_request_safer(first: list, more: list):
    few, _ = desync.classify(b"POST", b"/", b"HTTP/1.1", first)
    many, _ = desync.classify(b"POST", b"/", b"HTTP/1.1", [*first, *more])
    assert many >= few


def plain_look_alike(name: bytes) -> bool:
    """The look-alike test of fact sheet 8.3, letter by letter, with an automaton's states kept as a set."""
    text = name.replace(b"\xc5\xbf", b"s").replace(b"\xc4\xb1", b"i").lower()
    for first, second in ((b"transfer", b"encoding"), (b"content", b"length")):
        rest = re.sub(rb"^[^0-9a-z]*", b"", text)
        for start in (text, rest):
            for after in _after_word(start.lstrip(bytes(range(33))), first):
                for gap in range(1, len(after) + 1):
                    if re.search(rb"[0-9a-z]", after[1:gap]):
                        break
                    if any(not re.search(rb"[0-9a-z]", end) for end in _after_word(after[gap:], second)):
                        return True
    return False


def _after_word(text: bytes, word: bytes) -> list[bytes]:
    """What may be left of `text` once the word, with bytes up to 0x20 between its letters, has been read."""
    for position, letter in enumerate(word):
        if position:
            text = text.lstrip(bytes(range(33)))
        if text[:1] != bytes((letter,)):
            return []
        text = text[1:]
    return [text[skip:] for skip in range(len(text) - len(text.lstrip(bytes(range(33)))) + 1)]


pieces = st.sampled_from(
    (
        b"transfer",
        b"Transfer",
        b"encoding",
        b"content",
        b"length",
        b"tran\xc5\xbffer",
        b"encod\xc4\xb1ng",
        b"trans",
        b"fer",
        b"-",
        b"_",
        b" ",
        b"\t",
        b"\x0b",
        b"x",
        b"9",
        b"\x80",
        b"--",
        b"- ",
        b"",
    )
)


@settings(deadline=None)
@given(st.lists(pieces, min_size=2, max_size=7).map(b"".join))
def test_look_alikes_by_another_reading_of_the_rule(name: bytes):
    assert desync.looks_like_framing(name) is plain_look_alike(name)
