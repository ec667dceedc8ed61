"""One connection to a target: hands its bytes to the exchange that holds it."""

import asyncio
from typing import TYPE_CHECKING, cast

from lb.proxy.pool import NEVER_IDLE, Pool

if TYPE_CHECKING:
    from lb.proxy.exchange import Exchange
    from lb.proxy.node import ConnectionCounts


class TargetConnection(asyncio.Protocol):
    """A connection of `pool`, idle there or serving one exchange at a time."""

    __slots__ = ("_counts", "_paused", "exchange", "lost", "pool", "quiet", "transport")

    transport: asyncio.Transport

    def __init__(self, pool: Pool, counts: "ConnectionCounts") -> None:
        self.pool = pool
        self._counts = counts
        self.exchange: Exchange | None = None
        self.lost = False
        self._paused = False
        self.quiet = NEVER_IDLE  # sweeps for which it was idle the last time

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        self.transport = cast("asyncio.Transport", transport)
        self._counts.opened()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes from the target."""
        if self.exchange is not None:
            self.exchange.target_data(data)
        else:
            # Bytes that nobody asked for would be taken for the answer to the next request.
            self.pool.lost(self)
            self.transport.abort()

    def eof_received(self) -> None:
        """asyncio: the target will send no more; the transport closes by itself."""
        self._gone(clean=True)

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio: closed."""
        self._counts.closed()
        self.pool.lost(self)
        self._gone(clean=error is None)

    def _gone(self, *, clean: bool) -> None:
        if self.lost:
            return
        self.lost = True
        exchange = self.exchange
        if exchange is None:
            self.pool.lost(self)
        else:
            exchange.target_closed(clean=clean)

    def pause_writing(self) -> None:
        """asyncio: the target takes the body more slowly than the client sends it."""
        if self.exchange is not None:
            self.exchange.client.pause_reading()

    def resume_writing(self) -> None:
        """asyncio: the target has caught up."""
        if self.exchange is not None:
            self.exchange.client.resume_reading()

    def pause_reading(self) -> None:
        """Stops reading the answer: the client is behind."""
        if not self._paused and not self.lost:
            self._paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Reads on."""
        if self._paused and not self.lost:
            self._paused = False
            self.transport.resume_reading()

    def release(self) -> None:
        """The exchange is over, and the connection may serve another."""
        self.exchange = None
        if not self.lost:
            if self._paused:
                self.resume_reading()
            self.pool.put(self)

    def drop(self) -> None:
        """The exchange is over, and what the target still sends belongs to nobody."""
        self.exchange = None
        self.lost = True
        self.transport.abort()

    def close(self) -> None:
        """Closes once everything is sent."""
        self.exchange = None
        self.lost = True
        self.transport.close()
