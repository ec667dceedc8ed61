"""Starting and ending processes: nothing is left behind, and what goes wrong is said."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from bench.processes import CommandError, Processes, StartError, free_ports, run_command

LISTEN = "import socket,sys,time; s=socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
IGNORE_TERM = (
    "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)
WITH_WORKER = (
    "import subprocess,sys,time; w=subprocess.Popen([sys.executable,'-c','import time; time.sleep(60)']);"
    "print(w.pid, flush=True); time.sleep(60)"
)


def _start(processes, directory, code, *arguments):
    argv = [sys.executable, "-c", code, *arguments]
    return processes.start("thing", argv, cores=(), directory=directory, output=directory / "output.log")


def _gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # An orphan that was killed stays a zombie until the machine's first process collects it.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_process_that_listens_is_waited_for_and_ended_with_the_block(tmp_path):
    (port,) = free_ports(1)
    with Processes() as processes:
        started = _start(processes, tmp_path, LISTEN, str(port))
        processes.wait_until_listening(started, port, limit_s=60)
        assert started.process.poll() is None
    assert started.process.returncode == -signal.SIGTERM
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_process_that_ends_early_is_reported_with_its_last_words(tmp_path):
    with Processes() as processes:
        started = _start(processes, tmp_path, "raise SystemExit('no such directive')")
        with pytest.raises(StartError, match=r"thing ended with exit code 1: no such directive"):
            processes.wait_until_listening(started, free_ports(1)[0], limit_s=60)


def test_a_process_that_never_listens_is_reported(tmp_path):
    with Processes() as processes:
        started = _start(processes, tmp_path, "import time; time.sleep(60)")
        with pytest.raises(StartError, match=r"did not listen on port \d+ within 0\.2 s: it wrote nothing"):
            processes.wait_until_listening(started, free_ports(1)[0], limit_s=0.2)


def test_a_program_that_is_not_there_is_reported(tmp_path):
    output = tmp_path / "output.log"
    with Processes() as processes, pytest.raises(StartError, match="ghost: there is no program /nonexistent/program"):
        processes.start("ghost", ["/nonexistent/program"], cores=(), directory=tmp_path, output=output)


def test_a_process_that_ignores_the_polite_signal_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.processes._STOP_LIMIT_S", 0.2)
    with Processes() as processes:
        started = _start(processes, tmp_path, IGNORE_TERM)
        _wait_for(lambda: started.output.read_text() == "up\n")
    assert started.process.returncode == -signal.SIGKILL


def test_workers_that_outlive_their_master_are_ended_too(tmp_path):
    with Processes() as processes:
        started = _start(processes, tmp_path, WITH_WORKER)
        _wait_for(lambda: started.output.read_text().endswith("\n"))
        worker = int(started.output.read_text())
        assert not _gone(worker)
    _wait_for(lambda: _gone(worker))


def test_an_interrupt_while_processes_are_ended_comes_afterwards(tmp_path, monkeypatch):
    ended = []

    def end_interrupted(process):
        signal.raise_signal(signal.SIGINT)
        process.kill()
        process.wait()
        ended.append(process.pid)

    monkeypatch.setattr("bench.processes._end", end_interrupted)
    processes = Processes()
    first = _start(processes, tmp_path, "import time; time.sleep(60)")
    second = _start(processes, tmp_path, "import time; time.sleep(60)")
    with pytest.raises(KeyboardInterrupt):
        processes.__exit__(None, None, None)
    assert ended == [second.pid, first.pid]


def test_a_command_returns_what_it_wrote_on_both_streams():
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    assert run_command([sys.executable, "-c", code], limit_s=60) == "out\nerr\n"


def test_a_failing_command_is_reported_with_what_it_wrote():
    with pytest.raises(CommandError, match=r"exit code 1: broken"):
        run_command([sys.executable, "-c", "raise SystemExit('broken')"], limit_s=60)


def test_a_command_that_takes_too_long_is_ended():
    began = time.monotonic()
    with pytest.raises(CommandError, match=r"more than 0\.3 s"):
        run_command([sys.executable, "-c", "import time; time.sleep(60)"], limit_s=0.3)
    assert time.monotonic() - began < 30


def test_free_ports_are_different():
    assert len(set(free_ports(20))) == 20
