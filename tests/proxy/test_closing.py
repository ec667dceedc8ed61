"""How connections end: nothing of an answer is lost, nobody can hold a connection for ever, and the process ends cleanly."""

import asyncio
import socket
import struct

import pytest

from tests.proxy.wire import WAIT_S, ask_once, connected, get
from tests.support.balancer import running_balancer, until
from tests.support.origins import OriginConnection, answer, answering, naming, running_origin, silent
from tests.support.ports import free_port

SHORT_IDLE = {"idle_timeout.timeout_seconds": 1}


@pytest.mark.parametrize(
    "request_",
    [get(b"/", b"Content-Length: 2") + b"ab", get(b"/", b"Connection: close")],
    ids=["ambiguous", "close"],
)
async def test_a_last_answer_arrives_whole_although_the_client_sent_more(request_: bytes) -> None:
    """RFC 9112 9.6: closing with bytes unread resets the connection and takes what was not yet delivered along."""
    size = 2_000_000

    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await asyncio.sleep(0.1)
        await connection.send(answer(b"z" * size))

    loop = asyncio.get_running_loop()
    async with running_origin(script) as origin, running_balancer(targets=[origin]) as balancer:
        with socket.socket() as plain:
            plain.setblocking(False)
            await loop.sock_connect(plain, ("127.0.0.1", balancer.port))
            await loop.sock_sendall(plain, request_ + get(b"/more", b"X-Filler: " + b"y" * 8000) * 75)
            await asyncio.sleep(0.4)
            received = 0
            while data := await loop.sock_recv(plain, 65536):
                received += len(data)
        assert received > size


async def test_a_client_that_never_reads_cannot_hold_its_connection() -> None:
    """Whether much or little of the answer still waits in the balancer: after the idle timeout the connection is gone."""
    sizes = [step * 16_384 for step in range(1, 25)]

    async def script(connection: OriginConnection) -> None:
        while True:
            request = await connection.read_request()
            await connection.send(answer(b"z" * int(request.line.split()[1][1:])))

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin], lb_attributes=SHORT_IDLE) as balancer,
    ):
        sockets = []
        for size in sizes:
            plain = socket.socket()
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            plain.setblocking(False)
            sockets.append(plain)
            await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", balancer.port))
            plain.send(get(b"/%d" % size))
        try:
            await until(lambda: origin.requests == len(sizes), "requests at the target")
            await until(lambda: not balancer.node.clients, "no connection of clients that never read")
        finally:
            for plain in sockets:
                plain.close()


async def test_a_slow_but_steady_reader_is_not_cut_off() -> None:
    """The idle timeout is about silence: bytes that trickle to the client keep the connection alive (fact sheet 7.7)."""
    size = 300_000
    async with (
        running_origin(answering(answer(b"z" * size))) as origin,
        running_balancer(targets=[origin], lb_attributes=SHORT_IDLE) as balancer,
        connected(balancer.port, receive_buffer=4096, segment=536) as client,
    ):
        await client.send(get())
        received = 0
        while received < size:
            data = await asyncio.wait_for(client.reader.read(4096), WAIT_S)
            assert data, f"cut off after {received} bytes"
            received += len(data)
            await asyncio.sleep(0.03)


async def test_an_early_answer_to_a_client_that_pauses_arrives_whole() -> None:
    """The balancer closes after it answered half a request, but not before the answer is through."""
    sizes = [step * 16_384 for step in range(4, 25)]

    async def script(connection: OriginConnection) -> None:
        head = await connection.read_head()
        await connection.send(answer(b"z" * int(head.split()[1][1:])))
        await connection.ended()

    async with running_origin(script) as origin, running_balancer(targets=[origin]) as balancer:

        async def ask(size: int) -> int:
            async with connected(balancer.port, receive_buffer=4096, segment=536) as client:
                await client.send(b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf" % size)
                await client.reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(2.6)
                return len(await client.rest())

        assert await asyncio.gather(*map(ask, sizes)) == sizes


async def test_clients_that_reset_at_once_do_no_harm() -> None:
    async with running_origin(naming(b"ok")) as origin, running_balancer(targets=[origin]) as balancer:
        for _ in range(20):
            with socket.socket() as plain:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                plain.connect(("127.0.0.1", balancer.port))
        assert (await ask_once(balancer.port, get())).body == b"ok"


async def test_a_close_lets_requests_in_flight_end() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        await asyncio.sleep(0.4)
        await connection.send(b"half")

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as busy,
        connected(balancer.port) as idle,
    ):
        await busy.send(get())
        await busy.reader.readuntil(b"half")
        async with asyncio.TaskGroup() as group:
            group.create_task(balancer.close())
            assert await idle.ended()
            assert await busy.rest() == b"half"


async def test_app_close_answers_what_is_in_flight_and_refuses_new_clients() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await asyncio.sleep(0.4)
        await connection.send(answer(b"late"))

    async with running_origin(script) as origin, running_balancer(targets=[origin], with_api=True) as balancer:
        async with connected(balancer.port) as client:
            await client.send(get())
            await until(lambda: balancer.in_flight == 1, "request at the target")
            async with asyncio.TaskGroup() as group:
                group.create_task(balancer.close())
                await asyncio.sleep(0.1)
                with pytest.raises(OSError, match=r"onnect"):
                    await ask_once(balancer.port, get())
                response = await client.response()
                assert (response.body, response.value(b"Connection")) == (b"late", b"close")
                assert await client.ended()
        text = (balancer.data_dir / "logs" / "access.log").read_text()
        assert text.count("\n") == 1


async def test_what_outlasts_the_grace_is_cut_logged_and_leaves_nothing_behind() -> None:
    async with (
        running_origin(silent) as origin,
        running_balancer(targets=[origin], shutdown_grace_s=0.2, with_api=True) as balancer,
    ):
        async with connected(balancer.port) as client:
            await client.send(get())
            await until(lambda: balancer.in_flight == 1, "request at the target")
            slots = [slot for roster in balancer.node.rosters.values() for slot in roster.slots]
            await balancer.close()
            got = await client.rest()
            assert got == b"" or got.startswith(b"HTTP/1.1 502 ")
        await until(lambda: origin.open == 0, "connection to the target closed")
        assert [slot.in_flight for slot in slots] == [0]
        assert (balancer.data_dir / "logs" / "access.log").read_text().count("\n") == 1


async def test_half_a_request_at_the_end_of_the_grace_leaves_nothing_behind() -> None:
    async with (
        running_origin(silent) as origin,
        running_balancer(targets=[origin], shutdown_grace_s=0.2) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        await until(lambda: origin.open == 1, "request at the target")
        await balancer.close()
        await until(lambda: not balancer.node.clients, "client gone although it keeps its side open")


async def test_keep_alive_connections_of_a_removed_listener_end() -> None:
    async def script(connection: OriginConnection) -> None:
        while True:
            await connection.read_request()
            await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
            await asyncio.sleep(0.3)
            await connection.send(b"half")

    async with running_origin(script) as origin:
        second = free_port()
        async with running_balancer(targets=[origin], more_ports=[second]) as balancer:
            async with connected(second) as idle, connected(second) as busy:
                await idle.ask(get())
                await busy.send(get())
                await busy.reader.readuntil(b"half")
                await balancer.apply(more_ports=[], group="other-name")
                assert await idle.ended()
                assert await busy.reader.readexactly(4) == b"half"
                await busy.send(get(b"/again"))
                assert await busy.ended(), "a listener that is gone still serves"
            with pytest.raises(OSError, match=r"onnect"):
                await ask_once(second, get())
