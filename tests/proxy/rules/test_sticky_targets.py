"""Sticky sessions with targets (fact sheet 4.4), over the wire: lb_cookie and app_cookie."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lb.model.reasons import TargetState
from tests.proxy.rules.setups import attributes_of, cookie_header, cookies_set, naming_origins
from tests.proxy.wire import Client, Response, connected, get
from tests.support.balancer import running_balancer, until
from tests.support.origins import OriginConnection, answer, running_origin

_WEEK_S = 7 * 24 * 3600
STICKY = {"stickiness.enabled": True, "stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": 600}
APPLICATION = {
    "stickiness.enabled": True,
    "stickiness.type": "app_cookie",
    "stickiness.app_cookie.cookie_name": "SID",
    "stickiness.app_cookie.duration_seconds": 600,
}


async def ask_with(client: Client, cookies: dict[str, bytes], path: bytes = b"/") -> Response:
    return await client.ask(get(path, cookie_header(cookies)))


async def test_the_pair_has_albs_form_and_stands_behind_connection() -> None:
    async with (
        naming_origins("1") as (one,),
        running_balancer(targets=[one], tg_attributes=STICKY) as balancer,
        connected(balancer.port) as client,
    ):
        clock = time.time()
        balancer.node.wall_s = lambda: clock
        response = await client.ask(get())
        cookies = cookies_set(response)
        assert list(cookies) == ["AWSALB", "AWSALBCORS"]
        assert cookies["AWSALB"] == cookies["AWSALBCORS"]
        assert re.fullmatch(rb"[A-Za-z0-9+/=]{124}", cookies["AWSALB"])
        assert attributes_of(response, "AWSALB") == (int(clock) + _WEEK_S, b"")
        assert attributes_of(response, "AWSALBCORS") == (int(clock) + _WEEK_S, b"; SameSite=None")
        assert response.names == [b"Date", b"Content-Length", b"Connection", b"Set-Cookie", b"Set-Cookie", b"X-Name"]


async def test_a_client_keeps_its_target_on_every_connection_and_the_pair_is_new_on_every_answer() -> None:
    async with (
        naming_origins("1", "2", "3") as targets,
        running_balancer(targets=targets, tg_attributes=STICKY) as balancer,
    ):
        async with connected(balancer.port) as client:
            starts = [await client.ask(get()) for _ in range(6)]
        assert {start.body for start in starts} == {b"1", b"2", b"3"}
        values = {cookies_set(start)["AWSALB"] for start in starts}
        for start in starts:
            cookies = cookies_set(start)
            for step in range(5):
                balancer.node.wall_s = lambda step=step: time.time() + step + 1
                async with connected(balancer.port) as client:
                    kept = await ask_with(client, cookies)
                assert kept.body == start.body
                cookies = cookies_set(kept)
                assert cookies["AWSALB"] not in values


@pytest.mark.parametrize(
    "status", [b"200 OK", b"204 No Content", b"301 Moved", b"304 Not Modified", b"404 Not Found", b"500 Oh"]
)
async def test_every_answer_of_a_target_renews_the_pair(status: bytes) -> None:
    async def script(connection: OriginConnection) -> None:
        while True:
            await connection.read_request()
            await connection.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin], tg_attributes=STICKY) as balancer,
        connected(balancer.port) as client,
    ):
        for request in (get(), b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"):
            assert list(cookies_set(await client.ask(request))) == ["AWSALB", "AWSALBCORS"]


async def test_the_targets_own_cookies_stay() -> None:
    raw = answer(b"x", b"Set-Cookie: mine=1; Path=/", b"Set-Cookie: other=2")

    async def script(connection: OriginConnection) -> None:
        while True:
            await connection.read_request()
            await connection.send(raw)

    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin], tg_attributes=STICKY) as balancer,
        connected(balancer.port) as client,
    ):
        lines = (await client.ask(get())).values(b"set-cookie")
        assert lines[2:] == [b"mine=1; Path=/", b"other=2"]


async def test_the_cors_cookie_wins() -> None:
    async with (
        naming_origins("1", "2") as targets,
        running_balancer(targets=targets, tg_attributes=STICKY) as balancer,
        connected(balancer.port) as client,
    ):
        values = {}
        for _ in range(2):
            response = await client.ask(get())
            values[response.body] = cookies_set(response)["AWSALB"]
        for winner, loser in ((b"1", b"2"), (b"2", b"1")):
            for _ in range(3):
                kept = await ask_with(client, {"AWSALB": values[loser], "AWSALBCORS": values[winner]})
                assert kept.body == winner


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value[::-1],
        lambda value: value[:-1],
        lambda _: b"",
        lambda value: value.replace(value[:1], b"%41"),
    ],
    ids=["reversed", "cut", "empty", "encoded"],
)
async def test_a_broken_cookie_means_a_new_choice(spoil: Callable[[bytes], bytes]) -> None:
    async with (
        naming_origins("1", "2") as targets,
        running_balancer(targets=targets, tg_attributes=STICKY) as balancer,
        connected(balancer.port) as client,
    ):
        value = cookies_set(await client.ask(get()))["AWSALB"]
        said = {(await ask_with(client, {"AWSALB": spoil(value)})).body for _ in range(4)}
        assert said == {b"1", b"2"}
        assert {entry["error_reason"] for entry in await balancer.log(5)} == {"-"}


async def test_an_expired_cookie_means_a_new_choice() -> None:
    attributes = {**STICKY, "stickiness.lb_cookie.duration_seconds": 10}
    async with (
        naming_origins("1", "2") as targets,
        running_balancer(targets=targets, tg_attributes=attributes) as balancer,
        connected(balancer.port) as client,
    ):
        now = time.time()
        balancer.node.wall_s = lambda: now - 60
        cookies = cookies_set(await client.ask(get()))
        balancer.node.wall_s = time.time
        assert {(await ask_with(client, cookies)).body for _ in range(4)} == {b"1", b"2"}


async def moved_from(client: Client, name: bytes, cookies: dict[str, bytes]) -> None:
    """The next request goes elsewhere and stays there."""
    moved = await ask_with(client, cookies)
    assert moved.status == 200
    assert moved.body != name
    for _ in range(4):
        assert (await ask_with(client, cookies_set(moved))).body == moved.body


async def test_a_client_is_moved_at_once_when_its_target_drains() -> None:
    async with (
        naming_origins("1", "2", "3") as targets,
        running_balancer(targets=targets, tg_attributes=STICKY) as balancer,
        connected(balancer.port) as client,
    ):
        first = await client.ask(get())
        await balancer.apply(
            targets=[each for each, name in zip(targets, b"123", strict=True) if name != first.body[0]]
        )
        await moved_from(client, first.body, cookies_set(first))


async def test_a_client_is_moved_at_once_when_its_target_turns_unhealthy() -> None:
    async def script(connection: OriginConnection) -> None:
        request = await connection.read_request()
        while True:
            ill = b"HealthChecker" in request.head and connection.origin.port in sick
            await connection.send(answer(b"%d" % connection.origin.port, status=b"503 Ill" if ill else b"200 OK"))
            request = await connection.read_request()

    sick: set[int] = set()
    check = {"port": "traffic-port", "interval": 0.6, "timeout": 0.55, "unhealthy_threshold": 2}
    async with (
        running_origin(script) as one,
        running_origin(script) as two,
        running_balancer(targets=[one, two], tg_attributes=STICKY, health_check=check) as balancer,
        connected(balancer.port) as client,
    ):
        (roster,) = balancer.node.rosters.values()

        def healthy() -> int:
            return sum(slot.health.state is TargetState.HEALTHY for slot in roster.slots)

        await until(lambda: healthy() == 2, "both healthy")
        first = await client.ask(get())
        sick.add(int(first.body))
        await until(lambda: healthy() == 1, "one is out")
        await moved_from(client, first.body, cookies_set(first))
        # Nobody healthy: all are used again, and with them the old cookie.
        sick.update((one.port, two.port))
        await until(lambda: not healthy(), "both are out")
        assert {(await ask_with(client, cookies_set(first))).body for _ in range(5)} == {first.body}


def speaking(set_cookie: Callable[[bytes], bytes | None], name: bytes):
    """Answers with `name` and the Set-Cookie line that the path calls for."""

    async def script(connection: OriginConnection) -> None:
        while True:
            request = await connection.read_request()
            line = set_cookie(request.line)
            await connection.send(answer(name, *([line] if line else [])))

    return script


def on_login(line: bytes) -> bytes | None:
    return b"Set-Cookie: SID=abc; Path=/; HttpOnly" if b" /login " in line else None


async def test_an_application_cookie_begins_the_session() -> None:
    async with (
        running_origin(speaking(on_login, b"1")) as one,
        running_origin(speaking(on_login, b"2")) as two,
        running_balancer(targets=[one, two], tg_attributes=APPLICATION) as balancer,
        connected(balancer.port) as client,
    ):
        clock = int(time.time())
        balancer.node.wall_s = lambda: clock
        login = await client.ask(get(b"/login"))
        cookies = cookies_set(login)
        assert list(cookies) == ["SID", "AWSALBAPP-0"]
        assert attributes_of(login, "AWSALBAPP-0") == (clock + _WEEK_S, b"; SameSite=None")
        for _ in range(5):
            kept = await ask_with(client, cookies)
            assert kept.body == login.body
            assert kept.values(b"set-cookie") == []
        renewed = cookies_set(await ask_with(client, cookies, b"/login"))
        assert list(renewed) == ["SID", "AWSALBAPP-0"]


async def test_without_the_applications_cookie_the_pieces_are_removed_and_nothing_sticks() -> None:
    async with (
        running_origin(speaking(on_login, b"1")) as one,
        running_origin(speaking(on_login, b"2")) as two,
        running_balancer(targets=[one, two], tg_attributes=APPLICATION) as balancer,
        connected(balancer.port) as client,
    ):
        plain = await client.ask(get())
        assert cookies_set(plain) == {f"AWSALBAPP-{number}": b"_remove_" for number in range(4)}
        assert attributes_of(plain, "AWSALBAPP-3")[1] == b""
        assert {(await ask_with(client, cookies_set(plain))).body for _ in range(4)} == {b"1", b"2"}
        cookies = cookies_set(await client.ask(get(b"/login")))
        for only in ("SID", "AWSALBAPP-0"):
            assert {(await ask_with(client, {only: cookies[only]})).body for _ in range(4)} == {b"1", b"2"}


async def test_a_name_that_only_looks_alike_is_not_the_applications_cookie() -> None:
    lines = (b"Set-Cookie: XSID=1", b"Set-Cookie: SIDX=1", b"Set-Cookie: sid=1", b"X-Set-Cookie: SID=1")
    for line in lines:
        async with (
            running_origin(speaking(lambda _, line=line: line, b"1")) as one,
            running_balancer(targets=[one], tg_attributes=APPLICATION) as balancer,
            connected(balancer.port) as client,
        ):
            assert cookies_set(await client.ask(get())).get("AWSALBAPP-0") == b"_remove_"


async def test_the_cookie_outlives_a_restart_but_not_another_key(tmp_path: Path) -> None:
    async with naming_origins("1", "2") as targets:
        async with (
            running_balancer(targets=targets, tg_attributes=STICKY, data_dir=tmp_path) as balancer,
            connected(balancer.port) as client,
        ):
            first = await client.ask(get())
        key = tmp_path / "cookie.key"
        assert key.stat().st_mode & 0o077 == 0
        async with (
            running_balancer(targets=targets, tg_attributes=STICKY, data_dir=tmp_path) as balancer,
            connected(balancer.port) as client,
        ):
            assert {(await ask_with(client, cookies_set(first))).body for _ in range(4)} == {first.body}
        key.unlink()
        async with (
            running_balancer(targets=targets, tg_attributes=STICKY, data_dir=tmp_path) as balancer,
            connected(balancer.port) as client,
        ):
            assert {(await ask_with(client, cookies_set(first))).body for _ in range(4)} == {b"1", b"2"}


async def test_an_application_session_ends_after_the_balancers_own_duration() -> None:
    def speaks(name: bytes):
        return speaking(lambda _: b"Set-Cookie: SID=1; Max-Age=999999", name)

    for duration_s, kept in ((100, True), (5, False)):
        attributes = {**APPLICATION, "stickiness.app_cookie.duration_seconds": duration_s}
        async with (
            running_origin(speaks(b"1")) as one,
            running_origin(speaks(b"2")) as two,
            running_balancer(targets=[one, two], tg_attributes=attributes) as balancer,
            connected(balancer.port) as client,
        ):
            now = time.time()
            balancer.node.wall_s = lambda now=now: now - 60
            first = await client.ask(get())
            balancer.node.wall_s = time.time
            # Whether a cookie is too old is told by the time of the request, not of the last answer.
            said = {(await ask_with(client, cookies_set(first))).body for _ in range(4)}
            assert said == ({first.body} if kept else {b"1", b"2"})


async def test_the_cookie_is_found_however_the_client_writes_it() -> None:
    async with (
        naming_origins("1", "2") as targets,
        running_balancer(targets=targets, tg_attributes=STICKY) as balancer,
        connected(balancer.port) as client,
    ):
        first = await client.ask(get())
        value = cookies_set(first)["AWSALB"]
        for lines in (
            (b"cookie: x=1", b"COOKIE: AWSALB=" + value),
            (b'Cookie: AWSALB="' + value + b'"',),
            (b"Cookie:x=1;AWSALB=" + value + b";y=2",),
        ):
            assert {(await client.ask(get(b"/", *lines))).body for _ in range(3)} == {first.body}, lines
        # Another name that ends alike is another cookie.
        assert {(await ask_with(client, {"XAWSALB": value})).body for _ in range(4)} == {b"1", b"2"}
