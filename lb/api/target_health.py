"""`GET /_lb/targets/health`: each target's state machine, its last probes and what to do (docs/local-api.md)."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lb.api.language import language_of
from lb.model.said import Language
from lb.observe.request_filter import is_target_group


def target_health_routes(targets: Callable[[Language], list[dict[str, Any]]]) -> list[BaseRoute]:
    """The route; `targets` tells of every target, as `lb.observe.target_health` has it."""

    async def show(request: Request) -> Response:
        wanted = request.query_params.get("target_group", "")
        found = targets(language_of(request))
        return JSONResponse(
            {"targets": [each for each in found if not wanted or is_target_group(wanted, each["target_group"])]}
        )

    return [Route("/_lb/targets/health", show, methods=["GET"])]
