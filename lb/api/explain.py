"""`POST /_lb/explain?lang=ko`: why a request would go where it goes.

The body is `{"port": 8080, "head": "GET / HTTP/1.1\\r\\n...", "client_ip": "203.0.113.9"}`, the answer the walk as
`lb.observe.explain` has it. An error is `{"error": {"code", "message"}}`.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lb.api.language import language_of
from lb.api.refusal import refusal
from lb.model.said import Language
from lb.observe.explain import Question


class ExplainCall(BaseModel):
    """The body of the call."""

    port: int
    head: str
    client_ip: str

    @field_validator("client_ip")
    @classmethod
    def _is_address(cls, text: str) -> str:
        return str(ipaddress.ip_address(text))


def explain_routes(explain: Callable[[int, Question, Language], dict[str, Any]]) -> list[BaseRoute]:
    """The route; `explain` raises KeyError where no listener has the port."""

    async def answer(request: Request) -> Response:
        try:
            call = ExplainCall.model_validate_json(await request.body())
        except ValidationError as error:
            return refusal(400, "bad-request", str(error.errors()[0]["msg"]))
        try:
            question = Question(call.head.encode("latin-1", "replace"), call.client_ip)
            told = explain(call.port, question, language_of(request))
        except KeyError:
            return refusal(404, "no-listener", f"no listener has port {call.port}")
        return JSONResponse(told)

    return [Route("/_lb/explain", answer, methods=["POST"])]
