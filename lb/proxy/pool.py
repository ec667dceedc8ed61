"""Idle connections to one target, most recently used first."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lb.proxy.target import TargetConnection


class Pool:
    """Connections of one target that wait for a request, and all that are open.

    A connection that the target closes leaves the pool by itself (`lost`), so what `take` hands out was open when the
    event loop last looked.
    """

    __slots__ = ("address", "closed", "idle", "port")

    def __init__(self, address: str | None, port: int) -> None:
        self.address = address
        self.port = port
        self.idle: list[TargetConnection] = []
        self.closed = False

    def take(self) -> "TargetConnection | None":
        """An idle connection, no longer in the pool; None where there is none."""
        return self.idle.pop() if self.idle else None

    def put(self, connection: "TargetConnection") -> None:
        """Gives a connection back for the next request."""
        if self.closed:
            connection.close()
        else:
            connection.quiet = 0
            self.idle.append(connection)

    def lost(self, connection: "TargetConnection") -> None:
        """The target closed an idle connection."""
        if connection in self.idle:
            self.idle.remove(connection)

    def tick(self, limit: float) -> None:
        """One sweep: closes what has been idle for more than `limit` sweeps."""
        stale = []
        for connection in self.idle:
            connection.quiet += 1
            if connection.quiet > limit:
                stale.append(connection)
        for connection in stale:
            self.idle.remove(connection)
            connection.close()

    def close(self) -> None:
        """Closes the idle connections, and each other one when it comes back."""
        self.closed = True
        for connection in self.idle:
            connection.close()
        self.idle.clear()
