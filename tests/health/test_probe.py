"""The real prober against scripted sockets: what it sends, byte for byte, and what it makes of every kind of answer."""

import asyncio
import socket
from time import monotonic, time

import pytest

from lb.health.probe import probe
from lb.targets.health import ProbeOutcome
from tests.health.scripted import OK, endpoint, health_check, says, statuses, target, then_closes, until
from tests.support.origins import refusing_port

PATIENT = {"interval_s": 60, "timeout_s": 50}


async def probed(where, **settings):
    return await probe(where, health_check(**settings))


def read(head):
    """The request line and the sorted header lines."""
    line, *headers = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    return line, sorted(headers)


async def test_the_request_is_that_of_an_elb_health_checker_and_nothing_else():
    async with target(says(OK)) as web:
        await probed(endpoint(web.port), path="/health.php?deep=1", **PATIENT)
        assert [read(head) for head in web.heads] == [
            (
                b"GET /health.php?deep=1 HTTP/1.1",
                [
                    b"Accept-Encoding: gzip, compressed",
                    b"Connection: close",
                    b"Host: 127.0.0.1:%d" % web.port,
                    b"User-Agent: ELB-HealthChecker/2.0",
                ],
            )
        ]


async def test_host_has_no_port_when_it_is_80():
    try:
        with socket.create_server(("127.0.0.1", 80)):
            pass
    except OSError as error:
        pytest.skip(f"port 80 cannot be had on this machine: {error.strerror}")
    async with target(says(OK), port=80) as web:
        assert (await probed(endpoint(80), **PATIENT)).status == 200
        assert b"\r\nHost: 127.0.0.1\r\n" in web.heads[0]


async def test_host_of_an_ipv6_target_has_brackets():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 on this machine: {error.strerror}")
    async with target(says(OK), host="::1") as web:
        assert (await probed(endpoint(web.port, "::1"), **PATIENT)).status == 200
        assert b"\r\nHost: [::1]:%d\r\n" % web.port in web.heads[0]


async def test_host_is_the_address_not_the_name_of_the_target():
    async with target(says(OK)) as web:
        await probed(endpoint(web.port, "127.0.0.1", name="web1"), **PATIENT)
        assert b"\r\nHost: 127.0.0.1:%d\r\n" % web.port in web.heads[0]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/var/www/html",
        "//twice//",
        "/a/../b/./c",
        "/%7Euser/%2F%zz",
        "/?a=1&b=%26&c=a+b&d=/?",
        "/ends-with?",
        '/a|b"c<d>{e}^`\\',
        "/semi;colon=1:@x",
        "/not#a-fragment",
    ],
)
async def test_the_path_goes_into_the_request_line_as_it_was_written(path):
    """lb.configfile.checks lets any visible ASCII through, because it goes out as it is."""
    async with target(says(OK)) as web:
        await probed(endpoint(web.port), path=path, **PATIENT)
        assert read(web.heads[0])[0] == f"GET {path} HTTP/1.1".encode()


async def test_each_probe_has_a_connection_of_its_own_that_the_balancer_closes():
    keep_alive = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
    async with target(says(keep_alive)) as web:
        for count in (1, 2, 3):
            assert (await probe(endpoint(web.port), health_check(**PATIENT))).outcome is ProbeOutcome.PASSED
            assert web.connections == count
            await until(lambda: web.open == 0)


async def test_cookies_are_not_sent_back():
    async with target(then_closes(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")) as web:
        for _ in range(2):
            await probe(endpoint(web.port), health_check(**PATIENT))
        assert b"cookie" not in b"".join(web.heads).lower()


async def test_a_redirect_is_not_followed():
    async with target(then_closes(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")) as web:
        result = await probed(endpoint(web.port), **PATIENT)
        assert (result.outcome, result.status) == (ProbeOutcome.CODE_MISMATCH, 302)
        result = await probed(endpoint(web.port), matcher="200,302", **PATIENT)
        assert (result.outcome, result.status) == (ProbeOutcome.PASSED, 302)
        assert len(web.heads) == 2


@pytest.mark.parametrize(
    ("matcher", "status", "outcome"),
    [
        ("200", 200, ProbeOutcome.PASSED),
        ("200", 201, ProbeOutcome.CODE_MISMATCH),
        ("200", 404, ProbeOutcome.CODE_MISMATCH),
        ("200", 503, ProbeOutcome.CODE_MISMATCH),
        ("200,404", 404, ProbeOutcome.PASSED),
        ("200-299", 299, ProbeOutcome.PASSED),
        ("200-299", 300, ProbeOutcome.CODE_MISMATCH),
    ],
)
async def test_the_matcher_decides(matcher, status, outcome):
    async with target(statuses(status)) as web:
        result = await probed(endpoint(web.port), matcher=matcher, **PATIENT)
    assert (result.outcome, result.status) == (outcome, status)
    assert ("expected" in result.detail) is (outcome is not ProbeOutcome.PASSED)


async def test_interim_answers_are_skipped():
    async with target(then_closes(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)) as web:
        assert (await probed(endpoint(web.port), **PATIENT)).status == 200


async def test_answers_without_a_length_or_by_http_1_0_count_as_well():
    async with target(then_closes(b"HTTP/1.0 200 OK\r\n\r\nhello")) as web:
        assert (await probed(endpoint(web.port), **PATIENT)).outcome is ProbeOutcome.PASSED


async def test_what_is_wrong_with_a_body_does_not_matter():
    broken = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnot gzip"
    async with target(then_closes(broken)) as web:
        assert (await probed(endpoint(web.port), **PATIENT)).outcome is ProbeOutcome.PASSED


async def test_response_headers_up_to_elbs_limit_are_fine():
    """32 K (fact sheet 7.6): what a client gets through the balancer must not make the target unhealthy."""
    large = b"HTTP/1.1 200 OK\r\nX-Large: %b\r\nContent-Length: 0\r\n\r\n" % (b"x" * 20_000)
    async with target(then_closes(large)) as web:
        result = await probed(endpoint(web.port), **PATIENT)
    assert (result.outcome, result.detail) == (ProbeOutcome.PASSED, "")


async def test_a_huge_body_is_not_read():
    sent = 0

    async def floods(_, __, writer):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()
            sent += 65536

    async with target(floods) as web:
        begun = monotonic()
        assert (await probed(endpoint(web.port), **PATIENT)).outcome is ProbeOutcome.PASSED
        assert monotonic() - begun < 20
        await until(lambda: web.open == 0)
    # What the kernel's buffers and one or two reads take in, far from all of it.
    assert sent < 32 * 1024 * 1024


async def test_a_body_that_never_comes_is_not_waited_for():
    async with target(says(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")) as web:
        result = await probed(endpoint(web.port), **PATIENT)
        assert result.outcome is ProbeOutcome.PASSED
        assert result.latency_s < 20
        await until(lambda: web.open == 0)


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["silence", "half a head"])
async def test_no_answer_in_time_is_a_timeout(begins):
    async with target(says(begins)) as web:
        begun = monotonic()
        result = await probed(endpoint(web.port), timeout_s=0.2)
        assert 0.19 < monotonic() - begun < 10
        assert (result.outcome, result.status) == (ProbeOutcome.TIMED_OUT, None)
        assert result.detail == "no answer within 0.2 s"
        await until(lambda: web.open == 0)


async def test_the_timeout_is_for_the_whole_answer_not_for_each_byte():
    async def drips(_, __, writer):
        for byte in b"HTTP/1.1 200 OK\r\n" * 100:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.02)

    async with target(drips) as web:
        begun = monotonic()
        assert (await probed(endpoint(web.port), timeout_s=0.2)).outcome is ProbeOutcome.TIMED_OUT
        assert monotonic() - begun < 20


async def test_a_full_backlog_is_a_timeout():
    """Linux drops the SYN of a connection that the backlog has no room for: as silent as a firewall."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(full.getsockname())
            await asyncio.sleep(0.05)
            result = await probed(endpoint(full.getsockname()[1]), timeout_s=0.3)
        finally:
            for each in waiting:
                each.close()
    assert result.outcome is ProbeOutcome.TIMED_OUT


async def test_a_refused_connection_says_so():
    with refusing_port() as port:
        result = await probed(endpoint(port), **PATIENT)
    assert (result.outcome, result.status) == (ProbeOutcome.FAILED, None)
    assert "no connection" in result.detail
    assert "refused" in result.detail


GARBAGE = {
    "ssh": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "tls": b"\x16\x03\x01\x02\x00" * 20,
    "status line": b"HTTP/1.1 banana\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "nul": b"HTTP/1.1 200 OK\r\n\x00: \x00\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_fails_at_the_first_try(garbage):
    async with target(then_closes(garbage)) as web:
        result = await probed(endpoint(web.port), **PATIENT)
        assert (result.outcome, result.status) == (ProbeOutcome.FAILED, None)
        assert "no valid answer" in result.detail
        assert web.connections == 1


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_what_was_wrong_fits_on_one_line_of_lb_status(garbage):
    async with target(then_closes(garbage)) as web:
        detail = (await probed(endpoint(web.port), **PATIENT)).detail
    assert detail.isprintable()


async def test_a_reset_fails_at_the_first_try():
    async def resets(_, __, writer):
        writer.transport.abort()

    async with target(resets) as web:
        assert (await probed(endpoint(web.port), **PATIENT)).outcome is ProbeOutcome.FAILED
        assert web.connections == 1


async def test_an_unknown_address_fails_without_a_connection():
    result = await probed(endpoint(80, None, name="web1"), **PATIENT)
    assert (result.outcome, result.detail) == (ProbeOutcome.FAILED, "the name web1 does not resolve")


async def test_a_health_check_port_of_its_own_is_asked():
    async with target(says(OK)) as admin:
        with refusing_port() as traffic_port:
            result = await probed(endpoint(traffic_port), port=admin.port, **PATIENT)
        assert result.outcome is ProbeOutcome.PASSED
        assert b"\r\nHost: 127.0.0.1:%d\r\n" % admin.port in admin.heads[0]


async def test_a_result_tells_when_and_how_long():
    async def slow(_, __, writer):
        await asyncio.sleep(0.1)
        writer.write(OK)

    async with target(slow) as web:
        result = await probed(endpoint(web.port), **PATIENT)
    assert 0.09 < result.latency_s < 20
    assert abs(time() - result.at_s) < 20


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with target(says(OK)) as web:
        assert (await probed(endpoint(web.port), **PATIENT)).outcome is ProbeOutcome.PASSED


async def test_cancellation_is_not_a_result_and_closes_the_connection():
    async with target(says(b"")) as web:
        async with asyncio.TaskGroup() as group:
            probe = group.create_task(probed(endpoint(web.port), interval_s=60, timeout_s=50))
            await until(lambda: web.heads)
            probe.cancel()
        assert probe.cancelled()
        await until(lambda: web.open == 0)
