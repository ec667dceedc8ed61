"""What each failure becomes at each moment (fact sheet 5.5, 7.10 and 9.2), as one table."""

import pytest

from lb.http import pages
from lb.http.outcomes import CUT, Failure, Moment, status_of

TABLE = {
    # failure: (connecting, sent)
    Failure.REFUSED: (502, 502),
    Failure.CONNECT_TIMEOUT: (504, 504),
    Failure.TARGET_CLOSED: (502, 502),
    Failure.TARGET_SILENT: (504, 504),
    Failure.BAD_RESPONSE: (502, 502),
    Failure.DEREGISTERED: (502, 502),
    Failure.CLIENT_GONE: (460, 460),
    Failure.BAD_BODY: (400, 400),
}


def test_the_table_has_each_failure():
    assert set(TABLE) == set(Failure)


@pytest.mark.parametrize("failure", Failure)
def test_before_the_answer_has_begun(failure: Failure):
    for moment, status in zip((Moment.CONNECTING, Moment.SENT), TABLE[failure], strict=True):
        assert status_of(failure, moment, request_complete=True) == status


@pytest.mark.parametrize("request_complete", [True, False])
@pytest.mark.parametrize("failure", Failure)
def test_once_an_answer_has_begun_nothing_else_can_be_said(failure: Failure, request_complete: bool):
    assert status_of(failure, Moment.ANSWERING, request_complete=request_complete) == CUT


@pytest.mark.parametrize("moment", [Moment.CONNECTING, Moment.SENT])
def test_a_client_that_leaves_before_its_body_is_complete(moment: Moment):
    # Fact sheet 7.10: 400, not 460.
    assert status_of(Failure.CLIENT_GONE, moment, request_complete=False) == 400


@pytest.mark.parametrize("moment", [Moment.CONNECTING, Moment.SENT])
@pytest.mark.parametrize("failure", [each for each in Failure if each is not Failure.CLIENT_GONE])
def test_how_much_of_the_body_came_matters_to_no_other_failure(failure: Failure, moment: Moment):
    expected = status_of(failure, moment, request_complete=True)
    assert status_of(failure, moment, request_complete=False) == expected


def test_each_status_that_is_sent_has_a_page():
    sent = {status_of(f, m, request_complete=c) for f in Failure for m in Moment for c in (True, False)} - {CUT, 460}
    assert sent <= set(pages.TITLES)
