"""The hot path makes no task, future or timer per request (issue B): they are counted while only the balancer uses the loop.

Clients and targets are blocking sockets in threads of their own, so whatever the loop is asked for is the balancer's doing.
"""

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

from tests.proxy.wire import get
from tests.support.balancer import running_balancer

BOTH_LOOPS = True
_REQUESTS = 600
_ASKED = (
    "create_task",
    "create_future",
    "call_later",
    "call_at",
    "call_soon",
    "run_in_executor",
    "add_reader",
    "add_writer",
)
# What happens by time and not by request: the sweep, the date, the batches of the log, and the thread of the client.
_PER_SECOND = 60
_ANYWAY = 15

STICKY = {"forward": {"target_groups": {"web-servers": 1, "other": 1}, "stickiness": 600}}
_MANY = [
    {
        "priority": number,
        "conditions": {"path-pattern": f"/p{number}/*", "http-header": {"X-A": f"v{number}"}},
        "action": {"forward": "other"},
    }
    for number in range(1, 98)
]
_LAST = [
    {
        "priority": 98,
        "conditions": {"path-pattern": "/fixed"},
        "action": {"fixed-response": {"status_code": "200", "message_body": "hi"}},
    },
    {
        "priority": 99,
        "conditions": {"path-pattern": "/redirect"},
        "action": {"redirect": {"status_code": 301, "port": 1}},
    },
    {
        "priority": 100,
        "conditions": {"path-pattern": "/rewritten*"},
        "transforms": {
            "url-rewrite": {"regex": "^/rewritten", "replace": "/x"},
            "host-header-rewrite": {"regex": "^.*$", "replace": "inner"},
        },
        "action": {"forward": "other"},
    },
]


class ThreadedTarget:
    """A target that answers every request alike, without an event loop."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            waiting = b""
            while data := connection.recv(65536):
                waiting += data
                count = waiting.count(b"\r\n\r\n")
                if count:
                    waiting = waiting.rpartition(b"\r\n\r\n")[2]
                    connection.sendall(self._raw * count)

    def close(self) -> None:
        """Ends its threads."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


@contextlib.contextmanager
def threaded_targets(count: int) -> Iterator[list[ThreadedTarget]]:
    """So many, with and without a body of known length."""
    targets = [ThreadedTarget(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") for _ in range(count)]
    try:
        yield targets
    finally:
        for each in targets:
            each.close()


def ask(connection: socket.socket, request: bytes, times: int) -> None:
    """Asks one after the other; every answer has a length."""
    for _ in range(times):
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(65536)
        assert len(body) == length


@contextlib.contextmanager
def counted() -> Iterator[Counter[str]]:
    """What the running loop is asked for meanwhile."""
    loop = asyncio.get_running_loop()
    counts: Counter[str] = Counter()

    def counting(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            counts[name] += 1
            return real(*arguments, **named)

        return call

    for name in _ASKED:
        setattr(loop, name, counting(name, getattr(loop, name)))
    try:
        yield counts
    finally:
        for name in _ASKED:
            delattr(loop, name)


@pytest.mark.parametrize(
    ("shape", "request_"),
    [
        ({}, get()),
        ({}, get(b"/", b"X-Forwarded-For: 1.2.3.4", b"User-Agent: x")),
        ({"tg_attributes": {"stickiness.enabled": True}}, get()),
        ({"default": STICKY, "tg_attributes": {"stickiness.enabled": True}}, get()),
        ({"tg_attributes": {"load_balancing.algorithm.type": "least_outstanding_requests"}}, get()),
        ({"tg_attributes": {"load_balancing.algorithm.type": "weighted_random"}}, get()),
        ({"rules": [*_MANY, *_LAST]}, get(b"/none", b"X-A: z")),
        ({"rules": [*_MANY, *_LAST]}, get(b"/fixed")),
        ({"rules": [*_MANY, *_LAST]}, get(b"/redirect")),
        ({"rules": [*_MANY, *_LAST]}, get(b"/rewritten?x")),
        ({"listener_attributes": {"routing.http.response.x_frame_options.header_value": "DENY"}}, get()),
    ],
    ids=[
        "plain",
        "headers",
        "sticky",
        "group sticky",
        "least outstanding",
        "weighted random",
        "100 rules",
        "fixed",
        "redirect",
        "rewritten",
        "response header",
    ],
)
async def test_requests_on_warm_connections_ask_nothing_of_the_loop(shape: dict[str, Any], request_: bytes) -> None:
    with threaded_targets(2) as (one, other):
        async with running_balancer(targets=[one.target], groups={"other": [other.target]}, **shape) as balancer:
            with contextlib.closing(socket.create_connection(("127.0.0.1", balancer.port), 30)) as connection:
                await asyncio.to_thread(ask, connection, request_, 40)
                connections = len(one.connections) + len(other.connections)
                started = monotonic()
                with counted() as counts:
                    await asyncio.to_thread(ask, connection, request_, _REQUESTS)
                allowed = _ANYWAY + _PER_SECOND * (monotonic() - started)
                assert allowed < _REQUESTS
                assert counts.total() < allowed, counts
                assert len(one.connections) + len(other.connections) == connections
            await balancer.log(40 + _REQUESTS)


async def test_the_count_would_notice() -> None:
    """A balancer that does ask the loop for something is found out: here one whose connections are all new."""
    with threaded_targets(1) as (one,):
        async with running_balancer(targets=[one.target]) as balancer:

            def ask_anew() -> None:
                for _ in range(50):
                    with socket.create_connection(("127.0.0.1", balancer.port), 30) as connection:
                        ask(connection, get(b"/", b"Connection: close"), 1)

            pool = next(iter(balancer.node.pools.values()))
            with counted() as counts:
                for _ in range(5):
                    for idle in pool.idle:
                        idle.close()
                    pool.idle.clear()
                    await asyncio.to_thread(ask_anew)
            assert counts["create_task"] >= 5
