"""The requests that ended last, for questions about one of them. Pure."""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from lb.http.record import RequestRecord

MOST: Final = 1_000
MOST_BYTES: Final = 4 * 1024 * 1024


class Recent:
    """Keeps at most `most` records, and fewer where the heads of the requests are large: at most `most_bytes` of them."""

    __slots__ = ("_bytes", "_most", "_most_bytes", "_records")

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._records: deque[RequestRecord] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, batch: Iterable[RequestRecord]) -> None:
        """Takes finished requests, in the order in which they ended."""
        records = self._records
        size = self._bytes
        for record in batch:
            records.append(record)
            if record.head is not None:
                size += record.head.size
        while len(records) > self._most or size > self._most_bytes:
            oldest = records.popleft()
            if oldest.head is not None:
                size -= oldest.head.size
        self._bytes = size

    def find(self, text: str) -> list[RequestRecord]:
        """The requests with this id, the last one first.

        It may be a whole X-Amzn-Trace-Id value, its `Root` or `Self` with or without that name, or a connection's
        `TID_...`; in quotes too, as access logs have it. A client that sends a Root of its own may have sent it many times.
        """
        wanted = text.strip("\"' \t\r\n").encode()
        parts = (wanted, b"Root=" + wanted, b"Self=" + wanted)
        return [
            record
            for record in reversed(self._records)
            if record.connection_id.encode() == wanted or _names(record.trace_id, parts)
        ]

    def last(self, limit: int, wanted: Callable[[RequestRecord], bool]) -> list[RequestRecord]:
        """At most `limit` of the requests that are wanted, the last one first."""
        return list(islice(filter(wanted, reversed(self._records)), limit))


def _names(trace_id: bytes, parts: tuple[bytes, ...]) -> bool:
    # Most records hold none of it: looking for the bytes first spares them the split.
    if not trace_id or parts[0] not in trace_id:
        return False
    return trace_id == parts[0] or not {*parts}.isdisjoint(trace_id.split(b";"))
