"""The endpoint of the AWS APIs: one call from its request to its answer."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar
from uuid import uuid4

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as HttpRoute

from lb.api.call import ApiError, Call, Handler, Live, Operations, Result
from lb.api.rate import Rate
from lb.api.wire.answer import render, render_error
from lb.api.wire.decode import MAX_BODY, decode, not_implemented
from lb.api.wire.message import Answer, Decoded, Request
from lb.api.wire.services import Services
from lb.api.wire.signature import verify
from lb.resources.defaults import default_network
from lb.resources.records import NOTHING, Kind, OwnedByFileError, Record, Records, Transaction

_T = TypeVar("_T")
_READS: Final = ("Describe", "Get", "List")


class State(Protocol):
    """The records, and how they change."""

    @property
    def records(self) -> Records:
        """As they are now."""
        ...

    async def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """Runs `work` on the records, and carries out what it changed, all or nothing, before it returns.

        Raises what `work` raises, and ApiError for what cannot be carried out.
        """
        ...


class AwsApi:
    """Serves the operations of several AWS services on one state.

    `operations` is by botocore's name of the service. `keys` are secret keys by access key: where there are some, calls
    must be signed with one of them. `region` is for calls that name none.
    """

    def __init__(
        self,
        operations: Mapping[str, Operations],
        state: State,
        live: Live,
        *,
        account: str,
        region: str,
        keys: Mapping[str, str],
    ) -> None:
        self._operations = operations
        self._state = state
        self._live = live
        self._account = account
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

    async def carry_out(self, work: Callable[[Call], None]) -> None:
        """Runs `work` as a call that changes something, in the region of calls that name none. Raises ApiError."""
        await self._make_network(self._region)
        await self._state.transact(lambda records: work(self._call(self._region, records)))

    async def answer(self, request: Request) -> Answer:
        """The answer to a request, errors included."""
        request_id = str(uuid4())
        route = self._services.route(request, self._region)
        try:
            self._rate.take()
            if self._keys:
                verify(request, self._keys, datetime.now(UTC))
            decoded = decode(route, request)
            return render(route, decoded.operation, await self._perform(decoded), request_id)
        except ApiError as error:
            return render_error(route, error, request_id)
        except OwnedByFileError as error:
            return render_error(route, ApiError("OperationNotPermitted", str(error)), request_id)

    async def _perform(self, decoded: Decoded) -> Result:
        handler = self._operations.get(decoded.service, NOTHING).get(decoded.operation)
        if handler is None:
            raise not_implemented(decoded.service, decoded.operation)
        await self._make_network(decoded.region)
        if decoded.operation.startswith(_READS):
            return self._run(handler, decoded, Transaction(self._state.records))
        return await self._state.transact(lambda records: self._run(handler, decoded, records))

    def _run(self, handler: Handler, decoded: Decoded, records: Transaction) -> Result:
        return handler(self._call(decoded.region, records), decoded.params)

    def _call(self, region: str, records: Transaction) -> Call:
        return Call(region, self._account, datetime.now(UTC), records, self._live, _hex_digits)

    async def _make_network(self, region: str) -> None:
        """Every region has a default VPC from the first call on."""

        def make(records: Transaction) -> None:
            if records.get(Kind.REGION, region) is None:
                records.put(Record(Kind.REGION, region, region, self._account, NOTHING))
                for record in default_network(region, self._account):
                    records.put(record)

        if self._state.records.get(Kind.REGION, region) is None:
            await self._state.transact(make)


def _hex_digits(count: int) -> str:
    return secrets.token_hex((count + 1) // 2)[:count]


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
