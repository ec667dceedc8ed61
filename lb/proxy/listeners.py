"""The listening sockets of a node, matched to the listeners of its plan."""

import socket
from dataclasses import dataclass

from lb.net.sockets import PortTakenError, bind
from lb.proxy.listener import ListenerSocket
from lb.proxy.node import Node
from lb.routing.plan import ListenerPlan, Plan


@dataclass(frozen=True, slots=True)
class Prepared:
    """Sockets bound for the listeners of a plan that had none."""

    plan: Plan
    bound: dict[int, socket.socket]

    def abandon(self) -> None:
        """Gives the ports back."""
        for each in self.bound.values():
            each.close()


class Listeners:
    """Two steps, so that a plan is carried out whole or not at all: `prepare` may fail, `commit` may not."""

    def __init__(self, node: Node, host: str) -> None:
        self._node = node
        self._host = host
        self._open: dict[int, ListenerSocket] = {}

    def prepare(self, plan: Plan) -> Prepared:
        """Binds the ports that are new. Raises PortTakenError, and then holds none of them."""
        prepared = Prepared(plan, {})
        for listener in plan.listeners:
            if listener.port not in self._open:
                try:
                    prepared.bound[listener.port] = bind(self._host, listener.port)
                except PortTakenError:
                    prepared.abandon()
                    raise
        return prepared

    def commit(self, prepared: Prepared) -> None:
        """Publishes the plan to the node, hands each socket its listener, and closes those that are left over."""
        wanted = {listener.port: listener for listener in prepared.plan.listeners}
        self._node.publish(prepared.plan)
        for port, listener in wanted.items():
            self._adopt(port, listener, prepared.bound)
        for port in self._open.keys() - wanted.keys():
            self._open.pop(port).close()

    def on(self, port: int) -> ListenerSocket:
        """The listener of a port. Raises KeyError."""
        return self._open[port]

    async def start(self) -> None:
        """Begins to accept on the sockets that are new."""
        for each in list(self._open.values()):
            await each.start()

    def _adopt(self, port: int, plan: ListenerPlan, bound: dict[int, socket.socket]) -> None:
        if port in self._open:
            self._open[port].adopt(plan)
        else:
            self._open[port] = ListenerSocket(self._node, plan, bound[port])

    def close(self) -> None:
        """Accepts no more clients."""
        for each in self._open.values():
            each.close()
        self._open.clear()
