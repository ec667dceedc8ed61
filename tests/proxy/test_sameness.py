"""What is remembered from one message to the next must not show: each is read as if it were the first."""

import random
import re

from tests.proxy.wire import Response, connected
from tests.support.balancer import running_balancer
from tests.support.origins import OriginConnection, answer, running_origin

REQUEST_LINES = (b"GET /a HTTP/1.1", b"HEAD /b HTTP/1.1", b"POST /c HTTP/1.1", b"GET http://named.example/d HTTP/1.1")
BLOCKS = (
    b"Host: a\r\n",
    b"Host: a\r\nConnection: keep-alive\r\n",
    b"Host: b\r\nUser-Agent: x\r\n",
    b"Host: a\r\nHost: b\r\n",
    b"Host: a\r\nConnection: X-Hop\r\nX-Hop: 1\r\n",
    b"Host: a\r\nX-Forwarded-For: 10.0.0.1\r\n",
    b"Host: a\r\nX-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\n",
    b"Host: a\r\nX_Under: 1\r\n",
    b"Host: a\nX: bare\n",
)
RESPONSES = (
    answer(b"one"),
    answer(b"three", b"X-More: 1"),
    answer(b"two", b"X-More: 2", status=b"404 Not Found"),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b"one"),
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\none",
    b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none",
)


def settled(raw: bytes) -> bytes:
    """A head without what differs each time."""
    return re.sub(rb"(?:1-[0-9a-f]{8}-[0-9a-f]{24}|Date: [^\r]*)", b"<differs>", raw)


async def test_requests_of_one_connection_reach_the_target_as_those_of_many_do() -> None:
    rng = random.Random(5)
    chosen = [rng.choice(REQUEST_LINES) + b"\r\n" + rng.choice(BLOCKS) + b"\r\n" for _ in range(300)]
    seen: list[bytes] = []

    async def script(connection: OriginConnection) -> None:
        while True:
            head = (await connection.read_request()).head
            seen.append(settled(head))
            head_only = head.startswith(b"HEAD")
            await connection.send(b"HTTP/1.1 204 No Content\r\n\r\n" if head_only else answer(b"ok"))

    async with running_origin(script) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            for request in chosen:
                assert (await client.ask(request)).status in (200, 204)
        of_one, seen = seen, []
        for request in chosen:
            async with connected(balancer.port) as client:
                await client.ask(request)
    assert of_one == seen


async def test_answers_of_many_targets_reach_the_client_as_they_are() -> None:
    rng = random.Random(6)

    async def script(connection: OriginConnection) -> None:
        while True:
            request = await connection.read_request()
            raw = RESPONSES[int(request.line.split()[1][1:])]
            head, end, _ = raw.partition(b"\r\n\r\n")
            await connection.send(head + end if request.line.startswith(b"HEAD") and b" 103 " not in head else raw)
            if b"\r\nConnection: close" in head or raw.startswith(b"HTTP/1.0"):
                return

    def wanted(number: int, method: bytes) -> tuple[int, bytes, list[bytes]]:
        raw = RESPONSES[number].replace(b"HTTP/1.1 103 Early Hints\r\n\r\n", b"")
        head, _, body = raw.partition(b"\r\n\r\n")
        plain = Response(head + b"\r\n\r\n", body, body)
        return plain.status, b"" if method == b"HEAD" else body, plain.values(b"X-More")

    async with (
        running_origin(script) as one,
        running_origin(script) as two,
        running_balancer(targets=[one, two]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(300):
            number, method = rng.randrange(len(RESPONSES)), rng.choice((b"GET", b"HEAD"))
            if method == b"HEAD" and number == 5:
                continue
            response = await client.ask(b"%b /%d HTTP/1.1\r\nHost: a\r\n\r\n" % (method, number))
            assert (response.status, response.raw_body, response.values(b"X-More")) == wanted(number, method)
            assert response.value(b"Connection") == b"keep-alive"
