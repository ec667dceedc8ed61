"""Instances as web servers of their own: what the records wish for becomes true."""

import asyncio
import contextlib
import http.client
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from lb.compute.instances import Instances, find_placing
from lb.resources.places import Placing
from lb.resources.records import Change, Kind, Record, Records
from lb.resources.security import admits
from tests.support.balancer import until

PLACING = find_placing()
ACCOUNT = ("us-east-1", "000000000000")
WITHIN_S = 60.0
GROUP = "sg-web"


def instance(number: int, **more: Any) -> Record:
    """An instance whose web server is `number`."""
    shape = {"SecurityGroups": [{"GroupId": GROUP}], "PrivateIpAddress": f"172.31.0.{number}"}
    given = {"desired": "running", "user_data": "", "image": "ami-base", "address": f"127.0.31.{100 + number}", **more}
    return Record(Kind.INSTANCE, f"i-{number}", *ACCOUNT, shape, more={"number": number, **given})


def wish(record: Record, **more: Any) -> Record:
    """The record with another wish."""
    return Record(record.kind, record.id, *ACCOUNT, record.shape, more={**record.more, **more})


class World:
    """Records and the instances that follow them."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.records = Records()
        self.instances = Instances(folder, PLACING, **options)

    def put(self, *records: Record) -> None:
        self.records.apply(Change(record.key, record) for record in records)
        self.instances.reconcile(self.records)

    async def is_in(self, record: Record, state: str) -> None:
        await until(lambda: self.instances.state(record.id) == state, f"{record.id} is {state}", within_s=WITHIN_S)

    async def page(self, record: Record, path: str = "/") -> str:
        """What the instance answers, or why there is no answer."""
        place = PLACING.place(record)

        def ask() -> str:
            connection = http.client.HTTPConnection(place.address, place.http_port, timeout=30)
            try:
                connection.request("GET", path)
                return connection.getresponse().read().decode()
            except OSError as error:
                return type(error).__name__
            finally:
                connection.close()

        return await asyncio.to_thread(ask)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as made:
        yield made


@contextlib.asynccontextmanager
async def running(folder: Path, **options: Any) -> AsyncIterator[World]:
    made = World(folder, **options)
    try:
        yield made
    finally:
        await made.instances.close()


async def test_an_instance_runs_with_the_page_of_its_user_data_and_the_lessons_own_without(world: World) -> None:
    plain, own = instance(1), instance(2, user_data="<h1>Shop</h1>")
    world.put(plain, own)
    assert world.instances.state(plain.id) == "pending"
    await world.is_in(plain, "running")
    await world.is_in(own, "running")
    assert await world.page(plain) == "<html><body><p> Web Server 1 </p></body></html>"
    assert await world.page(own) == "<h1>Shop</h1>"
    assert "Up" in await world.page(plain, "/health.php")


async def test_stopped_nobody_answers_and_started_again_the_page_is_what_it_was(world: World) -> None:
    one = instance(1)
    world.put(one)
    await world.is_in(one, "running")
    world.put(wish(one, desired="stopped"))
    await world.is_in(one, "stopped")
    assert await world.page(one) == "ConnectionRefusedError"
    world.put(one)
    await world.is_in(one, "running")
    assert "Web Server 1" in await world.page(one)


async def test_an_image_is_a_copy_of_the_document_root(world: World, tmp_path: Path) -> None:
    one = instance(1)
    world.put(one)
    await world.is_in(one, "running")
    image = Record(Kind.IMAGE, "ami-1", *ACCOUNT, {}, more={"source_instance": one.id})
    world.put(image)
    await until(lambda: world.instances.image_state(image.id) == "available", "the image", within_s=WITHIN_S)
    clone = instance(2, image=image.id)
    world.put(clone)
    await world.is_in(clone, "running")
    assert "Web Server 1" in await world.page(clone)
    (tmp_path / "instances" / clone.id / "index.html").write_text("Web Server 2")
    assert await world.page(clone) == "Web Server 2"
    assert "Web Server 1" in await world.page(one)


async def test_terminated_its_files_are_gone(world: World, tmp_path: Path) -> None:
    one = instance(1)
    world.put(one)
    await world.is_in(one, "running")
    world.put(wish(one, desired="terminated"))
    await world.is_in(one, "terminated")
    await until(lambda: not (tmp_path / "instances" / one.id).exists(), "no files", within_s=WITHIN_S)


async def test_a_reboot_starts_the_web_server_anew(world: World) -> None:
    one = instance(1)
    world.put(one)
    await world.is_in(one, "running")
    (before,) = world.instances.servers.list()
    world.put(wish(one, reboots=1))

    def restarted() -> bool:
        servers = world.instances.servers.list()
        return bool(servers) and servers[0].pid not in (None, before.pid) and servers[0].state == "running"

    await until(restarted, "another process", within_s=WITHIN_S)


async def test_one_that_cannot_start_is_stopped_and_tried_again_when_asked(world: World) -> None:
    first, second = instance(1), instance(2, address="127.0.31.101")
    world.put(first)
    await world.is_in(first, "running")
    world.put(second)
    await world.is_in(second, "stopped")
    world.put(wish(first, desired="stopped"))
    await world.is_in(first, "stopped")
    world.put(wish(second))
    await world.is_in(second, "running")


def database(*groups: str) -> Record:
    """A DB instance in security groups."""
    shape = {"VpcSecurityGroups": [{"VpcSecurityGroupId": group} for group in groups]}
    return Record(Kind.DB_INSTANCE, "arn:db", *ACCOUNT, shape)


def rule(group: str, source: Mapping[str, Any]) -> Record:
    """An inbound rule for MySQL."""
    shape = {"IsEgress": False, "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "GroupId": group, **source}
    return Record(Kind.SECURITY_GROUP_RULE, "sgr-1", *ACCOUNT, shape, group)


async def test_a_database_whose_group_does_not_admit_the_instance_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens there: who is let in is refused at once.
    monkeypatch.setenv("LB_DB_HOST", "127.0.0.1")
    monkeypatch.setenv("LB_DB_PORT", "1")

    async def outcome(world: World, one: Record) -> str:
        return str(json.loads(await world.page(one, "/info.php?format=json"))["database"]["outcome"])

    async def becomes(world: World, one: Record, expected: str) -> None:
        deadline = monotonic() + WITHIN_S
        while (found := await outcome(world, one)) != expected:
            assert monotonic() < deadline, f"the database is {found}, not {expected}"

    async with running(tmp_path, database_port=3306) as world:
        one = instance(1)
        world.put(one)
        await world.is_in(one, "running")
        assert await outcome(world, one) == "refused"
        world.put(database("sg-db"))
        await becomes(world, one, "timeout")
        let_in = rule("sg-db", {"ReferencedGroupInfo": {"GroupId": GROUP}})
        world.put(let_in)
        assert admits(world.records, ["sg-db"], 3306, [GROUP], ())
        await becomes(world, one, "refused")


def test_where_each_has_no_address_of_its_own_each_has_a_port() -> None:
    placing = Placing(own_addresses=False)
    places = [placing.place(instance(number)) for number in (1, 2)]
    assert len({(place.address, place.http_port) for place in places}) == 2
