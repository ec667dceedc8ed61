"""Discovery with names that change address, and what becomes of them in a running balancer."""

import asyncio
import logging
import socket
from contextlib import asynccontextmanager

import pytest

from lb.app import App
from lb.configfile.reader import read_config
from lb.net.discovery import Discovery
from lb.net.sockets import PortTakenError
from lb.settings import Settings
from tests.health.scripted import until
from tests.net.fake_dns import FakeDns
from tests.support.balancer import free_port
from tests.support.origins import answer, answering, running_origin


@pytest.fixture
async def dns(monkeypatch):
    return FakeDns(monkeypatch)


class Looking:
    """A discovery and how often it told of a change."""

    def __init__(self, interval_s=60.0):
        self.changes = 0
        self.discovery = Discovery(self._changed, interval_s)

    async def watch(self, *names):
        """What the balancer does with the names of a configuration."""
        self.discovery.watch(names, await self.discovery.look_up(names))

    def _changed(self):
        self.changes += 1


@asynccontextmanager
async def looking(*names, interval_s=60.0, start=False):
    made = Looking(interval_s)
    await made.watch(*names)
    if start:
        made.discovery.start()
    try:
        yield made
    finally:
        await made.discovery.close()


async def test_addresses_stand_for_themselves_and_are_never_asked_for(dns):
    async with looking("10.0.0.1", "::1") as found:
        assert await found.discovery.look_up(["10.0.0.1", "::1"]) == {"10.0.0.1": ("10.0.0.1",), "::1": ("::1",)}
        found.discovery.refresh("10.0.0.1")
        await asyncio.sleep(0)
        assert dns.asked == []


async def test_a_name_stands_for_all_of_its_addresses_in_order(dns):
    dns.names["web"] = ("10.0.0.10", "10.0.0.9", "10.0.0.10")
    async with looking("web") as found:
        assert found.discovery.addresses["web"] == ("10.0.0.9", "10.0.0.10")


async def test_ipv4_is_taken_where_a_name_has_both(dns):
    dns.names.update(both=("::1", "127.0.0.1"), six=("fd00::2", "fd00::1"))
    async with looking("both", "six") as found:
        assert found.discovery.addresses == {"both": ("127.0.0.1",), "six": ("fd00::1", "fd00::2")}


async def test_a_name_that_does_not_resolve_has_no_addresses_and_is_said(dns, caplog):
    async with looking("nowhere") as found:
        assert "nowhere" not in found.discovery.addresses
        assert "nowhere does not resolve: Name or service not known" in caplog.text


async def test_one_that_comes_later_is_found_at_the_next_look(dns):
    async with looking("web", interval_s=0.02, start=True) as found:
        dns.names["web"] = ("10.0.0.1",)
        await until(lambda: found.discovery.addresses.get("web") == ("10.0.0.1",))
        assert found.changes == 1


async def test_a_name_that_vanishes_keeps_its_addresses(dns):
    dns.names["web"] = ("10.0.0.1", "10.0.0.2")
    async with looking("web", interval_s=0.02, start=True) as found:
        del dns.names["web"]
        asked = len(dns.asked)
        await until(lambda: len(dns.asked) >= asked + 3)
        assert found.discovery.addresses["web"] == ("10.0.0.1", "10.0.0.2")
        assert found.changes == 0


async def test_a_name_that_moves_is_told_once(dns):
    dns.names["web"] = ("10.0.0.1",)
    async with looking("web", interval_s=0.02, start=True) as found:
        dns.names["web"] = ("10.0.0.7",)
        await until(lambda: found.changes)
        assert found.discovery.addresses["web"] == ("10.0.0.7",)
        asked = len(dns.asked)
        await until(lambda: len(dns.asked) >= asked + 3)
        assert found.changes == 1


async def test_the_same_addresses_in_another_order_are_no_change(dns):
    dns.names["web"] = ("10.0.0.1", "10.0.0.2")
    async with looking("web", interval_s=0.02, start=True) as found:
        dns.names["web"] = ("10.0.0.2", "10.0.0.1")
        asked = len(dns.asked)
        await until(lambda: len(dns.asked) >= asked + 3)
        assert found.changes == 0


async def test_a_target_that_does_not_answer_is_looked_up_at_once(dns):
    dns.names["web"] = ("10.0.0.1",)
    async with looking("web") as found:
        dns.names["web"] = ("10.0.0.2",)
        found.discovery.refresh("web")
        await until(lambda: found.changes == 1)
        assert found.discovery.addresses["web"] == ("10.0.0.2",)


async def test_a_name_is_asked_for_once_at_a_time(dns):
    dns.names["web"] = ("10.0.0.1",)
    async with looking("web") as found:
        dns.held["web"] = asyncio.Event()
        asked = len(dns.asked)
        for _ in range(5):
            found.discovery.refresh("web")
        await until(lambda: len(dns.asked) > asked)
        dns.held["web"].set()
        await asyncio.sleep(0.02)
        assert len(dns.asked) == asked + 1


async def test_names_that_are_watched_no_more_are_forgotten(dns):
    dns.names.update(one=("10.0.0.1",), two=("10.0.0.2",))
    async with looking("one", interval_s=0.02, start=True) as found:
        await found.watch("two")
        assert found.discovery.addresses == {"two": ("10.0.0.2",)}
        asked = len(dns.asked)
        await until(lambda: len(dns.asked) >= asked + 3)
        assert "one" not in dns.asked[asked + 1 :]
        found.discovery.refresh("one")
        await asyncio.sleep(0.02)
        assert found.discovery.addresses == {"two": ("10.0.0.2",)}


async def test_an_answer_for_a_name_that_is_watched_no_more_is_dropped(dns):
    """Else the name, should it come back, would have that old address instead of being looked up."""
    dns.names["web"] = ("10.0.0.1",)
    async with looking("web") as found:
        dns.held["web"] = asyncio.Event()
        dns.names["web"] = ("10.0.0.2",)
        found.discovery.refresh("web")
        await until(lambda: len(dns.asked) == 2)
        await found.watch()
        dns.held.pop("web").set()
        await asyncio.sleep(0.02)
        assert found.discovery.addresses == {}
        assert found.changes == 0
        dns.names["web"] = ("10.0.0.3",)
        await found.watch("web")
        assert found.discovery.addresses == {"web": ("10.0.0.3",)}


async def test_what_is_looked_up_is_not_watched_yet(dns):
    """A configuration that is refused in the end must leave no trace."""
    dns.names.update(one=("10.0.0.1",), two=("10.0.0.2",))
    async with looking("one") as found:
        assert await found.discovery.look_up(["two"]) == {"two": ("10.0.0.2",)}
        assert found.discovery.addresses == {"one": ("10.0.0.1",)}
        asked = len(dns.asked)
        assert await found.discovery.look_up(["one"]) == {"one": ("10.0.0.1",)}
        assert len(dns.asked) == asked


async def test_a_look_up_waits_for_the_names_that_are_new(dns):
    dns.names.update(one=("10.0.0.1",), two=("10.0.0.2",))
    dns.held["two"] = asyncio.Event()
    async with looking("one") as found:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(found.watch("one", "two"))
            await until(lambda: "two" in dns.asked)
            assert not watching.done()
            dns.held["two"].set()
        assert found.discovery.addresses["two"] == ("10.0.0.2",)


async def test_one_name_that_hangs_holds_up_no_other(dns):
    dns.names.update(slow=("10.0.0.1",), web=("10.0.0.2",))
    async with looking("slow", "web", interval_s=0.02, start=True) as found:
        dns.held["slow"] = asyncio.Event()
        await until(lambda: dns.asked.count("slow") >= 2)
        dns.names["web"] = ("10.0.0.3",)
        await until(lambda: found.changes)
        assert found.discovery.addresses["web"] == ("10.0.0.3",)


async def test_close_ends_a_look_up_that_hangs_and_leaves_no_task(dns):
    before = asyncio.all_tasks()
    async with looking("web", interval_s=0.02, start=True) as found:
        dns.held["web"] = asyncio.Event()
        found.discovery.refresh("web")
        await until(lambda: dns.asked.count("web") >= 2)
    assert asyncio.all_tasks() == before


async def test_a_name_that_stays_away_is_not_said_again_at_every_look(dns, caplog):
    with caplog.at_level(logging.WARNING):
        async with looking("nowhere", interval_s=0.01, start=True):
            await until(lambda: len(dns.asked) >= 10)
    assert caplog.text.count("does not resolve") <= 2


# In a running balancer


def config_of(port, *targets, group="servers"):
    listed = ", ".join(f'"{each}"' for each in targets)
    return read_config(
        f"""
load_balancers:
  web: {{listeners: [{{port: {port}, forward: {group}}}]}}
target_groups:
  {group}:
    health_check: {{path: /, interval: 0.1, timeout: 0.05, healthy_threshold: 2}}
    attributes: {{deregistration_delay.timeout_seconds: 30}}
    targets: [{listed}]
""",
        "lb.yaml",
    )


@asynccontextmanager
async def balancer(tmp_path, config, interval_s=0.05):
    app = App(Settings(api_port=free_port(), data_dir=tmp_path, discovery_interval_s=interval_s, shutdown_grace_s=0.2))
    try:
        await app.start(config)
        yield app
    finally:
        async with asyncio.timeout(30):
            await app.close()


def places(app):
    """(id, address, state) of each target."""
    (group,) = app.status()["target_groups"]
    return [(each["id"], each["address"], each["state"]) for each in group["targets"]]


def addresses(app):
    return [address for _, address, state in places(app) if state != "draining"]


async def get(port, path="/"):
    """The status code of a request of its own connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(30):
            return int((await reader.readline()).split()[1])
    finally:
        writer.close()
        await writer.wait_closed()


async def test_each_address_of_a_name_is_a_target(dns, tmp_path):
    dns.names["web"] = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    async with balancer(tmp_path, config_of(free_port(), "web:1")) as app:
        assert addresses(app) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        dns.names["web"] = ("127.0.0.1", "127.0.0.3")
        await until(lambda: addresses(app) == ["127.0.0.1", "127.0.0.3"])
        dns.names["web"] = ("127.0.0.1", "127.0.0.3", "127.0.0.4")
        await until(lambda: addresses(app) == ["127.0.0.1", "127.0.0.3", "127.0.0.4"])


async def test_a_target_that_moves_gets_requests_at_its_new_address(dns, tmp_path):
    async with running_origin(answering(answer())) as web:
        dns.names["web"] = ("127.0.0.9",)
        port = free_port()
        async with balancer(tmp_path, config_of(port, f"web:{web.port}"), interval_s=60) as app:
            # The probe that is not answered asks for the name again: nobody waits for the interval of a minute.
            await until(lambda: places(app)[0][2] == "unhealthy")
            dns.names["web"] = ("127.0.0.1",)
            await until(lambda: places(app) == [("web", "127.0.0.1", "healthy")])
            assert await get(port) == 200


async def test_a_name_that_vanishes_keeps_its_targets_in_sight(dns, tmp_path):
    dns.names["web"] = ("127.0.0.9",)
    async with balancer(tmp_path, config_of(free_port(), "web:1")) as app:
        del dns.names["web"]
        asked = len(dns.asked)
        await until(lambda: len(dns.asked) >= asked + 3)
        await until(lambda: places(app) == [("web", "127.0.0.9", "unhealthy")])


async def test_a_name_that_never_resolved_is_shown_and_answered_with_502(dns, tmp_path):
    port = free_port()
    async with balancer(tmp_path, config_of(port, "web:80")) as app:
        await until(lambda: places(app) == [("web", None, "unhealthy")])
        assert app.status()["target_groups"][0]["targets"][0]["last_probe"]["detail"] == "the name web does not resolve"
        assert await get(port) == 502


async def test_two_names_for_one_address_are_one_target(dns, tmp_path):
    dns.names.update(web=("127.0.0.9",), alias=("127.0.0.9",))
    async with balancer(tmp_path, config_of(free_port(), "web:1", "alias:1")) as app:
        assert addresses(app) == ["127.0.0.9"]


async def test_a_reload_that_is_refused_leaves_the_old_names_watched(dns, tmp_path):
    dns.names.update(old=("127.0.0.8",), new=("127.0.0.9",))
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with balancer(tmp_path, config_of(port, "old:1")) as app:
            with pytest.raises(PortTakenError):
                await app.apply(config_of(taken.getsockname()[1], "new:1"))
            assert addresses(app) == ["127.0.0.8"]
            dns.names["old"] = ("127.0.0.7",)
            await until(lambda: addresses(app) == ["127.0.0.7"])


async def test_a_reload_that_is_refused_does_not_lose_the_old_addresses(dns, tmp_path):
    """A name of the refused file that changes address must not publish the old file without addresses."""
    async with running_origin(answering(answer())) as web:
        dns.names.update(old=("127.0.0.1",), new=("127.0.0.9",))
        port = free_port()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            async with balancer(tmp_path, config_of(port, f"old:{web.port}")) as app:
                assert await get(port) == 200
                with pytest.raises(PortTakenError):
                    await app.apply(config_of(taken.getsockname()[1], "new:1"))
                asked = len(dns.asked)
                dns.names["new"] = ("127.0.0.10",)
                await until(lambda: len(dns.asked) >= asked + 4)
                assert addresses(app) == ["127.0.0.1"]
                assert await get(port) == 200


async def test_an_address_that_changes_while_the_balancer_ends_opens_nothing_again(dns, tmp_path):
    dns.names["web"] = ("127.0.0.8",)
    port = free_port()
    async with balancer(tmp_path, config_of(port, "web:1"), interval_s=60) as app:
        dns.names["web"] = ("127.0.0.9",)
        app._discovery.refresh("web")
        publish, changed = app._addresses_changed, asyncio.Event()
        app._discovery._changed = lambda: (changed.set(), publish())
        async with asyncio.timeout(30):
            await changed.wait()
    with socket.socket() as again:
        # Bound and listened on without SO_REUSEPORT: only possible when the balancer has let go of it.
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
        again.listen()


async def test_the_picture_of_the_moment_can_be_had_at_any_moment_of_a_reload(dns, tmp_path):
    """The console asks while a file is applied that drops a target group."""
    dns.names["web"] = ("127.0.0.8",)
    before = config_of(free_port(), "web:1")
    after = config_of(free_port(), "web:1", group="other")
    async with balancer(tmp_path, before) as app, asyncio.TaskGroup() as tasks:
        applying = tasks.create_task(app.apply(after))
        names = set()
        while not applying.done():
            (shown,) = app.status()["target_groups"]
            (forward,) = [each["forward"] for each in app.status()["load_balancers"][0]["listeners"]]
            names.add((shown["name"], forward))
            await asyncio.sleep(0)
        assert names <= {("servers", "servers"), ("other", "other")}
