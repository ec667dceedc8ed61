"""The balancer's own API (docs/local-api.md) over real connections, in front of real targets."""

import asyncio
import contextlib
import json
import re
from pathlib import Path
from time import monotonic

import aiohttp
import pytest

from lb.observe.advice import SENTENCES
from tests.proxy.wire import connected, get
from tests.support.balancer import free_port, running_balancer, until
from tests.support.origins import naming, once, running_origin

DOCS = Path("docs/local-api.md").read_text()
BROKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"


@contextlib.asynccontextmanager
async def served(*scripts, **options):
    """A balancer with its API in front of targets with these scripts, and a session for the API."""
    port = free_port()
    async with contextlib.AsyncExitStack() as stack:
        origins = [await stack.enter_async_context(running_origin(script)) for script in scripts]
        balancer = await stack.enter_async_context(
            running_balancer(targets=origins, with_api=True, api_port=port, **options)
        )
        api = await stack.enter_async_context(aiohttp.ClientSession(f"http://127.0.0.1:{port}"))
        yield balancer, api


async def asked(balancer, *paths):
    async with connected(balancer.port) as client:
        return [(await client.ask(get(path))).status for path in paths]


async def json_of(api, path, status=200):
    async with api.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def events(answer):
    """The events of a stream, without the signs of life."""
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def keys(value):
    """The names in it, whatever the values: what an example in the documentation can be compared by."""
    return list(value)


def example(heading):
    """The field names of the first JSON example below a heading."""
    return re.findall(r'"([\w]+)":', DOCS.partition(heading)[2].partition("```json")[2].partition("```")[0])


async def test_the_last_requests_come_first_and_can_be_filtered():
    async with served(naming(b"1"), naming(b"2")) as (balancer, api):
        await asked(balancer, b"/one", b"/two", b"/three")
        requests = (await json_of(api, "/_lb/requests"))["requests"]
        assert [each["path"] for each in requests] == ["/three", "/two", "/one"]
        assert keys(requests[0]) == example("## `GET /_lb/requests`")[1:]
        assert len((await json_of(api, "/_lb/requests?limit=2"))["requests"]) == 2
        (two,) = (await json_of(api, "/_lb/requests?text=TWO&status=2xx&load_balancer=web"))["requests"]
        assert two["path"] == "/two"
        why = await json_of(api, f"/_lb/why?id={two['trace_id']}")
        assert why["requests"][0]["result"]["target"] == two["target"]


async def test_sentences_come_in_the_language_that_is_asked_for():
    async with served(naming(b"1")) as (balancer, api):
        await asked(balancer, b"/one")
        (one,) = (await json_of(api, "/_lb/requests"))["requests"]
        for lang, cause, rule in (
            ("", "the answer of the target {} itself", "the only target group of the action"),
            ("&lang=en", "the answer of the target {} itself", "the only target group of the action"),
            ("&lang=ko", "대상 {}에서 온 응답 그대로입니다", "이 작업의 유일한 대상 그룹입니다"),
        ):
            (why,) = (await json_of(api, f"/_lb/why?id={one['trace_id']}{lang}"))["requests"]
            assert why["cause"] == "200: " + cause.format(one["target"])
            assert why["walk"]["action"]["group"]["why"] == rule
        question = {"port": balancer.port, "head": "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "client_ip": "127.0.0.1"}
        async with api.post("/_lb/explain?lang=ko", json=question) as answer:
            assert (await answer.json())["action"]["targets"]["candidates"][0]["why"].startswith("정상")
        (target,) = (await json_of(api, "/_lb/targets/health?lang=ko"))["targets"]
        # Before its first health check has ended, or afterwards.
        assert target["advice"]["to_do"] in ("첫 상태 확인을 기다리세요.", "할 일이 없습니다.")


@pytest.mark.parametrize(
    "path",
    [
        *("/_lb/status?lang=fr", "/_lb/targets/health?lang=KO", "/_lb/why?id=1&lang="),
        *("/_lb/requests?limit=0", "/_lb/requests?limit=1001", "/_lb/requests?limit=x", "/_lb/requests?limit=²"),
        *("/_lb/requests?status=ok", "/_lb/requests/stream?limit=-1", "/_lb/requests/stream?status=9xx"),
        *("/_lb/metrics/seconds?since=1.5", "/_lb/metrics/seconds?since=-1"),
    ],
)
async def test_what_is_not_clear_is_refused_with_a_sentence(path):
    async with served() as (_, api):
        error = (await json_of(api, path, 400))["error"]
        assert error["code"] == "bad-request"
        assert "must be" in error["message"]


async def test_the_stream_tells_of_requests_as_they_end():
    async with served(naming(b"1")) as (balancer, api):
        await asked(balancer, b"/before")
        async with api.get("/_lb/requests/stream") as answer, asyncio.timeout(30):
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            told = events(answer)
            hello = await anext(told)
            assert (hello["type"], hello["limit"], hello["every_ms"]) == ("hello", 200, 100)
            assert f'"bounds_ms":{json.dumps(hello["bounds_ms"], separators=(",", ":"))}' in DOCS
            await asked(balancer, b"/after?x=1")
            batch = await anext(told)
            assert (batch["type"], batch["count"], [each["path"] for each in batch["requests"]]) == (
                *("batch", 1),
                ["/after?x=1"],
            )
            (edge,) = batch["edges"]
            assert keys(edge) == re.findall(
                r'"(\w+)":', DOCS.partition("up by where they went:")[2].partition("```\n")[0]
            )
            assert (edge["count"], edge["outcome"], edge["by"]) == (1, "2xx", "target")
            assert len(edge["buckets"]) == len(hello["bounds_ms"]) + 1


async def test_a_client_that_goes_leaves_nothing_behind():
    async with served(naming(b"1")) as (balancer, api):
        async with api.get("/_lb/requests/stream?text=x") as answer:
            await anext(events(answer))
            assert balancer.app.stream.readers == 1
            answer.close()
        await until(lambda: balancer.app.stream.readers == 0, "nobody reads any more")


async def test_the_balancer_ends_at_once_although_somebody_follows():
    async with served(naming(b"1")) as (balancer, api), api.get("/_lb/requests/stream") as answer:
        told = events(answer)
        await anext(told)
        balancer.app._api._server.config.timeout_graceful_shutdown = 60
        begun = monotonic()
        await balancer.close()
        assert monotonic() - begun < 30, "uvicorn had to wait before it cancelled"
        with pytest.raises(StopAsyncIteration):
            await anext(told)


async def test_a_reader_that_does_not_read_is_told_what_it_has_lost():
    async with served(naming(b"1")) as (balancer, api):
        reader, writer = await asyncio.open_connection("127.0.0.1", api._base_url.port, limit=1024)
        try:
            writer.write(b"GET /_lb/requests/stream?limit=1000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            await until(lambda: balancer.app.stream.readers == 1, "it follows")
            (channel,) = balancer.app.stream._channels.values()
            (waiting,) = channel.readers
            sent = 0
            async with asyncio.timeout(60), connected(balancer.port) as client:
                while not waiting._dropped_batches:
                    for _ in range(20):
                        await client.ask(get(b"/" + b"x" * 190))
                        sent += 1
                    await asyncio.sleep(0)
            text = b""
            async with asyncio.timeout(30):
                while b'"type":"dropped"' not in text:
                    text += await reader.read(65536)
            lost = json.loads(re.search(rb'\{"type":"dropped"[^}]*\}', text)[0])
            assert lost["batches"] >= 1
            assert 1 <= lost["count"] <= sent
        finally:
            writer.close()
            await writer.wait_closed()


async def test_seconds_add_up_to_what_was_asked():
    async with served(naming(b"1"), naming(b"2")) as (balancer, api):
        await asked(balancer, *[b"/"] * 10)

        async def counted():
            found = {}
            for each in (await json_of(api, "/_lb/metrics/seconds"))["series"]:
                found.setdefault(each["kind"], []).append(each)
            return found

        # Complete seconds only: a request is told of once the second in which the recorder saw it is over.
        async with asyncio.timeout(30):
            found = await counted()
            while sum(sum(each["requests"]) for each in found.get("load_balancer", ())) < 10:
                await asyncio.sleep(0.1)
                found = await counted()
        assert [sum(each["requests"]) for each in found["load_balancer"]] == [10]
        assert [sum(each["2xx"]) for each in found["target"]] == [5, 5]
        assert keys(found["target"][0]) == example("## `GET /_lb/metrics/seconds`")[3:][: len(found["target"][0])]
        assert any(value is not None and value > 0 for value in found["target"][0]["p99_ms"])


async def test_a_target_that_is_unhealthy_says_why_and_what_to_do():
    script = once(b"HTTP/1.1 404 Nowhere To Be Seen\r\nContent-Length: 0\r\n\r\n")
    check = {"port": "traffic-port", "path": "/var/www/html", "interval": 60, "timeout": 30, "unhealthy_threshold": 2}
    async with served(script, health_check=check) as (balancer, api):
        await balancer.ready()
        (told,) = (await json_of(api, "/_lb/targets/health"))["targets"]
        assert keys(told)[:13] == [name for name in example("## `GET /_lb/targets/health`")[1:] if name in told][:13]
        assert told["counter"]["text"] == "1 of 2 failures"
        assert told["advice"]["code"] == "first-failures"
        (probe,) = told["probes"]
        assert (probe["request"], probe["host"]) == ("GET /var/www/html HTTP/1.1", told["target"])
        assert (probe["status"], probe["answer"]) == (404, "HTTP/1.1 404 Nowhere To Be Seen")
        assert (probe["outcome"], probe["detail"]) == ("code-mismatch", "status 404, expected 200")
        assert (await json_of(api, "/_lb/targets/health?target_group=other"))["targets"] == []


def test_the_documentation_has_every_advice_in_order():
    table = DOCS.partition("| code | when | values |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)) == tuple(SENTENCES)
