"""The database check against real servers: MariaDB, and everything that is not MariaDB."""

import asyncio
import contextlib
import errno
import socket
import time

import asyncmy
import pytest
import uvloop

from lb.compute.database import DatabaseSettings, check_database, settings_from_environment
from lb.compute.database_diagnosis import Outcome
from tests.compute.mysql8 import VERSION, greeting, mysql8
from tests.support.mariadb import LIMITED_USER, TLS_USER, make_certificate


def settings_of(mariadb, **changes):
    values = {
        "host": mariadb.host,
        "port": mariadb.port,
        "user": mariadb.user,
        "password": mariadb.password,
        "database": mariadb.database,
    }
    return DatabaseSettings(**(values | changes))


async def check(mariadb, **changes):
    return await check_database(settings_of(mariadb, **changes), timeout_s=30)


@pytest.mark.mysql
async def test_success_tells_the_server_version(mariadb):
    found = await check(mariadb)
    assert found.outcome is Outcome.OK
    assert found.server_version is not None
    assert "MariaDB" in found.server_version
    assert found.server_version in found.message
    assert (found.cause, found.next_step) == ("", "")


@pytest.mark.mysql
async def test_a_database_is_optional(mariadb):
    assert (await check(mariadb, database=None)).outcome is Outcome.OK


@pytest.mark.mysql
async def test_a_name_works_as_well_as_an_address(mariadb):
    # On most machines localhost is also ::1, where this server does not listen.
    assert (await check(mariadb, host="localhost")).outcome is Outcome.OK


@pytest.mark.mysql
def test_the_check_works_on_uvloop(mariadb):
    assert uvloop.run(check_database(settings_of(mariadb), 30)).outcome is Outcome.OK


@pytest.mark.mysql
async def test_tls_is_used_where_the_server_offers_it(mariadb):
    if not mariadb.has_tls:
        pytest.skip("no openssl command on this machine, so the test server has no certificate")
    assert (await check(mariadb, user=TLS_USER, database=None)).outcome is Outcome.OK


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize(("password", "outcome"), [("pässword", Outcome.OK), ("not it", Outcome.WRONG_PASSWORD)])
def test_mysql_8_is_given_an_uncached_password_over_tls(tmp_path, run, password, outcome):
    certificate = make_certificate(tmp_path)
    if not certificate:
        pytest.skip("no openssl command on this machine to make a certificate with")
    with mysql8(*certificate, "pässword") as port:
        found = run(check_database(DatabaseSettings("127.0.0.1", "web", port, password), 5))
    assert found.outcome is outcome, found.message
    assert found.server_version == (VERSION.decode() if outcome is Outcome.OK else None)


@pytest.mark.mysql
async def test_a_wrong_password_says_that_mysql_was_reached(mariadb):
    found = await check(mariadb, password="not it")
    assert found.outcome is Outcome.WRONG_PASSWORD
    assert "was reached" in found.message
    assert "using password: YES" in found.message
    assert "not it" not in repr(found)


@pytest.mark.mysql
async def test_no_password_says_so(mariadb):
    found = await check(mariadb, password="")
    assert found.outcome is Outcome.WRONG_PASSWORD
    assert "using password: NO" in found.message
    assert "LB_DB_PASSWORD" in found.next_step


@pytest.mark.mysql
async def test_a_user_of_the_operating_system_cannot_log_in_with_a_password(mariadb):
    found = await check(mariadb, user="system", password="any", database=None)
    assert found.outcome is Outcome.WRONG_PASSWORD


@pytest.mark.mysql
async def test_an_unknown_database_is_told_from_one_without_privilege(mariadb):
    mariadb.administer(f"GRANT ALL ON `new%`.* TO '{mariadb.user}'@'%';")
    assert (await check(mariadb, database="newer")).outcome is Outcome.UNKNOWN_DATABASE
    forbidden = await check(mariadb, database="forbidden")
    assert forbidden.outcome is Outcome.NO_ACCESS
    assert "'forbidden'" in forbidden.message


@pytest.mark.mysql
async def test_used_up_connections_are_not_a_wrong_password(mariadb):
    holder = await asyncmy.connect(
        host=mariadb.host, port=mariadb.port, user=LIMITED_USER, password=mariadb.password.encode()
    )
    try:
        found = await check(mariadb, user=LIMITED_USER, database=None)
    finally:
        await holder.ensure_closed()
    assert found.outcome is Outcome.TOO_MANY_CONNECTIONS


@pytest.mark.mysql
async def test_a_server_that_is_full_says_so_in_place_of_its_greeting(mariadb):
    mariadb.administer("SET GLOBAL max_connections = 10;")
    holders = []
    try:
        while len(holders) < 10:
            holder = await asyncmy.connect(
                host=mariadb.host, port=mariadb.port, user=mariadb.user, password=mariadb.password.encode()
            )
            holders.append(holder)
        found = await check(mariadb)
    finally:
        for holder in holders:
            await holder.ensure_closed()
        # The server counts a connection until its thread has ended; root has one connection in reserve.
        mariadb.administer("SET GLOBAL max_connections = 100;")
    assert found.outcome is Outcome.TOO_MANY_CONNECTIONS
    assert "1040" in found.message


# From here on nothing needs a MySQL server: the point is that there is none.


async def reach(port, timeout_s=30.0, host="127.0.0.1"):
    started = time.monotonic()
    found = await check_database(DatabaseSettings(host=host, port=port, user="web", password="hidden"), timeout_s)
    assert time.monotonic() - started < timeout_s + 10
    assert "hidden" not in repr(found)
    assert found.cause
    assert found.next_step
    return found


@contextlib.asynccontextmanager
async def server(handler):
    """A server on a free loopback port that runs `handler(reader, writer)` for each connection."""
    ended = []

    async def handle(reader, writer):
        ended.append(done := asyncio.Event())
        with contextlib.suppress(ConnectionError):
            await handler(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        done.set()

    running = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1]
        for done in ended:
            await done.wait()


async def test_an_unknown_host_is_not_a_network_problem():
    found = await reach(3306, host="no-such-database.invalid")
    assert found.outcome is Outcome.UNKNOWN_HOST
    assert "no-such-database.invalid" in found.message


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "nul\0"])
async def test_a_text_that_cannot_be_a_name_is_an_unknown_host(host):
    assert (await reach(3306, host=host)).outcome is Outcome.UNKNOWN_HOST


async def test_a_closed_port_is_refused():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = await reach(unused.getsockname()[1])
    assert found.outcome is Outcome.REFUSED
    assert "bind-address" in found.cause


async def test_a_port_that_drops_packets_is_a_silent_firewall():
    # A full accept queue drops further SYNs, which from outside looks as a firewall does.
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            assert filler.connect_ex(listener.getsockname()) in (0, errno.EINPROGRESS)
        found = await reach(listener.getsockname()[1], timeout_s=1)
    if found.outcome is Outcome.NO_GREETING:
        pytest.skip("this system's kernel takes connections beyond a full accept queue")
    assert found.outcome is Outcome.TIMEOUT
    assert "firewall" in found.cause


async def test_a_connection_without_a_greeting_is_not_a_firewall():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        found = await reach(listener.getsockname()[1], timeout_s=1)
    assert found.outcome is Outcome.NO_GREETING
    assert "no answer within 1 s" in found.message


async def test_a_port_that_closes_at_once_is_a_forwarder_with_nothing_behind():
    async def close(_reader, _writer):
        """The server closes when its handler is done."""

    async with server(close) as port:
        assert (await reach(port)).outcome is Outcome.NO_GREETING


async def test_an_http_server_is_recognised():
    async def answer_http(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with server(answer_http) as port:
        found = await reach(port, timeout_s=10)
    assert found.outcome is Outcome.NOT_MYSQL
    assert "HTTP server" in found.message


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x03\x00\x02\x02\x28", b"no TLS"], ids=["silent", "alert", "text"])
def test_a_tls_handshake_that_fails_is_an_outcome_and_leaves_nothing_open(run, answer):
    async def greet(reader, writer):
        writer.write(greeting())
        await reader.readexactly(36)
        writer.write(answer)
        await writer.drain()
        await reader.read()

    async def scenario():
        async with server(greet) as port:
            return await reach(port, timeout_s=30 if answer else 2)

    assert run(scenario()).outcome is (Outcome.OTHER if answer else Outcome.TIMEOUT)


@pytest.mark.parametrize("first_bytes", [b"SSH-2.0-OpenSSH_9.2p1\r\n", b"220", b"\x5b\x00\x00\x00\x0a"])
async def test_another_protocol_is_not_mysql(first_bytes):
    """Including one byte too few to tell, and a greeting that stops after MySQL's first byte."""

    async def greet(reader, writer):
        writer.write(first_bytes)
        await writer.drain()
        await reader.read()

    stops = first_bytes[3:] == b"\x00\x0a"
    async with server(greet) as port:
        found = await reach(port, timeout_s=2 if stops else 10)
    assert found.outcome is (Outcome.TIMEOUT if stops else Outcome.NOT_MYSQL)


@pytest.mark.parametrize(
    "payload",
    [b"\x0a", b"\x0a8.4.0\x00", b"\x0anot a version\x00" + bytes(60), b"\x0a8.4.0\x00" + b"\xff" * 60, b"\xff"],
)
async def test_a_malformed_greeting_is_an_outcome_not_a_traceback(payload):
    async def greet(reader, writer):
        writer.write(len(payload).to_bytes(3, "little") + b"\x00" + payload)
        await writer.drain()
        await reader.read(1024)

    async with server(greet) as port:
        assert (await reach(port)).outcome is Outcome.OTHER


def test_the_environment_names_the_database():
    found = settings_from_environment(
        {"LB_DB_HOST": "mysql", "LB_DB_USER": "web", "LB_DB_PASSWORD": "hidden", "LB_DB_NAME": "shop"}
    )
    assert found == DatabaseSettings(host="mysql", user="web", password="hidden", database="shop")
    assert "hidden" not in repr(found)
    assert settings_from_environment({"LB_DB_USER": "web"}) is None


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "²"])
def test_a_bad_port_in_the_environment_is_named(port):
    with pytest.raises(ValueError, match="LB_DB_PORT"):
        settings_from_environment({"LB_DB_HOST": "mysql", "LB_DB_PORT": port})
