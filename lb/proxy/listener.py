"""A listening socket and the plan of its listener."""

import asyncio
import socket

from lb.net.sockets import BACKLOG
from lb.proxy.client import ClientConnection
from lb.proxy.node import SWEEP_S, Node
from lb.routing.plan import ListenerPlan


class ListenerSocket:
    """Accepts clients of one listener. `plan` is swapped whole when the configuration changes."""

    def __init__(self, node: Node, plan: ListenerPlan, bound: socket.socket) -> None:
        self.node = node
        self.closed = False
        self._bound = bound
        self._server: asyncio.Server | None = None
        self.adopt(plan)

    def adopt(self, plan: ListenerPlan) -> None:
        """Takes over a plan for the requests to come."""
        self.plan = plan
        self.idle_sweeps = plan.idle_timeout_s / SWEEP_S

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
            if client.listener is self:
                client.retire()
        if self._server is not None:
            self._server.close()
        else:
            self._bound.close()
