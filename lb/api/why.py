"""`GET /_lb/why?id=1-67891233-abcdef012345678912345678&lang=ko`: why requests that have happened went where they went.

`id` is what `lb.observe.recent.Recent.find` takes. The answer is `{"requests": [...]}`, the last one first, each as
`lb.observe.why` has it. An error is `{"error": {"code", "message"}}`.
"""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lb.api.language import language_of
from lb.api.refusal import refusal
from lb.model.said import Language
from lb.observe.recent import MOST


def why_routes(why: Callable[[str, Language], list[dict[str, Any]]]) -> list[BaseRoute]:
    """The route; `why` returns the requests with an id."""

    async def answer(request: Request) -> Response:
        wanted = request.query_params.get("id", "")
        if not wanted:
            return refusal(400, "bad-request", "name a request: /_lb/why?id=TRACE_ID")
        told = why(wanted, language_of(request))
        if not told:
            return refusal(
                404, "no-request", f"no request with this id among the last {MOST:,}, which are all that is kept"
            )
        return JSONResponse({"requests": told})

    return [Route("/_lb/why", answer, methods=["GET"])]
