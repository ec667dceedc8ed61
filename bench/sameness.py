"""Checks that a peer does the work the comparison assumes: both origins in use, connections kept, headers added, a log.

A peer that leaves something out would look faster than it is, so what differs is written under the table.
"""

import http.client
import itertools
import time
from dataclasses import dataclass

from bench.guard import loopback_address
from bench.rig import RunningPeer

_REQUESTS = 8
_TIMEOUT_S = 5.0
# Some logs are flushed every second.
_LOG_LIMIT_S = 4.0
_SETTLE_LIMIT_S = 10.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """What an origin server saw of one request (its answer to /forwarded)."""

    server: str
    connection: str
    forwarded_for: str
    proto: str
    port: str


def differences(running: RunningPeer) -> list[str]:
    """Send a few requests through the peer and return what it does differently from the others; empty when nothing.

    Raises OSError or http.client.HTTPException when it does not answer, ValueError when an answer is no origin server's.
    """
    found = _settled(running.port)
    deadline = time.monotonic() + _LOG_LIMIT_S
    while running.access_log_bytes() == 0 and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    if running.access_log_bytes() == 0:
        found.append("writes no access log file")
    return found


def parse_seen(text: str) -> Seen:
    """Read an origin server's answer to /forwarded. Raises ValueError for any other answer."""
    fields = dict(part.split("=", 1) for part in text.strip().split(";") if "=" in part)
    try:
        return Seen(fields["server"], fields["connection"], fields["for"], fields["proto"], fields["port"])
    except KeyError as error:
        raise ValueError(f"no answer of an origin server: {text[:200]!r}") from error


def compare(seen: list[Seen], port: int) -> list[str]:
    """Return how these requests, sent one after another through the peer on `port`, differ from what is agreed."""
    found = []
    if len({one.server for one in seen}) < 2:
        found.append("does not use both origin servers")
    elif any(earlier.server == later.server for earlier, later in itertools.pairwise(seen)):
        found.append("does not alternate between the origin servers")
    if len({(one.server, one.connection) for one in seen}) > len(seen) // 2:
        found.append("does not keep its connections to the origin servers")
    if any(one.forwarded_for != "127.0.0.1" for one in seen):
        found.append("does not send X-Forwarded-For: 127.0.0.1")
    if any(one.proto != "http" for one in seen):
        found.append("does not send X-Forwarded-Proto: http")
    if any(one.port != str(port) for one in seen):
        found.append("does not send X-Forwarded-Port")
    return found


def _settled(port: int) -> list[str]:
    # A balancer with health checks uses each origin server only when it has seen it, and may answer 503 before the
    # first: what is different at once is asked again until it stays so.
    deadline = time.monotonic() + _SETTLE_LIMIT_S
    while True:
        over = time.monotonic() >= deadline
        try:
            found = compare([parse_seen(text) for text in _ask(port, _REQUESTS)], port)
        except ValueError:
            if over:
                raise
        else:
            if over or not found:
                return found
        time.sleep(_POLL_S)


def _ask(port: int, count: int) -> list[str]:
    connection = http.client.HTTPConnection(loopback_address("127.0.0.1"), port, timeout=_TIMEOUT_S)
    try:
        answers = []
        for _ in range(count):
            connection.request("GET", "/forwarded")
            answers.append(connection.getresponse().read().decode("latin-1"))
        return answers
    finally:
        connection.close()
