"""One node of the balancer: its plan, rosters, pools and connections, and the sweep that keeps time for all of them.

Plans and verdicts of the health checker come in, request records go out; nothing else passes between a node and the
control side.
"""

import asyncio
import logging
import os
import random
from collections.abc import Callable
from email.utils import formatdate
from time import monotonic, time
from typing import TYPE_CHECKING, Final, Protocol

from lb.http.outcomes import Failure
from lb.http.record import ConnectionRecord, RequestRecord
from lb.http.response import ResponseReader
from lb.net.tasks import Tasks
from lb.proxy.entropy import HexSource
from lb.proxy.pool import Pool
from lb.proxy.target import TargetConnection
from lb.routing.plan import Plan, unchanged
from lb.targets.anomaly import DECISION_INTERVAL_S
from lb.targets.health import Health
from lb.targets.roster import Roster, Slot
from lb.targets.sealing import NONCE_BYTES, Sealer

if TYPE_CHECKING:
    from lb.proxy.client import ClientConnection
    from lb.proxy.exchange import Exchange

SWEEP_S: Final = 0.25
_log = logging.getLogger(__name__)


class ConnectionCounts(Protocol):
    """Counts the connections of one load balancer, from clients and to targets."""

    def opened(self) -> None:
        """A connection was made."""

    def closed(self) -> None:
        """A connection that was opened is over."""


class Recorder(Protocol):
    """What a node hands up."""

    record: Callable[[RequestRecord], None]
    record_connection: Callable[[ConnectionRecord], None]

    def connections(self, load_balancer: str) -> ConnectionCounts:
        """Where connections of a load balancer (`app/NAME/ID`) are counted."""
        ...


class Node:
    """Carries traffic according to the plan that was published last.

    `recorder` gets every request that is over, and every connection. `connect_timeout_s` bounds the wait for a connection
    to a target (ALB: 10 s). `cookie_key` protects sticky cookies; nodes that share it honour each other's. `rng` chooses
    among weighted target groups and random targets. `zone` is the node's own.
    """

    def __init__(
        self,
        recorder: Recorder,
        connect_timeout_s: float,
        cookie_key: bytes,
        rng: random.Random,
        zone: str | None = None,
    ) -> None:
        self.record = recorder.record
        self.recorder = recorder
        self.rng = rng
        self.zone = zone
        self.wall_s = time
        self.sealer = Sealer(cookie_key, lambda: os.urandom(NONCE_BYTES))
        self.rosters: dict[str, Roster] = {}
        self._plan = Plan()
        self.pools: dict[Slot, Pool] = {}
        self.clients: set[ClientConnection] = set()
        self.entropy = HexSource()
        self.responses = ResponseReader()
        self._connect_timeout_s = connect_timeout_s
        self._tasks = Tasks()
        self._idle_sweeps = 0.0
        self._decide_at = 0.0
        self._sweeper: asyncio.TimerHandle | None = None
        self._tell_date()

    def start(self) -> None:
        """Begins to sweep; needs a running event loop."""
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def publish(self, plan: Plan) -> None:
        """Takes over a plan. Requests in flight keep the one that they started with."""
        before, self._plan = self._plan, plan
        # The longest timeout of all listeners: how long an idle connection to a target may be of use.
        self._idle_sweeps = max((listener.idle_timeout_s for listener in plan.listeners), default=0) / SWEEP_S
        if not unchanged(before.groups, plan.groups):
            self._match_rosters(before)
            self._match_pools()

    def _match_rosters(self, before: Plan) -> None:
        now = monotonic()
        known = {group.arn: group for group in before.groups}
        for group in self._plan.groups:
            roster = self.rosters.get(group.arn)
            if roster is None:
                roster = self.rosters[group.arn] = Roster(group.arn, self.sealer, self.rng, self.zone)
            if known.get(group.arn) is not group:
                roster.reconcile(group, now)
        for arn in self.rosters.keys() - {group.arn for group in self._plan.groups}:
            del self.rosters[arn]

    def apply_health(self, target_group_arn: str, key: str, health: Health) -> None:
        """A verdict of the health checker."""
        roster = self.rosters.get(target_group_arn)
        if roster is not None:
            roster.apply_health(key, health, monotonic())

    def _match_pools(self) -> None:
        slots = {slot for roster in self.rosters.values() for slot in roster.slots}
        for slot in self.pools.keys() - slots:
            self.pools.pop(slot).close()
        for slot in slots - self.pools.keys():
            self.pools[slot] = Pool(slot.endpoint.address, slot.endpoint.port)

    def connect(self, exchange: "Exchange", pool: Pool) -> None:
        """Opens a connection to a target and gives it to the exchange."""
        self._tasks.spawn(self._connect(exchange, pool), name=f"connect to {pool.address}:{pool.port}")

    async def _connect(self, exchange: "Exchange", pool: Pool) -> None:
        if pool.address is None:
            exchange.fail(Failure.REFUSED)
            return
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                if exchange.slot is not None and exchange.slot.endpoint.target.blocked:
                    # As packets that a security group drops.
                    await asyncio.Event().wait()
                _, connection = await loop.create_connection(
                    lambda: TargetConnection(pool, exchange.client.listener.connections), pool.address, pool.port
                )
        except TimeoutError:
            exchange.fail(Failure.CONNECT_TIMEOUT)
        except OSError:
            exchange.fail(Failure.REFUSED)
        else:
            if exchange.over:
                connection.release()
            elif connection.lost:
                exchange.fail(Failure.TARGET_CLOSED)
            else:
                exchange.connected(connection)

    def _sweep(self) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)
        self._tell_date()
        for client in list(self.clients):
            client.tick()
        for pool in self.pools.values():
            pool.tick(self._idle_sweeps)
        now = monotonic()
        if now >= self._decide_at:
            self._decide_at = now + DECISION_INTERVAL_S
            for roster in self.rosters.values():
                roster.decide_anomalies(now)
        over = {slot for roster in self.rosters.values() for slot in roster.expired(now)}
        if over:
            for client in list(self.clients):
                if client.exchange is not None and client.exchange.slot in over:
                    client.exchange.fail(Failure.DEREGISTERED)
            self._match_pools()

    def _tell_date(self) -> None:
        self.date = formatdate(time(), usegmt=True).encode()
        self.date_line = b"\r\nDate: " + self.date

    async def close(self, grace_s: float) -> None:
        """Lets requests in flight end for `grace_s` seconds, then cuts them."""
        for client in list(self.clients):
            client.retire()
        deadline = monotonic() + grace_s
        # Looking is cheaper than an event that every request would have to set.
        while any(client.exchange is not None for client in self.clients) and monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for client in list(self.clients):
            if client.exchange is not None:
                client.exchange.fail(Failure.DEREGISTERED)
        # One turn of the loop for the answers to leave; who does not take them now is not waited for.
        await asyncio.sleep(0)
        for client in list(self.clients):
            client.let_go()
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._tasks.close()
        for pool in self.pools.values():
            pool.close()
        self.rosters.clear()
        self._match_pools()
        await asyncio.sleep(0)
