"""`lb` as a user runs it: a process of its own, its output in files, ended by its process id."""

import contextlib
import http.client
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.ports import free_port

START_LIMIT_S = 60.0
END_LIMIT_S = 30.0


class LbProcess:
    """A running `lb`. `out` and `err` are what it has printed so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", out: Path, err: Path) -> None:
        self.process = process
        self._out = out
        self._err = err

    @property
    def out(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self._err.read_text(errors="replace")

    def says(self, text: str, within_s: float = START_LIMIT_S) -> None:
        """Waits until it has printed `text`; fails when it ends before or takes too long."""
        deadline = time.monotonic() + within_s
        while text not in self.out + self.err:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.out}{self.err}"
            assert time.monotonic() < deadline, f"no '{text}' within {within_s:g} s:\n{self.out}{self.err}"
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to this process alone."""
        os.kill(self.process.pid, number)

    def ctrl_c(self) -> None:
        """What a terminal does: SIGINT to the whole process group (it has one of its own)."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self, within_s: float = END_LIMIT_S) -> int:
        """Waits for its end; the exit code. Raises subprocess.TimeoutExpired."""
        return self.process.wait(within_s)


@contextlib.contextmanager
def lb(*arguments: object, cwd: Path, **environment: str) -> Iterator[LbProcess]:
    """Runs `lb ARGUMENTS` in the folder `cwd`; killed at the end where it still runs."""
    name = f"lb-{random.randrange(10**9)}"
    out, err = cwd / f"{name}.out", cwd / f"{name}.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            command(*arguments),
            cwd=cwd,
            env=_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        yield LbProcess(process, out, err)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def run_lb(*arguments: object, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs `lb ARGUMENTS` to its end."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=_environment(environment), capture_output=True, text=True, timeout=120
    )


def command(*arguments: object) -> list[str]:
    """The command line of `lb ARGUMENTS` in this Python."""
    return [sys.executable, "-m", "lb.cli.main", *map(str, arguments)]


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith("LB_")}, **more}


@contextlib.contextmanager
def web_servers(*numbers: int) -> Iterator[dict[int, int]]:
    """Embedded web servers by number, each a process; yields their ports."""
    with contextlib.ExitStack() as stack:
        ports = {number: free_port() for number in numbers}
        started = []
        for number, port in ports.items():
            process = subprocess.Popen(
                [sys.executable, "-m", "lb.compute.webserver", "--number", str(number), "--port", str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            stack.callback(_end, process)
            started.append(process)
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"ready ")
        yield ports


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    with process:
        pass


def get(port: int, path: str = "/", timeout_s: float = 30.0) -> tuple[int, str]:
    """Status and body of a GET on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()


def until(condition: Callable[[], object], what: str, within_s: float = 30.0) -> None:
    """Waits until `condition` holds; a refused or broken connection counts as "not yet"."""
    deadline = time.monotonic() + within_s
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if condition():
                return
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs. One that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def one_line(result: "subprocess.CompletedProcess[str]") -> str:
    """The error of a command that failed with one line and exit code 1."""
    assert result.returncode == 1, (result.returncode, result.stdout, result.stderr)
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: "), lines[0]
    return lines[0]
