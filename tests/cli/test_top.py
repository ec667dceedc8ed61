"""`lb top`: the real command against a running balancer, in words, as JSON and on a terminal, and its errors."""

import asyncio
import fcntl
import json
import os
import re
import signal
import socket
import struct
import sys
import termios
from contextlib import asynccontextmanager
from time import time

import pytest
from click.testing import CliRunner

from lb.cli.main import main
from lb.cli.top import top
from lb.cli.top_figures import figures
from tests.cli.test_status import Terminal
from tests.proxy.wire import connected, get
from tests.support.balancer import free_port, running_balancer, until
from tests.support.origins import answering, naming, refusing_port, running_origin

PLAIN = {"LB_API": None, "FORCE_COLOR": None, "TTY_COMPATIBLE": None}


async def lb_top(*arguments):
    """`lb top ...` in a thread, its output not a terminal."""
    return await asyncio.to_thread(CliRunner().invoke, top, list(arguments), env=PLAIN)


@asynccontextmanager
async def busy(script=None, requests=20):
    """A balancer with two targets that has had requests, which belong to complete seconds; yields it and its API."""
    api_port = free_port()
    async with (
        running_origin(naming(b"1")) as one,
        running_origin(script or naming(b"2")) as two,
        running_balancer(targets=[one, two], with_api=True, api_port=api_port) as balancer,
    ):
        async with connected(balancer.port) as client:
            for number in range(requests):
                await client.ask(get(b"/%d" % number))
        # They count in the second in which the recorder shows them.
        balancer.app.recorder.catch_up()
        now_s = int(time())
        await until(lambda: time() >= now_s + 1, "the second is over")
        yield balancer, f"http://127.0.0.1:{api_port}"


class TopTerminal(Terminal):
    """`lb top ...` as a process on a terminal."""

    def __init__(self, columns):
        super().__init__(24)
        fcntl.ioctl(self._other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    async def run(self, *arguments):
        quiet = {"LB_API", "FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR", "COLUMNS", "LINES"}
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lb.cli.main", "top", *arguments),
            **dict.fromkeys(("stdin", "stdout", "stderr"), self._other),
            env={name: value for name, value in os.environ.items() if name not in quiet} | {"TERM": "xterm"},
        )
        os.close(self._other)
        asyncio.get_running_loop().add_reader(self._main, self._read)


def test_it_is_a_command_of_lb_with_examples():
    result = CliRunner().invoke(main, ["top", "--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert "Exit codes:" in result.output


async def test_once_shows_every_target_with_its_share_and_the_last_errors():
    refusal = answering(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
    async with busy(refusal) as (balancer, api):
        result = await lb_top("--once", "--api", api)
        assert (result.exit_code, result.stderr) == (0, "")
        one, two = (origin.target for origin in balancer.origins)
        assert re.search(
            rf"^web  HTTP:{balancer.port}  [\d.]+ requests/s  [\d.]+ errors/s  p50 ", result.output, re.MULTILINE
        )
        assert "\nweb-servers  2 of 2 healthy\n" in result.output
        for target in (one, two):
            assert re.search(
                rf"^{re.escape(target)} +healthy +[\d.]+ +50% +[\d.]+ +[\d.]+ +0 *$", result.output, re.MULTILINE
            )
        assert result.output.count(f"503: the answer of the target {two} itself") == 5
        assert "\x1b" not in result.output


async def test_json_has_the_figures():
    async with busy() as (balancer, api):
        result = await lb_top("--once", "--json", "--api", api)
        told = json.loads(result.output)
    (web,) = told["load_balancers"]
    assert (web["name"], web["listeners"], web["errors_per_s"]) == ("web", [f"HTTP:{balancer.port}"], 0.0)
    assert web["requests_per_s"] > 0
    (group,) = told["target_groups"]
    assert [each["share"] for each in group["targets"]] == [0.5, 0.5]
    assert sum(each["requests_per_s"] for each in group["targets"]) == pytest.approx(web["requests_per_s"], abs=0.1)
    assert all(0 < each["p50_ms"] <= each["p99_ms"] for each in group["targets"])
    assert told["errors"] == []


async def test_before_any_traffic_there_are_no_shares_and_a_failing_target_shows_its_counter():
    api_port = free_port()
    check = {"port": "traffic-port", "interval": 60, "timeout": 1}
    with refusing_port() as port:
        async with running_balancer(
            targets=[f"127.0.0.1:{port}"], with_api=True, api_port=api_port, health_check=check
        ) as balancer:
            await balancer.ready()
            result = await lb_top("--once", "--api", f"http://127.0.0.1:{api_port}")
    assert re.search(rf"^127.0.0.1:{port} +initial \(1 of 2 failures\) +0 +- +- +- +0 *$", result.output, re.MULTILINE)


async def test_a_path_cannot_steer_the_terminal():
    async with busy(requests=0) as (balancer, api):
        async with connected(balancer.port) as client:
            await client.ask(get(b"/\x1b[2Jgone"))
        result = await lb_top("--once", "--api", api)
    assert "\x1b" not in result.output


@pytest.mark.parametrize(("columns", "shown"), [(100, "IN FLIGHT"), (60, "P99 MS"), (40, "REQ/S")])
async def test_on_a_terminal_it_follows_what_happens_and_ends_by_ctrl_c(columns, shown):
    terminal = TopTerminal(columns)
    async with busy(requests=2) as (balancer, api):
        await terminal.run("--api", api, "--every", "0.3")
        await terminal.wait_for(shown)
        async with connected(balancer.port) as client:
            await client.ask(get(b"\x00"))
        await terminal.wait_for("last errors")
        await balancer.close()
        await terminal.wait_for("no balancer")
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.ended() == 0
    assert "Traceback" not in terminal.text
    assert terminal.text.rstrip().endswith("\x1b[?1049l"), "the terminal is as it was"
    # Each picture begins where the one before did: at the top of the screen.
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.text.replace("\x1b[H", "\n"))
    assert max(map(len, plain.splitlines())) <= columns
    assert ("IN FLIGHT" in plain) is (columns == 100)


async def test_as_json_it_prints_a_line_for_each_picture():
    async with busy() as (_, api):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lb.cli.main", "top", "--api", api, "--json", "--every", "0.2"),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=1 << 20,
        )  # fmt: skip
        async with asyncio.timeout(60):
            first = json.loads(await process.stdout.readline())
            second = json.loads(await process.stdout.readline())
            process.send_signal(signal.SIGINT)
            await process.communicate()
    assert process.returncode == 0
    assert first["at_s"] <= second["at_s"]
    assert second["load_balancers"][0]["requests_per_s"] > 0, "what was asked for in parts has the whole window"


@pytest.mark.parametrize("flags", [[], ["--json"], ["--once"]])
async def test_where_no_balancer_answers_one_line_says_so(flags):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = await lb_top("--api", f"http://127.0.0.1:{unused.getsockname()[1]}", *flags)
    assert (result.exit_code, result.stdout) == (3, "")
    assert re.fullmatch(r"Error: no balancer answers at .* with --api .*\n", result.stderr)


def test_rates_are_those_of_the_window():
    series = {
        "kind": "load_balancer",
        "load_balancer": "app/web/1",
        "target_group": None,
        "target": None,
        "requests": [100] * 5 + [10] * 10,
        "4xx": [0] * 15,
        "5xx": [9] * 5 + [0] * 9 + [5],
        "p50_ms": [7.0] * 14 + [None],
        "p99_ms": [None] * 5 + [3.0] + [None] * 9,
    }
    status = {
        "load_balancers": [
            {
                "name": "web",
                "arn": "arn:aws:elasticloadbalancing:us-east-1:0:loadbalancer/app/web/1",
                "dns_name": "web.test",
                "state": "active",
                "listeners": [],
            }
        ],
        "target_groups": [],
    }
    told = figures(status, {"targets": []}, {"until_s": 5, "series": [series]}, {"requests": []})
    (web,) = told["load_balancers"]
    assert (web["requests_per_s"], web["errors_per_s"], web["p50_ms"], web["p99_ms"]) == (10, 0.5, 7.0, 3.0)
