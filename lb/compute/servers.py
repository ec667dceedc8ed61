"""Starts, stops and watches embedded web servers, each a process of its own (`lb.compute.webserver`).

Nothing is left behind: `close` ends every process, and should this process be killed, the pipes to its servers close
and they end themselves.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lb.compute.faults import Fault, FaultSetting
from lb.compute.firewall import FirewallSetting
from lb.compute.webserver import FAILED, READY, START_FAILED
from lb.compute.website import server_name

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
FAULT_TIMEOUT_S = 5.0


class ServerState(StrEnum):
    """`stopped`: not started yet, or stopped on request. `exited`: ended otherwise - crashed or killed."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """Which server, where it listens, and its document root, None for the front page alone."""

    number: int
    port: int
    host: str = "127.0.0.1"
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server now. `pid` while it runs; `exit_code` after it ended, negative for the signal that ended it.

    `fault` is what is wrong with it on purpose, `fault_ms` its duration, None for a fault without one.
    """

    number: int
    name: str
    host: str
    port: int
    state: ServerState
    pid: int | None
    exit_code: int | None
    fault: Fault = Fault.NONE
    fault_ms: int | None = None


class ServerError(Exception):
    """What was asked cannot be done; the text is one line for a user, `code` a word for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


UNKNOWN_SERVER = "unknown-server"
ALREADY_RUNNING = "already-running"
NOT_RUNNING = "not-running"
CLOSED = "closed"


@dataclass(slots=True)
class _Server:
    """A server and, once started, its process. `lock` keeps start, stop and kill of one server apart."""

    spec: ServerSpec
    process: asyncio.subprocess.Process | None = None
    ready: bool = False
    was_stopped: bool = True
    setting: FaultSetting = field(default_factory=FaultSetting)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> str:
        return server_name(self.spec.number)

    @property
    def alive(self) -> asyncio.subprocess.Process | None:
        """The process while it runs; asyncio learns of its end by itself."""
        return self.process if self.process and self.process.returncode is None else None

    def status(self) -> ServerStatus:
        if self.alive:
            state = ServerState.RUNNING if self.ready else ServerState.STARTING
        else:
            state = ServerState.STOPPED if self.was_stopped else ServerState.EXITED
        # A fault ends with the process.
        setting = self.setting if self.alive else FaultSetting()
        return ServerStatus(
            number=self.spec.number,
            name=self.name,
            host=self.spec.host,
            port=self.spec.port,
            state=state,
            pid=self.alive.pid if self.alive else None,
            exit_code=self.process.returncode if self.process else None,
            fault=setting.fault,
            fault_ms=setting.ms,
        )


class EmbeddedServers:
    """The web servers of this process. Use it within one event loop; end with `close`."""

    def __init__(self, specs: Iterable[ServerSpec]) -> None:
        self._servers = {spec.number: _Server(spec) for spec in specs}
        self._closed = False

    def list(self) -> tuple[ServerStatus, ...]:
        """Every server, by number."""
        return tuple(self._servers[number].status() for number in sorted(self._servers))

    def add(self, spec: ServerSpec) -> None:
        """One more server, not started yet; its number must be new."""
        self._servers[spec.number] = _Server(spec)

    async def remove(self, number: int) -> None:
        """Ends a server, if it runs, and forgets it."""
        server = self._find(number)
        async with server.lock:
            await self._end(server)
        self._servers.pop(number, None)

    async def start_all(self, on_started: Callable[[ServerStatus], None] | None = None) -> tuple[ServerStatus, ...]:
        """Starts all servers side by side and returns when each takes requests; `on_started` hears of each.

        Raises the first ServerError; the servers that did start are then stopped again.
        """

        async def start(number: int) -> None:
            status = await self.start(number)
            if on_started:
                on_started(status)

        results = await asyncio.gather(*map(start, sorted(self._servers)), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            await asyncio.gather(*(self._end(server) for server in self._servers.values()))
            raise errors[0]
        return self.list()

    async def start(self, number: int) -> ServerStatus:
        """Starts a stopped or exited server and returns when it takes requests.

        Raises ServerError: unknown number, already running, port taken, or not ready within `START_TIMEOUT_S`.
        """
        server = self._find(number)
        async with server.lock:
            if self._closed:
                raise ServerError(CLOSED, f"{server.name} cannot start: the balancer is ending")
            if server.alive:
                raise ServerError(
                    ALREADY_RUNNING,
                    f"{server.name} is already running on port {server.spec.port} (pid {server.alive.pid})",
                )
            await self._spawn(server)
            return server.status()

    async def stop(self, number: int) -> ServerStatus:
        """SIGTERM: the server finishes what it is doing; SIGKILL after `STOP_TIMEOUT_S`. Raises ServerError."""
        server = self._find(number)
        async with server.lock:
            self._require_alive(server)
            await self._end(server)
            return server.status()

    async def kill(self, number: int) -> ServerStatus:
        """SIGKILL: the crash. The server is `exited` afterwards. Raises ServerError."""
        server = self._find(number)
        async with server.lock:
            process = self._require_alive(server)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            return server.status()

    async def set_fault(self, number: int, setting: FaultSetting) -> ServerStatus:
        """Gives a running server this fault and no other; returns when requests meet it. Raises ServerError."""
        server = self._find(number)
        async with server.lock:
            process = self._require_alive(server)
            if not await _tell(process, setting):
                raise ServerError(NOT_RUNNING, f"{server.name} does not listen: it is ending, or it hangs")
            server.setting = setting
            return server.status()

    async def set_firewall(self, number: int, setting: FirewallSetting) -> None:
        """Puts a firewall before the database of a running server, or takes it away. Raises ServerError."""
        server = self._find(number)
        async with server.lock:
            if not await _tell(self._require_alive(server), setting):
                raise ServerError(NOT_RUNNING, f"{server.name} does not listen: it is ending, or it hangs")

    async def close(self) -> None:
        """Ends all servers; none can be started afterwards."""
        self._closed = True

        async def close(server: _Server) -> None:
            async with server.lock:
                await self._end(server)

        await asyncio.gather(*map(close, self._servers.values()))

    def _find(self, number: int) -> _Server:
        server = self._servers.get(number)
        if server is None:
            known = ", ".join(str(known) for known in sorted(self._servers)) or "none"
            raise ServerError(UNKNOWN_SERVER, f"there is no web server {number}; known: {known}")
        return server

    def _require_alive(self, server: _Server) -> asyncio.subprocess.Process:
        if server.alive is None:
            raise ServerError(NOT_RUNNING, f"{server.name} is not running ({server.status().state})")
        return server.alive

    async def _spawn(self, server: _Server) -> None:
        spec = server.spec
        server.ready = False
        server.setting = FaultSetting()
        server.process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "lb.compute.webserver"),
            *("--number", str(spec.number), "--port", str(spec.port), "--host", spec.host),
            *(("--root", str(spec.root)) if spec.root is not None else ()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # A session of its own: Ctrl-C in the terminal reaches the balancer only, which then ends its servers in
            # good order.
            start_new_session=True,
        )
        server.was_stopped = False
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                line = (await process.stdout.readline()).decode(errors="replace").strip()
        except BaseException as error:
            await self._end(server)
            if isinstance(error, TimeoutError):
                raise ServerError(
                    START_FAILED, f"{server.name} was not ready on port {spec.port} within {START_TIMEOUT_S:g} s"
                ) from None
            raise
        verdict, _, rest = line.partition(" ")
        if verdict == READY:
            server.ready = True
            return
        await _await_end(process)
        code, _, message = rest.partition(": ")
        if verdict != FAILED:
            code, message = START_FAILED, f"it ended with exit code {process.returncode} before it was ready"
        raise ServerError(code, f"{server.name} did not start: {message}")

    async def _end(self, server: _Server) -> None:
        """Ends the process if there is one that runs; the server counts as stopped afterwards."""
        process = server.alive
        if process is None:
            return
        server.was_stopped = True
        with suppress(ProcessLookupError):
            process.terminate()
        await _await_end(process)


async def _tell(process: asyncio.subprocess.Process, setting: FaultSetting | FirewallSetting) -> bool:
    """Sends a line to a server and waits until it comes back: it has taken effect. False where it does not."""
    assert process.stdin is not None
    assert process.stdout is not None
    line = f"{setting.line()}\n".encode()
    try:
        async with asyncio.timeout(FAULT_TIMEOUT_S):
            process.stdin.write(line)
            await process.stdin.drain()
            # The answer to a call that was cancelled may still be there.
            while answer := await process.stdout.readline():
                if answer == line:
                    return True
    except (OSError, TimeoutError):
        return False
    return False


async def _await_end(process: asyncio.subprocess.Process) -> None:
    """Waits for a process that should end by itself; SIGKILL after `STOP_TIMEOUT_S`, or when cancelled."""
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except BaseException as error:
        with suppress(ProcessLookupError):
            process.kill()
        if not isinstance(error, TimeoutError):
            raise
        await process.wait()
