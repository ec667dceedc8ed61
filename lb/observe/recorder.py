"""Where everything goes that a node and the health checker tell: logs, metrics and the requests that ended last.

Who tells pays one append. The rest is done in batches between requests, and a thread writes the files:

    data_dir/logs/access.log, connection.log, health_check.log     live, rotated
    data_dir/s3/BUCKET/[PREFIX/]AWSLogs/...                         as ELB delivers them, for load balancers that want it
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lb.http.record import ConnectionRecord, RequestRecord
from lb.model.config import Config
from lb.observe import connection_log, health_check_log
from lb.observe.entry import EntryFormatter
from lb.observe.live_file import LiveFile
from lb.observe.log import Log
from lb.observe.log_files import LogFiles, LogKind
from lb.observe.log_settings import Delivery, deliveries, load_balancers_of_groups
from lb.observe.metrics.collector import Metrics
from lb.observe.metrics.store import ConnectionCounts
from lb.observe.recent import Recent
from lb.observe.rotating_file import RotatingFile
from lb.routing.plan import Endpoint
from lb.targets.health import ProbeResult

_TICK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Probe:
    target_group_arn: str
    target: str
    result: ProbeResult


class Recorder:
    """The recorder of one node, in `zone`. `node_ip` goes into names of delivered log files.

    `record` takes a finished request, `record_connection` a client's connection that was made. Of each live log `keep`
    older files of about `max_bytes` each are kept. Raises OSError where one cannot be opened.
    """

    def __init__(
        self,
        data_dir: Path,
        metrics: Metrics,
        *,
        zone: str = "",
        node_ip: str = "127.0.0.1",
        max_bytes: int = 64 * 1024 * 1024,
        keep: int = 5,
    ) -> None:
        self._data_dir = data_dir
        self._node_ip = node_ip
        self._groups: Mapping[str, str] = {}
        self._delivered: dict[Delivery, LogFiles] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._recent = Recent()
        self._watchers: list[Callable[[list[RequestRecord]], None]] = []
        self._metrics = metrics.node(zone, self.catch_up)
        self._writer = writer = ThreadPoolExecutor(1, thread_name_prefix="logs")
        with ExitStack() as opened:
            access, connection, health_check = (
                opened.enter_context(
                    closing(RotatingFile(data_dir / "logs" / f"{name}.log", max_bytes=max_bytes, keep=keep))
                )
                for name in ("access", "connection", "health_check")
            )
            opened.pop_all()
        self._requests: Log[RequestRecord] = Log(
            LiveFile(access, "access log", writer), EntryFormatter().format, _balancer_of_request, self._see
        )
        self._connections: Log[ConnectionRecord] = Log(
            LiveFile(connection, "connection log", writer), connection_log.format_plain, _balancer_of_connection
        )
        self._probes: Log[_Probe] = Log(
            LiveFile(health_check, "health check log", writer), _probe_entry, self._balancer_of_probe
        )
        self._logs: dict[LogKind, Log[Any]] = {
            LogKind.ACCESS: self._requests,
            LogKind.CONNECTION: self._connections,
            LogKind.HEALTH_CHECK: self._probes,
        }
        self.record: Callable[[RequestRecord], None] = self._requests.record
        self.record_connection: Callable[[ConnectionRecord], None] = self._connections.record

    def record_probe(self, target_group_arn: str, endpoint: Endpoint, result: ProbeResult) -> None:
        """Takes the result of a health check."""
        self._probes.record(_Probe(target_group_arn, endpoint.key, result))

    def connections(self, load_balancer: str) -> ConnectionCounts:
        """Where connections of a load balancer (`app/NAME/ID`) are counted; always the same object."""
        return self._metrics.connections(load_balancer)

    def configure(self, config: Config) -> None:
        """Delivers the logs that this configuration wants, from now on; needs a running event loop."""
        self._groups = load_balancers_of_groups(config)
        wanted = set(deliveries(config, self._node_ip))
        for delivery in self._delivered.keys() - wanted:
            del self._logs[delivery.source.kind].delivered[delivery.source.load_balancer]
            self._delivered.pop(delivery).close()
        for delivery in wanted - self._delivered.keys():
            files = LogFiles(self._data_dir / "s3" / delivery.bucket, delivery.source, self._writer)
            files.start()
            self._delivered[delivery] = files
            self._logs[delivery.source.kind].delivered[delivery.source.load_balancer] = files

    def start(self) -> None:
        """Begins to write; needs a running event loop."""
        self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._run)

    def _run(self) -> None:
        more = False
        try:
            for log in self._logs.values():
                more = log.work() or more
        finally:
            self._timer = asyncio.get_running_loop().call_later(0 if more else _TICK_S, self._run)

    def _see(self, batch: list[RequestRecord]) -> None:
        self._metrics.count(batch)
        self._recent.add(batch)
        for see in self._watchers:
            see(batch)

    def watch(self, see: Callable[[list[RequestRecord]], None]) -> None:
        """Shows every finished request to `see` from now on: each once and in order, in batches between requests."""
        self._watchers.append(see)

    def unwatch(self, see: Callable[[list[RequestRecord]], None]) -> None:
        """Shows it no more. Raises ValueError where it is not shown any."""
        self._watchers.remove(see)

    def catch_up(self) -> None:
        """Counts every request that is over: metrics are right up to this moment."""
        self._requests.see_all()

    def find(self, trace_id: str) -> list[RequestRecord]:
        """`Recent.find`, up to this moment."""
        self.catch_up()
        return self._recent.find(trace_id)

    def last(self, limit: int, wanted: Callable[[RequestRecord], bool]) -> list[RequestRecord]:
        """`Recent.last`, up to this moment."""
        self.catch_up()
        return self._recent.last(limit, wanted)

    async def close(self) -> None:
        """Writes what waits and completes all files."""
        if self._timer is not None:
            self._timer.cancel()
        async with AsyncExitStack() as last_first:
            last_first.callback(self._writer.shutdown)
            for files in self._delivered.values():
                last_first.push_async_callback(files.close)
            for log in self._logs.values():
                last_first.push_async_callback(log.close)

    def _balancer_of_probe(self, probe: _Probe) -> str:
        return self._groups.get(probe.target_group_arn, "")


def _balancer_of_request(record: RequestRecord) -> str:
    return record.origin.load_balancer


def _balancer_of_connection(record: ConnectionRecord) -> str:
    return record.origin.load_balancer


def _probe_entry(probe: _Probe) -> str:
    return health_check_log.format_entry(probe.result, probe.target, probe.target_group_arn.split("/")[-2])
