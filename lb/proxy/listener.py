"""A listening socket and the plan of its listener."""

import asyncio
import socket

from lb.http.head import without
from lb.net.sockets import BACKLOG
from lb.proxy.client import ClientConnection
from lb.proxy.node import SWEEP_S, Node
from lb.routing.plan import ListenerPlan
from lb.routing.weights import GroupChoice
from lb.targets.groups import GroupPicker


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
        # Only actions with a choice to make: a single group needs no dice and no cookie.
        self.pickers = {
            rule.action: GroupPicker(rule.action, plan.load_balancer_arn, self.node.sealer)
            for rule in (*plan.rules.rules, plan.rules.default)
            if isinstance(rule.action, GroupChoice) and (len(rule.action.groups) > 1 or rule.action.stickiness_s)
        }
        self.connections = self.node.recorder.connections(plan.origin.load_balancer)
        self._set_headers = b"".join(b"\r\n%b: %b" % header for header in plan.response_headers)
        self._set_names = frozenset(name.lower() for name, _ in plan.response_headers)

    def with_set_headers(self, rest: bytes) -> bytes:
        """The headers of a target's answer with those that the listener's attributes set on every answer."""
        return without(rest, self._set_names) + self._set_headers if self._set_headers else rest

    def own_answer(self, answer: bytes) -> bytes:
        """An answer of the balancer's own, likewise."""
        if not self._set_headers:
            return answer
        head, blank, body = answer.partition(b"\r\n\r\n")
        return head + self._set_headers + blank + body

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
