"""EC2 instances as embedded web servers: makes true what the records say, and tells what is.

Each instance has a document root below the data folder and an address of its own; an image is a copy of a document root.
"""

import asyncio
import errno
import logging
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lb.compute.containers import DockerError, set_running
from lb.compute.firewall import FirewallSetting
from lb.compute.servers import EmbeddedServers, ServerError, ServerSpec
from lb.compute.user_data import page_of
from lb.compute.website import front_page
from lb.net.tasks import Tasks
from lb.resources.containers import container_of
from lb.resources.databases import blocks_database
from lb.resources.places import Placing
from lb.resources.records import Kind, Record, Records

_log = logging.getLogger(__name__)
_PROBED_ADDRESS: Final = "127.16.0.1"
_MOVED_HTTP_PORT: Final = 8080


def find_placing() -> Placing:
    """How instances can be placed on this machine."""
    for port in (80, _MOVED_HTTP_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_PROBED_ADDRESS, port))
            except PermissionError:
                continue
            except OSError as error:
                # That somebody else has it shows that it can be had.
                if error.errno != errno.EADDRINUSE:
                    return Placing(own_addresses=False)
            return Placing(http_port=port)
    return Placing(own_addresses=False)


@dataclass(slots=True)
class _WebServer:
    """That of an instance: its number among the web servers, which reboot it is of, and what it was told of the firewall."""

    number: int
    reboots: int
    drops: bool = False


class Instances:
    """The instances and images of the records that `reconcile` was given last."""

    def __init__(
        self, data_dir: Path, placing: Placing, docker: Path | None = None, database_port: int | None = None
    ) -> None:
        """`docker` is the socket of the engine whose containers may be instances.

        `database_port` is the port at which DB instances keep out instances that their security groups do not admit, None
        where they keep out nobody.
        """
        self._docker = docker
        self._database_port = database_port
        self._instances_dir = data_dir / "instances"
        self._images_dir = data_dir / "images"
        self._placing = placing
        self._servers = EmbeddedServers(())
        self._instances: dict[str, Record] = {}
        self._images: dict[str, Record] = {}
        # As long as the instance is meant to run: a web server that crashes is not started again.
        self._started: dict[str, _WebServer] = {}
        # Instances that no DB instance's security group lets in.
        self._blocked: frozenset[str] = frozenset()
        # Why something could not be done, and for which record: another record may be tried again.
        self._failed: dict[str, tuple[Record | None, str]] = {}
        # Of instances that are containers: what was wished for last, and whether the engine says that they run.
        self._carried_out: dict[str, str] = {}
        self._running: frozenset[str] = frozenset()
        self._busy: set[str] = set()
        self._tasks = Tasks()

    def reconcile(self, records: Records) -> None:
        """Takes over what instances and images there should be; what has to be done is begun, and goes on by itself."""
        before = (*self._images, *self._instances)
        self._images = {record.id: record for record in records.all(Kind.IMAGE)}
        self._instances = {record.id: record for record in records.all(Kind.INSTANCE)}
        if self._database_port is not None:
            self._blocked = frozenset(
                record.id
                for record in self._instances.values()
                if blocks_database(records, record, self._database_port)
            )
        for name in dict.fromkeys((*before, *self._images, *self._instances)):
            if name not in self._busy and self._step(name) is not None:
                self._busy.add(name)
                self._tasks.spawn(self._converge(name), name=f"make {name} so")

    async def _converge(self, name: str) -> None:
        try:
            # What is wished for may change while it is carried out.
            while (step := self._step(name)) is not None:
                await step(name)
        except (OSError, ServerError, DockerError) as error:
            self._failed[name] = self._record(name), str(error)
            _log.error("%s: %s", name, error)
        finally:
            self._busy.discard(name)

    def _step(self, name: str) -> Callable[[str], Awaitable[None]] | None:
        """What has to be done next for an instance or image, None for nothing."""
        if name in self._images:
            return None if self._has_failed(name) or self._root(name).exists() else self._copy
        desired = self._desired(name)
        if self._container(name) is not None:
            return None if desired == self._carried_out.setdefault(name, desired) else self._turn
        if desired == "running":
            if (server := self._started.get(name)) is None:
                return None if self._has_failed(name) else self._start
            if _reboots(self._instances[name]) != server.reboots:
                return self._stop
            return self._tell_firewall if (name in self._blocked) != server.drops else None
        if name in self._started:
            return self._stop
        self._failed.pop(name, None)
        return self._clear if desired != "stopped" and self._root(name).exists() else None

    def _desired(self, name: str) -> str:
        record = self._instances.get(name)
        desired: str = record.more["desired"] if record is not None else "terminated"
        return desired

    def _root(self, name: str) -> Path:
        return (self._images_dir if name.startswith("ami-") else self._instances_dir) / name

    async def _tell_firewall(self, name: str) -> None:
        server, drops = self._started[name], name in self._blocked
        # A web server that has crashed asks no database either.
        with suppress(ServerError):
            await self._servers.set_firewall(server.number, FirewallSetting(drops))
        server.drops = drops

    def _record(self, name: str) -> Record | None:
        return self._instances.get(name) or self._images.get(name)

    def _has_failed(self, name: str) -> bool:
        failed = self._failed.get(name)
        return failed is not None and failed[0] is self._record(name)

    def _container(self, name: str) -> str | None:
        record = self._instances.get(name)
        return container_of(record) if record is not None else None

    async def _turn(self, name: str) -> None:
        container, desired = self._container(name), self._desired(name)
        if container is not None and self._docker is not None:
            await asyncio.to_thread(set_running, self._docker, container, running=desired == "running")
        self._carried_out[name] = desired

    async def _copy(self, name: str) -> None:
        await asyncio.to_thread(_copy_folder, self._root(self._images[name].more["source_instance"]), self._root(name))

    async def _start(self, name: str) -> None:
        record = self._instances[name]
        root = self._root(name)
        if not root.exists():
            await asyncio.to_thread(self._make_root, record, root)
        place = self._placing.place(record)
        number = record.more["number"]
        self._servers.add(ServerSpec(number, place.http_port, place.address, root))
        try:
            await self._servers.start(number)
        except ServerError:
            await self._servers.remove(number)
            raise
        self._started[name] = _WebServer(number, _reboots(record))

    def _make_root(self, record: Record, root: Path) -> None:
        image = self._root(record.more["image"])
        if image.exists():
            _copy_folder(image, root)
        else:
            root.mkdir(parents=True)
        page = page_of(record.more.get("user_data", ""))
        if page is None and not image.exists():
            page = front_page(record.more["number"])
        if page is not None:
            (root / "index.html").write_text(page, "utf-8")

    async def _stop(self, name: str) -> None:
        await self._servers.remove(self._started[name].number)
        del self._started[name]

    async def _clear(self, name: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self._root(name))

    @property
    def servers(self) -> EmbeddedServers:
        """The web servers of the instances that run."""
        return self._servers

    @property
    def web_servers(self) -> Mapping[str, int]:
        """The number of each instance's web server in `servers`, while the instance runs."""
        return {name: server.number for name, server in self._started.items()}

    def containers_run(self, running: Iterable[str]) -> None:
        """Ids of the containers that run now."""
        self._running = frozenset(running)

    def state(self, instance_id: str) -> str:
        """`pending`, `running`, `stopping`, `stopped`, `shutting-down` or `terminated`."""
        desired = self._desired(instance_id)
        if (container := self._container(instance_id)) is not None:
            if desired == "terminated":
                return desired
            if container in self._running:
                return "running" if desired == "running" else "stopping"
            return "stopped"
        if desired == "running":
            if self._has_failed(instance_id):
                return "stopped"
            return "running" if instance_id in self._started else "pending"
        if instance_id in self._started:
            return "stopping" if desired == "stopped" else "shutting-down"
        return desired

    def image_state(self, image_id: str) -> str:
        """`pending`, `available` or `failed`."""
        if self._has_failed(image_id):
            return "failed"
        return "available" if self._root(image_id).exists() else "pending"

    async def close(self) -> None:
        """Ends every web server; document roots stay."""
        await self._tasks.close()
        await self._servers.close()


def _reboots(instance: Record) -> int:
    reboots: int = instance.more.get("reboots", 0)
    return reboots


def _copy_folder(source: Path, destination: Path) -> None:
    """All of it or nothing: a folder that is there is whole."""
    half = destination.with_name(destination.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(source, half)
    half.rename(destination)
