"""Faults of embedded web servers: real processes, over the API and with `lb server fault`, alone and behind a balancer."""

import asyncio
import json
import os
import signal
import time
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from lb.compute.fault_api import fault_routes
from lb.compute.fault_targets import FaultTargets
from lb.compute.faults import Fault, FaultSetting
from lb.compute.instances import Instances
from lb.compute.servers import ServerError
from lb.resources.places import Placing
from lb.resources.records import Kind, Record, Records
from tests.compute.test_server_api import api, lb_server
from tests.compute.test_servers import embedded
from tests.proxy.wire import connected, get
from tests.support.balancer import running_balancer, until
from tests.support.lb_process import lb
from tests.support.ports import free_port, free_ports_in_a_row

PAGE = b"<html><body><p> Web Server 1 </p></body></html>"
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@asynccontextmanager
async def broken(fault, ms=None):
    """A web server with a fault; yields the servers and its port."""
    async with embedded(1) as servers:
        started = await servers.start(1)
        await servers.set_fault(1, FaultSetting.of(fault, ms))
        yield servers, started.port


@asynccontextmanager
async def faults_api(tmp_path, count=2):
    """The API over the demo's servers, the first of which runs."""
    instances = Instances(tmp_path, Placing())
    async with embedded(count) as servers:
        targets = FaultTargets(instances)
        targets.add_demo(servers)
        await servers.start(1)
        async with api(fault_routes(targets)) as url, aiohttp.ClientSession(url) as session:
            yield session, url
    await instances.close()


async def call(session, name, **body):
    async with session.post(f"/_lb/faults/{name}", json=body) as answer:
        return answer.status, await answer.json()


async def raw(port, *, requests=1, pause_s=0.0):
    """What comes on one connection, and whether it ended with a reset."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        for _ in range(requests):
            writer.write(GET)
            async with asyncio.timeout(30):
                while not got.endswith(PAGE):
                    if not (data := await reader.read(65536)):
                        return got, False
                    got += data
            got += b"|"
            await asyncio.sleep(pause_s)
    except ConnectionResetError:
        return got, True
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return got, False


async def test_a_slow_server_is_slow_and_quick_again():
    async with broken(Fault.SLOW, 1500) as (servers, port):
        begun = time.monotonic()
        assert (await raw(port))[0].count(PAGE) == 1
        assert 1.5 <= time.monotonic() - begun < 10
        await servers.set_fault(1, FaultSetting())
        begun = time.monotonic()
        assert (await raw(port))[0].count(PAGE) == 1
        assert time.monotonic() - begun < 1.5


async def test_a_server_that_fails_answers_every_page_with_500():
    async with broken(Fault.ERROR) as (_, port), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path in ("/", "/health.php", "/nowhere"):
            async with session.get(path) as answer:
                assert answer.status == 500


async def test_a_reset_comes_in_the_middle_of_the_answer():
    async with broken(Fault.RESET) as (_, port):
        got, was_reset = await raw(port)
        head, _, body = got.partition(b"\r\n\r\n")
        assert was_reset
        assert b"content-length: 47" in head.lower()
        assert body == PAGE[: len(PAGE) // 2]


async def test_only_a_connection_that_was_idle_is_dropped():
    async with broken(Fault.DROP_IDLE, 1500) as (_, port):
        got, _ = await raw(port, requests=3)
        assert got.count(PAGE) == 3
        got, _ = await raw(port, requests=3, pause_s=2)
        assert got.count(PAGE) == 1


async def test_behind_a_balancer_a_dropped_connection_is_a_502_with_its_cause():
    async with (
        broken(Fault.DROP_IDLE, 1000) as (servers, port),
        running_balancer(targets=[f"127.0.0.1:{port}"]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).status == 200
        (pool,) = (pool for pool in balancer.node.pools.values() if pool.idle)
        (idle,) = pool.idle
        await until(lambda: idle.quiet >= 6, "idle for 1.5 s")
        assert (await client.ask(get())).status == 502
        assert (await client.ask(get())).status == 200
        (failed,) = balancer.app.recorder.last(5, lambda record: record.status == 502)
        (told,) = balancer.app.why(failed.trace_id.decode())
        assert "keep-alive timeout is shorter than the balancer's idle timeout" in told["cause"]
        await servers.set_fault(1, FaultSetting())
        (pool,) = (pool for pool in balancer.node.pools.values() if pool.idle)
        (idle,) = pool.idle
        await until(lambda: idle.quiet >= 6, "idle again")
        assert (await client.ask(get())).status == 200


async def test_behind_a_balancer_a_reset_cuts_the_clients_answer():
    async with (
        broken(Fault.RESET) as (_, port),
        running_balancer(targets=[f"127.0.0.1:{port}"]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get())
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.response()
        await until(lambda: bool(balancer.app.recorder.last(1, lambda _: True)), "it is over")
        (record,) = balancer.app.recorder.last(1, lambda _: True)
        assert record.trouble.cut


async def test_a_stopped_or_killed_server_starts_without_its_fault():
    async with broken(Fault.ERROR) as (servers, port):
        await servers.kill(1)
        (status,) = servers.list()
        assert status.fault is Fault.NONE
        with pytest.raises(ServerError, match="is not running"):
            await servers.set_fault(1, FaultSetting.of(Fault.SLOW))
        await servers.start(1)
        assert (await raw(port))[0].count(PAGE) == 1


async def test_a_server_that_hangs_is_said_to(monkeypatch):
    async with embedded(1) as servers:
        started = await servers.start(1)
        os.kill(started.pid, signal.SIGSTOP)
        try:
            with monkeypatch.context() as impatient:
                impatient.setattr("lb.compute.servers.FAULT_TIMEOUT_S", 0.3)
                with pytest.raises(ServerError, match="does not listen"):
                    await servers.set_fault(1, FaultSetting.of(Fault.ERROR))
        finally:
            os.kill(started.pid, signal.SIGCONT)
        # Its late answer is not taken for that to the next call.
        status = await servers.set_fault(1, FaultSetting.of(Fault.SLOW, 5))
        assert (status.fault, status.fault_ms) == (Fault.SLOW, 5)
        assert (await raw(started.port))[0].count(PAGE) == 1


async def test_the_api_lists_and_applies_faults(tmp_path):
    async with faults_api(tmp_path) as (session, _):
        async with session.get("/_lb/faults") as answer:
            listed = await answer.json()
        assert listed["faults"] == ["none", "slow", "error", "reset", "drop_idle"]
        assert [(each["id"], each["kind"], each["state"], each["fault"]) for each in listed["servers"]] == [
            ("server-1", "demo", "running", "none"),
            ("server-2", "demo", "stopped", "none"),
        ]
        status, told = await call(session, "server-1", fault="slow")
        assert (status, told["fault"], told["ms"], told["state"]) == (200, "slow", 500, "running")
        assert told.keys() == listed["servers"][0].keys()
        status, told = await call(session, "server-1", fault="drop_idle", ms=1500)
        assert (status, told["fault"], told["ms"]) == (200, "drop_idle", 1500)
        status, told = await call(session, "server-1", fault="stop")
        assert (status, told["fault"], told["ms"], told["state"]) == (200, "none", None, "stopped")
        status, told = await call(session, "server-1", fault="start")
        assert (status, told["fault"], told["state"]) == (200, "none", "running")


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("server-3", {"fault": "slow"}, 404, "unknown-server"),
        ("i-0abc", {"fault": "none"}, 404, "unknown-server"),
        ("1", {"fault": "none"}, 404, "unknown-server"),
        ("server-2", {"fault": "slow"}, 409, "not-running"),
        ("server-1", {"fault": "start"}, 409, "already-running"),
        ("server-1", {"fault": "block"}, 400, "bad-request"),
        ("server-1", {"fault": "slow", "ms": 0}, 400, "bad-request"),
        ("server-1", {"fault": "slow", "ms": 90_001}, 400, "bad-request"),
        ("server-1", {"fault": "error", "ms": 5}, 400, "bad-request"),
        ("server-1", {"fault": "stop", "ms": 5}, 400, "bad-request"),
        ("server-1", {"fault": "slow", "seconds": 5}, 400, "bad-request"),
        ("server-1", {}, 400, "bad-request"),
    ],
)
async def test_what_cannot_be_done_has_code_and_message(tmp_path, name, body, status, code):
    async with faults_api(tmp_path) as (session, _):
        answered, told = await call(session, name, **body)
        assert (answered, told["error"]["code"]) == (status, code)
        assert told["error"]["message"]


async def test_lb_server_fault_breaks_and_mends(tmp_path):
    async with faults_api(tmp_path) as (session, url):
        done = await lb_server("fault", "1", "slow", "--ms", "700", "--api", url)
        assert (done.exit_code, done.output.partition("): ")[2]) == (0, "running, fault slow 700 ms\n")
        done = await lb_server("fault", "server-1", "drop-idle", "--api", url, "--json")
        assert (json.loads(done.output)["fault"], json.loads(done.output)["ms"]) == ("drop_idle", 2000)
        done = await lb_server("fault", "1", "none", "--api", url)
        assert done.output.endswith("): running\n")
        async with session.get("/_lb/faults") as answer:
            assert (await answer.json())["servers"][0]["fault"] == "none"
        for arguments, code, said in (
            (("2", "slow"), 1, "Error: Web Server 2 is not running (stopped)"),
            (("9", "slow"), 1, "Error: there is no web server server-9 here; known: server-1, server-2"),
            (("1", "error", "--ms", "5"), 1, "Error: the fault error has no duration: leave out ms"),
            (("1", "loud"), 2, "Invalid value for"),
        ):
            done = await lb_server("fault", *arguments, "--api", url)
            assert (done.exit_code, said in done.output) == (code, True), done.output


@pytest.mark.parametrize("setting", [FaultSetting.of(fault) for fault in Fault] + [FaultSetting.of(Fault.SLOW, 90_000)])
def test_a_setting_is_read_as_it_was_written(setting):
    assert FaultSetting.read(setting.line()) == setting


async def test_an_instances_web_server_takes_faults_while_the_instance_stays_running(tmp_path):
    port = free_port()
    instances = Instances(tmp_path, Placing(http_port=port))
    targets = FaultTargets(instances)
    more = {"number": 7, "address": "127.0.0.1", "desired": "running", "image": "ami-0none"}
    try:
        instances.reconcile(Records([Record(Kind.INSTANCE, "i-0abc", "us-east-1", "000000000000", {}, more=more)]))
        await until(lambda: instances.state("i-0abc") == "running", "the instance runs")
        (told,) = targets.list()
        assert (told["id"], told["kind"], told["name"], told["port"]) == ("i-0abc", "instance", "Web Server 7", port)
        assert (await targets.apply("i-0abc", Fault.ERROR, None))["fault"] == "error"
        assert (await targets.apply("i-0abc", "stop", None))["state"] == "stopped"
        assert instances.state("i-0abc") == "running"
        assert (await targets.apply("i-0abc", "start", None))["state"] == "running"
        instances.reconcile(Records())
        await until(lambda: instances.state("i-0abc") == "terminated" and not targets.list(), "it is gone")
    finally:
        await instances.close()


async def test_the_demos_servers_can_be_broken(tmp_path):
    port, api_port = free_ports_in_a_row(3), free_port()
    with lb("demo", "--port", port, "--api-port", api_port, cwd=tmp_path) as demo:
        await asyncio.to_thread(demo.says, "Ctrl-C ends everything")
        done = await lb_server("fault", "2", "error", "--api", f"http://127.0.0.1:{api_port}")
        assert (done.exit_code, done.output.endswith("running, fault error\n")) == (0, True), done.output
        async with connected(port) as client:
            assert sorted([(await client.ask(get())).status for _ in range(2)]) == [200, 500]
        demo.ctrl_c()
        assert await asyncio.to_thread(demo.ended) == 0
