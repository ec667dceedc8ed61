"""What a failure becomes: the moment decides (fact sheet 5.5, 7.7, 7.10 and 9.2).

ALB documents no retry, and documents as 502 both cases in which others retry (a refused connection, and a reused connection
that the target closed), so there is none here.
"""

from enum import Enum, auto


class Moment(Enum):
    """How far an exchange has come."""

    CONNECTING = auto()  # no byte has gone to the target
    SENT = auto()  # the target has the request, or part of it
    ANSWERING = auto()  # a part of the answer has gone to the client


class Failure(Enum):
    """What went wrong."""

    REFUSED = auto()  # connection refused, reset, host or network unreachable, name unknown
    CONNECT_TIMEOUT = auto()
    TARGET_CLOSED = auto()
    TARGET_SILENT = auto()  # nothing from the target for the idle timeout
    BAD_RESPONSE = auto()
    DEREGISTERED = auto()  # the deregistration delay is over, or the balancer ends
    CLIENT_GONE = auto()
    BAD_BODY = auto()  # the client's chunks are broken


CUT = 0
"""No answer can be sent any more: the client's connection is cut."""

_STATUS = {
    Failure.REFUSED: 502,
    Failure.CONNECT_TIMEOUT: 504,
    Failure.TARGET_CLOSED: 502,
    Failure.TARGET_SILENT: 504,
    Failure.BAD_RESPONSE: 502,
    Failure.DEREGISTERED: 502,
    Failure.BAD_BODY: 400,
}


def status_of(failure: Failure, moment: Moment, *, request_complete: bool) -> int:
    """The status to answer and to log; CUT once an answer has begun. 460 is only ever logged."""
    if moment is Moment.ANSWERING:
        return CUT
    if failure is Failure.CLIENT_GONE:
        return 460 if request_complete else 400
    return _STATUS[failure]
