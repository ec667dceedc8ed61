"""A client may send requests ahead: they are answered in order, one at a time, and only so much is read ahead."""

import asyncio

from tests.proxy.wire import connected, get, post
from tests.support.balancer import running_balancer, until
from tests.support.origins import OriginConnection, answer, echoing, running_origin

BOTH_LOOPS = True


async def test_fifty_requests_in_one_write() -> None:
    async with (
        running_origin(echoing()) as one,
        running_origin(echoing()) as two,
        running_balancer(targets=[one, two]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(b"".join(get(b"/%d" % number) for number in range(50)))
        for number in range(50):
            assert (await client.response()).body == b"GET /%d HTTP/1.1\n" % number
        assert (one.requests, two.requests) == (25, 25)


async def test_mixed_with_bodies() -> None:
    chunked = b"PUT /%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with (
        running_origin(echoing()) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        requests, expected = [], []
        for number in range(0, 60, 3):
            requests += [get(b"/%d" % number), post(b"x" * number, b"/%d" % (number + 1)), chunked % (number + 2)]
            expected += [
                b"GET /%d HTTP/1.1\n" % number,
                b"POST /%d HTTP/1.1\n" % (number + 1) + b"x" * number,
                b"PUT /%d HTTP/1.1\nabcde" % (number + 2),
            ]
        await client.send(b"".join(requests))
        assert [(await client.response()).body for _ in expected] == expected


async def test_in_pieces_of_every_size() -> None:
    """However the bytes are cut, the answers are the same."""
    whole = get(b"/1") + post(b"12345", b"/2") + b"\r\n" + get(b"/3", b"X-Long: " + b"y" * 40)
    expected = [b"GET /1 HTTP/1.1\n", b"POST /2 HTTP/1.1\n12345", b"GET /3 HTTP/1.1\n"]
    async with running_origin(echoing()) as origin, running_balancer(targets=[origin]) as balancer:

        async def cut(size: int) -> None:
            async with connected(balancer.port) as client:
                for at in range(0, len(whole), size):
                    await client.send(whole[at : at + size])
                    await asyncio.sleep(0.0005)
                assert [(await client.response()).body for _ in expected] == expected

        await asyncio.gather(*(cut(size) for size in (1, 2, 3, 7, 31, 64, 100)))


async def test_behind_a_slow_request() -> None:
    go = asyncio.Event()

    async def script(connection: OriginConnection) -> None:
        while True:
            request = await connection.read_request()
            if b"/slow" in request.line:
                await go.wait()
            await connection.send(answer(request.line.split()[1]))

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get(b"/slow") + get(b"/next"))
        await until(lambda: origin.requests == 1, "first request at the target")
        assert await client.silent_for(0.15)
        assert origin.requests == 1
        go.set()
        assert [(await client.response()).body for _ in range(2)] == [b"/slow", b"/next"]


async def test_only_so_much_is_read_ahead() -> None:
    """Behind a request that waits, the balancer stops reading: the client cannot fill its memory."""
    go = asyncio.Event()

    async def script(connection: OriginConnection) -> None:
        while True:
            await connection.read_request()
            await go.wait()
            await connection.send(answer(b"ok"))

    count = 400
    ahead = get(b"/ahead", b"X-Filler: " + b"y" * 12_000)
    async with (
        running_origin(script, keep_received=False) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port, segment=1000) as client,
    ):
        await client.send(get())
        await until(lambda: origin.requests == 1, "first request at the target")
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(client.send(ahead * count))
            await asyncio.sleep(0.3)
            assert not sending.done(), "the balancer has read megabytes ahead"
            (waiting,) = balancer.node.clients
            assert len(waiting._unread) < 600_000
            go.set()
            for _ in range(count + 1):
                assert (await client.response()).body == b"ok"
        assert origin.requests == count + 1


async def test_a_client_that_leaves_takes_what_it_sent_ahead_with_it() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.ended()

    async with running_origin(script) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            await client.send(get() * 20)
            await until(lambda: origin.requests == 1, "first request at the target")
            client.reset()
        (entry,) = await balancer.log(1)
        assert entry["elb_status_code"] == "460"
        assert origin.requests == 1
