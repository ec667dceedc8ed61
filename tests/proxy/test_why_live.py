"""`why` asked about requests that really happened: the walk that they took, and every way to fail in words."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from lb.proxy.node import SWEEP_S
from tests.proxy.wire import WAIT_S, Client, ask_once, connected, get, post
from tests.support.balancer import Balancer, running_balancer, until
from tests.support.origins import (
    OriginConnection,
    answer,
    naming,
    once,
    refusing_port,
    running_origin,
    silent,
    silent_port,
)

IDLE_1_S = {"idle_timeout.timeout_seconds": 1}
BROKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"


async def closing_the_second(connection: OriginConnection) -> None:
    """Answers a connection's first request, and closes at the second."""
    await connection.read_request()
    await connection.send(answer(b"1"))
    await connection.read_request()


async def entry_and_told(balancer: Balancer, entries: int = 1) -> tuple[dict[str, str], dict[str, Any]]:
    """The last log entry, and what is told of the request with its trace id, or of its connection where it has none."""
    last = (await balancer.log(entries))[-1]
    wanted = last["trace_id"] if last["trace_id"] != "-" else last["conn_trace_id"]
    return last, balancer.app.why(wanted)[0]


async def test_a_reused_connection_that_the_target_closes_is_a_502_that_tells_how_long_it_had_been_idle() -> None:
    async with (
        running_origin(closing_the_second) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).status == 200
        (pool,) = (pool for pool in balancer.node.pools.values() if pool.idle)
        (idle,) = pool.idle
        await until(lambda: idle.quiet * SWEEP_S >= 1.25, "idle for 1.25 s")
        assert (await client.ask(get())).status == 502
        entry, told = await entry_and_told(balancer, 2)
        assert told["result"]["status"] == 502 == int(entry["elb_status_code"])
        found = re.fullmatch(
            rf"502: the target {origin.target} closed a reused keep-alive connection before answering; it had been idle for "
            r"(\d+\.\d) s \(the target's keep-alive timeout is shorter than the balancer's idle timeout of 60 s; "
            r"otherwise the target was restarted\)",
            told["cause"],
        )
        assert found, told["cause"]
        assert 1.2 <= float(found[1]) <= 10
        assert told["timings"]["connection_idle_s"] == pytest.approx(float(found[1]), abs=0.06)
        assert len(origin.connections) == 1


async def test_a_connection_that_is_reused_at_once_is_not_blamed_on_a_timeout() -> None:
    async with (
        running_origin(closing_the_second) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.ask(get())
        assert (await client.ask(get())).status == 502
        _, told = await entry_and_told(balancer, 2)
        assert "closed a reused keep-alive connection" in told["cause"]
        assert "too short for a timeout" in told["cause"]


async def test_a_new_connection_was_never_idle() -> None:
    async with (
        running_origin(once(b"")) as origin,
        running_balancer(targets=[origin]) as balancer,
    ):
        assert (await ask_once(balancer.port, get())).status == 502
        _, told = await entry_and_told(balancer)
        assert "closed a new connection before answering" in told["cause"]
        assert told["timings"]["connection_idle_s"] is None


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        (once(b"", reset=True), 502, "closed a new connection before answering"),
        (once(b"HTTP/1.1 200 O"), 502, "closed a new connection in the middle of its response head"),
        (once(b"not HTTP at all\r\n\r\n"), 502, "is not a valid HTTP/1 answer"),
        (once(b"HTTP/1.1 101 Switching\r\n\r\n"), 502, "a change of protocol that nobody asked for"),
        (silent, 504, "did not answer within the idle timeout of 1 s"),
    ],
)
async def test_a_target_that_fails(
    script: Callable[[OriginConnection], Awaitable[None]], status: int, said: str
) -> None:
    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin], lb_attributes=IDLE_1_S) as balancer,
    ):
        assert (await ask_once(balancer.port, get())).status == status
        _, told = await entry_and_told(balancer)
        assert told["cause"].startswith(f"{status}: ")
        assert said in told["cause"]
        assert f" {origin.target} " in told["cause"]
        assert told["notes"] == []


async def test_a_target_that_refuses() -> None:
    with refusing_port() as port:
        async with running_balancer(targets=[f"127.0.0.1:{port}"]) as balancer:
            assert (await ask_once(balancer.port, get())).status == 502
            entry, told = await entry_and_told(balancer)
            assert told["cause"].startswith(f"502: no connection to the target 127.0.0.1:{port}: nothing listens")
            assert told["timings"]["sent_after_s"] is None
            assert entry["request_processing_time"] == "-1"


async def test_a_target_that_does_not_accept() -> None:
    with silent_port() as port:
        async with running_balancer(targets=[f"127.0.0.1:{port}"], connect_timeout_s=0.3) as balancer:
            assert (await ask_once(balancer.port, get())).status == 504
            _, told = await entry_and_told(balancer)
            found = re.search(r"did not answer the attempt to connect within (\d+\.\d{3}) s", told["cause"])
            assert found, told["cause"]
            assert 0.3 <= float(found[1]) < 10


async def test_a_group_without_targets_and_weights_that_are_all_0() -> None:
    rules = [{"priority": 5, "conditions": {"path-pattern": "/off"}, "action": {"forward": {"web-servers": 0}}}]
    async with running_balancer(targets=[], rules=rules) as balancer:
        assert (await ask_once(balancer.port, get())).status == 503
        _, told = await entry_and_told(balancer)
        assert told["cause"] == "503: the target group has no target that may get requests"
        assert told["walk"]["action"]["status"] == 503
        assert (await ask_once(balancer.port, get(b"/off"))).status == 503
        _, told = await entry_and_told(balancer, 2)
        assert told["cause"] == "503: no target group: all weights of the forward action are 0"
        assert (told["walk"]["chosen"], told["notes"]) == (5, [])


async def test_a_client_that_leaves() -> None:
    async with (
        running_origin(silent) as origin,
        running_balancer(targets=[origin]) as balancer,
    ):
        async with connected(balancer.port) as client:
            await client.send(get())
            await until(lambda: bool(origin.connections and origin.connections[0].received_bytes), "the target has it")
        entry, told = await entry_and_told(balancer)
        assert entry["elb_status_code"] == "460"
        assert re.match(r"460: the client closed its connection after \d+\.", told["cause"]), told["cause"]
        assert told["timings"]["request_processing_time"] == -1
        assert told["timings"]["sent_after_s"] >= 0
        async with connected(balancer.port) as client:
            await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            await until(lambda: balancer.in_flight == 1, "in flight")
        entry, told = await entry_and_told(balancer, 2)
        assert entry["elb_status_code"] == "400"
        assert told["cause"].endswith("its body was not complete")


async def test_an_answer_that_is_cut() -> None:
    async with (
        running_origin(once(BROKEN)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get())
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.response()
        entry, told = await entry_and_told(balancer)
        assert told["cause"].startswith(f"cut: the target {origin.target} closed or reset the connection in the middle")
        assert (told["result"]["status"], told["result"]["cut"], entry["elb_status_code"]) == (200, True, "200")
        assert told["timings"]["first_byte_after_s"] >= told["timings"]["sent_after_s"]


async def test_a_target_that_is_deregistered_under_the_request() -> None:
    async with (
        running_origin(silent) as origin,
        running_balancer(targets=[origin], tg_attributes={"deregistration_delay.timeout_seconds": 0}) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get())
        await until(lambda: origin.requests == 0 and bool(origin.connections) and balancer.in_flight == 1, "in flight")
        await balancer.apply(targets=[])
        assert (await client.response()).status == 502
        _, told = await entry_and_told(balancer)
        assert told["cause"].startswith(f"502: the target {origin.target} was deregistered")
        assert told["notes"] == [
            f"the target {origin.target}, which got the request, is not in its target group any more"
        ]


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "Severe (BadContentLength)"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
        (get(b"/" + b"x" * 17000), 414, "longer than 16 KiB"),
        (get(b"/", b"X-Forwarded-For: " + b", ".join([b"1.2.3.4"] * 31)), 463, "more than 30 addresses"),
        (get(b"/long?" + b"x" * 5000), 507, "longer than 8 KiB"),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "refused before any rule"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "does not support"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", 400, "not validly chunked"),
        (get(b"/fixed"), 503, "the fixed response of the rule"),
    ],
)
async def test_answers_of_the_balancers_own(request_: bytes, status: int, said: str) -> None:
    doubled = {"redirect": {"path": "/new", "query": "#{query}&#{query}", "status_code": 301}}
    rules = [
        {"priority": 1, "conditions": {"path-pattern": "/long"}, "action": doubled},
        {"priority": 2, "conditions": {"path-pattern": "/fixed"}, "action": {"fixed-response": {"status_code": 503}}},
    ]
    async with (
        running_origin(naming(b"1")) as origin,
        running_balancer(targets=[origin], rules=rules) as balancer,
    ):
        assert (await ask_once(balancer.port, request_)).status == status
        _, told = await entry_and_told(balancer)
        assert told["cause"].startswith(f"{status}: ")
        assert said in told["cause"]


def rules(*, sticky: bool) -> list[dict[str, Any]]:
    """A redirect, and a transform with weighted groups that clients keep or not."""
    weights: dict[str, Any] = {"web-servers": 50, "other": 50}
    return [
        {
            "priority": 1,
            "conditions": {"path-pattern": "/old"},
            "action": {"redirect": {"path": "/new", "status_code": 302}},
        },
        {
            "priority": 2,
            "conditions": {"path-pattern": "/api/*"},
            "transforms": {"url-rewrite": {"regex": "^/api", "replace": ""}},
            "action": {"forward": {"target_groups": weights, "stickiness": 60} if sticky else weights},
        },
    ]


@contextlib.asynccontextmanager
async def two_groups(*, sticky: bool) -> AsyncIterator[tuple[Balancer, Client]]:
    """A balancer with two groups, with sticky sessions or without, and a client of it."""
    async with (
        running_origin(naming(b"1")) as one,
        running_origin(naming(b"2")) as two,
        running_balancer(
            targets=[one],
            groups={"other": [two]},
            rules=rules(sticky=sticky),
            tg_attributes={"stickiness.enabled": sticky},
        ) as balancer,
        connected(balancer.port) as client,
    ):
        yield balancer, client


@pytest.mark.parametrize("sticky", [False, True])
async def test_the_walk_tells_the_same_as_the_access_log_also_after_a_change(sticky: bool) -> None:
    async with two_groups(sticky=sticky) as (balancer, client):
        cookie = b""
        paths = (b"/", b"/old", b"/api/1", b"/api/2", b"/api/3", b"/api/4", b"/other")
        for path in paths:
            response = await client.ask(get(path, b"Cookie: " + cookie) if cookie else get(path))
            if cookies := response.values(b"set-cookie"):
                cookie = b"; ".join(each.partition(b";")[0] for each in cookies)
        entries = await balancer.log(len(paths))
        for entry in entries:
            told = agreeing(balancer, entry)
            assert told["notes"] == []
            if told["result"]["target"]:
                assert told["walk"]["action"]["targets"]["chosen"] == entry["target"]
        await balancer.apply(rules=[], default={"fixed-response": {"status_code": 403}})
        for entry in entries:
            assert agreeing(balancer, entry)["notes"][0].startswith("the configuration has changed since")


def agreeing(balancer: Balancer, entry: dict[str, str]) -> dict[str, Any]:
    """What is told of the request of a log entry, once it says the same."""
    (told,) = balancer.app.why(entry["trace_id"])
    action = told["walk"]["action"]
    rule = "default" if entry["matched_rule_priority"] == "0" else int(entry["matched_rule_priority"])
    assert told["walk"]["chosen"] == told["result"]["rule"] == rule
    if entry["redirect_url"] != "-":
        assert action["location"] == entry["redirect_url"]
    else:
        assert action["group"]["target_group"] == entry["target_group_arn"]
        assert f"X-Amzn-Trace-Id: {entry['trace_id']}\r\n" in action["sent"]
    for part in ("request", "target", "response"):
        assert told["timings"][f"{part}_processing_time"] == float(entry[f"{part}_processing_time"])
    return told


async def test_several_requests_with_one_id_are_told_the_last_one_first() -> None:
    async with two_groups(sticky=False) as (balancer, client):
        for number in range(12):
            await client.ask(get(b"/%d" % number, b"X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678"))
        told = balancer.app.why("1-67891233-abcdef012345678912345678")
        assert [each["request"]["uri"] for each in told] == [f"/{number}" for number in range(11, 1, -1)]
        assert balancer.app.why('"Root=1-67891233-abcdef012345678912345678"') == told


async def test_a_body_that_stops_half_way_is_the_clients_doing() -> None:
    async with (
        running_origin(silent) as origin,
        running_balancer(targets=[origin], lb_attributes=IDLE_1_S) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(post(b"whole")[:-3])
        async with asyncio.timeout(WAIT_S):
            status = (await client.response()).status
        _, told = await entry_and_told(balancer)
        assert told["cause"].startswith(f"{status}: the client's body is not complete")
