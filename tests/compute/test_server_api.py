"""The servers over the API and with `lb server`, against a real API server."""

import asyncio
import json
import os
import signal
import socket
from contextlib import asynccontextmanager, nullcontext

import aiohttp
import pytest
import uvicorn
from click.testing import CliRunner
from starlette.applications import Starlette

from lb.cli.server import server
from lb.compute.api import server_routes
from lb.compute.servers import ServerState
from tests.compute.test_servers import embedded
from tests.support.ports import free_port


@asynccontextmanager
async def api(routes):
    """The routes on a free loopback port; yields the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), lifespan="off", log_level="warning"))
        # uvicorn takes over the signals of the whole process, which here belongs to the tests.
        running.capture_signals = nullcontext
        async with asyncio.TaskGroup() as group:
            group.create_task(running.serve(sockets=[listener]))
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                running.should_exit = True


@asynccontextmanager
async def served(count=2):
    async with embedded(count) as servers, api(server_routes(servers)) as url:
        yield servers, url


async def lb_server(*arguments, **environment):
    """`lb server ...` in a thread: it blocks while the API answers."""
    return await asyncio.to_thread(CliRunner().invoke, server, list(arguments), env={"LB_API": None} | environment)


async def post(url):
    async with aiohttp.ClientSession() as session, session.post(url) as answer:
        return answer.status, await answer.json()


async def test_the_api_starts_kills_and_lists_servers():
    async with served() as (servers, url):
        status, started = await post(f"{url}/_lb/servers/1/start")
        assert (status, started["state"], started["name"]) == (200, "running", "Web Server 1")
        status, killed = await post(f"{url}/_lb/servers/1/kill")
        assert (status, killed["state"], killed["exit_code"]) == (200, "exited", -9)
        async with aiohttp.ClientSession() as session, session.get(f"{url}/_lb/servers") as answer:
            listed = (await answer.json())["servers"]
        assert [entry["state"] for entry in listed] == ["exited", "stopped"]
        assert [entry["port"] for entry in listed] == [entry.port for entry in servers.list()]


@pytest.mark.parametrize(
    ("path", "status", "code"), [("9/start", 404, "unknown-server"), ("1/stop", 409, "not-running")]
)
async def test_an_error_of_the_api_has_code_and_message(path, status, code):
    async with served() as (_, url):
        answered, error = await post(f"{url}/_lb/servers/{path}")
        assert (answered, error["error"]["code"]) == (status, code)
        assert error["error"]["message"]


async def test_a_link_cannot_stop_a_server():
    async with (
        served() as (_, url),
        aiohttp.ClientSession() as session,
        session.get(f"{url}/_lb/servers/1/stop") as answer,
    ):
        assert answer.status == 405


async def test_the_command_starts_stops_kills_and_lists():
    async with served() as (servers, url):
        started = await lb_server("start", "1", "--api", url)
        assert started.exit_code == 0, started.output
        port, pid = servers.list()[0].port, servers.list()[0].pid
        assert started.stdout == f"Web Server 1 (127.0.0.1:{port}): running, pid {pid}\n"
        await lb_server("start", "2", LB_API=url)
        killed = await lb_server("kill", "2", LB_API=url)
        assert killed.stdout.endswith(": exited (SIGKILL)\n")
        listed = (await lb_server("list", "--api", url)).stdout.splitlines()
        assert listed[0].split() == ["SERVER", "ADDRESS", "STATE", "PID"]
        assert listed[1].split() == ["Web", "Server", "1", f"127.0.0.1:{port}", "running", str(pid)]
        assert listed[2].split()[-3:] == ["exited", "(SIGKILL)", "-"]
        stopped = await lb_server("stop", "1", "--api", url, "--json")
        assert json.loads(stopped.stdout)["state"] == "stopped"
        assert [status.state for status in servers.list()] == [ServerState.STOPPED, ServerState.EXITED]
        as_json = json.loads((await lb_server("list", "--json", "--api", f"{url}/")).stdout)
        assert [entry["number"] for entry in as_json["servers"]] == [1, 2]


async def test_the_command_shows_the_balancers_reason():
    async with served() as (_, url):
        unknown = await lb_server("stop", "7", "--api", url)
        assert unknown.exit_code == 1
        assert unknown.stderr == "Error: there is no web server 7; known: 1, 2\n"


async def test_without_a_balancer_the_next_step_is_named():
    port = free_port()
    result = await lb_server("list", "--api", f"http://127.0.0.1:{port}")
    assert result.exit_code == 3
    assert result.stderr.startswith(
        f"Error: no balancer answers at http://127.0.0.1:{port}: start one with 'lb demo' or 'lb up',"
        " or name its API with --api"
    )
    assert result.stderr.count("\n") == 1


async def test_a_proxy_in_the_environment_is_not_asked():
    async with served() as (_, url):
        nobody = free_port()
        result = await lb_server("list", "--api", url, http_proxy=f"http://127.0.0.1:{nobody}", no_proxy="")
        assert result.exit_code == 0, result.output


async def test_a_balancer_without_web_servers_says_so():
    async with api([]) as url:
        result = await lb_server("list", "--api", url)
    assert result.exit_code == 1
    assert "keeps no web servers" in result.stderr


@pytest.mark.parametrize("answer", [b"220 mail\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"])
async def test_another_service_at_the_address_is_recognised(answer):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    stranger = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with stranger:
        result = await lb_server("list", "--api", f"http://127.0.0.1:{stranger.sockets[0].getsockname()[1]}")
    assert result.exit_code == 3
    assert "is not a balancer's API" in result.stderr


async def test_an_address_that_is_none_is_wrong_usage():
    result = await lb_server("list", "--api", "file:///etc/passwd")
    assert result.exit_code == 2
    assert "'--api'" in result.stderr


async def test_the_api_notices_a_crash():
    async with served(1) as (servers, url):
        await post(f"{url}/_lb/servers/1/start")
        os.kill(servers.list()[0].pid, signal.SIGKILL)
        for _ in range(600):
            listed = (await lb_server("list", "--api", url)).stdout
            if "running" not in listed:
                break
            await asyncio.sleep(0.05)
        assert "exited (SIGKILL)" in listed
