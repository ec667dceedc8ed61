"""Bodies both ways: length, chunks, until close; and the messages that have none."""

import asyncio
import re

import pytest

from tests.proxy.wire import Response, ask_once, connected, get, post
from tests.support.balancer import running_balancer, until
from tests.support.origins import OriginConnection, Request, Script, answer, answering, once, running_origin

CHUNKS = b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS


async def response_to(request: bytes, script: Script) -> tuple[Response, int]:
    """The response to a request, and how many connections to the target wait in the pool afterwards."""
    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(request)
        await asyncio.sleep(0.01)
        return response, balancer.idle_connections


async def requests_of(*requests: bytes) -> list[Request]:
    """What a target gets for these requests, which one connection sends."""
    seen: list[Request] = []

    async def script(connection: OriginConnection) -> None:
        while True:
            seen.append(await connection.read_request())
            await connection.send(answer(b"ok"))

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for request in requests:
            assert (await client.ask(request)).status == 200
    return seen


async def test_a_response_of_known_length_goes_on_as_it_is() -> None:
    response, idle = await response_to(get(), answering(answer(b"hello world")))
    assert (response.body, response.value(b"Content-Length"), idle) == (b"hello world", b"11", 1)
    assert not response.values(b"Transfer-Encoding")


async def test_a_chunked_response_stays_chunked() -> None:
    response, idle = await response_to(get(), answering(CHUNKED))
    assert (response.body, response.value(b"Transfer-Encoding"), idle) == (b"hello world", b"chunked", 1)
    assert not response.values(b"Content-Length")


async def test_responses_in_pieces_of_every_size() -> None:
    trailers = CHUNKED.removesuffix(b"\r\n") + b"X-Sum: 1\r\n\r\n"
    raws = (CHUNKED, trailers, answer(b"z" * 50), b"HTTP/1.1 204 No Content\r\n\r\n")

    async def script(connection: OriginConnection) -> None:
        for size in (1, 2, 3, 5, 8, 13):
            for raw in raws:
                await connection.read_request()
                await connection.send_in_pieces(raw, size)
        await connection.ended()

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        bodies = [(await client.ask(get())).body for _ in range(24)]
        assert bodies == [b"hello world", b"hello world", b"z" * 50, b""] * 6
        assert len(origin.connections) == 1


async def test_trailers_of_a_response_are_dropped() -> None:
    raw = b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"
    response, idle = await response_to(get(), answering(raw))
    assert (response.raw_body, idle) == (b"2\r\nok\r\n0\r\n\r\n", 1)
    assert not response.values(b"Trailer")


async def test_a_chunked_response_is_decoded_for_an_http_1_0_client() -> None:
    response, idle = await response_to(get(version=b"1.0"), answering(CHUNKED))
    assert response.head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (response.body, response.value(b"Connection"), idle) == (b"hello world", b"close", 1)
    assert not response.values(b"Transfer-Encoding")


async def test_until_close_becomes_chunked_for_http_1_1() -> None:
    response, idle = await response_to(get(), once(b"HTTP/1.1 200 OK\r\n\r\nhello world"))
    assert (response.body, response.value(b"Transfer-Encoding")) == (b"hello world", b"chunked")
    assert (response.value(b"Connection"), idle) == (b"keep-alive", 0)


async def test_until_close_stays_so_for_http_1_0_even_with_keep_alive() -> None:
    request = get(b"/", b"Connection: keep-alive", version=b"1.0")
    response, idle = await response_to(request, once(b"HTTP/1.0 200 OK\r\n\r\nhello world"))
    assert (response.body, response.value(b"Connection"), idle) == (b"hello world", b"close", 0)
    assert not response.values(b"Transfer-Encoding")


async def test_an_empty_until_close_body_ends_properly() -> None:
    response, _ = await response_to(get(), once(b"HTTP/1.1 200 OK\r\n\r\n"))
    assert response.raw_body == b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("framing", "passed"),
    [(b"Content-Length: 1234", b"Content-Length"), (b"Transfer-Encoding: chunked", b"Transfer-Encoding"), (b"", b"")],
    ids=["length", "chunked", "neither"],
)
async def test_head_has_the_header_and_no_body(framing: bytes, passed: bytes) -> None:
    raw = b"HTTP/1.1 200 OK\r\n" + (framing + b"\r\n" if framing else b"") + b"\r\n"
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(3):
            response = await client.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert {name for name in response.names if name in (b"Content-Length", b"Transfer-Encoding")} == (
                {passed} if passed else set()
            )
        assert len(origin.connections) == 1


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_statuses_without_a_body(status: bytes) -> None:
    raw = b"HTTP/1.1 %b\r\nETag: x\r\n\r\n" % status
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(3):
            response = await client.ask(get())
            assert (response.status, response.values(b"Transfer-Encoding")) == (int(status[:3]), [])
        assert len(origin.connections) == 1


async def test_304_may_tell_a_length_and_has_no_body() -> None:
    response, idle = await response_to(get(), answering(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"))
    assert (response.value(b"Content-Length"), idle) == (b"77", 1)


async def test_204_never_carries_transfer_encoding() -> None:
    """RFC 9112 6.1: a server MUST NOT send Transfer-Encoding with 204."""
    raw = b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"
    response, _ = await response_to(get(), answering(raw))
    assert not response.values(b"Transfer-Encoding")


async def test_interim_answers_stay_behind() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    response, idle = await response_to(get(), answering(interim + answer(b"final")))
    assert (response.status, response.body, idle) == (200, b"final", 1)


async def test_interim_answers_in_pieces() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send_in_pieces(b"HTTP/1.1 102 Processing\r\n\r\n" + answer(b"final"), 3, 0.001)

    assert (await response_to(get(), script))[0].body == b"final"


async def test_a_switch_of_protocols_that_nobody_asked_for_is_502() -> None:
    response, idle = await response_to(get(), answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"))
    assert (response.status, idle) == (502, 0)


async def test_request_bodies_reach_the_target_in_the_framing_they_came_in() -> None:
    chunked = b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    by_length, by_chunks, empty = await requests_of(
        post(b"hello world"), chunked + b"b\r\nhello world\r\n0\r\nX-Sum: 1\r\n\r\n", chunked + b"0\r\n\r\n"
    )
    assert (by_length.value(b"Content-Length"), by_length.body) == (b"11", b"hello world")
    assert (by_chunks.value(b"Transfer-Encoding"), by_chunks.raw_body) == (
        b"chunked",
        b"b\r\nhello world\r\n0\r\n\r\n",
    )
    assert by_chunks.value(b"Content-Length") is None
    assert empty.body == b""


async def test_a_post_without_a_body_gets_none() -> None:
    (request,) = await requests_of(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    assert (request.value(b"Content-Length"), request.body) == (b"0", b"")


async def test_expect_continue_is_answered_at_once_and_not_passed_on() -> None:
    async with running_origin(answering(answer(b"got it"))) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            assert (await client.response()).head == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(b"body")
            assert (await client.response()).body == b"got it"
        assert b"xpect" not in origin.connections[0].received


async def test_expect_continue_of_an_http_1_0_client_is_ignored() -> None:
    async with running_origin(answering(answer(b"got it"))) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            head = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
            assert (await client.ask(head + b"body")).body == b"got it"
        assert b"xpect" not in origin.connections[0].received


async def test_expect_continue_behind_a_pipelined_request_waits_for_its_turn() -> None:
    async def script(connection: OriginConnection) -> None:
        while True:
            await connection.read_request()
            await asyncio.sleep(0.05)
            await connection.send(answer(b"ok"))

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get() + b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert [(await client.response()).status for _ in range(2)] == [200, 100]
        await client.send(b"body")
        assert (await client.response()).status == 200


async def test_an_answer_before_the_body_is_complete_is_relayed() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_head()
        await connection.send(answer(b"too big", status=b"413 Content Too Large"))
        await connection.ended()

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin")
        response = await client.response()
        assert (response.status, response.body, response.value(b"Connection")) == (413, b"too big", b"close")
        await client.send(b"x" * 10_000)
        await until(lambda: origin.open == 0, "the connection that still waits for the body is closed")
        (entry,) = await balancer.log(1)
        assert (entry["elb_status_code"], entry["target_status_code"]) == ("413", "413")


async def test_an_early_answer_that_ends_after_the_body_leaves_the_connection_in_use() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_head()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nearl")
        assert await connection.read() == b"body"
        await connection.send(b"y ok")
        await connection.ended()

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        await client.reader.readuntil(b"earl")
        await client.send(b"body")
        assert await client.rest() == b"y ok"
        assert balancer.idle_connections == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + CHUNKS,
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    ],
    ids=["chunked-first", "length-first"],
)
async def test_chunked_wins_over_length_and_the_target_connection_is_dropped(raw: bytes) -> None:
    response, idle = await response_to(get(), answering(raw))
    assert (response.body, response.values(b"Content-Length"), idle) == (b"hello world", [], 0)


async def test_odd_but_legal_response_heads() -> None:
    heads = (
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 299 \r\nContent-Length:2\r\n\r\nok",
        b"HTTP/1.1 200 Tr\xc3\xa8s bien\r\nX-Empty:\r\nContent-Length: \t2 \r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    )
    for raw in heads:
        assert (await response_to(get(), answering(raw)))[0].body == b"ok"


async def test_http_1_0_keep_alive() -> None:
    async with (
        running_origin(answering(answer(b"ok"))) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(3):
            response = await client.ask(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            assert (response.body, response.value(b"Connection")) == (b"ok", b"keep-alive")
        response = await client.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert (response.body, response.value(b"Connection")) == (b"ok", b"close")
        assert await client.ended()
        assert re.findall(rb"HTTP/1\.[01]\r\n", origin.connections[0].received) == [b"HTTP/1.1\r\n"] * 4


async def test_empty_lines_before_a_request_are_skipped() -> None:
    async with running_origin(answering(answer(b"ok"))) as origin, running_balancer(targets=[origin]) as balancer:
        assert (await ask_once(balancer.port, b"\r\n\r\n" + get())).status == 200
