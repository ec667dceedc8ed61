"""Starting, watching and stopping the processes of a run; every one is ended by its own id.

Each process leads a process group of its own: Ctrl-C in the terminal then reaches only the benchmark, which stops the
others in order, and a server's workers can be ended with it.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from bench.guard import loopback_address
from bench.pinning import pinned

_STOP_LIMIT_S = 5.0
_POLL_S = 0.02
_TAIL_LINES = 5


class StartError(RuntimeError):
    """A process could not be started, ended early, or did not answer in time."""


class CommandError(RuntimeError):
    """A command that runs to its end failed or took too long."""


@dataclass(frozen=True, slots=True)
class Started:
    """A running process and the file its output goes to."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def tail(self) -> str:
        """Return the last lines of the output, for an error message."""
        lines = self.output.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-_TAIL_LINES:]) or "it wrote nothing"


class Processes:
    """The processes of one run; leaving the `with` block ends them all, newest first."""

    def __init__(self) -> None:
        self._started: list[Started] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _no_interrupts():
            for started in reversed(self._started):
                _end(started.process)

    def start(
        self,
        name: str,
        argv: list[str],
        *,
        cores: tuple[int, ...],
        directory: Path,
        output: Path,
        environment: Mapping[str, str] | None = None,
    ) -> Started:
        """Start `argv` in `directory` on `cores`, its output appended to `output`.

        Raises StartError when the program cannot be run.
        """
        # Asked here, because taskset and setpriv would run, and only they would say that it is missing.
        if shutil.which(argv[0]) is None:
            raise StartError(f"{name}: there is no program {argv[0]}")
        # Interrupted between the fork and the list, a process would have nobody to end it.
        with _no_interrupts(), output.open("ab") as sink:
            try:
                process = subprocess.Popen(
                    _ending_with_parent(pinned(argv, cores)),
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **(environment or {})},
                    start_new_session=True,
                )
            except OSError as error:
                raise StartError(f"{name}: cannot run {argv[0]}: {error}") from error
            started = Started(name, process, output)
            self._started.append(started)
            return started

    def wait_until_listening(self, started: Started, port: int, *, limit_s: float) -> None:
        """Wait until 127.0.0.1:`port` accepts; raise StartError if the process ends or `limit_s` seconds pass first."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            code = started.process.poll()
            if code is not None:
                raise StartError(f"{started.name} ended with exit code {code}: {started.tail()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
                return
            time.sleep(_POLL_S)
        raise StartError(f"{started.name} did not listen on port {port} within {limit_s:g} s: {started.tail()}")

    def stop(self, started: Started) -> None:
        """End one process (nothing happens when it has ended already)."""
        with _no_interrupts():
            _end(started.process)
            if started in self._started:
                self._started.remove(started)


def run_command(argv: list[str], *, cores: tuple[int, ...] = (), limit_s: float) -> str:
    """Run a command to its end and return what it wrote (both streams).

    Raises CommandError when it cannot be run, fails, or takes over `limit_s` seconds; it is ended then, and on Ctrl-C.
    """
    try:
        process = subprocess.Popen(
            _ending_with_parent(pinned(argv, cores)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise CommandError(f"cannot run {argv[0]}: {error}") from error
    try:
        output, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{argv[0]} took more than {limit_s:g} s") from error
    finally:
        with _no_interrupts():
            _end(process)
            if process.stdout is not None:
                process.stdout.close()
    text = output.decode(errors="replace")
    if process.returncode != 0:
        raise CommandError(f"{argv[0]} failed with exit code {process.returncode}: {text.strip()}")
    return text


def free_ports(count: int) -> list[int]:
    """Return `count` different ports of 127.0.0.1 that nothing listens on."""
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        for _ in range(count):
            probe = held.enter_context(socket.socket())
            probe.bind((loopback_address("127.0.0.1"), 0))
            ports.append(probe.getsockname()[1])
        return ports


def _ending_with_parent(argv: list[str]) -> list[str]:
    # Where util-linux has it, a killed benchmark (kill -9) takes its servers along.
    setpriv = shutil.which("setpriv")
    return argv if setpriv is None else [setpriv, "--pdeathsig", "TERM", "--", *argv]


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
    # The group is the process's own (start_new_session): this reaches workers that outlived their master, and no others.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    # Held back, not dropped: a Ctrl-C that comes in between is delivered at the end. Handlers rather than a signal mask,
    # because a mask would be inherited by the process started here, and SIGTERM could then not end it.
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    before = {number: signal.signal(number, hold) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])
