"""Idle connections to one target, most recently used first."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lb.proxy.target import TargetConnection

NEVER_IDLE: Final = -1
"""`TargetConnection.quiet` of a connection that has not been in a pool."""


class Pool:
    """Connections of one target that wait for a request, and all that are open.

    A connection that the target closes leaves the pool by itself (`lost`), so what `take` hands out was open when the
    event loop last looked.
    """

    __slots__ = ("address", "closed", "idle", "leaving", "port")

    def __init__(self, address: str | None, port: int) -> None:
        self.address = address
        self.port = port
        self.idle: list[TargetConnection] = []
        self.leaving: list[TargetConnection] = []
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

    def leave(self, connection: "TargetConnection") -> None:
        """A connection that serves no more requests, and closes once what waits in it is sent."""
        connection.quiet = 0
        self.leaving.append(connection)
        connection.close()

    def lost(self, connection: "TargetConnection") -> None:
        """A connection that no exchange holds is closed."""
        for waiting in (self.idle, self.leaving):
            if connection in waiting:
                waiting.remove(connection)

    def tick(self, limit: float) -> None:
        """One sweep: closes what has been idle, and gives up what has been leaving, for more than `limit` sweeps."""
        stale = []
        for connection in self.idle:
            connection.quiet += 1
            if connection.quiet > limit:
                stale.append(connection)
        for connection in stale:
            self.idle.remove(connection)
            connection.close()
        for connection in list(self.leaving):
            connection.quiet += 1
            if connection.quiet > limit:
                self.leaving.remove(connection)
                connection.transport.abort()

    def close(self) -> None:
        """Closes the idle connections, and each other one when it comes back."""
        self.closed = True
        for connection in self.idle:
            connection.close()
        self.idle.clear()
        for connection in self.leaving:
            connection.transport.abort()
        self.leaving.clear()
