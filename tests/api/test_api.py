"""The API port of a running balancer, over HTTP: status as JSON, the page, the routes it is given, and its end."""

import asyncio
import logging
import signal
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lb.api.app import api_app
from lb.api.server import ApiServer
from lb.app import App
from lb.configfile.reader import read_config
from lb.net.sockets import PortTakenError, bind
from lb.settings import Settings
from tests.health.scripted import until
from tests.support.balancer import free_port
from tests.support.origins import answer, answering, running_origin


@asynccontextmanager
async def balancer(data_dir, routes=()):
    """A balancer with one healthy target; yields its App, its API's address and its listener's port."""
    async with running_origin(answering(answer())) as web:
        port, api_port = free_port(), free_port()
        config = read_config(
            f"""
load_balancers:
  web: {{listeners: [{{port: {port}, forward: servers}}]}}
target_groups:
  servers: {{health_check: {{interval: 30}}, targets: ["127.0.0.1:{web.port}"]}}
""",
            "lb.yaml",
        )
        app = App(Settings(api_port=api_port, data_dir=data_dir, shutdown_grace_s=0.2))
        try:
            await app.start(config, routes)
            await until(lambda: app.status()["ready"])
            yield app, f"http://127.0.0.1:{api_port}", port
        finally:
            async with asyncio.timeout(30):
                await app.close()


@asynccontextmanager
async def fetch(url, method="GET", **more):
    async with aiohttp.ClientSession() as session, session.request(method, url, **more) as response:
        yield response


async def test_status_is_the_picture_of_the_moment_as_json(tmp_path):
    async with balancer(tmp_path) as (app, url, port):
        async with fetch(f"http://127.0.0.1:{port}/") as response:
            assert response.status == 200
        async with fetch(f"{url}/_lb/status") as response:
            assert (response.status, response.content_type) == (200, "application/json")
            picture = await response.json()
        (target,) = picture["target_groups"][0]["targets"]
        assert (target["state"], target["served"], target["in_flight"]) == ("healthy", 1, 0)
        assert picture.keys() == app.status().keys()


async def test_the_page_is_html_that_is_looked_for_again_each_time(tmp_path):
    async with balancer(tmp_path) as (_, url, __), fetch(f"{url}/") as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert response.headers["Cache-Control"] == "no-cache"
        assert (await response.text()).lower().startswith("<!doctype html>")


async def test_what_is_not_there_is_404_and_what_cannot_be_done_405(tmp_path):
    async with balancer(tmp_path) as (_, url, __):
        async with fetch(f"{url}/nothing") as response:
            assert response.status == 404
        async with fetch(f"{url}/_lb/status", "POST") as response:
            assert response.status == 405


async def test_routes_that_it_is_given_are_served(tmp_path):
    async def hello(_):
        return PlainTextResponse("hello")

    async with balancer(tmp_path, [Route("/_lb/hello", hello)]) as (_, url, __), fetch(f"{url}/_lb/hello") as response:
        assert await response.text() == "hello"


async def test_pages_of_other_sites_cannot_act_here(tmp_path):
    """A browser sends their requests to this machine's loopback address too, and says whose they are."""
    asked = []

    async def act(request):
        asked.append(request.headers.get("origin"))
        return PlainTextResponse("done")

    async with balancer(tmp_path, [Route("/_lb/act", act, methods=["POST"])]) as (_, url, __):
        for origin in ("http://evil.example", "null", url.replace("http", "https"), url + "0"):
            async with fetch(f"{url}/_lb/act", "POST", headers={"Origin": origin}) as response:
                assert response.status == 403
        assert asked == []
        for headers in ({}, {"Origin": url}):
            async with fetch(f"{url}/_lb/act", "POST", headers=headers) as response:
                assert response.status == 200
    assert asked == [None, url]


async def test_a_name_of_another_site_that_leads_here_cannot_act_either(tmp_path):
    """DNS rebinding: a page of evil.example, whose name was made to stand for 127.0.0.1, is of the same origin as we are."""
    async with balancer(tmp_path) as (_, url, __):
        host = f"evil.example:{url.rpartition(':')[2]}"
        async with fetch(f"{url}/_lb/status", headers={"Host": host, "Origin": f"http://{host}"}) as response:
            assert response.status == 403


async def test_a_handler_that_fails_is_500_and_the_api_goes_on(tmp_path, caplog):
    async def broken(_):
        raise ZeroDivisionError("on purpose")

    async with balancer(tmp_path, [Route("/_lb/broken", broken)]) as (_, url, __):
        async with fetch(f"{url}/_lb/broken") as response:
            assert response.status == 500
        async with fetch(f"{url}/_lb/status") as response:
            assert response.status == 200
    assert "on purpose" in caplog.text


async def test_a_taken_api_port_names_it_and_leaves_nothing_open(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        app = App(Settings(api_port=port, data_dir=tmp_path))
        with pytest.raises(PortTakenError, match=str(port)):
            await app.start(
                read_config("load_balancers: {w: {listeners: [{port: 1, forward: g}]}}\ntarget_groups: {g: {}}", "f")
            )
        await app.close()


async def test_a_taken_listener_port_gives_the_api_port_back(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listener, api_port = taken.getsockname()[1], free_port()
        app = App(Settings(api_port=api_port, data_dir=tmp_path))
        text = f"load_balancers: {{w: {{listeners: [{{port: {listener}, forward: g}}]}}}}\ntarget_groups: {{g: {{}}}}"
        with pytest.raises(PortTakenError, match=str(listener)):
            await app.start(read_config(text, "f"))
        await app.close()
        bind("127.0.0.1", api_port).close()


async def test_a_client_that_asks_again_and_again_does_not_hold_up_the_end(tmp_path):
    """`lb status --watch` and the page in a browser keep their connection."""
    async with aiohttp.ClientSession() as session:
        async with balancer(tmp_path) as (_, url, __):
            async with session.get(f"{url}/_lb/status") as response:
                assert response.status == 200
            begun = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun < 20


async def test_nothing_breaks_for_those_who_ask_while_the_balancer_ends(tmp_path, caplog):
    answers = []

    async def asks(url):
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(url) as response:
                        answers.append(response.status)
                except aiohttp.ClientError:
                    return

    with caplog.at_level(logging.ERROR):
        async with asyncio.TaskGroup() as group, balancer(tmp_path) as (_, url, __):
            group.create_task(asks(f"{url}/_lb/status"))
            await until(lambda: len(answers) >= 5)
    assert set(answers) == {200}
    assert caplog.text == ""


async def test_the_process_keeps_its_own_signal_handlers():
    """uvicorn takes SIGINT and SIGTERM for itself where it may."""

    def handlers():
        return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    before = handlers()
    bound = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/_lb/status"
    server = ApiServer(api_app(lambda _: {}, ()), bound)
    server.start()
    async with fetch(url) as response:
        assert response.status == 200
    assert handlers() == before
    await server.close()
