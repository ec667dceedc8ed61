"""A listening socket and the listeners that share it."""

import asyncio
import socket
from collections.abc import Sequence

from lb.net.sockets import BACKLOG
from lb.proxy.client import ClientConnection
from lb.proxy.listener import ActiveListener
from lb.proxy.node import Node
from lb.routing.plan import ListenerPlan, unchanged


class Port:
    """Accepts clients. Load balancers that share the port are told apart by their DNS names; the first answers the rest.

    `only` is the listener where nobody shares the port, None otherwise.
    """

    def __init__(self, node: Node, plans: Sequence[ListenerPlan], bound: socket.socket) -> None:
        self.node = node
        self.closed = False
        self.only: ActiveListener | None = None
        self._bound = bound
        self._server: asyncio.Server | None = None
        self._plans: Sequence[ListenerPlan] = ()
        self._listeners: dict[str, ActiveListener] = {}
        self.adopt(plans)

    @property
    def number(self) -> int:
        """The port that is really bound."""
        number: int = self._bound.getsockname()[1]
        return number

    def adopt(self, plans: Sequence[ListenerPlan]) -> None:
        """Takes over plans for the requests to come, one for each listener of the port."""
        if unchanged(self._plans, plans):
            return
        self._plans = plans
        known, self._listeners = self._listeners, {}
        for plan in plans:
            listener = known.get(plan.arn)
            if listener is None:
                listener = ActiveListener(self.node, plan)
            elif listener.plan is not plan:
                listener.adopt(plan)
            self._listeners[plan.arn] = listener
        self.first = next(iter(self._listeners.values()))
        self._by_host = {plan.forwarded.default_host: self._listeners[plan.arn] for plan in reversed(plans)}
        self.only = self.first if len(self._listeners) == 1 else None

    def listener_of(self, host: bytes | None) -> ActiveListener:
        """The listener that a request with this Host header is for."""
        name = (host or b"").rpartition(b":")[0] or host or b""
        return self._by_host.get(name.lower(), self.first)

    async def start(self) -> None:
        """Begins to accept, once."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: ClientConnection(self), sock=self._bound, backlog=BACKLOG)

    def close(self) -> None:
        """Accepts no more; connections end with their current request."""
        self.closed = True
        for client in list(self.node.clients):
            if client.port is self:
                client.retire()
        if self._server is not None:
            self._server.close()
        else:
            self._bound.close()
