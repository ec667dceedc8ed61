"""WebSockets (fact sheet 7.8, 5.4, 9.2): the handshake is routed like any request, then bytes flow both ways."""

import asyncio
import re

import pytest

from tests.proxy.rules.setups import cookie_header, cookies_set, naming_origins
from tests.proxy.rules.websocket import accept, chat, frame, handshake, opened
from tests.proxy.wire import WAIT_S, connected, get
from tests.support.balancer import running_balancer, until
from tests.support.origins import OriginConnection, answer, answering, running_origin, silent

BOTH_LOOPS = True
_SMALL = 4096


async def test_frames_go_both_ways_and_one_entry_is_written_at_the_end() -> None:
    async with running_origin(chat) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            response = await opened(client)
            sent = received = 0
            for number in range(20):
                message = frame(b"message %d" % number, masked=True)
                await client.send(message)
                assert await client.reader.readexactly(len(message)) == message
                sent += len(message)
                received += len(message)
            assert (balancer.data_dir / "logs" / "access.log").read_text() == ""
            # Longer than the times below: those of an entry do not count how long the WebSocket was open.
            await asyncio.sleep(1)
            assert balancer.in_flight == 1
        (entry,) = await balancer.log(1)
        assert (entry["type"], entry["elb_status_code"], entry["target_status_code"]) == ("ws", "101", "101")
        assert entry["target"] == entry["target_port_list"] == origin.target
        assert entry["target_status_code_list"] == "101"
        assert int(entry["received_bytes"]) == len(handshake()) + sent
        assert int(entry["sent_bytes"]) == len(response.raw) + received
        assert entry["actions_executed"] == "forward"
        assert entry["request"] == f"GET http://example.com:{balancer.port}/chat HTTP/1.1"
        for name in ("request", "target", "response"):
            assert 0 <= float(entry[f"{name}_processing_time"]) < 1
        await until(lambda: origin.open == 0, "the connection to the target is closed, too")


async def test_what_the_client_sends_right_behind_the_handshake_reaches_the_target() -> None:
    async with (
        running_origin(chat) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        first = frame(b"at once", masked=True)
        await opened(client, handshake() + first)
        assert await client.reader.readexactly(len(first)) == first


async def test_what_the_client_sends_before_the_target_has_agreed_reaches_it_in_order() -> None:
    async def slowly(connection: OriginConnection) -> None:
        await asyncio.sleep(0.3)
        await chat(connection)

    async with (
        running_origin(slowly) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        # More than the balancer keeps without letting the client wait.
        data = bytes(range(256)) * 2000
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(client.send(handshake() + data))
            response = await client.response()
            assert response.status == 101
            assert await client.reader.readexactly(len(data)) == data


async def test_what_the_target_sends_right_behind_its_answer_reaches_the_client() -> None:
    hello = frame(b"hello", masked=False)

    async def greets(connection: OriginConnection) -> None:
        await accept(connection, behind=hello)
        await connection.ended()

    async with (
        running_origin(greets) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await opened(client)
        assert await client.reader.readexactly(len(hello)) == hello


async def test_the_handshake_byte_by_byte() -> None:
    async with (
        running_origin(chat) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for byte in handshake():
            await client.send(bytes((byte,)))
        assert (await client.response()).status == 101
        await client.send(b"x")
        assert await client.reader.readexactly(1) == b"x"


@pytest.mark.parametrize("upgrade", [b"websocket, h2c", b"h2c\r\nUpgrade: WebSocket"], ids=["list", "two lines"])
async def test_a_handshake_may_offer_other_protocols_too(upgrade: bytes) -> None:
    async with (
        running_origin(chat) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await opened(client, handshake().replace(b"Upgrade: websocket", b"Upgrade: " + upgrade))
        message = frame(b"hello", masked=True)
        await client.send(message)
        assert await client.reader.readexactly(len(message)) == message


async def test_a_connection_that_has_served_requests_may_become_a_websocket() -> None:
    async def both(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(answer(b"plain"))
        await chat(connection)

    async with (
        running_origin(both) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).body == b"plain"
        await opened(client)
        assert len(origin.connections) == 1


async def test_rules_apply_to_the_handshake() -> None:
    rules = [
        {"priority": 1, "conditions": {"path-pattern": "/chat"}, "action": {"forward": "chat"}},
        {"priority": 2, "conditions": {"path-pattern": "/no"}, "action": {"fixed-response": {"status_code": "403"}}},
        {
            "priority": 3,
            "conditions": {"path-pattern": "/old"},
            "transforms": {"url-rewrite": {"regex": "^/old", "replace": "/new"}},
            "action": {"forward": "chat"},
        },
        {
            "priority": 4,
            "conditions": {"http-header": {"Upgrade": "websocket"}},
            "action": {"redirect": {"status_code": 302, "port": 1}},
        },
    ]
    async with (
        naming_origins("default") as (default,),
        running_origin(chat) as talker,
        running_balancer(targets=[default], groups={"chat": [talker]}, rules=rules) as balancer,
    ):
        for path in (b"/chat", b"/old"):
            async with connected(balancer.port) as client:
                await opened(client, handshake(path))
        assert talker.connections[1].received.startswith(b"GET /new HTTP/1.1\r\n")
        async with connected(balancer.port) as client:
            assert (await client.ask(handshake(b"/no"))).status == 403
            assert (await client.ask(handshake(b"/x"))).status == 302
        assert default.requests == 0
        entries = await balancer.log(4)
        assert sorted((entry["type"], entry["matched_rule_priority"]) for entry in entries) == [
            ("http", "2"),
            ("http", "4"),
            ("ws", "1"),
            ("ws", "3"),
        ]


async def test_sticky_cookies_choose_the_target_of_the_handshake_and_are_renewed_by_its_answer() -> None:
    async def plain_or_chat(connection: OriginConnection) -> None:
        head = await connection.read_head()
        if b"upgrade: websocket" not in head.lower():
            await connection.send(answer(b"%d" % connection.origin.port))
            return
        await connection.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Port: %d\r\n\r\n"
            % connection.origin.port
        )
        await connection.ended()

    async with (
        running_origin(plain_or_chat) as one,
        running_origin(plain_or_chat) as two,
        running_balancer(targets=[one, two], tg_attributes={"stickiness.enabled": True}) as balancer,
    ):
        async with connected(balancer.port) as client:
            first = await client.ask(get())
        cookies = cookies_set(first)
        for _ in range(3):
            async with connected(balancer.port) as client:
                response = await client.ask(handshake(b"/", cookie_header(cookies)))
                assert (response.status, response.value(b"x-port")) == (101, first.body)
                assert list(cookies_set(response)) == ["AWSALB", "AWSALBCORS"]


async def test_the_answer_to_the_handshake_carries_the_listeners_headers() -> None:
    attributes = {"routing.http.response.x_frame_options.header_value": "DENY"}
    async with (
        running_origin(chat) as origin,
        running_balancer(targets=[origin], listener_attributes=attributes) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await opened(client)).value(b"x-frame-options") == b"DENY"


async def test_a_client_that_does_not_read_holds_up_the_target_and_not_the_balancer() -> None:
    sent = 0

    async def floods(connection: OriginConnection) -> None:
        nonlocal sent
        await accept(connection)
        for _ in range(400):
            await connection.send(b"x" * 65536)
            sent += 65536
        await connection.ended()

    async with (
        running_origin(floods) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port, receive_buffer=_SMALL) as client,
    ):
        await opened(client)
        held = -1
        while sent > held:
            held = sent
            await asyncio.sleep(0.5)
        # The kernel's own buffers on the way take some megabytes.
        assert held < 400 * 65536
        (connected_client,) = balancer.node.clients
        assert connected_client.transport.get_write_buffer_size() < 2**20
        async with asyncio.timeout(60):
            for _ in range(400):
                assert await client.reader.readexactly(65536) == b"x" * 65536


async def test_a_target_that_does_not_read_holds_up_the_client() -> None:
    go = asyncio.Event()
    total = 400 * 65536

    async def reads_late(connection: OriginConnection) -> None:
        await accept(connection)
        await go.wait()
        while connection.received_bytes < total:
            await connection.read()
        await connection.send(b"done")
        await connection.ended()

    async with (
        running_origin(reads_late, keep_received=False, receive_buffer=_SMALL) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await opened(client)
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(client.send(b"y" * total))
            await asyncio.sleep(0.5)
            assert not sending.done()
            (served,) = balancer.node.clients
            assert served.exchange.target.transport.get_write_buffer_size() < 2**20
            go.set()
            assert await client.reader.readexactly(4) == b"done"


async def test_a_silent_websocket_ends_after_the_idle_timeout_and_not_before() -> None:
    async with (
        running_origin(chat) as origin,
        running_balancer(targets=[origin], lb_attributes={"idle_timeout.timeout_seconds": 1}) as balancer,
        connected(balancer.port) as client,
    ):
        await opened(client)
        for _ in range(3):
            await asyncio.sleep(0.6)
            await client.send(b"ping")
            assert await client.reader.readexactly(4) == b"ping"
        assert await client.silent_for(0.7)
        assert await client.ended()
        (entry,) = await balancer.log(1)
        assert (entry["type"], entry["elb_status_code"], entry["target_status_code"]) == ("ws", "101", "101")
        await until(lambda: origin.open == 0, "the target's side has ended, too")


async def test_bytes_from_the_target_alone_keep_a_websocket_open() -> None:
    async def ticks(connection: OriginConnection) -> None:
        await accept(connection)
        for _ in range(4):
            await asyncio.sleep(0.6)
            await connection.send(b"tick")

    async with (
        running_origin(ticks) as origin,
        running_balancer(targets=[origin], lb_attributes={"idle_timeout.timeout_seconds": 1}) as balancer,
        connected(balancer.port) as client,
    ):
        await opened(client)
        assert await client.rest() == b"tick" * 4


async def test_the_end_of_the_deregistration_delay_ends_it_and_not_the_beginning() -> None:
    async with (
        running_origin(chat) as origin,
        naming_origins("other") as (other,),
        running_balancer(targets=[origin], tg_attributes={"deregistration_delay.timeout_seconds": 3}) as balancer,
        connected(balancer.port) as client,
    ):
        await opened(client)
        await balancer.apply(targets=[other])
        await asyncio.sleep(0.5)
        await client.send(b"still")
        assert await client.reader.readexactly(5) == b"still"
        assert await client.ended()
        (entry,) = await balancer.log(1)
        assert (entry["type"], entry["elb_status_code"], entry["target_status_code"]) == ("ws", "101", "101")


async def test_a_refused_upgrade_is_relayed_and_the_connection_lives_on() -> None:
    refusal = answer(b"no", b"Sec-WebSocket-Version: 13", status=b"426 Upgrade Required")
    async with (
        running_origin(answering(refusal)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        for _ in range(2):
            response = await client.ask(handshake())
            assert (response.status, response.body) == (426, b"no")
            assert response.value(b"sec-websocket-version") == b"13"
        assert (await client.ask(get())).status == 426
        assert [entry["type"] for entry in await balancer.log(3)] == ["http"] * 3
        assert len(origin.connections) == 1


@pytest.mark.parametrize(
    "request_",
    [
        get(),
        handshake().replace(b"GET ", b"POST "),
        handshake().replace(b"HTTP/1.1", b"HTTP/1.0"),
        handshake().replace(b"keep-alive, Upgrade", b"keep-alive"),
        handshake().replace(b"Upgrade: websocket", b"Upgrade: h2c"),
        handshake(b"/", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    ],
    ids=["plain", "post", "1.0", "no connection", "h2c", "chunked"],
)
async def test_an_upgrade_that_nobody_asked_for_is_a_bad_answer(request_: bytes) -> None:
    raw = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    heads: list[bytes] = []

    async def switches(connection: OriginConnection) -> None:
        heads.append(await connection.read_head())
        await connection.send(raw)
        await connection.ended()

    async with (
        running_origin(switches) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(request_)
        response = await client.response()
        # A tunnel is made only for what the target was asked: whether it was is told by what it got.
        asked = re.search(rb"\r\nupgrade:", heads[0], re.IGNORECASE) is not None
        assert (asked, response.status) == (False, 502)
        (entry,) = await balancer.log(1)
        assert (entry["type"], entry["elb_status_code"], entry["target_status_code"]) == ("http", "502", "-")


async def test_a_target_that_never_answers_the_handshake_is_504() -> None:
    async with (
        running_origin(silent) as origin,
        running_balancer(targets=[origin], lb_attributes={"idle_timeout.timeout_seconds": 1}) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(handshake())
        assert response.status == 504


async def test_the_last_words_of_the_target_reach_the_client() -> None:
    words = frame(b"bye", masked=False) * 5000

    async def leaves(connection: OriginConnection) -> None:
        await accept(connection)
        await connection.send(words)

    async with (
        running_origin(leaves) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port, receive_buffer=_SMALL) as client,
    ):
        await opened(client)
        await asyncio.sleep(0.2)
        assert await client.rest() == words
        client.close()
        (entry,) = await balancer.log(1)
        assert (entry["type"], entry["elb_status_code"]) == ("ws", "101")


async def test_the_last_words_of_the_client_reach_a_target_that_is_behind() -> None:
    go = asyncio.Event()
    got = sent = 0

    async def listens(connection: OriginConnection) -> None:
        nonlocal got
        await accept(connection)
        await go.wait()
        while data := await connection.read():
            got += len(data)

    async with (
        running_origin(listens, keep_received=False, receive_buffer=_SMALL) as origin,
        running_balancer(targets=[origin]) as balancer,
    ):
        async with connected(balancer.port) as client:
            await opened(client)
            (served,) = balancer.node.clients
            waiting = served.exchange.target.transport.get_write_buffer_size
            # Until the kernel takes no more, and the balancer itself has to hold some of it.
            while not waiting():
                await client.send(b"z" * 8192)
                sent += 8192
                await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        go.set()
        await until(lambda: origin.open == 0, "the target's side has ended")
        assert got == sent, f"{sent - got} of {sent} bytes are lost"


async def test_the_last_message_of_a_client_that_leaves_reaches_the_target() -> None:
    async def listens(connection: OriginConnection) -> None:
        await accept(connection)
        await connection.ended()

    async with running_origin(listens) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            await opened(client)
            await client.send(frame(b"bye", masked=False))
        await until(lambda: origin.open == 0, "the target's side has ended")
        assert origin.connections[0].received.endswith(frame(b"bye", masked=False))


async def test_a_client_that_resets_ends_the_targets_side() -> None:
    async with running_origin(chat) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            await opened(client)
            client.reset()
        await until(lambda: origin.open == 0, "the target's side has ended")
        (entry,) = await balancer.log(1)
        assert (entry["type"], entry["elb_status_code"]) == ("ws", "101")


async def test_a_websocket_counts_as_outstanding_while_it_is_open() -> None:
    async def either(connection: OriginConnection) -> None:
        while True:
            head = await connection.read_head()
            if b"upgrade: websocket" in head.lower():
                await connection.send(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                await connection.ended()
            await connection.send(answer(b"%d" % connection.origin.port))

    attributes = {"load_balancing.algorithm.type": "least_outstanding_requests"}
    async with (
        running_origin(either) as one,
        running_origin(either) as two,
        running_balancer(targets=[one, two], tg_attributes=attributes) as balancer,
        connected(balancer.port) as talker,
        connected(balancer.port) as client,
    ):
        assert (await talker.ask(handshake())).status == 101
        busy = next(slot.key for roster in balancer.node.rosters.values() for slot in roster.slots if slot.in_flight)
        said = {(await client.ask(get())).body.decode() for _ in range(6)}
        assert said == {str(each.port) for each in (one, two) if each.target != busy}


async def test_a_target_that_never_reads_is_let_go_after_the_client_has_left() -> None:
    ended = asyncio.Event()

    async def deaf(connection: OriginConnection) -> None:
        await accept(connection)
        try:
            while True:
                # Only sending finds out that the other side is gone.
                await asyncio.sleep(0.2)
                await connection.send(b"x")
        finally:
            ended.set()

    async with (
        running_origin(deaf, keep_received=False, receive_buffer=_SMALL) as origin,
        running_balancer(targets=[origin], lb_attributes={"idle_timeout.timeout_seconds": 1}) as balancer,
    ):
        async with connected(balancer.port) as client:
            await opened(client)
            (served,) = balancer.node.clients
            target = served.exchange.target
            while not target.transport.get_write_buffer_size():
                await client.send(b"z" * 8192)
                await asyncio.sleep(0)
            client.reset()
        async with asyncio.timeout(WAIT_S):
            await ended.wait()
        await until(lambda: target.transport.get_write_buffer_size() == 0, "nothing is kept for it")
