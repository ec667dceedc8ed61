"""The endpoint of the AWS APIs: one call from its request to its answer."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as HttpRoute

from lb.api.call import ApiError, Result
from lb.api.calls import Calls
from lb.api.rate import Rate
from lb.api.wire.answer import render, render_error
from lb.api.wire.decode import MAX_BODY, decode, not_implemented
from lb.api.wire.message import Answer, Decoded, Request
from lb.api.wire.services import Services
from lb.api.wire.signature import verify
from lb.resources.records import OwnedByFileError


class AwsApi:
    """Serves calls on the wire.

    `keys` are secret keys by access key: where there are some, calls must be signed with one of them. `region` is for
    calls that name none.
    """

    def __init__(self, calls: Calls, *, region: str, keys: Mapping[str, str]) -> None:
        self._calls = calls
        self._region = region
        self._keys = keys
        self._services = Services()
        self._rate = Rate()

    def warm(self) -> None:
        """Loads ELB's model, so that the first call does not hold up traffic; the others come when they are asked for."""
        self._services.warm(("elbv2",))

    def routes(self) -> list[BaseRoute]:
        """`POST /`, as AWS has it. No other method: a page of another site could make a browser send a GET."""

        async def answer(http: HttpRequest) -> Response:
            found = await self.answer(await _request(http))
            return Response(found.body, found.status, dict(found.headers))

        return [HttpRoute("/", answer, methods=["POST"])]

    async def answer(self, request: Request) -> Answer:
        """The answer to a request, errors included."""
        request_id = str(uuid4())
        route = self._services.route(request, self._region)
        try:
            self._rate.take()
            if self._keys:
                verify(request, self._keys, datetime.now(UTC))
            decoded = decode(route, request)
            # Between the steps of a call the traffic has its turn.
            await asyncio.sleep(0)
            result = await self._perform(decoded)
            await asyncio.sleep(0)
            return render(route, decoded.operation, result, request_id)
        except ApiError as error:
            return render_error(route, error, request_id)
        except OwnedByFileError as error:
            return render_error(route, ApiError("OperationNotPermitted", str(error)), request_id)

    async def _perform(self, decoded: Decoded) -> Result:
        if self._calls.handler(decoded.service, decoded.operation) is None:
            raise not_implemented(decoded.service, decoded.operation)
        return await self._calls.do(decoded.service, decoded.operation, decoded.region, **decoded.params)


async def _request(http: HttpRequest) -> Request:
    body = bytearray()
    async for part in http.stream():
        body += part
        if len(body) > MAX_BODY:
            break
    headers: dict[str, str] = {}
    for name, value in http.headers.items():
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    raw_path: bytes = http.scope["raw_path"]
    query: bytes = http.scope["query_string"]
    return Request(http.method, raw_path.decode("latin-1"), query.decode("latin-1"), headers, bytes(body))
