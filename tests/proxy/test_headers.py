"""Headers on their way to targets and back: forwarded headers, Host, trace id, hop-by-hop headers, order."""

import re
from time import time

from tests.proxy.wire import connected, get
from tests.support.balancer import Balancer, free_port, running_balancer
from tests.support.origins import OriginConnection, Request, answer, answering, running_origin

FRESH = rb"1-[0-9a-f]{8}-[0-9a-f]{24}"


class Mirror:
    """A script that keeps what it got."""

    def __init__(self) -> None:
        self.seen: list[Request] = []

    async def __call__(self, connection: OriginConnection) -> None:
        while True:
            self.seen.append(await connection.read_request())
            await connection.send(answer(b"ok"))

    async def of(self, balancer: Balancer, request: bytes) -> Request:
        """What the target gets for a request."""
        async with connected(balancer.port) as client:
            assert (await client.ask(request)).status == 200
        return self.seen[-1]


async def test_a_whole_head_as_the_target_sees_it() -> None:
    mirror = Mirror()
    async with running_origin(mirror) as origin, running_balancer(targets=[origin]) as balancer:
        request = (
            b"GET /path?q=%20x&y HTTP/1.1\r\nUser-Agent: curl\r\nHost: Example.COM\r\nConnection: keep-alive, X-Hop\r\n"
            b"X-Hop: 1\r\nAccept:*/*\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nUpgrade: h2c\r\n"
            b"Proxy-Connection: keep-alive\r\ncookie: a=b\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\n"
            b"X-Forwarded-Host: other\r\nVia: 1.1 a\r\nForwarded: for=a\r\nAccept: text/html\r\n\r\n"
        )
        head = (await mirror.of(balancer, request)).head
        port = balancer.port
        pattern = (
            rb"GET /path\?q=%20x&y HTTP/1\.1\r\nX-Forwarded-For: 127\.0\.0\.1\r\nX-Forwarded-Proto: http\r\n"
            + rb"X-Forwarded-Port: %d\r\nHost: example\.com:%d\r\nX-Amzn-Trace-Id: Root=%b\r\n" % (port, port, FRESH)
            + rb"User-Agent: curl\r\nAccept:\*/\*\r\ncookie: a=b\r\nX-Forwarded-Host: other\r\nVia: 1\.1 a\r\n"
            + rb"Forwarded: for=a\r\nAccept: text/html\r\n\r\n"
        )
        assert re.fullmatch(pattern, head), head


async def test_x_forwarded_for_by_mode() -> None:
    one, two = b"X-Forwarded-For: 10.0.0.1", b"x-forwarded-for: 10.0.0.2, 10.0.0.3"
    mirror = Mirror()
    mode = "routing.http.xff_header_processing.mode"
    async with running_origin(mirror) as origin, running_balancer(targets=[origin]) as balancer:

        async def values(*headers: bytes) -> list[bytes]:
            return (await mirror.of(balancer, get(b"/", *headers))).values(b"X-Forwarded-For")

        assert await values() == [b"127.0.0.1"]
        assert await values(one) == [b"10.0.0.1, 127.0.0.1"]
        assert await values(one, two) == [b"10.0.0.1, 10.0.0.2, 10.0.0.3, 127.0.0.1"]
        assert await values(b"X-Forwarded-For:") == [b"127.0.0.1"]
        assert await values(one, b"Connection: x-forwarded-for") == [b"10.0.0.1, 127.0.0.1"]
        await balancer.apply(lb_attributes={mode: "preserve"})
        assert await values() == []
        assert await values(one) == [b"10.0.0.1"]
        await balancer.apply(lb_attributes={mode: "remove"})
        assert await values() == await values(one, two) == []


async def test_x_forwarded_for_with_the_clients_port() -> None:
    mirror = Mirror()
    attributes = {"routing.http.xff_client_port.enabled": "true"}
    async with (
        running_origin(mirror) as origin,
        running_balancer(targets=[origin], lb_attributes=attributes) as balancer,
        connected(balancer.port) as client,
    ):
        await client.ask(get(b"/", b"X-Forwarded-For: 10.0.0.1"))
        assert mirror.seen[-1].value(b"X-Forwarded-For") == b"10.0.0.1, " + client.name.encode()


async def test_host_rules() -> None:
    mirror = Mirror()
    async with running_origin(mirror) as origin, running_balancer(targets=[origin]) as balancer:
        port = b":%d" % balancer.port

        async def host(request: bytes) -> bytes | None:
            return (await mirror.of(balancer, request)).value(b"Host")

        assert await host(get(host=b"Example.com")) == b"example.com" + port
        assert await host(get(host=b"Example.com" + port)) == b"example.com" + port
        assert await host(get(host=b"Example.com:81")) == b"example.com:81"
        assert await host(get(host=b"[::1]")) == b"[::1]" + port
        assert await host(b"GET / HTTP/1.0\r\n\r\n") == balancer.dns_name.encode() + port
        absolute = await mirror.of(balancer, get(b"http://Named.example/x?y", host=b"example.com"))
        assert (absolute.line, absolute.value(b"Host")) == (b"GET /x?y HTTP/1.1", b"named.example" + port)
        assert (await mirror.of(balancer, get(b"http://named.example"))).line == b"GET / HTTP/1.1"
        await balancer.apply(lb_attributes={"routing.http.preserve_host_header.enabled": "true"})
        assert await host(get(host=b"Example.com:80")) == b"Example.com:80"
        assert await host(get(b"http://named.example/x", host=b"Example.com")) == b"Example.com"
        both = await mirror.of(balancer, b"GET / HTTP/1.1\r\nHost: a\r\nHost: B\r\n\r\n")
        assert both.values(b"Host") == [b"a", b"B"]


async def test_one_connection_may_ask_for_many_hosts() -> None:
    mirror = Mirror()
    async with (
        running_origin(mirror) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        asked = [b"a", b"b", b"b", b"A", b"c:81", b"a"]
        for host in asked:
            await client.ask(get(host=host))
        port = b":%d" % balancer.port
        assert [request.value(b"Host") for request in mirror.seen] == [
            host.lower() if b":" in host else host.lower() + port for host in asked
        ]


async def test_trace_ids() -> None:
    root = b"Root=1-67891233-abcdef012345678912345678"
    mirror = Mirror()
    async with running_origin(mirror) as origin, running_balancer(targets=[origin]) as balancer:

        async def trace(*given: bytes) -> bytes:
            request = await mirror.of(balancer, get(b"/", *(b"x-amzn-trace-id: " + each for each in given)))
            value = request.value(b"X-Amzn-Trace-Id")
            assert value is not None
            return value

        fresh = await trace()
        assert re.fullmatch(b"Root=" + FRESH, fresh)
        assert abs(int(fresh[7:15], 16) - time()) < 10
        assert await trace() != fresh
        assert re.fullmatch(b"Self=%b;%b" % (FRESH, root), await trace(root))
        assert re.fullmatch(
            b"Self=%b;%b" % (FRESH, root), await trace(b"Self=1-67891234-12456789abcdef012345678;" + root)
        )
        assert re.fullmatch(b"Self=%b;%b;Parent=x;A=b" % (FRESH, root), await trace(root + b";Parent=x;A=b"))
        assert re.fullmatch(b"Root=%b;A=b" % FRESH, await trace(b"A=b"))
        assert re.fullmatch(b"Root=" + FRESH, await trace(root + b";A=" + b"b" * 8000))
        entries = await balancer.log(len(mirror.seen))
        assert [entry["trace_id"].encode() for entry in entries] == [
            request.value(b"X-Amzn-Trace-Id") for request in mirror.seen
        ]


async def test_response_headers_in_order_and_hop_by_hop_ones_rebuilt() -> None:
    raw = (
        b"HTTP/1.1 200 Fine by me\r\nServer: Apache\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\nSet-Cookie: a\r\n"
        b"content-type: text/plain\r\nConnection: Keep-Alive\r\nSet-Cookie: b\r\nDate: Tue, 06 Jan 2026 10:20:30 GMT\r\n"
        b"X-Lower:none\r\nUpgrade: h2\r\nProxy-Connection: keep-alive\r\n\r\nok"
    )
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).raw == (
            b"HTTP/1.1 200 Fine by me\r\nDate: Tue, 06 Jan 2026 10:20:30 GMT\r\ncontent-type: text/plain\r\n"
            b"Content-Length: 2\r\nConnection: keep-alive\r\nServer: Apache\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
            b"X-Lower:none\r\n\r\nok"
        )


async def test_headers_that_a_response_names_in_connection_are_dropped() -> None:
    """RFC 9110 7.6.1 holds for responses as for requests."""
    raw = b"HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nX-Stays: 1\r\nContent-Length: 0\r\n\r\n"
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(get())
        assert (response.values(b"X-Stays"), response.values(b"X-Hop")) == ([b"1"], [])


async def test_a_connection_option_that_only_contains_close_is_not_close() -> None:
    raw = b"HTTP/1.1 200 OK\r\nConnection: X-Enclosed\r\nContent-Length: 0\r\n\r\n"
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(3):
            await client.ask(get())
        assert len(origin.connections) == 1


async def test_a_date_is_added_where_the_target_sends_none_and_no_server() -> None:
    async with (
        running_origin(answering(answer(b"ok"))) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(get())
        assert response.names == [b"Date", b"Content-Length", b"Connection"]


async def test_the_port_is_that_of_the_listener_the_request_came_to() -> None:
    mirror = Mirror()
    second = free_port()
    async with (
        running_origin(mirror) as origin,
        running_balancer(targets=[origin], more_ports=[second]) as balancer,
        connected(balancer.port) as one,
        connected(second) as two,
    ):
        for client in (one, two, one):
            await client.ask(get(host=b"a"))
        ports = [b"%d" % port for port in (balancer.port, second, balancer.port)]
        assert [request.value(b"X-Forwarded-Port") for request in mirror.seen] == ports
        assert [request.value(b"Host") for request in mirror.seen] == [b"a:" + port for port in ports]


async def test_invalid_header_names_are_dropped_only_when_asked_for() -> None:
    request = get(b"/", b"X_Under: 1", b"X-Fine: 2", b"X.Dot: 3", b"X(: 4")
    mirror = Mirror()
    async with running_origin(mirror) as origin, running_balancer(targets=[origin]) as balancer:
        names = [name for name, _ in (await mirror.of(balancer, request)).headers]
        assert names[5:] == [b"X_Under", b"X-Fine", b"X.Dot", b"X("]
        await balancer.apply(lb_attributes={"routing.http.drop_invalid_header_fields.enabled": "true"})
        names = [name for name, _ in (await mirror.of(balancer, request)).headers]
        assert names[5:] == [b"X-Fine"]


async def test_custom_methods_and_asterisk_pass() -> None:
    mirror = Mirror()
    async with running_origin(mirror) as origin, running_balancer(targets=[origin]) as balancer:
        for line in (b"PURGE /a", b"propfind /b", b"OPTIONS *", b"M-SEARCH /c"):
            request = line + b" HTTP/1.1\r\nHost: a\r\n\r\n"
            assert (await mirror.of(balancer, request)).line == line + b" HTTP/1.1"
