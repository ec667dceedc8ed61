"""The shell around the metrics: takes finished requests in batches, samples once a second, and answers questions.

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

# So many requests are counted at a stretch: half a millisecond, and nothing more ever waits.
_AT_A_STRETCH: Final = 512
_TICK_S: Final = 1.0
_SHORTEST_TICK_S: Final = 0.001
_MINUTE_S: Final = 60


class NodeMetrics:
    """What one node in `zone` hands up. Made by `Metrics.node`."""

    __slots__ = ("_connections", "_metrics", "_waiting", "zone")

    def __init__(self, metrics: "Metrics", zone: str) -> None:
        self.zone = zone
        self._metrics = metrics
        self._waiting: list[Finished] = []
        self._connections: dict[str, ConnectionCounts] = {}

    def record(self, record: Finished) -> None:
        """Takes a finished request."""
        waiting = self._waiting
        waiting.append(record)
        if len(waiting) >= _AT_A_STRETCH:
            self.flush()

    def connections(self, load_balancer: str) -> ConnectionCounts:
        """Where the connections of a load balancer (`app/NAME/ID`) are counted; always the same object."""
        counts = self._connections.get(load_balancer)
        if counts is None:
            counts = self._connections[load_balancer] = ConnectionCounts()
        return counts

    def flush(self) -> None:
        """Counts what waits."""
        batch, self._waiting = self._waiting, []
        store, minute = self._metrics.store, self._metrics.minute
        if batch:
            store.add_requests(batch, self.zone, minute)
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

    def node(self, zone: str = "") -> NodeMetrics:
        """The way in for one node; without zones, its zone is empty."""
        node = NodeMetrics(self, zone)
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
