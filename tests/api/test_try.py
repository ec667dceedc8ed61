"""POST /_lb/try: requests that the balancer sends to its own listeners, in front of real targets."""

import asyncio
import json
import re
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.api.try_order import Order
from tests.support.balancer import free_port, running_balancer, until
from tests.support.origins import answer, answering, naming, once, running_origin

STARTED = {"load_balancer": "web", "method": "GET", "path": "/", "rate": 200}


@asynccontextmanager
async def served(*scripts, **options):
    port = free_port()
    async with AsyncExitStack() as stack:
        origins = [await stack.enter_async_context(running_origin(script)) for script in scripts]
        balancer = await stack.enter_async_context(
            running_balancer(targets=origins, with_api=True, api_port=port, **options)
        )
        api = await stack.enter_async_context(aiohttp.ClientSession(f"http://127.0.0.1:{port}"))
        yield balancer, api


def order_for(balancer, **changes):
    name = balancer.app.status()["load_balancers"][0]["name"]
    return {**STARTED, "load_balancer": name, "port": balancer.port, **changes}


async def tried(api, order, lang="en"):
    """The events of a whole run."""
    async with api.post(f"/_lb/try?lang={lang}", json=order) as reply:
        assert reply.status == 200, await reply.text()
        assert reply.content_type == "text/event-stream"
        return [json.loads(line[6:]) async for line in reply.content if line.startswith(b"data: ")]


def received(balancer):
    """The heads of the requests that the first target got."""
    return b"".join(bytes(connection.received) for connection in balancer.origins[0].connections).split(b"\r\n\r\n")[
        :-1
    ]


def html(text):
    return answer(text.encode(), b"Content-Type: text/html")


async def test_each_answer_tells_its_target_its_words_and_where_it_is_explained():
    page = "<html><head><title> The  page </title><style>p {}</style></head><body><p> Web Server 1 </p>" + "x" * 500
    async with served(answering(html(page))) as (balancer, api):
        *answers, end = await tried(api, order_for(balancer, count=3))
        async with api.get("/_lb/why", params={"id": answers[0]["trace_id"]}) as explained:
            assert explained.status == 200
    assert [each["number"] for each in answers] == [1, 2, 3]
    assert end["count"] == 3
    for each in answers:
        assert each["title"] == "The page"
        assert each["text"].startswith("Web Server 1 xxx")
        assert len(each["text"]) == 200
        assert (each["status"], each["by"], each["outcome"], each["error"]) == (200, "target", "2xx", None)
        assert each["target"] == f"{each['target_id']}:{each['target_port']}"
        assert each["bytes"] == len(page)


async def test_the_target_gets_the_request_as_it_was_ordered():
    async with served(naming(b"1")) as (balancer, api):
        await tried(api, order_for(balancer, method="DELETE", path="/a%20b?c", headers={"X-Beta": "yes"}))
        (head,) = received(balancer)
        host = f"Host: {balancer.dns_name}:{balancer.port}"
    line, *headers = head.split(b"\r\n")
    assert line == b"DELETE /a%20b?c HTTP/1.1"
    assert b"X-Beta: yes" in headers
    assert host.encode() in headers


@pytest.mark.parametrize("keeps", [True, False])
async def test_cookies_come_back_only_when_they_are_kept(keeps):
    script = answering(answer(b"ok", b"Set-Cookie: color=red; Path=/", b"Set-Cookie: size=1"))
    async with served(script) as (balancer, api):
        first, *_ = await tried(api, order_for(balancer, count=3, cookies=keeps))
        got = [b"Cookie: color=red; size=1" in head for head in received(balancer)]
    assert first["set_cookies"] == ["color", "size"]
    assert got == [False, keeps, keeps]


async def test_they_are_sent_at_their_rate_and_slow_answers_do_not_hold_others_back():
    async def slow(connection):
        await connection.read_request()
        # The first answer comes after the last request.
        await until(lambda: connection.origin.requests == 5, "all requests at the target")
        await connection.send(answer())

    async with served(slow) as (balancer, api):
        *answers, _ = await tried(api, order_for(balancer, count=5, rate=20))
    sent = sorted(each["sent_ms"] for each in answers)
    assert all(at >= place * 50 - 5 for place, at in enumerate(sent))
    assert [each["status"] for each in answers] == [200] * 5


async def test_a_chunked_answer_is_read_and_a_cut_one_is_told():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n"

    cut = once(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    async with served(answering(chunked)) as (balancer, api):
        whole, _ = await tried(api, order_for(balancer))
    async with served(cut) as (balancer, api):
        half, _ = await tried(api, order_for(balancer))
        korean, _ = await tried(api, order_for(balancer), "ko")
    assert (whole["text"], whole["bytes"], whole["error"]) == ("one two", 7, None)
    assert (half["status"], half["error"]) == (200, "the connection ended before the answer did")
    assert korean["error"] == "응답이 끝나기 전에 연결이 끊겼습니다"


async def test_it_ends_when_the_client_goes():
    async with served(naming(b"1")) as (balancer, api):
        counter = count()
        async with api.post("/_lb/try", json=order_for(balancer, count=1000, rate=50)) as reply:
            async for _ in reply.content:
                if next(counter) == 3:
                    break
        await until(lambda: balancer.in_flight == 0, "nothing is under way")
        tries = balancer.app._tries
        await until(lambda: not tries._runs, "no run is left")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"count": 1001}, "count must be a number from 1 to 1000"),
        ({"count": 1.5}, "count must be a whole number"),
        ({"count": True}, "count must be"),
        ({"rate": 201}, "rate must be a number from 0.1 to 200"),
        ({"count": 1000, "rate": 1}, "take longer than 300 s"),
        ({"path": "http://example.com/"}, "path must begin with /"),
        ({"path": "/a b"}, "path must begin with /"),
        ({"method": "GET /"}, "method must be one word"),
        ({"headers": {"Content-Length": "5"}}, "the header Content-Length cannot be chosen here"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "without line breaks"),
        ({"headers": {"a b": "c"}}, "'a b' is no name of a header"),
        ({"cookies": "yes"}, "cookies must be true or false"),
        ({"url": "http://example.com"}, "unknown: url"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(changes, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        Order.read({**STARTED, "port": 80, **changes})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"port": 0}', b'{"port": 80, "count": 0}', b" " * 70_000])
async def test_a_refusal_has_the_shape_of_all_errors(body):
    async with served() as (_, api), api.post("/_lb/try", data=body) as reply:
        assert (reply.status, (await reply.json())["error"]["code"]) == (400, "bad-request")


async def test_only_own_listeners_are_reached():
    async with running_origin(naming(b"other")) as other, served(naming(b"1")) as (balancer, api):
        for changes in ({"port": other.port}, {"load_balancer": "nobody"}, {"load_balancer": "127.0.0.1"}):
            async with api.post("/_lb/try", json=order_for(balancer, **changes)) as reply:
                assert (reply.status, (await reply.json())["error"]["code"]) == (404, "unknown-listener")


async def test_there_are_only_so_many_runs_at_a_time():
    async with served(naming(b"1")) as (balancer, api):
        order = order_for(balancer, count=100, rate=1)
        async with AsyncExitStack() as stack:
            answers = [await stack.enter_async_context(api.post("/_lb/try", json=order)) for _ in range(5)]
            assert [answer.status for answer in answers] == [200] * 4 + [503]
            for answer in answers:
                answer.close()


async def test_a_run_that_is_under_way_does_not_keep_the_balancer_from_closing():
    async with (
        served(naming(b"1")) as (balancer, api),
        api.post("/_lb/try", json=order_for(balancer, count=100, rate=1)) as run,
    ):
        assert b"answer" in await run.content.readline()
        async with asyncio.timeout(30):
            await balancer.close()
            assert await run.content.read() == b"\n"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda each: st.dictionaries(st.sampled_from([*Order.__slots__, "other"]) | st.text(), each),
    )
)
def test_whatever_is_ordered_is_refused_with_words_or_one_message(value):
    given = {"port": 80, **value} if isinstance(value, dict) else value
    try:
        order = Order.read(given)
    except ValueError:
        return
    message = order.message("name", "")
    assert message.count(b"\r\n\r\n") == 1
    assert message.endswith(b"\r\n\r\n")
