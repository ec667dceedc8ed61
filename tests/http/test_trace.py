"""X-Amzn-Trace-Id: the rows of fact sheet 7.4."""

import re

import pytest

from lb.http import limits
from lb.http.trace import trace_id

EPOCH_S = 0x5759E988
UNIQUE = b"bd862e3fe1be46a994272793"
NEW = b"1-5759e988-bd862e3fe1be46a994272793"
OLD = b"1-67891233-abcdef012345678912345678"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (None, b"Root=" + NEW),
        (b"", b"Root=" + NEW),
        (b"Root=" + OLD, b"Self=" + NEW + b";Root=" + OLD),
        (b"Self=1-1-1;Root=" + OLD, b"Self=" + NEW + b";Root=" + OLD),
        (b"Root=" + OLD + b";Self=1-1-1", b"Self=" + NEW + b";Root=" + OLD),
        (
            b"Root=" + OLD + b";Parent=x;Sampled=1;Custom=y",
            b"Self=" + NEW + b";Root=" + OLD + b";Parent=x;Sampled=1;Custom=y",
        ),
        (b"Root=" + OLD + b"; CalledFrom=app; ", b"Self=" + NEW + b";Root=" + OLD + b";CalledFrom=app"),
        (b"CalledFrom=app", b"Root=" + NEW + b";CalledFrom=app"),
        (b"Self=1-1-1;a=b", b"Root=" + NEW + b";a=b"),
        (b"Self=1-1-1", b"Root=" + NEW),
        (b";;", b"Root=" + NEW),
        (b"NotRoot=x", b"Root=" + NEW + b";NotRoot=x"),
    ],
)
def test_what_goes_to_the_target(given: bytes | None, sent: bytes):
    assert trace_id(given, EPOCH_S, UNIQUE) == sent


def test_a_value_that_is_too_long_is_replaced():
    fits = b"Root=" + OLD + b";a=" + b"x" * (limits.TRACE_ID - len(OLD) - 8)
    assert len(fits) == limits.TRACE_ID
    assert trace_id(fits, EPOCH_S, UNIQUE) == b"Self=" + NEW + b";" + fits
    assert trace_id(fits + b"x", EPOCH_S, UNIQUE) == b"Root=" + NEW


def test_the_time_has_eight_digits():
    assert re.fullmatch(rb"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace_id(None, 1, UNIQUE))
