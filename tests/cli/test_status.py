"""`lb status`: the real command against a real API server with prepared pictures."""

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import sys
import termios
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from lb.api.server import ApiServer
from lb.cli.status import status
from tests.console import scenes
from tests.console.stage import stage

_FILE = Path(__file__).with_name("status_texts.txt")
TEXTS = dict(re.findall(r"^=== (\w+)\n(.*?exit \d)$", _FILE.read_text(), re.MULTILINE | re.DOTALL))
PLAIN = {"LB_API": None, "FORCE_COLOR": None, "TTY_COMPATIBLE": None, "COLUMNS": "40"}
LIMIT_S = 60.0


async def lb_status(*arguments):
    """`lb status ...` in a thread, its output not a terminal."""
    return await asyncio.to_thread(CliRunner().invoke, status, list(arguments), env=PLAIN)


@pytest.mark.parametrize("name", TEXTS)
async def test_each_scene_is_told_in_words(name):
    async with stage(getattr(scenes, name)().picture()) as shown:
        text = await lb_status("--api", shown.url)
        ready = await lb_status("--api", shown.url, "--ready")
    assert text.exit_code == 0
    assert f"{text.output}\n$ lb status --ready\n{ready.output}exit {ready.exit_code}" == TEXTS[name]


def test_no_scene_is_left_out():
    made = {
        name
        for name, each in vars(scenes).items()
        if getattr(each, "__annotations__", {}).get("return") is scenes.Scene
    }
    assert made - {"crowd"} == set(TEXTS)


async def test_json_is_the_picture_itself():
    picture = scenes.lesson().picture()
    async with stage(picture) as shown:
        result = await lb_status("--api", shown.url, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, picture)


async def test_readiness_is_told_on_standard_output_and_its_lack_on_standard_error():
    async with stage(scenes.all_healthy().picture()) as shown:
        ready = await lb_status("--api", shown.url, "--ready")
        shown.shown = scenes.lesson().picture()
        not_ready = await lb_status("--api", shown.url, "--ready")
    assert (ready.stdout, ready.stderr) == ("ready\n", "")
    assert (not_ready.stdout, not_ready.stderr.count("\n")) == ("", 1)


async def test_only_target_groups_that_are_not_ready_are_named():
    text = """
load_balancers: {web: {listeners: [{port: 8080, forward: good}, {port: 8081, forward: bad}]}}
target_groups: {good: {targets: ["a:80"]}, bad: {targets: ["b:80"]}, spare: {targets: ["c:80"]}}
"""
    scene = scenes.Scene(text)
    scene.probe(scenes.PASSED, "a:80")
    async with stage(scene.picture()) as shown:
        result = await lb_status("--api", shown.url, "--ready")
    assert (result.exit_code, result.stderr) == (1, "not ready: bad has 0 of 1 targets healthy, 1 initial\n")


async def test_an_ipv6_target_is_in_brackets_and_a_group_that_nothing_forwards_to_says_so():
    text = """
load_balancers: {web: {listeners: [{port: 8080, forward: used}]}}
target_groups: {used: {targets: ["a:80"]}, spare: {targets: ["[2001:db8::1]:80"]}}
"""
    async with stage(scenes.Scene(text).picture()) as shown:
        output = (await lb_status("--api", shown.url)).output
    assert "\nspare  target group, not in use, 0 of 1 targets healthy, 1 unused\n" in output
    assert re.search(r"^  \[2001:db8::1\]:80 +unused +0 +0  none\n    Target.NotInUse: ", output, re.MULTILINE)


async def test_through_a_pipe_every_target_is_one_line_whatever_its_name():
    async with stage(scenes.crowd().picture()) as shown:
        output = (await lb_status("--api", shown.url)).output
    assert (
        len(re.findall(r"^  \S+:80 +(?:healthy|unhealthy|initial|draining) +\d+ +\d+  \S", output, re.MULTILINE)) == 201
    )


async def test_what_a_target_answers_cannot_steer_the_terminal():
    scene = scenes.all_healthy()
    scene.probe((scenes.REFUSED[0], None, "no valid answer:\n\x1b[2Jgone"), "web1:80", times=2)
    async with stage(scene.picture()) as shown:
        output = (await lb_status("--api", shown.url)).output
    assert "    last probe: no valid answer:  [2Jgone\n" in output
    assert "\x1b" not in output


@pytest.mark.parametrize("flags", [["--ready", "--json"], ["--ready", "--watch"]])
async def test_ready_goes_with_nothing_else(flags):
    result = await lb_status(*flags)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--ready prints one line" in result.stderr


@pytest.mark.parametrize("flags", [[], ["--json"], ["--ready"], ["--watch"]])
async def test_where_no_balancer_answers_one_line_says_so(flags):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = await lb_status("--api", f"http://127.0.0.1:{unused.getsockname()[1]}", *flags)
    assert (result.exit_code, result.stdout) == (3, "")
    assert re.fullmatch(r"Error: no balancer answers at .* with --api .*\n", result.stderr)


@pytest.mark.parametrize("routes", [[], [Route("/_lb/status", lambda _: JSONResponse(["other"]))]])
async def test_another_server_is_not_taken_for_a_balancer(routes):
    bound = socket.create_server(("127.0.0.1", 0))
    server = ApiServer(Starlette(routes=routes), bound)
    server.start()
    try:
        result = await lb_status("--api", f"http://127.0.0.1:{bound.getsockname()[1]}")
    finally:
        await server.close()
    assert result.exit_code == 3
    assert re.fullmatch(r"Error: what answers at \S+ is not a balancer's API: name it with --api\n", result.stderr)


class Terminal:
    """`lb status ...` as a process on a terminal of 80 columns."""

    def __init__(self, lines):
        self._main, self._other = pty.openpty()
        fcntl.ioctl(self._other, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 80, 0, 0))
        os.set_blocking(self._main, False)
        self.text = ""
        self._more, self._end = asyncio.Event(), asyncio.Event()

    async def run(self, *arguments):
        quiet = {"LB_API", "FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR", "COLUMNS", "LINES"}
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lb.cli.main", "status", *arguments),
            **dict.fromkeys(("stdin", "stdout", "stderr"), self._other),
            env={name: value for name, value in os.environ.items() if name not in quiet} | {"TERM": "xterm"},
        )
        os.close(self._other)
        asyncio.get_running_loop().add_reader(self._main, self._read)

    def _read(self):
        try:
            some = os.read(self._main, 65536)
        except OSError:  # Linux tells the end of a terminal by an error, macOS by nothing to read.
            some = b""
        self.text += some.decode()
        self._more.set()
        if not some:
            asyncio.get_running_loop().remove_reader(self._main)
            self._end.set()

    async def wait_for(self, text):
        async with asyncio.timeout(LIMIT_S):
            while text not in self.text:
                self._more.clear()
                await self._more.wait()

    async def ended(self):
        async with asyncio.timeout(LIMIT_S):
            await self._end.wait()
            os.close(self._main)
            return await self.process.wait()


async def test_on_a_terminal_of_80_columns_no_line_is_longer_and_states_have_colours():
    terminal = Terminal(50)
    async with stage(scenes.lesson().picture()) as shown:
        await terminal.run("--api", shown.url)
        assert await terminal.ended() == 0
    assert "\x1b[31munhealthy\x1b[0m" in terminal.text
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.text).splitlines()
    assert max(map(len, lines)) <= 80
    assert "    Target.ResponseCodeMismatch: Health checks failed with these codes: [404]" in [
        x.rstrip() for x in lines
    ]
    # The notes are wrapped, and their second lines are indented as the first.
    place = next(number for number, line in enumerate(lines) if line.startswith("  ! No target is healthy"))
    assert lines[place + 1].startswith("  all of them")


async def test_watch_follows_changes_outlives_the_balancer_and_ends_by_ctrl_c():
    terminal = Terminal(50)
    async with stage(scenes.all_healthy().picture()) as shown:
        await terminal.run("--api", shown.url, "--watch")
        await terminal.wait_for("2 of 2 targets healthy")
        shown.shown = scenes.one_down().picture()
        await terminal.wait_for("1 of 2 targets healthy")
        await shown.close()
        await terminal.wait_for("no balancer answers")
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.ended() == 0
    assert "Traceback" not in terminal.text


async def test_watch_as_json_prints_a_line_for_each_picture_and_goes_on_when_the_balancer_is_back():
    async with stage(scenes.all_healthy().picture()) as shown:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lb.cli.main", "status", "--api", shown.url, "--watch", "--json"),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(LIMIT_S):
            assert json.loads(await process.stdout.readline()) == shown.shown
            await shown.close()
            assert b"no balancer answers" in await process.stderr.readline()
            async with stage(scenes.one_down().picture(), shown.port) as back:
                while json.loads(await process.stdout.readline()) != back.shown:
                    continue
            process.send_signal(signal.SIGINT)
            await process.communicate()
    assert process.returncode == 0
