"""The answers the balancer makes itself, byte for byte, and what is logged for each."""

import asyncio
import re

import pytest

from tests.proxy.wire import ask_once, connected, get
from tests.support.balancer import Balancer, running_balancer, until
from tests.support.origins import answer, answering, once, refusing_port, running_origin, silent, silent_port

DATE = rb"Date: (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
PADDING = b"<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n" * 6
NOT_STARTED = ("-1", "-1", "-1")


def page(text: bytes) -> bytes:
    return (
        b"<html>\r\n<head><title>%b</title></head>\r\n<body>\r\n<center><h1>%b</h1></center>\r\n</body>\r\n</html>\r\n"
        % (text, text)
    )


def assert_answer(raw: bytes, text: bytes, connection: bytes, body: bytes, length: int) -> None:
    """Checks a whole answer; `length` is its Content-Length, which HEAD tells without a body."""
    head, _, rest = raw.partition(b"\r\n\r\n")
    pattern = rb"HTTP/1\.1 %b\r\nServer: awselb/2\.0\r\n%b\r\nContent-Type: text/html\r\nContent-Length: %d\r\n%b" % (
        re.escape(text),
        DATE,
        length,
        b"Connection: " + connection,
    )
    assert re.fullmatch(pattern, head), raw
    assert rest == body


async def assert_closing(balancer: Balancer, request: bytes, text: bytes, length: int) -> None:
    async with connected(balancer.port) as client:
        await client.send(request)
        assert_answer(await client.rest(), text, b"close", page(text), length)


def times(entry: dict[str, str]) -> tuple[str, str, str]:
    return (
        entry["request_processing_time"],
        entry["target_processing_time"],
        entry["response_processing_time"],
    )


MALFORMED = {
    "no-version-and-no-uri": (b"GET\r\n\r\n", "-", "-"),
    "no-host": (b"GET / HTTP/1.1\r\n\r\n", "-", "-"),
    "no-colon": (b"GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n", "-", "-"),
    "folded": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "-", "-"),
    "relative-uri": (b"GET index.html HTTP/1.1\r\nHost: a\r\n\r\n", "-", "-"),
    "nul-in-header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", "Severe", "BadHeader"),
    "cr-in-header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "Severe", "BadHeader"),
    "cr-cr-lf": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\r\nY: b\r\n\r\n", "Severe", "BadHeader"),
    "cr-cr-lf-in-the-last-header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\r\n\r\n", "Severe", "BadHeader"),
    "bad-method": (b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "Severe", "BadMethod"),
    "bad-version": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "Severe", "BadVersion"),
    "h2-preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "Severe", "BadVersion"),
    "bad-length": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", "Severe", "BadContentLength"),
    "length-list": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello", "Severe", "BadContentLength"),
    "lengths-differ": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "Severe",
        "MultipleContentLength",
    ),
    "unknown-coding": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "Severe",
        "BadTransferEncoding",
    ),
    "chunked-twice": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "Severe",
        "MultipleTransferEncodingChunked",
    ),
    "headers-of-70-kib": (get(b"/", *(b"X-%d: %b" % (number, b"y" * 7000) for number in range(10))), "-", "-"),
    "one-header-of-17-kib": (get(b"/", b"X: " + b"y" * 17 * 1024), "-", "-"),
    "one-header-of-70-kib": (get(b"/", b"X: " + b"y" * 70 * 1024), "-", "-"),
}


async def test_malformed_requests_are_400_and_the_connection_closes() -> None:
    async with running_origin(answering(answer())) as origin, running_balancer(targets=[origin]) as balancer:
        for raw, _, _ in MALFORMED.values():
            async with connected(balancer.port) as client:
                await client.send(raw)
                whole = await client.rest()
                assert len(whole) == 272
                assert_answer(whole, b"400 Bad Request", b"close", page(b"400 Bad Request"), 122)
        assert origin.requests == 0
        base = f"http://{balancer.dns_name}:{balancer.port}"
        entries = await balancer.log(len(MALFORMED))
        for entry, (raw, tier, reason) in zip(entries, MALFORMED.values(), strict=True):
            assert entry["request"] == f"- {base}- -", raw
            assert (entry["classification"], entry["classification_reason"]) == (tier, reason), raw
            assert (entry["elb_status_code"], entry["received_bytes"], entry["sent_bytes"]) == ("400", "0", "272")
            assert times(entry) == NOT_STARTED
            for name in ("target", "target_group_arn", "trace_id", "user_agent", "matched_rule_priority"):
                assert entry[name] == "-"
            assert entry["actions_executed"] == "-"


async def test_a_broken_chunk_is_400() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with running_origin(silent) as origin, running_balancer(targets=[origin]) as balancer:
        for chunks in (b"xyz\r\n", b"5\r\nhelloworld\r\n", b"-1\r\n", b"5\nhello\r\n", b"1" * 17 + b"\r\n", b"\r\n"):
            await assert_closing(balancer, head + chunks, b"400 Bad Request", 122)
        async with connected(balancer.port) as client:
            await client.send(head + b"5\r\nhello\r\n")
            await until(lambda: balancer.in_flight == 1, "first chunk at the target")
            await client.send(b"xyz\r\n")
            assert_answer(await client.rest(), b"400 Bad Request", b"close", page(b"400 Bad Request"), 122)
        await until(lambda: origin.open == 0, "the target gets no half body as a whole one")


async def test_trace_and_connect_are_405() -> None:
    text = b"405 Not Allowed"
    async with (
        running_origin(answering(answer())) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert_answer(response.raw, text, b"keep-alive", page(text), 122)
        assert (await client.ask(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")).status == 405
        assert (await client.ask(get())).status == 200
        trace, _, _ = await balancer.log(3)
        assert (trace["target"], trace["target_group_arn"], trace["matched_rule_priority"]) == ("-", "-", "-")
        assert times(trace) == NOT_STARTED


async def test_half_a_head_then_silence_is_408() -> None:
    text = b"408 Request Time-out"
    async with (
        running_origin(answering(answer())) as origin,
        running_balancer(targets=[origin], lb_attributes={"idle_timeout.timeout_seconds": 1}) as balancer,
    ):
        await assert_closing(balancer, b"GET / HTTP/1.1\r\nHost: exa", text, 132)
        (entry,) = await balancer.log(1)
        assert (entry["elb_status_code"], entry["target"], entry["received_bytes"]) == ("408", "-", "0")
        assert origin.requests == 0


async def test_a_long_request_line_is_414() -> None:
    text = b"414 Request-URI Too Large"
    whole = get(b"/" + b"a" * 20 * 1024)
    async with running_origin(answering(answer())) as origin, running_balancer(targets=[origin]) as balancer:
        await assert_closing(balancer, whole, text, 142)
        await assert_closing(balancer, whole[: 17 * 1024], text, 142)
        longest = b"/" + b"a" * (16 * 1024 - len(b"GET / HTTP/1.1"))
        assert (await ask_once(balancer.port, get(longest))).status == 200
        assert (await ask_once(balancer.port, get(longest + b"a"))).status == 414
        assert origin.requests == 1


async def test_more_than_30_forwarded_addresses_are_463() -> None:
    async with (
        running_origin(answering(answer())) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        many = b", ".join(b"10.0.0.%d" % number for number in range(31))
        response = await client.ask(get(b"/", b"X-Forwarded-For: " + many))
        head = rb"HTTP/1\.1 463 \r\nServer: awselb/2\.0\r\n%b\r\nContent-Type: text/html\r\nContent-Length: 0\r\n%b"
        assert re.fullmatch(head % (DATE, rb"Connection: keep-alive\r\n\r\n"), response.raw)
        lines = [b"X-Forwarded-For: " + each for each in many.split(b", ")]
        assert (await client.ask(get(b"/", *lines))).status == 463
        assert (await client.ask(get(b"/", b"X-Forwarded-For: " + many.rpartition(b", ")[0]))).status == 200
        entry = (await balancer.log(3))[0]
        assert (entry["elb_status_code"], entry["target"], times(entry)) == ("463", "-", NOT_STARTED)


async def test_a_coding_that_cannot_be_decoded_is_501() -> None:
    request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
    async with running_origin(answering(answer())) as origin, running_balancer(targets=[origin]) as balancer:
        await assert_closing(balancer, request, b"501 Not Implemented", 130)
        assert origin.requests == 0


async def test_502_when_the_target_refuses_or_ends() -> None:
    text = b"502 Bad Gateway"
    with refusing_port() as refusing:
        async with (
            running_origin(once(b"")) as closing,
            running_balancer(targets=[f"127.0.0.1:{refusing}", closing]) as balancer,
            connected(balancer.port) as client,
        ):
            for _ in range(2):
                response = await client.ask(get())
                assert len(response.raw) == 277
                assert_answer(response.raw, text, b"keep-alive", page(text), 122)
            refused, closed = await balancer.log(2)
            assert (refused["target"], times(refused)) == (f"127.0.0.1:{refusing}", NOT_STARTED)
            assert (closed["target"], closed["target_status_code"]) == (closing.target, "-")
            assert closed["target_group_arn"].startswith("arn:aws:elasticloadbalancing:")
            assert re.fullmatch(r"0\.\d{3} 0\.\d{3} -1", " ".join(times(closed)))


async def test_502_for_head_has_no_body_and_browsers_get_padding() -> None:
    text = b"502 Bad Gateway"
    async with (
        running_origin(once(b"")) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert_answer(response.raw, text, b"keep-alive", b"", 122)
        response = await client.ask(get(b"/", b"User-Agent: Mozilla/5.0 Chrome/120.0 Safari/537.36"))
        assert_answer(response.raw, text, b"keep-alive", page(text) + PADDING, 524)


async def test_503_without_targets() -> None:
    text = b"503 Service Temporarily Unavailable"
    async with running_balancer(targets=[]) as balancer, connected(balancer.port) as client:
        response = await client.ask(get())
        assert len(response.raw) == 337
        assert_answer(response.raw, text, b"keep-alive", page(text), 162)
        (entry,) = await balancer.log(1)
        assert (entry["target"], times(entry)) == ("-", NOT_STARTED)
        assert "targetgroup/web-servers/" in entry["target_group_arn"]
        await assert_closing(balancer, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", text, 162)


async def test_504_when_connecting_takes_too_long() -> None:
    text = b"504 Gateway Time-out"
    with silent_port() as port:
        async with (
            running_balancer(targets=[f"127.0.0.1:{port}"], connect_timeout_s=0.3) as balancer,
            connected(balancer.port) as client,
        ):
            response = await client.ask(get())
            assert_answer(response.raw, text, b"keep-alive", page(text), 132)
            (entry,) = await balancer.log(1)
            assert (entry["target"], entry["target_status_code"]) == (f"127.0.0.1:{port}", "-")
            assert times(entry) == NOT_STARTED


async def test_504_when_the_target_is_silent_for_the_idle_timeout() -> None:
    text = b"504 Gateway Time-out"
    async with (
        running_origin(silent) as origin,
        running_balancer(targets=[origin], lb_attributes={"idle_timeout.timeout_seconds": 1}) as balancer,
        connected(balancer.port) as client,
    ):
        begun = asyncio.get_running_loop().time()
        response = await client.ask(get())
        assert 0.9 < asyncio.get_running_loop().time() - begun < 10
        assert_answer(response.raw, text, b"keep-alive", page(text), 132)
        await until(lambda: origin.open == 0, "the connection whose answer may still come is closed")
        (entry,) = await balancer.log(1)
        assert entry["target"] == origin.target
        assert re.fullmatch(r"\d\.\d{3} -1 -1", " ".join(times(entry)))


async def test_460_when_the_client_leaves_while_the_balancer_connects() -> None:
    with silent_port() as port:
        async with running_balancer(targets=[f"127.0.0.1:{port}"], connect_timeout_s=60) as balancer:
            async with connected(balancer.port) as client:
                await client.send(get())
                await until(lambda: balancer.in_flight == 1, "target chosen")
            await until(lambda: balancer.in_flight == 0, "request over")
            (entry,) = await balancer.log(1)
            assert (entry["elb_status_code"], entry["sent_bytes"], times(entry)) == ("460", "0", NOT_STARTED)
            await asyncio.sleep(0.5)
            await balancer.log(1)


async def test_502_when_the_deregistration_delay_is_over() -> None:
    for delay_s in (0, 1):
        async with (
            running_origin(silent) as leaving,
            running_origin(answering(answer(b"stays"))) as staying,
            running_balancer(
                targets=[leaving], tg_attributes={"deregistration_delay.timeout_seconds": delay_s}
            ) as balancer,
            connected(balancer.port) as client,
        ):
            await client.send(get())
            await until(lambda: balancer.in_flight == 1, "request at the target")
            begun = asyncio.get_running_loop().time()
            await balancer.apply(targets=[staying])
            await balancer.ready()
            assert (await ask_once(balancer.port, get())).body == b"stays"
            response = await client.response()
            assert delay_s - 0.3 < asyncio.get_running_loop().time() - begun < delay_s + 10
            assert_answer(response.raw, b"502 Bad Gateway", b"keep-alive", page(b"502 Bad Gateway"), 122)
            assert (await client.ask(get())).body == b"stays"
            await until(lambda: leaving.open == 0, "connection to the deregistered target closed")


@pytest.mark.parametrize("status", [200, 400, 503, 599])
async def test_a_targets_own_status_is_relayed_and_logged_as_its_own(status: int) -> None:
    raw = answer(b"mine", b"Server: Apache", status=b"%d Whatever" % status)
    async with running_origin(answering(raw)) as origin, running_balancer(targets=[origin]) as balancer:
        response = await ask_once(balancer.port, get())
        assert (response.status, response.body, response.value(b"Server")) == (status, b"mine", b"Apache")
        (entry,) = await balancer.log(1)
        assert entry["elb_status_code"] == entry["target_status_code"] == str(status)


async def test_the_server_header_can_be_switched_off() -> None:
    off = {"routing.http.response.server.enabled": "false"}
    async with running_balancer(targets=[], listener_attributes=off) as balancer:
        response = await ask_once(balancer.port, get())
        assert (response.status, response.values(b"Server")) == (503, [])
        response = await ask_once(balancer.port, b"nonsense\r\n\r\n")
        assert (response.status, response.values(b"Server")) == (400, [])


async def test_desync_modes() -> None:
    ambiguous = (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    )
    acceptable = b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"
    severe = b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"
    expected = {"monitor": (200, 200, 200), "defensive": (200, 200, 400), "strictest": (400, 400, 400)}
    async with running_origin(answering(answer())) as origin, running_balancer(targets=[origin]) as balancer:
        for mode, statuses in expected.items():
            await balancer.apply(lb_attributes={"routing.http.desync_mitigation_mode": mode})
            got = [(await ask_once(balancer.port, raw)).status for raw in (acceptable, ambiguous, severe)]
            assert tuple(got) == statuses, mode


async def test_an_ambiguous_request_ends_both_connections_and_is_passed_on_unambiguously() -> None:
    request = (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    )
    async with running_origin(answering(answer())) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            response = await client.ask(request)
            assert response.value(b"Connection") == b"close"
            assert await client.ended()
        assert balancer.idle_connections == 0
        received = bytes(origin.connections[0].received)
        assert b"ontent-" not in received
        assert received.count(b"Transfer-Encoding") == 1
        (entry,) = await balancer.log(1)
        assert (entry["classification"], entry["classification_reason"]) == ("Ambiguous", "BothTeClPresent")
