"""`lb up` as a process: the smallest file, errors in one line, reloads, and a clean end."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from tests.support.lb_process import command, free_port, get, lb, one_line, run_lb, until, web_servers

FILE = """\
load_balancers:
  web:
    listeners:
      - port: {port}
        forward: web-servers
target_groups:
  web-servers:
    health_check: {{path: {path}, interval: {interval}, healthy_threshold: 2}}
    targets: [{targets}]
"""


def page(number):
    return 200, f"<html><body><p> Web Server {number} </p></body></html>"


def asked(client):
    """The whole answer to a GET on a connection that stays open."""
    client.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    answer = b""
    while not answer.endswith(b"</html>"):
        answer += (more := client.recv(65536))
        assert more, "the connection was closed"
    return answer


class Place:
    """A folder with an lb.yaml, and the ports of the balancer that it is for."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "lb.yaml"
        self.port, self.api_port = free_port(), free_port()

    def text(self, *target_ports, port=None, path="/health.php", interval=0.3):
        targets = ", ".join(f'"127.0.0.1:{each}"' for each in target_ports)
        return FILE.format(port=port or self.port, path=path, interval=interval, targets=targets)

    def write(self, *target_ports, **more):
        self.file.write_text(self.text(*target_ports, **more))

    @contextlib.contextmanager
    def up(self, *options):
        with lb("up", "lb.yaml", "--api-port", self.api_port, *options, cwd=self.folder) as running:
            running.says("AWS APIs and console on")
            yield running

    def picture(self):
        return json.loads(get(self.api_port, "/_lb/status")[1])

    def is_ready(self):
        return self.picture()["ready"]

    @property
    def log(self):
        return (self.folder / "lb-data" / "logs" / "access.log").read_text()


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.fixture(scope="module")
def servers():
    with web_servers(1, 2) as ports:
        yield ports


def test_the_smallest_file_alternates_and_says_where_everything_is(place, servers):
    place.write(servers[1], servers[2], interval=5)
    with place.up() as running:
        assert f"web listens on http://127.0.0.1:{place.port}" in running.err
        assert f"http://127.0.0.1:{place.api_port}" in running.err
        until(place.is_ready, "both healthy")
        answers = [get(place.port) for _ in range(10)]
        assert answers in ([page(1), page(2)] * 5, [page(2), page(1)] * 5)
        status = run_lb("status", "--api", f"http://127.0.0.1:{place.api_port}", cwd=place.folder)
        assert status.returncode == 0
        assert "2 of 2" in status.stdout
        running.signal(signal.SIGTERM)
        assert running.ended() == 0
    assert len(place.log.splitlines()) == 10


@pytest.mark.parametrize(("how", "options"), [(signal.SIGTERM, ()), (signal.SIGINT, ("--watch",))])
def test_a_signal_ends_it_cleanly_and_soon(place, servers, how, options):
    place.write(servers[1])
    with place.up(*options) as running, socket.create_connection(("127.0.0.1", place.port)) as idle:
        until(lambda: get(place.port)[0] == 200, "an answer")
        idle.settimeout(30)
        assert asked(idle).startswith(b"HTTP/1.1 200")
        begun = time.monotonic()
        running.signal(how)
        assert running.ended() == 0
        # The grace for requests in flight is 5 s; an idle connection is none.
        assert time.monotonic() - begun < 4.9
        assert idle.recv(1) == b""
        assert "Traceback" not in running.err
    for port in (place.port, place.api_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=30)


def test_a_signal_lets_a_request_in_flight_finish_and_logs_it(place, servers):
    place.write(servers[1])
    answers = []
    with place.up() as running:
        until(place.is_ready, "ready")
        asking = threading.Thread(target=lambda: answers.append(get(place.port, "/slow.php?ms=2500")[0]))
        asking.start()
        until(lambda: place.picture()["target_groups"][0]["targets"][0]["in_flight"] == 1, "in flight")
        running.signal(signal.SIGTERM)
        assert running.ended() == 0
        asking.join(30)
    assert answers == [200]
    assert "/slow.php?ms=2500" in place.log


def test_a_second_signal_changes_nothing_about_a_clean_end(place, servers):
    place.write(servers[1])
    with place.up() as running:
        running.ctrl_c()
        running.ctrl_c()
        assert running.ended() == 0
        assert "Traceback" not in running.err


def test_a_reader_of_its_output_that_is_gone_does_not_spoil_the_end(place, servers):
    """`lb up 2>&1 | tee log`: Ctrl-C ends tee first."""
    place.write(servers[1])
    process = subprocess.Popen(
        command("up", "--api-port", place.api_port),
        cwd=place.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: get(place.port, "/last")[0] == 404, "an answer")
        process.stderr.close()
        assert get(place.port, "/last")[0] == 404
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert place.log.count("/last HTTP/1.1") >= 2


# Errors


def test_a_taken_listener_port_is_one_line_that_names_it_and_the_file(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        place.write(1, port=port)
        line = one_line(run_lb("up", "--api-port", place.api_port, cwd=place.folder))
    assert f"port {port}" in line
    assert "lb.yaml" in line


def test_a_taken_api_port_is_one_line_that_names_it_and_the_flag(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        place.write(1)
        line = one_line(run_lb("up", "--api-port", port, cwd=place.folder))
    assert f"port {port}" in line
    assert "--api-port" in line


def test_a_number_that_is_no_port_is_wrong_usage(place):
    place.write(1)
    result = run_lb("up", "--api-port", 65536, cwd=place.folder)
    assert result.returncode in (1, 2)
    assert "Traceback" not in result.stderr
    assert "--api-port" in result.stderr


def test_an_address_that_is_not_of_this_machine_names_the_flag(place):
    place.write(1)
    line = one_line(run_lb("up", "--host", "192.0.2.1", "--api-port", place.api_port, cwd=place.folder))
    assert "192.0.2.1" in line
    assert "--host" in line


def test_each_problem_of_a_bad_file_is_a_line_with_file_line_and_key(place):
    place.file.write_text(place.text(1).replace("forward", "froward").replace("interval: 0.3", "interval: soon"))
    result = run_lb("up", "--api-port", place.api_port, cwd=place.folder)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "lb.yaml:5" in result.stderr
    assert "did you mean 'forward'?" in result.stderr
    assert "lb.yaml:8" in result.stderr
    assert all(line.startswith("lb.yaml:") for line in result.stderr.splitlines())


def test_a_missing_file_is_one_line(place):
    result = run_lb("up", "nothing.yaml", cwd=place.folder)
    assert result.returncode == 1
    assert result.stderr.splitlines() == ["nothing.yaml: cannot be read: No such file or directory"]


@pytest.mark.parametrize("inside", ["file", "access.log"])
def test_a_data_folder_that_cannot_be_used_is_one_line_that_names_the_flag(place, inside):
    place.write(1)
    data = place.folder / "data"
    if inside == "file":
        (place.folder / "plain").write_text("")
        data = place.folder / "plain" / "data"
    else:
        (data / "logs" / "access.log").mkdir(parents=True)
    line = one_line(run_lb("up", "--api-port", place.api_port, "--data", data, cwd=place.folder))
    assert "--data" in line


# Reloads


def test_sighup_applies_the_file_again(place, servers):
    place.write(servers[1])
    with place.up() as running:
        until(lambda: get(place.port) == page(1), "server 1")
        place.write(servers[2])
        running.signal(signal.SIGHUP)
        running.says("lb.yaml applied")
        assert {get(place.port)[1] for _ in range(4)} == {page(2)[1]}


def test_a_reload_opens_and_closes_listeners(place, servers):
    place.write(servers[1])
    other = free_port()
    with place.up() as running:
        until(lambda: get(place.port) == page(1), "server 1")
        place.write(servers[1], port=other)
        running.signal(signal.SIGHUP)
        running.says("lb.yaml applied")
        assert get(other) == page(1)
        with pytest.raises(ConnectionRefusedError):
            get(place.port)


def test_a_bad_file_keeps_the_configuration_and_says_why(place, servers):
    place.write(servers[1])
    with place.up() as running:
        until(lambda: get(place.port) == page(1), "server 1")
        place.file.write_text(place.text(servers[2]).replace("targets", "tragets"))
        running.signal(signal.SIGHUP)
        running.says("the configuration from before goes on")
        running.says("did you mean 'targets'?")
        assert "Traceback" not in running.err
        assert get(place.port) == page(1)
        place.file.unlink()
        running.signal(signal.SIGHUP)
        running.says("cannot be read")
        assert get(place.port) == page(1)
        place.write(servers[2])
        running.signal(signal.SIGHUP)
        running.says("lb.yaml applied")
        assert get(place.port) == page(2)


def test_a_file_with_a_taken_port_keeps_all_of_the_configuration_and_says_why(place, servers):
    place.write(servers[1])
    with place.up() as running, socket.create_server(("127.0.0.1", 0)) as taken:
        until(lambda: get(place.port) == page(1), "server 1")
        place.write(servers[2], port=taken.getsockname()[1])
        running.signal(signal.SIGHUP)
        running.says(f"port {taken.getsockname()[1]}")
        assert [get(place.port) for _ in range(3)] == [page(1)] * 3
        (target,) = place.picture()["target_groups"][0]["targets"]
        assert target["port"] == servers[1]


def test_watch_sees_a_file_that_is_written_to(place, servers):
    place.write(servers[1])
    with place.up("--watch") as running:
        until(lambda: get(place.port) == page(1), "server 1")
        place.write(servers[2])
        running.says("lb.yaml applied")
        until(lambda: get(place.port) == page(2), "server 2")


def test_watch_sees_a_file_that_an_editor_replaces_again_and_again(place, servers):
    place.write(servers[1])
    with place.up("--watch") as running:
        until(lambda: get(place.port) == page(1), "server 1")
        for count, number in enumerate((2, 1, 2), start=1):
            new = place.folder / ".lb.yaml.swp"
            new.write_text(place.text(servers[number]))
            new.replace(place.file)
            until(lambda number=number: get(place.port) == page(number), f"server {number}")
            assert running.err.count("lb.yaml applied") >= count


def test_watch_goes_on_after_a_bad_file(place, servers):
    place.write(servers[1])
    with place.up("--watch") as running:
        until(lambda: get(place.port) == page(1), "server 1")
        place.file.write_text("load_balancers: [")
        running.says("the configuration from before goes on")
        assert get(place.port) == page(1)
        place.write(servers[2])
        until(lambda: get(place.port) == page(2), "server 2")
        assert "Traceback" not in running.err


def test_watch_takes_no_notice_of_other_files(place, servers):
    place.write(servers[1])
    with place.up("--watch") as running:
        until(lambda: get(place.port) == page(1), "server 1")
        (place.folder / "other.yaml").write_text("x")
        (place.folder / "lb.yaml~").write_text("x")
        new = place.folder / "lb.yaml.new"
        new.write_text(place.text(servers[1], interval=0.4))
        new.replace(place.file)
        running.says("lb.yaml applied")
        assert len(re.findall(r"lb\.yaml (applied|was not)", running.err)) == 1


def test_watch_follows_a_link_to_the_file_that_changes(place, servers):
    real = place.folder / "versions" / "one.yaml"
    real.parent.mkdir()
    real.write_text(place.text(servers[1]))
    place.file.symlink_to(real)
    with place.up("--watch") as running:
        until(lambda: get(place.port) == page(1), "server 1")
        real.write_text(place.text(servers[2]))
        running.says("lb.yaml applied")
        until(lambda: get(place.port) == page(2), "server 2")


def test_a_reload_keeps_connections_and_the_health_of_targets_that_stay(place, servers):
    place.write(servers[1], servers[2], interval=5)
    with place.up() as running, socket.create_connection(("127.0.0.1", place.port), timeout=30) as client:
        until(place.is_ready, "ready")
        assert asked(client).startswith(b"HTTP/1.1 200")
        place.write(servers[1], servers[2], interval=4)
        running.signal(signal.SIGHUP)
        running.says("lb.yaml applied")
        (group,) = place.picture()["target_groups"]
        assert group["health_check"]["interval_s"] == 4
        assert [target["state"] for target in group["targets"]] == ["healthy", "healthy"]
        assert asked(client).startswith(b"HTTP/1.1 200")


def test_reloads_and_the_end_at_the_same_moment_end(place, servers):
    place.write(servers[1])
    with place.up() as running:
        for _ in range(5):
            running.signal(signal.SIGHUP)
        running.signal(signal.SIGTERM)
        assert running.ended() == 0
        assert "Traceback" not in running.err
