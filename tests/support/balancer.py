"""A whole balancer inside the test's own event loop, on free ports, and the proof that it leaves nothing behind.

On leaving, a running balancer must have no client once the test has closed its sockets, no request in flight, no task and no
connection to an origin once it is closed, and must not have logged an error.
"""

import asyncio
import contextlib
import json
import logging
import re
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final
from unittest import mock

from lb.app import App
from lb.configfile.reader import read_config
from lb.model.config import Config
from lb.proxy.node import Node
from lb.settings import Settings
from tests.support.origins import Origin, running_origin
from tests.support.ports import free_port

_NAMES: Final = """
    type time elb client target request_processing_time target_processing_time response_processing_time
    elb_status_code target_status_code received_bytes sent_bytes request user_agent ssl_cipher ssl_protocol
    target_group_arn trace_id domain_name chosen_cert_arn matched_rule_priority request_creation_time
    actions_executed redirect_url error_reason target_port_list target_status_code_list classification
    classification_reason conn_trace_id transformed_host transformed_uri request_transform_status
"""
FIELDS: Final = tuple(_NAMES.split())
_FIELD: Final = re.compile(r'"([^"]*)"|([^ "]+)')


async def until(condition: Callable[[], bool], what: str, *, within_s: float = 30.0) -> None:
    """Waits for a condition; fails with `what` when it does not come true in time."""
    deadline = monotonic() + within_s
    while not condition():
        assert monotonic() < deadline, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.005)


def parse_entry(line: str) -> dict[str, str]:
    """One access log line by field name; quotes are taken off. Fails unless there are exactly 33 fields."""
    found = _FIELD.findall(line)
    assert " ".join(bare or f'"{quoted}"' for quoted, bare in found) == line, line
    values = [quoted or bare for quoted, bare in found]
    assert len(values) == len(FIELDS), f"{len(values)} fields: {line}"
    return dict(zip(FIELDS, values, strict=True))


@dataclass
class Balancer:
    """A running balancer. `shape` is what its configuration is built from; `apply` changes parts of it."""

    app: App
    port: int
    shape: dict[str, Any]
    data_dir: Path
    health_port: int
    origins: list[Origin] = field(default_factory=list)
    closed: bool = False

    @property
    def node(self) -> Node:
        """The data plane."""
        return self.app.node

    @property
    def dns_name(self) -> str:
        """The load balancer's DNS name."""
        name: str = self.app.status()["load_balancers"][0]["dns_name"]
        return name

    @property
    def in_flight(self) -> int:
        """Requests in flight, all targets together."""
        return sum(slot.in_flight for roster in self.node.rosters.values() for slot in roster.slots)

    @property
    def idle_connections(self) -> int:
        """Connections in the pools, all targets together."""
        return sum(len(pool.idle) for pool in self.node.pools.values())

    async def apply(self, **changes: Any) -> None:
        """Applies the configuration with some of the arguments of `running_balancer` changed."""
        self.shape.update(changes)
        self.origins += [each for each in _origins(self.shape) if each not in self.origins]
        await self.app.apply(build_config(port=self.port, health_port=self.health_port, **self.shape))

    async def close(self) -> None:
        """Closes the balancer, once."""
        if not self.closed:
            self.closed = True
            await self.app.close()

    async def ready(self) -> None:
        """Waits until every target has been probed once: one that passed gets traffic from then on."""

        def probed() -> bool:
            groups = self.app.status()["target_groups"]
            targets = [target for group in groups for target in group["targets"]]
            return all(target["last_probe"] for target in targets if target["state"] not in ("draining", "unused"))

        await until(probed, "all targets probed")

    async def log(self, count: int) -> list[dict[str, str]]:
        """The access log once it has `count` entries; fails when there are more."""
        path = self.data_dir / "logs" / "access.log"

        def lines() -> list[str]:
            return path.read_text().splitlines()

        await until(lambda: len(lines()) >= count, f"{count} log entries")
        entries = [parse_entry(line) for line in lines()]
        assert len(entries) == count, f"{len(entries)} log entries"
        return entries


def build_config(
    *,
    port: int,
    health_port: int,
    targets: Sequence[Origin | str],
    lb_attributes: Mapping[str, object],
    listener_attributes: Mapping[str, object],
    tg_attributes: Mapping[str, object],
    health_check: Mapping[str, object],
    group: str,
    more_ports: Sequence[int],
    rules: Sequence[Mapping[str, object]],
    groups: Mapping[str, Sequence[Origin | str]],
    default: Mapping[str, object],
) -> Config:
    """A load balancer, through the reader of `lb.yaml`."""
    check = {"port": health_port, "path": "/", "interval": 60, **health_check}
    listeners = [
        {"port": each, **(default or {"forward": group}), "attributes": dict(listener_attributes), "rules": list(rules)}
        for each in (port, *more_ports)
    ]
    file = {
        "load_balancers": {"web": {"attributes": dict(lb_attributes), "listeners": listeners}},
        "target_groups": {
            name: {
                "attributes": dict(tg_attributes),
                "health_check": check,
                "targets": [each.target if isinstance(each, Origin) else each for each in members],
            }
            for name, members in {group: targets, **groups}.items()
        },
    }
    return read_config(json.dumps(file), "test.yaml")


def _origins(shape: Mapping[str, Any]) -> list[Origin]:
    members = [*shape["targets"], *(each for targets in shape["groups"].values() for each in targets)]
    return [each for each in members if isinstance(each, Origin)]


class _NoApi:
    """In place of the API server: its end takes 0.2 s, and no test of the data plane asks it anything."""

    def __init__(self, _app: object, bound: socket.socket, *_: object) -> None:
        self._bound = bound

    def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Gives the port back."""
        self._bound.close()


async def _healthy(connection: Any) -> None:
    await connection.read_request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


class _Errors(logging.Handler):
    """Collects what is logged as an error, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@contextlib.contextmanager
def no_errors_logged() -> Iterator[None]:
    """Fails when anything was logged as an error meanwhile."""
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(errors)
    assert not errors.texts, f"{len(errors.texts)} errors logged; the first: {errors.texts[0]}"


@contextlib.asynccontextmanager
async def running_balancer(
    *,
    targets: Sequence[Origin | str],
    lb_attributes: Mapping[str, object] | None = None,
    listener_attributes: Mapping[str, object] | None = None,
    tg_attributes: Mapping[str, object] | None = None,
    health_check: Mapping[str, object] | None = None,
    group: str = "web-servers",
    port: int = 0,
    more_ports: Sequence[int] = (),
    rules: Sequence[Mapping[str, object]] = (),
    groups: Mapping[str, Sequence[Origin | str]] | None = None,
    default: Mapping[str, object] | None = None,
    with_api: bool = False,
    data_dir: Path | None = None,
    **settings: Any,
) -> AsyncIterator[Balancer]:
    """Runs a balancer in front of the targets; `settings` go to Settings.

    Health checks go to a server of their own that answers 200, so that they never disturb a script; a `health_check` with
    a port of its own replaces that. `with_api` runs the API server too.

    `rules` are a listener's as `lb.yaml` has them, `groups` the targets of further target groups by name, which share
    attributes and health check with the first; `default` is the default action in place of forwarding to the first.
    `data_dir` is for a balancer that finds what another has left.
    """
    shape: dict[str, Any] = {
        "targets": targets,
        "lb_attributes": lb_attributes or {},
        "listener_attributes": listener_attributes or {},
        "tg_attributes": tg_attributes or {},
        "health_check": health_check or {},
        "group": group,
        "more_ports": more_ports,
        "rules": rules,
        "groups": groups or {},
        "default": default or {},
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(no_errors_logged())
        directory = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not with_api:
            stack.enter_context(mock.patch("lb.app.ApiServer", _NoApi))
        async with running_origin(_healthy) as health:
            before = asyncio.all_tasks()
            app = App(Settings(**{"api_port": 0, "data_dir": directory, **settings}))
            balancer = Balancer(app, port or free_port(), shape, directory, health.port)
            balancer.origins += _origins(shape)
            try:
                await app.start(build_config(port=balancer.port, health_port=health.port, **shape))
                # One target gets requests before it was probed (fail-open); several take turns once all are healthy.
                if len(targets) > 1 or groups:
                    await balancer.ready()
                yield balancer
                await _nobody_left(balancer)
            finally:
                await balancer.close()
            await _nothing_left(balancer, before)


async def _nobody_left(balancer: Balancer) -> None:
    await until(lambda: not balancer.node.clients, "all clients gone")
    await until(lambda: balancer.in_flight == 0, "nothing in flight")


async def _nothing_left(balancer: Balancer, before: set[asyncio.Task[Any]]) -> None:
    def origins_closed() -> bool:
        return not any(origin.open for origin in balancer.origins)

    await until(lambda: not balancer.node.clients, "no client after close")
    await until(origins_closed, "all connections to targets closed")
    names = [f"origin {origin.port} " for origin in balancer.origins]

    def ours() -> set[str]:
        return {
            task.get_name()
            for task in asyncio.all_tasks() - before
            if not any(task.get_name().startswith(name) for name in names) and "health" not in task.get_name()
        }

    await until(lambda: not ours(), f"no task left: {ours()}")
