"""Words for every way in which a request may end: the table is whole, and each line says what the facts are."""

import pytest

from lb.http import pages
from lb.http.outcomes import Failure, Moment
from lb.http.record import Trouble
from lb.observe.cause import OWN_ANSWERS, WORDS, cause
from tests.observe.metrics.made import finished

EVERY = [(failure, moment) for failure in Failure for moment in Moment]


def failed(failure, moment=Moment.SENT, *, status=502, took_s=0.01, complete=True, idle_s=None, part=0, **fields):
    """A record of a request that failed `took_s` after it was sent, or after it came where it never was sent."""
    sent_at = 0.0 if moment is Moment.CONNECTING else 100.0
    trouble = Trouble(failure, moment, complete, sent_at, idle_s, part, 60)
    return finished(
        status=status, target_status=0, sent=bool(sent_at), ended_at=100.0 + took_s, trouble=trouble, **fields
    )


def answered(status, **fields):
    """A record of an answer of the balancer's own."""
    return finished(sent=False, **{"status": status, "target_status": 0, "target": "", **fields})


def test_every_failure_at_every_moment_has_words_of_its_own():
    assert set(WORDS) == set(EVERY)
    assert len(set(WORDS.values())) == len(EVERY)


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("idle_s", [None, 0.0, 5.0])
@pytest.mark.parametrize("kind", ["http", "ws"])
@pytest.mark.parametrize(("failure", "moment"), EVERY)
def test_all_facts_are_filled_in(failure, moment, kind, idle_s, complete):
    said = cause(failed(failure, moment, kind=kind, idle_s=idle_s, complete=complete))
    assert said.startswith("cut: " if moment is Moment.ANSWERING and failure is not Failure.CLIENT_GONE else "502: ")
    assert not {"{", "}", "\n"} & set(said)
    assert "None" not in said


REUSED = "502: the target 127.0.0.1:8081 closed a reused keep-alive connection before answering; "
NEW = "502: the target 127.0.0.1:8081 closed a new connection "


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            failed(Failure.TARGET_CLOSED, idle_s=5.0),
            REUSED
            + "it had been idle for 5.0 s (the target's keep-alive timeout is shorter than the balancer's idle timeout "
            "of 60 s; otherwise the target was restarted)",
        ),
        (
            failed(Failure.TARGET_CLOSED, idle_s=0.25),
            REUSED
            + "it had been idle for 0.250 s, too short for a timeout: the target crashed, was restarted, or limits "
            "requests per connection",
        ),
        (
            failed(Failure.TARGET_CLOSED, idle_s=5.0, took_s=3.0),
            REUSED + "that was 3.0 s after the request was sent: it crashed, was restarted, or gave up",
        ),
        (
            failed(Failure.TARGET_CLOSED),
            NEW + "before answering; it crashed or was restarted, or it does not speak HTTP on that port",
        ),
        (
            failed(Failure.TARGET_CLOSED, part=12),
            NEW + "in the middle of its response head; that was 0.010 s after the request was sent: it crashed, was "
            "restarted, or gave up",
        ),
        (
            failed(Failure.TARGET_SILENT, status=504, took_s=60),
            "504: the target 127.0.0.1:8081 did not answer within the idle timeout of 60 s",
        ),
        (
            failed(Failure.TARGET_SILENT, status=504, took_s=60, complete=False, received_bytes=77),
            (
                "504: the client's body is not complete, and no byte more came for the idle timeout of 60 s: its length is "
                "larger than what was sent, or the client stalled (77 bytes came in all)"
            ),
        ),
        (
            failed(Failure.CONNECT_TIMEOUT, Moment.CONNECTING, status=504, took_s=10.04),
            (
                "504: the target 127.0.0.1:8081 did not answer the attempt to connect within 10.0 s: the address is wrong, "
                "the machine is off, a firewall drops the packets, or the target is too busy to accept"
            ),
        ),
        (
            failed(Failure.REFUSED, Moment.CONNECTING, target="[::1]:80"),
            "502: no connection to the target [::1]:80: nothing listens on that port, or there is no way to that address",
        ),
        (
            failed(Failure.REFUSED, Moment.CONNECTING, target="web9:80"),
            "502: the name of the target web9:80 stands for no address",
        ),
        (
            failed(Failure.CLIENT_GONE, status=460, took_s=2.5),
            (
                "460: the client closed its connection after 2.5 s, before the target 127.0.0.1:8081 had answered: its own "
                "timeout is shorter than the time that the target takes, or its user went on"
            ),
        ),
        (
            failed(Failure.CLIENT_GONE, Moment.CONNECTING, status=400, complete=False),
            (
                "400: the client closed its connection after 0.010 s, while the balancer was still connecting to the target; "
                "its body was not complete"
            ),
        ),
        (
            failed(Failure.TARGET_CLOSED, Moment.ANSWERING, status=200),
            (
                "cut: the target 127.0.0.1:8081 closed or reset the connection in the middle of the answer, so that the "
                "client's connection could only be cut: its process ended, or what it sent is shorter than what its headers "
                "announced"
            ),
        ),
        (
            failed(Failure.CLIENT_GONE, Moment.ANSWERING, status=101, kind="ws"),
            "101: the client closed its connection while the WebSocket was open",
        ),
        (finished(), "200: the answer of the target 127.0.0.1:8081 itself"),
        (
            finished(status=500, target_status=500),
            "500: the answer of the target 127.0.0.1:8081 itself; the reason is in its own log",
        ),
        (
            finished(status=101, target_status=101, kind="ws"),
            "101: the target 127.0.0.1:8081 agreed to a WebSocket, which has ended",
        ),
        (answered(301, action="redirect", redirect_url=b"https://a/"), "301: the rule redirects"),
        (answered(503, action="fixed-response", group=""), "503: the fixed response of the rule"),
        (answered(503, group=""), "503: no target group: all weights of the forward action are 0"),
        (answered(503), "503: the target group has no target that may get requests"),
        (
            answered(500, action="rewrite", transform_status="TransformInvalidPath"),
            "500: a transform of the rule failed: TransformInvalidPath",
        ),
        (answered(507, action="redirect"), "507: the new URL of the redirect would be longer than 8 KiB"),
        (answered(463), "463: X-Forwarded-For holds more than 30 addresses"),
        (answered(414, action="", request=None), "414: the request line is longer than 16 KiB"),
        (
            answered(400, action="", request=None, tier=3, reason="BadContentLength"),
            "400: desync mitigation classified the request as Severe (BadContentLength) and did not let it through",
        ),
        (
            answered(505, action="", request=None, tier=3, reason="BadVersion"),
            "505: the request is of an HTTP version that the balancer does not speak",
        ),
        (answered(400, action="", request=None), "400: the request is malformed or its headers are too large"),
    ],
)
def test_words(record, said):
    assert cause(record) == said


def test_every_page_of_the_balancers_own_has_a_cause():
    of_failures = {502, 504}
    redirects = {301, 302}
    assert set(pages.TITLES) - of_failures - redirects <= set(OWN_ANSWERS)
