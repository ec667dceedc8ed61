"""Why a request ended as it did, in words: one table for what fails on the way, one for the balancer's own answers. Pure.

Sources: `lb.http.outcomes`, fact sheet 5.5, 7.7, 7.10 and 9.2.
"""

import ipaddress
from typing import Final

from lb.http import limits
from lb.http.desync import Tier
from lb.http.outcomes import Failure, Moment
from lb.http.record import RequestRecord, Trouble
from lb.model.said import ENGLISH, Said, Words, in_seconds, said

_CONNECTING, _SENT, _ANSWERING = Moment.CONNECTING, Moment.SENT, Moment.ANSWERING
# A closed connection answers within a round trip; a target that takes longer had begun to work on the request.
_AT_ONCE_S: Final = 1.0
# No server has a keep-alive timeout of less.
_SHORTEST_KEEP_ALIVE_S: Final = 1.0

WORDS: Final[dict[tuple[Failure, Moment], str]] = {
    (Failure.REFUSED, _CONNECTING): "{no_connection}",
    (Failure.REFUSED, _SENT): "the connection to the target {target} broke once the request had been sent",
    (Failure.REFUSED, _ANSWERING): "the connection to the target {target} broke {midst}",
    (Failure.CONNECT_TIMEOUT, _CONNECTING): (
        "the target {target} did not answer the attempt to connect within {waited}: the address is wrong, the machine is "
        "off, a firewall drops the packets, or the target is too busy to accept"
    ),
    (Failure.CONNECT_TIMEOUT, _SENT): "the connection to the target {target} timed out once the request had been sent",
    (Failure.CONNECT_TIMEOUT, _ANSWERING): "the connection to the target {target} timed out {midst}",
    (Failure.TARGET_CLOSED, _CONNECTING): (
        "the target {target} accepted the connection and closed it before the request could be sent: too many connections "
        "for it, or nothing behind the port that it publishes"
    ),
    (Failure.TARGET_CLOSED, _SENT): "the target {target} closed {connection} {before_answer}; {why_closed}",
    (Failure.TARGET_CLOSED, _ANSWERING): (
        "the target {target} closed or reset the connection {midst}: its process ended, or what it sent is shorter than "
        "what its headers announced"
    ),
    (Failure.TARGET_SILENT, _CONNECTING): (
        "there was no connection to the target {target} within the idle timeout of {idle_timeout}, which is shorter than "
        "the time that it may take to connect"
    ),
    (Failure.TARGET_SILENT, _SENT): "{who_is_silent}",
    (Failure.TARGET_SILENT, _ANSWERING): (
        "no byte went either way for the idle timeout of {idle_timeout} {midst}: the target {target} sent nothing more, or "
        "the client read nothing more"
    ),
    (Failure.BAD_RESPONSE, _CONNECTING): "the target {target} sent what is no HTTP/1 answer before it was asked",
    (Failure.BAD_RESPONSE, _SENT): (
        "what the target {target} sent is not a valid HTTP/1 answer: malformed, lengths that contradict each other, headers "
        "of more than {response_headers} KiB, or a change of protocol that nobody asked for"
    ),
    (Failure.BAD_RESPONSE, _ANSWERING): "the target {target} sent malformed chunks {midst}",
    (Failure.DEREGISTERED, _CONNECTING): "{deregistered} before there was a connection to it",
    (Failure.DEREGISTERED, _SENT): "{deregistered} before it had answered",
    (Failure.DEREGISTERED, _ANSWERING): "{deregistered} {midst}",
    (Failure.CLIENT_GONE, _CONNECTING): (
        "the client closed its connection after {waited}, while the balancer was still connecting to the target{half_sent}"
    ),
    (Failure.CLIENT_GONE, _SENT): (
        "the client closed its connection after {waited}, before the target {target} had answered: its own timeout is "
        "shorter than the time that the target takes, or its user went on{half_sent}"
    ),
    (Failure.CLIENT_GONE, _ANSWERING): "the client closed its connection {midst}",
    (Failure.BAD_BODY, _CONNECTING): "the client's body is not validly chunked",
    (Failure.BAD_BODY, _SENT): "the client's body is not validly chunked; the target {target} had the part before that",
    (Failure.BAD_BODY, _ANSWERING): "the client's body is not validly chunked, which showed {midst}",
}
"""Every failure at every moment; the braces are filled with the facts of the request."""

OWN_ANSWERS: Final[dict[int, str]] = {
    400: "the request is malformed or its headers are too large",
    405: "TRACE and CONNECT are refused before any rule",
    408: "the client did not send a whole request head within the idle timeout",
    414: f"the request line is longer than {limits.REQUEST_LINE // 1024} KiB",
    463: f"X-Forwarded-For holds more than {limits.FORWARDED_FOR_ADDRESSES} addresses",
    500: "a transform of the rule failed",
    501: "the request has a Transfer-Encoding that the balancer does not support",
    503: "the target group has no target that may get requests",
    505: "the request is of an HTTP version that the balancer does not speak",
    507: "the new URL of the redirect would be longer than 8 KiB",
    561: "the identity provider answered with an error when the user was to be authenticated",
}
"""Answers that the balancer gives without anything having failed on the way, by status."""


def cause(record: RequestRecord, words: Words = ENGLISH) -> str:
    """Status and cause in one line, such as `504: the target 127.0.0.1:81 did not answer within the idle timeout of 60 s`.

    `words` are those of the language that it is to be told in.
    """
    trouble = record.trouble
    if trouble is None:
        return f"{record.status}: {_answered(record).to(words)}"
    begun = said("cut").to(words) if trouble.cut else str(record.status)
    return f"{begun}: {Said(WORDS[trouble.failure, trouble.moment], _facts(record, trouble)).to(words)}"


def _answered(record: RequestRecord) -> Said:
    """For a request that nothing happened to on the way."""
    if record.kind == "ws":
        return said("the target {target} agreed to a WebSocket, which has ended", target=record.target)
    if record.target_status >= 500:
        return said("the answer of the target {target} itself; the reason is in its own log", target=record.target)
    if record.target_status:
        return said("the answer of the target {target} itself", target=record.target)
    if record.redirect_url:
        return said("the rule redirects")
    if record.action == "fixed-response":
        return said("the fixed response of the rule")
    if record.status == 400 and record.reason:
        return said(
            "desync mitigation classified the request as {tier} ({reason}) and did not let it through",
            tier=Tier(record.tier).name.capitalize(),
            reason=record.reason,
        )
    if record.transform_status and record.status == 500:
        return said("{failed}: {status}", failed=Said(OWN_ANSWERS[500], {}), status=record.transform_status)
    if record.status == 503 and not record.target_group_arn:
        return said("no target group: all weights of the forward action are 0")
    if record.status in OWN_ANSWERS:
        return Said(OWN_ANSWERS[record.status], {})
    return said("the balancer's own answer")


def _facts(record: RequestRecord, trouble: Trouble) -> dict[str, object]:
    waited_s = record.ended_at - (trouble.sent_at or record.arrived_at)
    if record.kind == "ws":
        midst = said("while the WebSocket was open")
    elif trouble.failure is Failure.CLIENT_GONE:
        midst = said("in the middle of the answer")
    else:
        midst = said("in the middle of the answer, so that the client's connection could only be cut")
    return {
        "target": record.target,
        "waited": _seconds(waited_s),
        "idle_timeout": in_seconds(trouble.idle_timeout_s),
        "response_headers": limits.RESPONSE_HEADERS // 1024,
        "midst": midst,
        "half_sent": "" if trouble.request_complete else said("; its body was not complete"),
        "connection": said("a new connection") if trouble.idle_s is None else said("a reused keep-alive connection"),
        "before_answer": (
            said("in the middle of its response head") if trouble.answer_bytes else said("before answering")
        ),
        "why_closed": _why_closed(trouble, waited_s),
        "no_connection": _no_connection(record.target),
        "who_is_silent": _who_is_silent(record, trouble),
        "deregistered": said(
            "the target {target} was deregistered and its deregistration delay was over, or the balancer ended,",
            target=record.target,
        ),
    }


def _why_closed(trouble: Trouble, waited_s: float) -> Said:
    if trouble.answer_bytes or waited_s >= _AT_ONCE_S:
        return said(
            "that was {waited} after the request was sent: it crashed, was restarted, or gave up",
            waited=_seconds(waited_s),
        )
    if trouble.idle_s is None:
        return said("it crashed or was restarted, or it does not speak HTTP on that port")
    if trouble.idle_s < _SHORTEST_KEEP_ALIVE_S:
        return said(
            "it had been idle for {idle}, too short for a timeout: the target crashed, was restarted, or limits requests "
            "per connection",
            idle=_seconds(trouble.idle_s),
        )
    return said(
        "it had been idle for {idle} (the target's keep-alive timeout is shorter than the balancer's idle timeout of "
        "{idle_timeout}; otherwise the target was restarted)",
        idle=_seconds(trouble.idle_s),
        idle_timeout=in_seconds(trouble.idle_timeout_s),
    )


def _no_connection(target: str) -> Said:
    host, _, _ = target.rpartition(":")
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return said("the name of the target {target} stands for no address", target=target)
    return said(
        "no connection to the target {target}: nothing listens on that port, or there is no way to that address",
        target=target,
    )


def _who_is_silent(record: RequestRecord, trouble: Trouble) -> Said:
    idle_timeout = in_seconds(trouble.idle_timeout_s)
    if not trouble.request_complete:
        return said(
            "the client's body is not complete, and no byte more came for the idle timeout of {idle_timeout}: its length is "
            "larger than what was sent, or the client stalled ({received_bytes} bytes came in all)",
            idle_timeout=idle_timeout,
            received_bytes=record.received_bytes,
        )
    return said(
        "the target {target} did not answer within the idle timeout of {idle_timeout}",
        target=record.target,
        idle_timeout=idle_timeout,
    )


def _seconds(duration_s: float) -> Said:
    return in_seconds(f"{duration_s:.1f}" if duration_s >= 1 else f"{duration_s:.3f}")
