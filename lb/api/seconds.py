"""`GET /_lb/metrics/seconds`: counters and latencies per second for the last five minutes (docs/local-api.md)."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lb.api.refusal import refusal
from lb.observe.seconds import Seconds
from lb.observe.target_names import TargetNames


def seconds_routes(seconds: Seconds, catch_up: Callable[[], None], names: TargetNames) -> list[BaseRoute]:
    """The route; `catch_up` makes `seconds` see all that has ended."""

    async def show(request: Request) -> Response:
        given = request.query_params
        since = given.get("since", "0")
        if not (since.isascii() and since.isdigit() and len(since) <= 12):
            return refusal(400, "bad-request", "since must be a whole number of seconds since 1970")
        catch_up()
        return JSONResponse(
            seconds.picture(
                names,
                since=int(since),
                load_balancer=given.get("load_balancer", ""),
                target_group=given.get("target_group", ""),
            )
        )

    return [Route("/_lb/metrics/seconds", show, methods=["GET"])]
