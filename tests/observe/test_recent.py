"""The requests that ended last: bounded in number and in bytes, and found by any name of theirs."""

import pytest

from lb.observe.recent import Recent
from tests.observe.metrics.made import finished

TRACE = b"Self=1-695cdfaf-00000000000000000000000a;Root=1-695cdfae-0123456789abcdef01234567;lang=ko"


def ended(number, **fields):
    record = finished(trace_id=b"Root=1-695cdfae-%024x" % number, **fields)
    record.connection_id = f"TID_{number:032x}"
    return record


@pytest.mark.parametrize(
    "asked",
    [
        TRACE.decode(),
        "Root=1-695cdfae-0123456789abcdef01234567",
        "1-695cdfae-0123456789abcdef01234567",
        " 1-695cdfae-0123456789abcdef01234567\n",
        "Self=1-695cdfaf-00000000000000000000000a",
        "1-695cdfaf-00000000000000000000000a",
        "TID_00000000000000000000000000000000",
    ],
)
def test_a_request_is_found_by(asked):
    recent = Recent()
    wanted = finished(trace_id=TRACE)
    recent.add([ended(1), wanted, ended(2)])
    assert recent.find(asked) == [wanted]


@pytest.mark.parametrize(
    "asked",
    ["", " ", "Root=", "1-695cdfae", "0123456789abcdef01234567", "lang", "TID_", "Root=1-695cdfae-", "한"],
)
def test_a_request_is_not_found_by(asked):
    recent = Recent()
    recent.add([finished(trace_id=TRACE), finished(None), finished(trace_id=b"")])
    assert recent.find(asked) == []


def test_the_last_of_several_comes_first():
    recent = Recent()
    first, second = finished(trace_id=TRACE), finished(trace_id=TRACE)
    recent.add([first, ended(1), second])
    assert recent.find(TRACE.decode()) == [second, first]


def test_the_oldest_go():
    recent = Recent(most=100)
    records = [ended(number) for number in range(250)]
    for at in range(0, 250, 30):
        recent.add(records[at : at + 30])
        assert len(recent) <= 100
    found = [number for number in range(250) if recent.find(f"TID_{number:032x}")]
    assert found == list(range(150, 250))


def test_large_heads_take_the_room_of_many_small_ones():
    recent = Recent(most_bytes=100_000)
    large = b"GET / HTTP/1.1\r\nHost: test\r\nX: " + b"x" * 10_000 + b"\r\n\r\n"
    for number in range(30):
        recent.add([ended(number, request=large), ended(1000 + number, request=None)])
    assert 9 + 9 <= len(recent) <= 10 + 10
    assert recent.find(f"TID_{29:032x}")
    assert not recent.find(f"TID_{0:032x}")
    for number in range(300):
        recent.add([ended(number)])
    assert len(recent) >= 300
