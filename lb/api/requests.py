"""`GET /_lb/requests`: the requests that ended last; `GET /_lb/requests/stream`: those that end now (docs/local-api.md)."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lb.api.event_stream import EventStream
from lb.api.refusal import refusal
from lb.http.record import RequestRecord
from lb.observe.recent import MOST
from lb.observe.request_filter import RequestFilter, Test
from lb.observe.request_stream import MOST_READERS, RequestStream, TooManyReadersError
from lb.observe.request_view import view
from lb.observe.target_names import TargetNames

_LISTED: Final = 100
_STREAMED_PER_S: Final = 200

Last = Callable[[int, Test], list[RequestRecord]]


def requests_routes(last: Last, stream: RequestStream, names: TargetNames) -> list[BaseRoute]:
    """The routes; `last` finds at most so many of the requests that pass a test, the last one first."""

    async def show(request: Request) -> Response:
        try:
            limit = _limit(request.query_params, _LISTED)
            tests = RequestFilter.read(request.query_params).tests(names)
        except ValueError as error:
            return refusal(400, "bad-request", str(error))
        found = last(limit, lambda record: all(test(record) for test in tests))
        return JSONResponse({"requests": [view(record, names) for record in found]})

    async def follow(request: Request) -> Response:
        try:
            limit = _limit(request.query_params, _STREAMED_PER_S)
            wanted = RequestFilter.read(request.query_params)
        except ValueError as error:
            return refusal(400, "bad-request", str(error))
        try:
            return EventStream(stream.open(wanted, limit))
        except TooManyReadersError:
            return refusal(503, "too-many-streams", f"at most {MOST_READERS} may follow the requests at a time")

    return [
        Route("/_lb/requests", show, methods=["GET"]),
        Route("/_lb/requests/stream", follow, methods=["GET"]),
    ]


def _limit(given: Mapping[str, str], default: int) -> int:
    """Raises ValueError."""
    text = given.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) and 1 <= int(text) <= MOST):
        raise ValueError(f"limit must be a whole number from 1 to {MOST}")
    return int(text)
