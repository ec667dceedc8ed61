"""The test bench of one run: its directory, its two origin servers, and the peers in front of them."""

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.origins import start_origins
from bench.peers import Peer, Site
from bench.pinning import Pinning
from bench.processes import Processes, Started, free_ports

_LOG_LIMIT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """A started peer: where it listens (`spare_port`: its API, where it has one), its directory, and its configuration."""

    name: str
    port: int
    spare_port: int
    started: Started
    directory: Path
    config: str

    @property
    def pid(self) -> int:
        """The id of its (first) process."""
        return self.started.pid

    def access_log_bytes(self) -> int:
        """Return how much access log it has written so far (0: none yet)."""
        return sum(path.stat().st_size for path in self._access_logs())

    def trim_access_log(self) -> None:
        """Empty a large access log: a run writes gigabytes otherwise, and its write-back would disturb the next peer."""
        for path in self._access_logs():
            if path.stat().st_size > _LOG_LIMIT_BYTES:
                # Every peer appends (O_APPEND), so it goes on at the new end.
                with path.open("r+b") as log:
                    log.truncate(0)

    def _access_logs(self) -> list[Path]:
        return [path for path in self.directory.rglob("*access*") if path.is_file()]


class Rig:
    """Origin servers that live as long as the `with` block, and peers that can be started before them."""

    def __init__(self, pinning: Pinning, body_sizes: Iterable[int]) -> None:
        self.pinning = pinning
        self._body_sizes = tuple(body_sizes)
        self._open = ExitStack()
        self._processes = Processes()
        self._starts = 0
        self.directory = Path()
        self.origin_ports: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lb-bench-")))
            stack.enter_context(self._processes)
            self.origin_ports = start_origins(
                self._processes, self.directory, cores=self.pinning.load, body_sizes=self._body_sizes
            )
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def start(self, peer: Peer) -> RunningPeer:
        """Start `peer` before the origin servers and wait until it accepts. Raises StartError, CommandError."""
        self._starts += 1
        directory = self.directory / f"{peer.name}-{self._starts}"
        directory.mkdir()
        port, spare = free_ports(2)
        launch = peer.prepare(Site(port, spare, self.origin_ports, directory))
        started = self._processes.start(
            peer.name,
            launch.argv,
            cores=self.pinning.proxy,
            directory=directory,
            output=launch.output,
            environment=launch.environment,
        )
        try:
            self._processes.wait_until_listening(started, port, limit_s=launch.start_limit_s)
        except BaseException:
            self._processes.stop(started)
            raise
        return RunningPeer(peer.name, port, spare, started, directory, launch.config)

    def stop(self, running: RunningPeer) -> None:
        """Stop a peer before the end of the run."""
        self._processes.stop(running.started)
