"""The shell around the metrics: counts finished requests in batches, samples once a second, and answers questions.

Its clock is the wall clock, for minutes are those of the calendar.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import time
from typing import Final

from lb.observe.metrics import prometheus, query
from lb.observe.metrics.hosts import HostCounts
from lb.observe.metrics.query import Datapoint, ListedMetric
from lb.observe.metrics.store import ConnectionCounts, MetricStore
from lb.observe.metrics.tally import Finished

_TICK_S: Final = 1.0
_SHORTEST_TICK_S: Final = 0.001
_MINUTE_S: Final = 60


class NodeMetrics:
    """What one node in `zone` hands up. Made by `Metrics.node`."""

    __slots__ = ("_catch_up", "_connections", "_metrics", "zone")

    def __init__(self, metrics: "Metrics", zone: str, catch_up: Callable[[], None]) -> None:
        self.zone = zone
        self._metrics = metrics
        self._catch_up = catch_up
        self._connections: dict[str, ConnectionCounts] = {}

    def count(self, batch: Iterable[Finished]) -> None:
        """Counts finished requests, in the minute of the last tick."""
        self._metrics.store.add_requests(batch, self.zone, self._metrics.minute)

    def connections(self, load_balancer: str) -> ConnectionCounts:
        """Where the connections of a load balancer (`app/NAME/ID`) are counted; always the same object."""
        counts = self._connections.get(load_balancer)
        if counts is None:
            counts = self._connections[load_balancer] = ConnectionCounts()
        return counts

    def flush(self) -> None:
        """Counts all that has happened so far."""
        self._catch_up()
        store, minute = self._metrics.store, self._metrics.minute
        for load_balancer, counts in self._connections.items():
            store.add_connections(load_balancer, self.zone, counts, minute)


class Metrics:
    """All metrics of a process. `hosts` tells the number of targets by state, and is asked once a second."""

    def __init__(self, hosts: Callable[[], Iterable[HostCounts]], clock: Callable[[], float] = time) -> None:
        self.store = MetricStore()
        self._hosts = hosts
        self._clock = clock
        self._nodes: list[NodeMetrics] = []
        self._timer: asyncio.TimerHandle | None = None
        self.minute = int(clock() // _MINUTE_S)
        """What is counted now belongs to this minute since the epoch."""

    def node(self, zone: str, catch_up: Callable[[], None]) -> NodeMetrics:
        """The way in for one node; without zones, its zone is empty.

        `catch_up` is called before numbers are read and before a minute ends: it calls `count` with all requests that are
        over by then.
        """
        node = NodeMetrics(self, zone, catch_up)
        self._nodes.append(node)
        return node

    def start(self) -> None:
        """Begins to tick; needs a running event loop."""
        self._timer = asyncio.get_running_loop().call_later(self._next_tick_s(), self._run)

    def _run(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._next_tick_s(), self._run)
        self.tick()

    def _next_tick_s(self) -> float:
        """No tick spans the end of a minute, so what waits at a tick belongs to the minute before it."""
        return max(_SHORTEST_TICK_S, min(_TICK_S, _MINUTE_S - self._clock() % _MINUTE_S))

    def tick(self) -> None:
        """Counts what waits, and samples the targets."""
        self._flush()
        self.minute = int(self._clock() // _MINUTE_S)
        self.store.add_hosts(self._hosts(), self.minute)

    def _flush(self) -> None:
        for node in self._nodes:
            node.flush()

    def get_statistics(
        self,
        name: str,
        dimensions: Mapping[str, str],
        start_s: float,
        end_s: float,
        period_s: int,
        statistics: Sequence[str],
    ) -> list[Datapoint]:
        """`query.get_statistics`, up to this moment."""
        self._flush()
        return query.get_statistics(self.store, name, dimensions, start_s, end_s, period_s, statistics)

    def list_metrics(self) -> list[ListedMetric]:
        """`query.list_metrics`, up to this moment."""
        self._flush()
        return query.list_metrics(self.store)

    def prometheus(self) -> str:
        """The text of `/metrics` (content type: `prometheus.CONTENT_TYPE`), up to this moment."""
        self._flush()
        return prometheus.render(self.store)

    def close(self) -> None:
        """Stops ticking."""
        if self._timer is not None:
            self._timer.cancel()
        self._flush()
