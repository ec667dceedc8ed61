"""AWS operations as the lessons call them: the handlers of the public API, without a wire between."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from lb.api.aws import State
from lb.api.call import Call, Live, Operations, Result
from lb.resources.defaults import default_network
from lb.resources.records import NOTHING, Kind, Record, Transaction

Handled = tuple[str, str, Mapping[str, Any]]


class Calls:
    """Calls handlers in one account. What they raise (ApiError, OwnedByFileError) goes to the caller."""

    def __init__(self, operations: Mapping[str, Operations], state: State, live: Live, account: str) -> None:
        self._operations = operations
        self._state = state
        self._live = live
        self._account = account

    async def do(self, service: str, operation: str, region: str, **params: Any) -> Result:
        """Carries out one operation, as the endpoint does."""
        return await self.together(region, lambda call: self.within(call, service, operation, **params))

    async def together(self, region: str, work: Callable[[Call], Result]) -> Result:
        """Carries out several operations, all or none: `work` calls `within`. It may run again, on newer records."""

        def on(records: Transaction) -> Result:
            # As the endpoint: every region has a default VPC from the first call on.
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
