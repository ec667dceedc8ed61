"""`POST /_lb/try?lang=ko`: sends requests to a listener of this balancer and tells of each answer (docs/local-api.md).

A page may not read the answers of another origin: so the balancer sends them itself, as any client of it would.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from lb.api.event_stream import EventStream
from lb.api.language import language_of
from lb.api.refusal import refusal
from lb.api.try_client import Answer, send
from lb.api.try_order import Order
from lb.model.said import Language, Words
from lb.net.tasks import Tasks

MOST_RUNS: Final = 4
_MOST_AT_ONCE: Final = 64
_LONGEST_BODY: Final = 64 * 1024
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a listener of this balancer takes clients: the address and port that it is bound to, and its DNS name."""

    host: str
    port: int
    dns_name: str


Find = Callable[[str, int], Entrance]
"""The entrance of a load balancer (name or ARN) and a listener's port. Raises LookupError."""
Seen = Callable[[str], Json | None]
"""What the balancer knows of the last request of a client `ADDRESS:PORT` (`lb.observe.request_view`)."""


class TryRequests:
    """All that is being sent; `close` ends it."""

    def __init__(self, find: Find, seen: Seen, words: Mapping[Language, Words]) -> None:
        self._find = find
        self._seen = seen
        self._words = words
        self._runs: set[_Run] = set()
        self._tasks = Tasks()

    def routes(self) -> list[BaseRoute]:
        """The route."""
        return [Route("/_lb/try", self._answer, methods=["POST"])]

    async def _answer(self, request: Request) -> Response:
        words = self._words[language_of(request)]
        body = await request.body()
        if len(body) > _LONGEST_BODY:
            return refusal(400, "bad-request", "the body is too long")
        try:
            order = Order.read(json.loads(body))
        except ValueError as error:
            what = "the body must be JSON" if isinstance(error, json.JSONDecodeError) else str(error)
            return refusal(400, "bad-request", what)
        try:
            entrance = self._find(order.load_balancer, order.port)
        except LookupError:
            where = f"{order.load_balancer or 'no load balancer'} has no open listener on port {order.port}"
            return refusal(404, "unknown-listener", where)
        if len(self._runs) >= MOST_RUNS:
            return refusal(503, "too-many-runs", f"at most {MOST_RUNS} may send requests at a time")
        run = _Run(order, entrance, self._seen, words, self._runs.discard)
        self._runs.add(run)
        run.work = self._tasks.spawn(run.send_all(), name="try it")
        return EventStream(run)

    async def close(self) -> None:
        """Ends every run."""
        for run in list(self._runs):
            run.close()
        await self._tasks.close()


class _Run:
    """The requests of one order; the events (`lb.api.event_stream.Events`) are its answers."""

    def __init__(
        self, order: Order, entrance: Entrance, seen: Seen, words: Words, leave: Callable[["_Run"], None]
    ) -> None:
        self.work: asyncio.Task[None] | None = None
        self._order = order
        self._entrance = entrance
        self._seen = seen
        self._words = words
        self._leave = leave
        self._told: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._cookies: dict[str, str] = {}
        # Whoever keeps cookies has the answer before he asks again.
        self._free = asyncio.Semaphore(1 if order.cookies else _MOST_AT_ONCE)

    async def next(self) -> bytes | None:
        """The next event, None at the end."""
        return await self._told.get()

    def close(self) -> None:
        """Sends no more."""
        self._leave(self)
        if self.work is not None:
            self.work.cancel()
        self._told.put_nowait(None)

    async def send_all(self) -> None:
        """Sends the requests at their rate, later where answers are slow."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._order.count):
                    await asyncio.sleep(max(0.0, begun + number / self._order.rate - loop.time()))
                    await self._free.acquire()
                    sent_ms = round((loop.time() - begun) * 1000)
                    group.create_task(self._send(number + 1, sent_ms), name=f"try it {number + 1}")
            self._tell({"type": "end", "count": self._order.count, "seconds": round(loop.time() - begun, 3)})
        finally:
            self._told.put_nowait(None)

    async def _send(self, number: int, sent_ms: int) -> None:
        entrance = self._entrance
        host = entrance.dns_name if entrance.port == 80 else f"{entrance.dns_name}:{entrance.port}"
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        try:
            message = self._order.message(host, cookie)
            answer = await send(_ANYWHERE.get(entrance.host, entrance.host), entrance.port, message)
            if self._order.cookies:
                self._cookies.update(answer.cookies)
        finally:
            self._free.release()
        self._tell(_event(number, sent_ms, answer, self._seen(answer.client), self._words))

    def _tell(self, value: Json) -> None:
        self._told.put_nowait(f"data: {json.dumps(value, separators=(',', ':'))}\n\n".encode())


def _event(number: int, sent_ms: int, answer: Answer, seen: Json | None, words: Words) -> Json:
    known = seen or {}
    keys = ("trace_id", "target_group", "target", "target_id", "target_port", "by", "outcome")
    return {
        "type": "answer",
        "number": number,
        "sent_ms": sent_ms,
        "status": answer.status,
        "latency_ms": answer.latency_ms,
        "bytes": answer.size,
        "title": answer.title,
        "text": answer.text,
        "set_cookies": list(answer.cookies),
        "error": answer.error.to(words) if answer.error is not None else None,
        **{key: known.get(key) for key in keys},
    }
