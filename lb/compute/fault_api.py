"""`GET /_lb/faults` and `POST /_lb/faults/{id}`: our web servers, and what is wrong with them (docs/local-api.md)."""

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lb.compute.fault_targets import FaultTargets, Wish
from lb.compute.faults import Fault
from lb.compute.servers import UNKNOWN_SERVER, ServerError


class FaultCall(BaseModel):
    """The body of the call."""

    model_config = ConfigDict(extra="forbid")

    fault: Wish
    ms: int | None = None


def fault_routes(targets: FaultTargets) -> list[BaseRoute]:
    """Routes for `targets`, to be mounted at the root of the API."""

    async def show(_request: Request) -> Response:
        return JSONResponse({"servers": targets.list(), "faults": [fault.value for fault in Fault]})

    async def apply(request: Request) -> Response:
        try:
            call = FaultCall.model_validate_json(await request.body())
            return JSONResponse(await targets.apply(request.path_params["id"], call.fault, call.ms))
        except ValidationError:
            return _refusal(
                400,
                "bad-request",
                f'the body must be {{"fault": F, "ms": N}} with F one of start, stop, {", ".join(Fault)}',
            )
        except ValueError as error:
            return _refusal(400, "bad-request", str(error))
        except ServerError as error:
            return _refusal(404 if error.code == UNKNOWN_SERVER else 409, error.code, str(error))

    return [Route("/_lb/faults", show, methods=["GET"]), Route("/_lb/faults/{id}", apply, methods=["POST"])]


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
