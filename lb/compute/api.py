"""The embedded web servers over HTTP: what `lb server` and the console ask of a running balancer.

`GET /_lb/servers` answers `{"servers": [...]}`, `POST /_lb/servers/N/start`, `/stop` and `/kill` the server's new
status. An error is `{"error": {"code", "message"}}` with 404 for an unknown server and 409 for what cannot be done now.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lb.compute.servers import UNKNOWN_SERVER, EmbeddedServers, ServerError, ServerStatus


def server_routes(servers: EmbeddedServers) -> list[BaseRoute]:
    """Routes for `servers`, to be mounted at the root of the API."""

    async def list_servers(_request: Request) -> Response:
        return JSONResponse({"servers": [asdict(status) for status in servers.list()]})

    def action(perform: Callable[[int], Awaitable[ServerStatus]]) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            try:
                status = await perform(request.path_params["number"])
            except ServerError as error:
                return JSONResponse(
                    {"error": {"code": error.code, "message": str(error)}},
                    status_code=404 if error.code == UNKNOWN_SERVER else 409,
                )
            return JSONResponse(asdict(status))

        return respond

    return [
        Route("/_lb/servers", list_servers, methods=["GET"]),
        Route("/_lb/servers/{number:int}/start", action(servers.start), methods=["POST"]),
        Route("/_lb/servers/{number:int}/stop", action(servers.stop), methods=["POST"]),
        Route("/_lb/servers/{number:int}/kill", action(servers.kill), methods=["POST"]),
    ]
