"""The listening sockets of a node, matched to the listeners of its plan."""

import socket
from collections.abc import Container
from dataclasses import dataclass, field

from lb.net.sockets import PortTakenError, bind
from lb.proxy.node import Node
from lb.proxy.port import Port
from lb.routing.plan import ListenerPlan, Plan

# Where a port below 1024 goes when only root may have it.
_MOVED_BY = 8000
_PRIVILEGED = 1024


@dataclass(frozen=True, slots=True)
class Prepared:
    """Sockets bound for the ports of a plan that had none, and why others have none still."""

    plan: Plan
    bound: dict[int, socket.socket] = field(default_factory=dict)
    failed: dict[int, PortTakenError] = field(default_factory=dict)

    def abandon(self) -> None:
        """Gives the ports back."""
        for each in self.bound.values():
            each.close()


class Ports:
    """Two steps, so that a plan is carried out whole or not at all: `prepare` may fail, `commit` may not."""

    def __init__(self, node: Node, host: str) -> None:
        self._node = node
        self._host = host
        self._open: dict[int, Port] = {}
        self._failed: dict[int, PortTakenError] = {}

    def prepare(self, plan: Plan, optional: Container[str] = ()) -> Prepared:
        """Binds the ports that are new. Raises PortTakenError, and then holds none of them.

        A port that only listeners with their ARN in `optional` want may stay closed; `failure` tells why.
        """
        prepared = Prepared(plan)
        for listener in plan.listeners:
            port = listener.port
            if port in self._open or port in prepared.bound:
                continue
            try:
                prepared.bound[port] = self._bind(port)
            except PortTakenError as error:
                if listener.arn not in optional:
                    prepared.abandon()
                    raise
                prepared.failed[port] = error
        return prepared

    def _bind(self, port: int) -> socket.socket:
        try:
            return bind(self._host, port)
        except PortTakenError as error:
            if not (0 < port < _PRIVILEGED and isinstance(error.__cause__, PermissionError)):
                raise
        return bind(self._host, port + _MOVED_BY)

    def commit(self, prepared: Prepared) -> None:
        """Publishes the plan to the node, hands each socket its listeners, and closes those that are left over."""
        wanted: dict[int, list[ListenerPlan]] = {}
        for listener in prepared.plan.listeners:
            wanted.setdefault(listener.port, []).append(listener)
        self._failed = prepared.failed
        self._node.publish(prepared.plan)
        for number, plans in wanted.items():
            if (port := self._open.get(number)) is not None:
                port.adopt(plans)
            elif (bound := prepared.bound.get(number)) is not None:
                self._open[number] = Port(self._node, plans, bound)
        for number in self._open.keys() - wanted.keys():
            self._open.pop(number).close()

    def on(self, port: int) -> Port:
        """The socket of a listener's port. Raises KeyError."""
        return self._open[port]

    def bound_port(self, port: int) -> int | None:
        """The port that is bound for a listener's: the same, 8000 more where only root may have it, None for none."""
        opened = self._open.get(port)
        return opened.number if opened is not None else None

    def failure(self, port: int) -> str | None:
        """Why a listener's port is not bound."""
        error = self._failed.get(port)
        return str(error) if error is not None else None

    async def start(self) -> None:
        """Begins to accept on the sockets that are new."""
        for each in list(self._open.values()):
            await each.start()

    def close(self) -> None:
        """Accepts no more clients."""
        for each in self._open.values():
            each.close()
        self._open.clear()
