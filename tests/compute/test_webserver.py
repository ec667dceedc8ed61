"""The pages of an embedded web server, over real connections."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import aiohttp
import pytest

from tests.support.ports import free_port

DATABASE_VARIABLES = ("LB_DB_HOST", "LB_DB_PORT", "LB_DB_USER", "LB_DB_PASSWORD", "LB_DB_NAME")


@contextmanager
def web_server(number=1, **environment):
    """A web server process; yields its URL and the process."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if name not in DATABASE_VARIABLES}
    process = subprocess.Popen(
        [sys.executable, "-m", "lb.compute.webserver", "--number", str(number), "--port", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean | environment,
        text=True,
    )
    with process:
        assert process.stdout.readline() == f"ready http://127.0.0.1:{port}/\n", process.stderr.read()
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.stdin.close()
            process.wait(30)
            assert process.stderr.read() == ""


@pytest.fixture(scope="module")
def url():
    with web_server(1) as (address, _process):
        yield address


async def fetch(address, **headers):
    async with aiohttp.ClientSession() as session, session.get(address, headers=headers) as answer:
        return answer, await answer.text()


async def test_the_front_page_is_exactly_the_lessons(url):
    answer, body = await fetch(url)
    assert body == "<html><body><p> Web Server 1 </p></body></html>"
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Content-Length"] == str(len(body))
    assert "Date" in answer.headers


async def test_head_has_the_length_and_no_body(url):
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"HEAD / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-length: 47\r\n" in answer.lower()
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("page", ["/health", "/health.php"])
async def test_the_health_page_is_switched_down_and_up(url, page):
    assert (await fetch(url + page))[0].status == 200
    assert (await fetch(f"{url}{page}?set=down"))[0].status == 503
    assert (await fetch(url + page))[0].status == 503
    assert (await fetch(url))[0].status == 200
    assert (await fetch(f"{url}{page}?set=up"))[0].status == 200
    assert (await fetch(url + page))[0].status == 200


async def test_an_unclear_switch_changes_nothing(url):
    assert (await fetch(f"{url}/health.php?set=sideways"))[0].status == 400
    assert (await fetch(f"{url}/health.php"))[0].status == 200


async def test_info_tells_the_peer_and_the_forwarded_headers(url):
    headers = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Amzn-Trace-Id": "Root=1-a",
        "Own": "x",
    }
    answer, body = await fetch(f"{url}/info.php?format=json", **headers)
    info = json.loads(body)
    assert answer.headers["Content-Type"] == "application/json"
    assert info["server"] == "Web Server 1"
    assert info["server_address"] == url.removeprefix("http://")
    # The peer is shown as it is: X-Forwarded-For does not replace it.
    assert info["client_address"] == "127.0.0.1"
    assert info["x_forwarded_for"] == "203.0.113.7"
    del headers["Own"]
    assert info["forwarded_headers"] == headers
    assert info["database"]["outcome"] == "not-configured"


async def test_what_came_from_outside_is_escaped(url):
    _, body = await fetch(f"{url}/info", **{"X-Forwarded-For": "<script>alert(1)</script>"})
    assert "&lt;script&gt;" in body
    assert "<script" not in body
    assert "this request did not come through a balancer" not in body
    assert "this request did not come through a balancer" in (await fetch(f"{url}/info"))[1]


async def test_slow_waits_as_long_as_asked(url):
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert (await fetch(f"{url}/slow.php?ms=300"))[0].status == 200
    assert loop.time() - started >= 0.3


@pytest.mark.parametrize("code", [200, 204, 299, 304, 404, 418, 500, 503, 599])
async def test_status_answers_with_the_code_asked_for(url, code):
    assert (await fetch(f"{url}/status.php?code={code}"))[0].status == code


@pytest.mark.parametrize(
    "page",
    ["slow.php", "slow.php?ms=-1", "slow?ms=90001", "slow?ms=x", "status.php", "status?code=199", "status?code=600"],
)
async def test_a_parameter_out_of_range_is_400_and_says_what_is_allowed(url, page):
    answer, body = await fetch(f"{url}/{page}")
    assert answer.status == 400
    assert "must be a whole number from" in body


async def test_a_directory_of_the_disk_is_no_page(url):
    # The lesson's mistake: the document root's path as the health check path.
    assert (await fetch(f"{url}/var/www/html"))[0].status == 404


async def test_a_database_that_cannot_be_reached_is_shown_with_its_cause():
    port = free_port()
    with web_server(2, LB_DB_HOST="127.0.0.1", LB_DB_PORT=str(port), LB_DB_PASSWORD="hidden") as (address, _):
        database = json.loads((await fetch(f"{address}/info?format=json"))[1])["database"]
        page = (await fetch(f"{address}/info"))[1]
    assert database["outcome"] == "refused"
    assert database["where"] == f"127.0.0.1:{port}"
    assert database["milliseconds"] < 20_000
    assert database["next_step"]
    assert "<td>refused</td>" in page
    assert "hidden" not in page


@pytest.mark.mysql
async def test_a_database_that_answers_is_shown_with_its_version(mariadb):
    environment = {
        "LB_DB_HOST": mariadb.host,
        "LB_DB_PORT": str(mariadb.port),
        "LB_DB_USER": mariadb.user,
        "LB_DB_PASSWORD": mariadb.password,
        "LB_DB_NAME": mariadb.database,
    }
    with web_server(1, **environment) as (address, _):
        for _ in range(2):
            database = json.loads((await fetch(f"{address}/info?format=json"))[1])["database"]
            assert database["outcome"] == "ok"
            assert "MariaDB" in database["message"]


def test_the_server_ends_when_its_standard_input_closes():
    with web_server() as (_, process):
        process.stdin.close()
        assert process.wait(30) == 0


def test_the_server_ends_on_sigterm():
    with web_server() as (_, process):
        process.terminate()
        assert process.wait(30) in (0, -signal.SIGTERM)


def test_by_hand_without_a_pipe_the_server_stays():
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "lb.compute.webserver", "--number", "1", "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline().startswith("ready ")
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)
        finally:
            process.terminate()


@pytest.mark.parametrize(("port", "variables"), [("70000", {}), ("0", {"LB_DB_HOST": "mysql", "LB_DB_PORT": "mysql"})])
def test_what_cannot_start_says_why_in_one_line(port, variables):
    ended = subprocess.run(
        [sys.executable, "-m", "lb.compute.webserver", "--number", "1", "--port", port],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=120,
    )
    assert ended.returncode == 1
    assert ended.stdout.startswith("failed start-failed: ")
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""
