"""`lb demo` as a process: its ports, its web servers from a second terminal, and nothing left behind however it ends."""

import json
import os
import signal
import socket
import time

import pytest

from tests.support.lb_process import get, is_alive, lb, one_line, run_lb, until
from tests.support.ports import free_port, free_ports_in_a_row

PAGES = [f"<html><body><p> Web Server {number} </p></body></html>" for number in (1, 2)]


class Demo:
    """`lb demo` on free ports in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_ports_in_a_row(3)
        self.api_port = free_port()
        self.api = f"http://127.0.0.1:{self.api_port}"
        self.options = ("demo", "--port", self.port, "--api-port", self.api_port)

    def run(self):
        return lb(*self.options, cwd=self.folder)

    def server(self, *arguments):
        """`lb server ...` from a second terminal."""
        return run_lb("server", *arguments, "--api", self.api, cwd=self.folder)

    def pids(self):
        servers = json.loads(self.server("list", "--json").stdout)["servers"]
        return [each["pid"] for each in servers if each["pid"]]

    def states(self):
        (group,) = json.loads(get(self.api_port, "/_lb/status")[1])["target_groups"]
        return [target["state"] for target in group["targets"]]

    def all_closed(self):
        for port in (*range(self.port, self.port + 3), self.api_port):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=30).close()


@pytest.fixture
def demo(tmp_path):
    return Demo(tmp_path)


def test_it_says_what_runs_where_and_the_page_alternates_from_the_first_moment(demo):
    with demo.run() as running:
        running.says("Ctrl-C ends everything.")
        answers = []
        deadline = time.monotonic() + 3.5
        while time.monotonic() < deadline:
            answers.append(get(demo.port))
            time.sleep(0.005)
        for number in (demo.port, demo.port + 1, demo.port + 2, demo.api_port):
            assert f"http://127.0.0.1:{number}" in running.out
        assert len(running.out.splitlines()) <= 15
        assert {status for status, _ in answers} == {200}
        assert sorted({body for _, body in answers}) == PAGES
        repeated = [at for at in range(1, len(answers)) if answers[at] == answers[at - 1]]
        assert repeated == [], f"the same server twice in a row: {len(repeated)} of {len(answers)} requests"


def test_servers_are_stopped_started_and_killed_from_a_second_terminal(demo):
    with demo.run() as running:
        running.says("Ctrl-C ends everything.")
        until(lambda: demo.states() == ["healthy", "healthy"], "both healthy")
        assert demo.server("list").stdout.count("running") == 2

        stopped = demo.server("stop", "1")
        assert stopped.returncode == 0
        assert "stopped" in stopped.stdout
        until(lambda: demo.states() == ["unhealthy", "healthy"], "server 1 noticed")
        assert [get(demo.port) for _ in range(4)] == [(200, PAGES[1])] * 4

        assert demo.server("start", "1").returncode == 0
        until(lambda: demo.states() == ["healthy", "healthy"], "server 1 back")
        assert sorted(get(demo.port)[1] for _ in range(2)) == PAGES

        (_, pid) = demo.pids()
        killed = demo.server("kill", "2")
        assert (killed.returncode, "SIGKILL" in killed.stdout) == (0, True)
        assert not is_alive(pid)
        until(lambda: demo.states() == ["healthy", "unhealthy"], "server 2 noticed")
        assert [get(demo.port) for _ in range(2)] == [(200, PAGES[0])] * 2

        assert "Traceback" not in running.err


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "SIGHUP"])
def test_an_end_leaves_no_process_behind(demo, how):
    """SIGHUP is what a terminal window that is closed sends; it ends a process that does not expect it."""
    with demo.run() as running:
        running.says("Ctrl-C ends everything.")
        pids = demo.pids()
        assert len(pids) == 2
        get(demo.port)
        begun = time.monotonic()
        if how == "Ctrl-C":
            running.ctrl_c()
        else:
            running.signal(signal.Signals[how])
        code = running.ended()
        assert time.monotonic() - begun < 10
        until(lambda: not any(map(is_alive, pids)), "web servers gone")
        assert "Traceback" not in running.err
    demo.all_closed()
    if how != "SIGHUP":
        assert code == 0
        assert len((demo.folder / "lb-data" / "logs" / "access.log").read_text().splitlines()) == 1


def test_ctrl_c_while_it_starts_leaves_no_process_behind(demo):
    with demo.run() as running:
        # The listener is there before the web servers are.
        until(lambda: socket.create_connection(("127.0.0.1", demo.port), timeout=10).close() is None, "listening")
        running.ctrl_c()
        assert running.ended() == 0
        assert "Traceback" not in running.err
    until(lambda: demo.all_closed() is None, "everything closed")


def test_kill_9_leaves_no_web_server_behind(demo):
    with demo.run() as running:
        running.says("Ctrl-C ends everything.")
        pids = demo.pids()
        assert all(map(is_alive, pids))
        os.kill(running.process.pid, signal.SIGKILL)
        running.ended()
        until(lambda: not any(map(is_alive, pids)), "web servers gone")
    demo.all_closed()


@pytest.mark.parametrize(
    ("offset", "flag"),
    [(0, "--port"), (1, "--port"), (2, "--port"), (None, "--api-port")],
    ids=["listener", "server 1", "server 2", "api"],
)
def test_a_taken_port_is_one_line_that_names_it_and_the_flag(demo, offset, flag):
    port = demo.api_port if offset is None else demo.port + offset
    with socket.create_server(("127.0.0.1", port)):
        line = one_line(run_lb(*demo.options, cwd=demo.folder))
    assert str(port) in line
    assert f" {flag}" in line
    demo.all_closed()


@pytest.mark.parametrize("options", [("--port", 65534), ("--port", 70000), ("--api-port", 70000)])
def test_a_number_that_leaves_no_room_for_ports_is_refused_in_words(demo, options):
    """The web servers take the two ports behind the listener's."""
    settings = dict(zip(demo.options[1::2], demo.options[2::2], strict=True)) | {options[0]: options[1]}
    result = run_lb("demo", *(word for pair in settings.items() for word in pair), cwd=demo.folder)
    assert result.returncode in (1, 2)
    assert "Traceback" not in result.stderr
    assert options[0] in result.stderr


def test_a_data_folder_that_cannot_be_used_is_one_line_that_names_the_flag(demo):
    (demo.folder / "data" / "logs" / "access.log").mkdir(parents=True)
    line = one_line(run_lb(*demo.options, "--data", demo.folder / "data", cwd=demo.folder))
    assert "--data" in line
