"""Targets that answer badly: 502 while nothing has gone to the client, afterwards a connection that is cut."""

import asyncio
import contextlib

import pytest

from tests.proxy.wire import WAIT_S, connected, get, post
from tests.support.balancer import running_balancer, until
from tests.support.origins import OriginConnection, answer, answering, once, running_origin, silent

OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"

GARBAGE = {
    "no-http": b"garbage\r\n\r\n",
    "no-http-and-no-end": b"garbage without end",
    "other-protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "http-2": b"HTTP/2 200\r\n\r\n",
    "no-status": b"HTTP/1.1 OK\r\n\r\n",
    "short-status": b"HTTP/1.1 20 OK\r\n\r\n",
    "status-zero": b"HTTP/1.1 000 OK\r\n\r\n",
    "nul": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
    "bare-cr": b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
    "no-colon": b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
    "space-before-colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "negative-length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "lengths-differ": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "unknown-coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "bad-first-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "head-of-33-kib": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 33 * 1024 + b"\r\nContent-Length: 0\r\n\r\n",
    "head-of-33-kib-in-lines": b"HTTP/1.1 200 OK\r\n" + b"X: 1234567890\r\n" * 2300 + b"Content-Length: 0\r\n\r\n",
    "head-without-end": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40 * 1024,
}


async def test_garbage_is_502_at_once() -> None:
    async def script(connection: OriginConnection) -> None:
        while True:
            request = await connection.read_request()
            await connection.send(GARBAGE[request.line.split(b" ")[1][1:].decode()])

    async with running_origin(script) as origin, running_balancer(targets=[origin]) as balancer:
        answers = {}
        for name in GARBAGE:
            async with connected(balancer.port) as client:
                try:
                    response = await client.ask(get(b"/" + name.encode()))
                except asyncio.IncompleteReadError:
                    answers[name] = "the connection was closed without an answer"
                else:
                    answers[name] = f"{response.status} {response.value(b'Connection')!r}"
        assert answers == dict.fromkeys(GARBAGE, "502 b'keep-alive'")
        assert balancer.idle_connections == 0
        for entry in await balancer.log(len(GARBAGE)):
            assert (entry["elb_status_code"], entry["target_status_code"]) == ("502", "-"), entry
            assert entry["response_processing_time"] == "-1", entry


async def test_bare_line_feeds_are_read_or_refused_but_never_waited_on() -> None:
    async with (
        running_origin(answering(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok")) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(get())
        assert (response.status, response.body) == (200, b"ok") or response.status == 502


async def test_a_response_head_of_just_32_kib_passes() -> None:
    end = b"\r\nContent-Length: 2\r\n\r\n"
    start = b"HTTP/1.1 200 OK\r\nX: "
    raw = start + b"y" * (32 * 1024 - len(start) - len(end)) + end + b"ok"
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).body == b"ok"


async def test_an_end_before_the_answer_is_502() -> None:
    begun = (b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 100 Continue\r\n\r\n")
    async with (
        contextlib.AsyncExitStack() as stack,
        running_balancer(targets=[]) as balancer,
        connected(balancer.port) as client,
    ):
        origins = [
            await stack.enter_async_context(running_origin(once(raw, reset=reset)))
            for raw in begun
            for reset in (False, True)
        ]
        await balancer.apply(targets=origins)
        await balancer.ready()
        for request in (get(), post(b"body")):
            for _ in origins:
                response = await client.ask(request)
                assert (response.status, response.value(b"Connection")) == (502, b"keep-alive")
        assert [origin.requests for origin in origins] == [2] * len(origins)


async def client_sees(begun: bytes, *, reset: bool, version: bytes = b"1.1") -> bytes:
    """What a client gets until its connection ends when the target ends after `begun`, which has "half" in it."""

    arrived = asyncio.Event()

    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(begun)
        await arrived.wait()
        if reset:
            connection.reset()

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get(version=version))
        async with asyncio.timeout(WAIT_S):
            got = await client.reader.readuntil(b"half")
        arrived.set()
        try:
            while data := await asyncio.wait_for(client.reader.read(4096), WAIT_S):
                got += data
        except ConnectionResetError:
            got += b"<reset>"
        (entry,) = await balancer.log(1)
        assert (entry["elb_status_code"], entry["target_status_code"]) == ("200", "200")
        return got


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
async def test_a_target_that_dies_in_a_body_of_known_length_cuts_the_client(*, reset: bool) -> None:
    got = await client_sees(OK_HEAD + b"half", reset=reset)
    assert got.partition(b"\r\n\r\n")[2].removesuffix(b"<reset>") == b"half"


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
async def test_a_target_that_dies_in_a_chunked_body_cuts_the_client(*, reset: bool) -> None:
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
    got = await client_sees(begun, reset=reset)
    assert got.partition(b"\r\n\r\n")[2].removesuffix(b"<reset>") == b"4\r\nhalf\r\n"


async def test_broken_chunks_later_in_the_body_cut_the_client() -> None:
    arrived = asyncio.Event()

    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        await arrived.wait()
        await connection.send(b"xyz\r\n0\r\n\r\n")
        await connection.ended()

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get())
        async with asyncio.timeout(WAIT_S):
            await client.reader.readuntil(b"half\r\n")
            arrived.set()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await client.reader.readuntil(b"0\r\n\r\n")


async def test_a_reset_in_an_until_close_body_is_not_taken_for_its_end() -> None:
    """A clean end is FIN; after RST nobody knows what is missing (RFC 9112 8)."""
    got = await client_sees(b"HTTP/1.1 200 OK\r\n\r\nhalf", reset=True)
    assert b"half" in got
    assert b"0\r\n\r\n" not in got


async def test_a_connection_that_broke_takes_no_other_client_along() -> None:
    async with (
        running_origin(once(OK_HEAD + b"half")) as bad,
        running_origin(answering(answer(b"ok"))) as good,
        running_balancer(targets=[bad, good]) as balancer,
    ):
        for _ in range(4):
            async with connected(balancer.port) as client:
                with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                    await client.ask(get())
            async with connected(balancer.port) as client:
                assert (await client.ask(get())).body == b"ok"


async def test_a_client_that_leaves_ends_the_request_at_the_target() -> None:
    async with running_origin(silent) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            await client.send(get())
            await until(lambda: balancer.in_flight == 1 and origin.open == 1, "request at the target")
        await until(lambda: origin.open == 0, "connection to the target closed")
        (entry,) = await balancer.log(1)
        assert (entry["elb_status_code"], entry["target"], entry["target_status_code"]) == ("460", origin.target, "-")
        assert [entry[f"{part}_processing_time"] for part in ("request", "target", "response")] == ["-1"] * 3
        assert entry["sent_bytes"] == "0"


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_400() -> None:
    async with running_origin(silent) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            await until(lambda: origin.open == 1, "request at the target")
        (entry,) = await balancer.log(1)
        assert (entry["elb_status_code"], entry["target_status_code"]) == ("400", "-")


async def test_a_client_that_leaves_in_the_middle_of_the_answer() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(OK_HEAD + b"half")
        await connection.ended()

    async with running_origin(script) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            await client.send(get())
            await client.reader.readuntil(b"half")
        await until(lambda: origin.open == 0, "connection to the target closed")
        (entry,) = await balancer.log(1)
        assert (entry["elb_status_code"], entry["target_status_code"]) == ("200", "200")
