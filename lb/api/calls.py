"""Calls of AWS operations on the state of one account: for the endpoint, and for whoever works as a client would."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar

from lb.api.call import Call, Handler, Live, Operations, Result
from lb.resources.defaults import default_network
from lb.resources.records import NOTHING, Kind, Record, Records, Transaction

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


class Calls:
    """Calls handlers in one account. `operations` is by botocore's name of the service.

    What handlers raise (ApiError, OwnedByFileError) goes to the caller.
    """

    def __init__(self, operations: Mapping[str, Operations], state: State, live: Live, account: str) -> None:
        self._operations = operations
        self._state = state
        self._live = live
        self._account = account

    def handler(self, service: str, operation: str) -> Handler | None:
        """The handler of an operation, None where it is not served."""
        return self._operations.get(service, NOTHING).get(operation)

    async def do(self, service: str, operation: str, region: str, **params: Any) -> Result:
        """Carries out one operation that is served."""
        if not operation.startswith(_READS):
            return await self.together(region, lambda call: self.within(call, service, operation, **params))
        if self._state.records.get(Kind.REGION, region) is None:
            await self.together(region, lambda _: NOTHING)
        return self.read(service, operation, region, **params)

    async def together(self, region: str, work: Callable[[Call], _T]) -> _T:
        """Carries out several operations, all or none: `work` calls `within`. It may run again, on newer records."""

        def on(records: Transaction) -> _T:
            # Every region has a default VPC from the first call on.
            if records.get(Kind.REGION, region) is None:
                records.put(Record(Kind.REGION, region, region, self._account, NOTHING))
                for record in default_network(region, self._account):
                    records.put(record)
            return work(self._call(region, records))

        return await self._state.transact(on)

    def within(self, call: Call, service: str, operation: str, **params: Any) -> Result:
        """One operation within a call that is under way."""
        return self._operations[service][operation](call, params)

    def read(self, service: str, operation: str, region: str, **params: Any) -> Result:
        """What an operation answers that changes nothing."""
        return self.within(self._call(region, Transaction(self._state.records)), service, operation, **params)

    def _call(self, region: str, records: Transaction) -> Call:
        return Call(region, self._account, datetime.now(UTC), records, self._live, _hex_digits)


def _hex_digits(count: int) -> str:
    return secrets.token_hex((count + 1) // 2)[:count]
