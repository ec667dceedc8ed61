"""Header names that ELB calls invalid: told apart from the rest, and dropped or passed on as the attribute says."""

import pytest

from lb.http.head import HeadReader

PLAIN = b"GET / HTTP/1.1\r\nHost: a\r\nX-Plain-1: 1\r\n\r\n"
ODD = b"GET / HTTP/1.1\r\nHost: a\r\nX_Odd: 1\r\n\r\n"
SPACED = b"GET / HTTP/1.1\r\nHost: a\r\nX Odd: 1\r\n\r\n"


@pytest.mark.parametrize(("data", "invalid"), [(PLAIN, False), (ODD, True), (SPACED, True)])
@pytest.mark.parametrize("drop", [False, True])
def test_invalid_names_are_told_and_dropped_only_where_asked(data: bytes, invalid: bool, drop: bool):
    head, end = HeadReader().read(data, 0, "defensive", drop_invalid=drop)
    assert end == len(data)
    assert head.has_invalid_names is invalid
    assert (b"Odd: 1" in head.rest) is (invalid and not drop)


def test_a_reader_that_remembers_drops_from_the_request_on_for_which_it_is_asked():
    reader = HeadReader()
    kept, _ = reader.read(ODD, 0, "defensive", drop_invalid=False)
    dropped, _ = reader.read(ODD, 0, "defensive", drop_invalid=True)
    again, _ = reader.read(ODD, 0, "defensive", drop_invalid=False)
    assert [b"X_Odd" in head.rest for head in (kept, dropped, again)] == [True, False, True]
    assert all(head.has_invalid_names for head in (kept, dropped, again))
