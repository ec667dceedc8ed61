"""Embedded web servers as real processes: start, alternate, stop, kill, and nothing left behind."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvloop

from lb.compute.servers import EmbeddedServers, ServerError, ServerSpec, ServerState
from tests.support.balancer import until
from tests.support.ports import free_port, free_ports


@asynccontextmanager
async def embedded(count=2):
    servers = EmbeddedServers(ServerSpec(number, port) for number, port in enumerate(free_ports(count), 1))
    try:
        yield servers
    finally:
        await servers.close()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def front_page(status):
    async with aiohttp.ClientSession() as session, session.get(f"http://{status.host}:{status.port}/") as answer:
        return await answer.read()


def state_of(servers, number):
    return next(status for status in servers.list() if status.number == number)


async def test_two_servers_answer_in_turn_and_none_is_left_after_close():
    async with embedded() as servers:
        assert [status.state for status in servers.list()] == [ServerState.STOPPED] * 2
        heard = []
        one, two = await servers.start_all(heard.append)
        assert sorted(status.number for status in heard) == [1, 2]
        assert (one.state, two.state) == (ServerState.RUNNING, ServerState.RUNNING)
        for _ in range(3):
            assert await front_page(one) == b"<html><body><p> Web Server 1 </p></body></html>"
            assert await front_page(two) == b"<html><body><p> Web Server 2 </p></body></html>"
    assert not is_alive(one.pid)
    assert not is_alive(two.pid)
    assert [status.state for status in servers.list()] == [ServerState.STOPPED] * 2


async def test_a_server_can_be_stopped_and_started_again():
    async with embedded(1) as servers:
        first = await servers.start(1)
        stopped = await servers.stop(1)
        assert (stopped.state, stopped.pid) == (ServerState.STOPPED, None)
        assert not is_alive(first.pid)
        with pytest.raises(aiohttp.ClientConnectorError):
            await front_page(first)
        second = await servers.start(1)
        assert second.pid != first.pid
        assert second.exit_code is None
        assert b"Web Server 1" in await front_page(second)


async def test_a_stopped_server_finishes_the_request_it_is_answering():
    async with embedded(1) as servers:
        running = await servers.start(1)
        async with aiohttp.ClientSession() as session:
            async with asyncio.TaskGroup() as group:
                slow = group.create_task(session.get(f"http://127.0.0.1:{running.port}/slow.php?ms=1500"))
                await asyncio.sleep(1)
                group.create_task(servers.stop(1))
            assert slow.result().status == 200
            slow.result().release()


async def test_a_stop_does_not_wait_for_a_request_without_end():
    async with embedded(1) as servers:
        running = await servers.start(1)
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /slow.php?ms=90000 HTTP/1.1\r\nHost: test\r\n\r\n")
        await asyncio.sleep(0.3)
        started = time.monotonic()
        assert (await servers.stop(1)).state is ServerState.STOPPED
        assert time.monotonic() - started < 30, "it waited for the request"
        writer.close()
        await reader.read()


async def test_a_killed_server_is_exited_with_its_signal():
    async with embedded(1) as servers:
        running = await servers.start(1)
        killed = await servers.kill(1)
        assert (killed.state, killed.exit_code) == (ServerState.EXITED, -signal.SIGKILL)
        assert not is_alive(running.pid)
        assert (await servers.start(1)).state is ServerState.RUNNING


async def test_an_unexpected_end_is_noticed():
    async with embedded(1) as servers:
        running = await servers.start(1)
        os.kill(running.pid, signal.SIGKILL)
        await until(lambda: state_of(servers, 1).state is not ServerState.RUNNING, "its end is noticed")
        assert (state_of(servers, 1).state, state_of(servers, 1).exit_code) == (ServerState.EXITED, -signal.SIGKILL)
        assert state_of(servers, 1).pid is None


async def test_a_server_that_ignores_sigterm_is_killed():
    async with embedded(1) as servers:
        running = await servers.start(1)
        os.kill(running.pid, signal.SIGSTOP)
        assert (await servers.stop(1)).exit_code == -signal.SIGKILL


async def test_what_cannot_be_done_is_said_in_one_line():
    async with embedded(2) as servers:
        with pytest.raises(ServerError, match=r"^there is no web server 7; known: 1, 2$") as unknown:
            await servers.stop(7)
        assert unknown.value.code == "unknown-server"
        with pytest.raises(ServerError, match=r"^Web Server 1 is not running \(stopped\)$"):
            await servers.kill(1)
        running = await servers.start(1)
        with pytest.raises(ServerError, match=rf"already running on port {running.port} \(pid {running.pid}\)$"):
            await servers.start(1)
    with pytest.raises(ServerError, match="the balancer is ending"):
        await servers.start(1)


async def test_two_starts_at_once_start_one_process():
    async with embedded(1) as servers:
        results = await asyncio.gather(servers.start(1), servers.start(1), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["ServerError", "ServerStatus"]


async def test_a_taken_port_is_named_and_no_other_server_stays():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        servers = EmbeddedServers([ServerSpec(1, free_port()), ServerSpec(2, port)])
        with pytest.raises(ServerError, match=rf"^Web Server 2 did not start: 127.0.0.1:{port} is in use") as error:
            await servers.start_all()
        assert error.value.code == "port-taken"
        assert [status.state for status in servers.list()] == [ServerState.STOPPED, ServerState.EXITED]
        assert all(status.pid is None for status in servers.list())
        await servers.close()


async def test_an_address_of_another_machine_is_a_clear_error():
    servers = EmbeddedServers([ServerSpec(1, 8081, "192.0.2.1")])
    with pytest.raises(ServerError, match=r"cannot listen on 192\.0\.2\.1:8081: ") as error:
        await servers.start(1)
    assert error.value.code == "start-failed"
    await servers.close()


async def test_a_start_that_is_cancelled_leaves_no_process(monkeypatch):
    spawned = asyncio.get_running_loop().create_future()
    spawn = asyncio.create_subprocess_exec

    async def remember(*arguments, **options):
        process = await spawn(*arguments, **options)
        spawned.set_result(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remember)
    async with embedded(1) as servers, asyncio.TaskGroup() as group:
        start = group.create_task(servers.start(1))
        process = await spawned
        start.cancel()
        await asyncio.wait([start])
        assert start.cancelled()
        assert process.returncode is not None
        assert state_of(servers, 1).pid is None


def test_the_servers_work_on_uvloop():
    async def scenario():
        async with embedded(1) as servers:
            running = await servers.start(1)
            assert b"Web Server 1" in await front_page(running)
            assert (await servers.kill(1)).exit_code == -signal.SIGKILL
            await servers.start(1)
            assert (await servers.stop(1)).state is ServerState.STOPPED

    uvloop.run(scenario())


PARENT = """
    import asyncio, sys
    from lb.compute.servers import EmbeddedServers, ServerSpec

    async def run():
        servers = EmbeddedServers([ServerSpec(1, int(sys.argv[1])), ServerSpec(2, int(sys.argv[2]))])
        statuses = await servers.start_all()
        print(*(status.pid for status in statuses), flush=True)
        await asyncio.sleep(60)

    asyncio.run(run())
"""


def test_no_server_outlives_a_parent_killed_with_sigkill():
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), *map(str, free_ports(2))], stdout=subprocess.PIPE, text=True
    )
    with parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_alive, pids))
        # A terminal's Ctrl-C goes to the parent's process group: the servers are in none of it.
        assert all(os.getpgid(pid) == pid for pid in pids)
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 30
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        # Orphans are reaped by process 1, or stay zombies where there is none that reaps: those are ended, too.
        pids = [pid for pid in pids if is_alive(pid) and not is_zombie(pid)]
        time.sleep(0.05)
    assert [pid for pid in pids if is_alive(pid) and not is_zombie(pid)] == []


def is_zombie(pid):
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(re.match(r"\s*Z", state))
