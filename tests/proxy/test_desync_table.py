"""Desync mitigation on the wire: each case of tests/http/desync.yaml in each mode, fed in three ways.

What the client gets, what reaches the target, which connections live on and what the access log and the metric say.
`desync_on_the_wire.yaml` beside this file is the table.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from time import time
from typing import Any

import pytest

from tests.proxy.desync_cases import CASES, ENDLESS, ON_THE_WIRE, TABLE, sent_body, wire
from tests.proxy.wire import Client, connected
from tests.support.balancer import Balancer, running_balancer, until
from tests.support.origins import Origin, OriginConnection, Request, running_origin, silent

MODES = ("monitor", "defensive", "strictest")
# Headers that the balancer adds to every request.
ADDED = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port", b"host", b"x-amzn-trace-id")
LOGGED = ("elb_status_code", "target_status_code", "classification", "classification_reason")
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case; compared with what the table says."""

    status: int
    connection: bytes  # the header of the answer
    next_status: int  # of the request sent behind it; 0: the connection was closed instead
    reached: tuple[bytes, tuple[bytes, ...], bytes] | None  # request line, header lines in order of name, body
    target_kept: bool  # the connection to the target carried the next request too
    logged: tuple[str, ...]  # the fields LOGGED of its entry


class Recorder:
    """A target that keeps what it was asked, and on which connection."""

    def __init__(self) -> None:
        self.requests: list[tuple[int, Request]] = []

    async def serve(self, connection: OriginConnection) -> None:
        """The script of the origin."""
        while True:
            request = await connection.read_request()
            self.requests.append((connection.number, request))
            # No body after HEAD, and no need to know the method to find the end of the answer.
            await connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")


def expected(case: dict[str, Any], mode: str) -> Outcome:
    """What the tables say."""
    verdict = TABLE["modes"][case["tier"]][mode]
    row = ON_THE_WIRE.get(case["name"], {})
    classified = ("-" if case["tier"] == "Compliant" else case["tier"], case.get("reason", "-"))
    if verdict == "refused" or "answer" in case:
        status = 400 if verdict == "refused" else case["answer"]
        return Outcome(status, b"close", 0, None, False, (str(status), "-", *classified))
    headers = sorted(row.get("headers", case.get("headers", ())))
    kept = verdict == "passed"
    line = row.get("line", case.get("line", "POST / HTTP/1.1"))
    client_kept = kept and row.get("client") != "closed"
    return Outcome(
        204,
        b"keep-alive" if client_kept else b"close",
        204 if client_kept else 0,
        (line.encode("latin-1"), tuple(each.encode("latin-1") for each in headers), sent_body(case)),
        kept,
        ("204", "204", *classified),
    )


async def whole(client: Client, case: bytes) -> bytes:
    """Sends a case in one piece; returns what is still to be sent behind its answer."""
    await client.send(case)
    return NEXT


async def byte_by_byte(client: Client, case: bytes) -> bytes:
    """See `whole`. The pauses let each byte be read by itself."""
    for start, end in pairwise(range(len(case) + 1)):
        await client.send(case[start:end])
        await asyncio.sleep(0)
    return NEXT


async def with_trailing_data(client: Client, case: bytes) -> bytes:
    """See `whole`. The next request comes in the same piece."""
    await client.send(case + NEXT)
    return b""


Feeding = Callable[[Client, bytes], Any]
FEEDINGS: dict[str, Feeding] = {f.__name__: f for f in (whole, byte_by_byte, with_trailing_data)}


async def became(
    balancer: Balancer, origin: Origin, target: Recorder, case: dict[str, Any], feeding: Feeding
) -> Outcome:
    """Sends a case and the next request, and tells what became of both. `logged` is the client: the log comes later."""
    before = len(target.requests)
    async with connected(balancer.port) as client:
        name = client.name
        still = await feeding(client, wire(case))
        response = await client.response(wire(case).split(b" ", 1)[0])
        next_status = 0
        if response.values(b"Connection") == [b"keep-alive"]:
            await client.send(still)
            next_status = (await client.response()).status
        assert await client.ended(), f"{case['name']}: more came than was asked for"
    if next_status == 0:
        async with connected(balancer.port) as another:
            assert (await another.ask(NEXT)).status == 204
    of_case, (next_number, following) = target.requests[before:-1], target.requests[-1]
    assert following.line == b"GET /next HTTP/1.1"
    assert len(of_case) <= 1, f"{case['name']}: a second request reached the target"
    reached, kept = None, False
    if of_case:
        ((number, request),) = of_case
        lines = sorted(request.head[:-4].split(b"\r\n")[1:])
        own = (line for line in lines if line.partition(b":")[0].lower() not in ADDED)
        reached = (request.line, tuple(own), request.raw_body)
        kept = number == next_number
        if not kept:
            await until(lambda: not origin.connections[number - 1].open, "the target's connection is closed")
    return Outcome(response.status, response.value(b"Connection") or b"", next_status, reached, kept, (name,))


async def logged(balancer: Balancer, outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
    """The outcomes with what the access log says of each case in place of the client."""
    entries = await balancer.log(2 * len(outcomes))
    # The first entry of a client is about the case; the next request has `/next`.
    first = {entry["client"]: entry for entry in reversed(entries)}
    return {
        name: replace(outcome, logged=tuple(first[outcome.logged[0]][field] for field in LOGGED))
        for name, outcome in outcomes.items()
    }


def non_compliant(balancer: Balancer) -> float:
    """What the metric has counted."""
    arn: str = balancer.app.status()["load_balancers"][0]["arn"]
    points = balancer.app.metrics.get_statistics(
        "DesyncMitigationMode_NonCompliant_Request_Count",
        {"LoadBalancer": arn.partition(":loadbalancer/")[2]},
        time() - 600,
        time() + 60,
        60,
        ["Sum"],
    )
    return sum(point.values["Sum"] for point in points)


def test_the_table_is_about_cases_that_exist_and_go_on() -> None:
    passed = {case["name"] for case in CASES if "answer" not in case}
    assert set(ON_THE_WIRE) <= passed
    assert len(ON_THE_WIRE) == len(TABLE["cases"])
    for row in TABLE["cases"]:
        assert {"name"} < set(row) <= {"name", "line", "headers", "body", "client"}, row


@pytest.mark.parametrize("feeding", FEEDINGS)
@pytest.mark.parametrize("mode", MODES)
async def test_every_case_on_the_wire(mode: str, feeding: str) -> None:
    target = Recorder()
    attributes = {"routing.http.desync_mitigation_mode": mode}
    cases = [case for case in CASES if case["name"] != ENDLESS]
    async with (
        running_origin(target.serve) as origin,
        running_balancer(targets=[origin], lb_attributes=attributes) as balancer,
    ):
        outcomes = {case["name"]: await became(balancer, origin, target, case, FEEDINGS[feeding]) for case in cases}
        outcomes = await logged(balancer, outcomes)
        wrong = [
            f"{case['name']}:\n  got  {outcomes[case['name']]}\n  want {expected(case, mode)}"
            for case in cases
            if outcomes[case["name"]] != expected(case, mode)
        ]
        assert not wrong, "\n".join(wrong)
        assert non_compliant(balancer) == sum(case["tier"] != "Compliant" for case in cases)


@pytest.mark.parametrize("mode", MODES)
async def test_a_length_that_no_body_has(mode: str) -> None:
    """The one case whose request never ends: it goes on, and is over when the client leaves."""
    (case,) = (case for case in CASES if case["name"] == ENDLESS)
    attributes = {"routing.http.desync_mitigation_mode": mode}
    async with (
        running_origin(silent) as origin,
        running_balancer(targets=[origin], lb_attributes=attributes) as balancer,
    ):
        async with connected(balancer.port) as client:
            await client.send(wire(case) + b"begin")
            await until(lambda: bool(origin.connections), "the target is asked")
            await until(
                lambda: origin.connections[0].received.endswith(b"\r\n\r\nbegin"), "the target has the beginning"
            )
        await until(lambda: origin.open == 0, "the target's connection is closed")
        (entry,) = await balancer.log(1)
        assert b"\r\nContent-Length: 18446744073709551615\r\n" in origin.connections[0].received
        assert (entry["elb_status_code"], entry["classification"], entry["classification_reason"]) == ("400", "-", "-")
