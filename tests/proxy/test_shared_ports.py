"""Several load balancers on one port, told apart by their DNS names; and ports that cannot be had."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from lb.configfile.reader import read_config
from lb.model.config import Config, LoadBalancer
from tests.proxy.wire import ask_once, connected, get
from tests.support.balancer import Balancer, free_port, running_balancer
from tests.support.origins import naming, running_origin


def balancer_of(name: str, port: int, attributes: str = "{}", admitted: str | None = None) -> LoadBalancer:
    """A load balancer that answers with its own name."""
    text = f"""
    load_balancers:
      {name}:
        attributes: {attributes}
        listeners: [{{port: {port}, fixed-response: {{status_code: 200, content_type: text/plain, message_body: {name}}}}}]
    """
    (balancer,) = read_config(text, "test.yaml").load_balancers
    if admitted is None:
        return balancer
    (listener,) = balancer.listeners
    return replace(balancer, listeners=(replace(listener, admitted=(ip_network(admitted),)),))


@contextlib.asynccontextmanager
async def sharing(*balancers: LoadBalancer) -> AsyncIterator[Balancer]:
    """These load balancers; what started first is gone."""
    async with running_origin(naming(b"unused")) as origin, running_balancer(targets=[origin]) as running:
        await running.app.apply(Config(balancers))
        yield running


def host(balancer: LoadBalancer, port: int) -> bytes:
    return f"{balancer.dns_name}:{port}".encode()


async def test_each_dns_name_has_its_own_load_balancer_and_the_first_answers_unknown_names() -> None:
    port = free_port()
    first, second = balancer_of("first", port), balancer_of("second", port)
    async with sharing(first, second), connected(port) as client:
        for name, expected in (
            (host(second, port), b"second"),
            (host(first, port), b"first"),
            (b"shop.example", b"first"),
            (host(second, port).upper(), b"second"),
            (second.dns_name.encode(), b"second"),
            (b"[::1]", b"first"),
        ):
            answer = await client.ask(get(host=name))
            assert answer.body == expected, name


async def test_each_request_is_counted_for_its_own_load_balancer() -> None:
    port = free_port()
    first, second = balancer_of("first", port), balancer_of("second", port)
    async with sharing(first, second) as running:
        async with connected(port) as client:
            for balancer in (second, first, second):
                await client.ask(get(host=host(balancer, port)))
        entries = await running.log(3)
    assert [entry["elb"].split("/")[1] for entry in entries] == ["second", "first", "second"]


async def test_a_head_is_read_by_the_desync_mode_of_its_own_load_balancer() -> None:
    port = free_port()
    first = balancer_of("first", port)
    second = balancer_of("second", port, "{routing.http.desync_mitigation_mode: strictest}")
    head = b"GET / HTTP/1.1\r\nHost: %b\r\nContent-Length: 0\r\nFoo : bar\r\n\r\n"
    async with sharing(first, second):
        assert (await ask_once(port, head % host(first, port))).status == 200
        assert (await ask_once(port, head % host(second, port))).status == 400


async def test_a_connection_lives_on_when_the_load_balancer_it_used_goes() -> None:
    port = free_port()
    first, second = balancer_of("first", port), balancer_of("second", port)
    async with sharing(first, second) as running, connected(port) as client:
        assert (await client.ask(get(host=host(second, port)))).body == b"second"
        await running.app.apply(Config((first,)))
        assert (await client.ask(get(host=host(second, port)))).body == b"first"


@pytest.mark.parametrize("others", [(), ("other",)], ids=["alone", "on a shared port"])
async def test_a_client_that_no_security_group_admits_is_dropped(others: tuple[str, ...]) -> None:
    port = free_port()
    shut = balancer_of("shut", port, admitted="203.0.113.0/24")
    async with sharing(*(balancer_of(name, port) for name in others), shut):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError, BrokenPipeError)):
            await ask_once(port, get(host=host(shut, port)))


async def test_a_client_in_an_admitted_block_is_served() -> None:
    port = free_port()
    open_ = balancer_of("open", port, admitted="127.0.0.0/8")
    async with sharing(open_):
        assert (await ask_once(port, get())).body == b"open"


_UNPRIVILEGED = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x40000000):  # CLONE_NEWNET
    sys.exit(77)
import fcntl, socket, struct
# Loopback is down in a new network namespace.
with socket.socket() as probe:
    fcntl.ioctl(probe, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
from lb.proxy.ports import Ports
from lb.routing.plan import compile_plan
from lb.configfile.reader import read_config
plan = compile_plan(read_config('''
load_balancers: {a: {listeners: [
  {port: 80, fixed-response: {status_code: 200}},
  {port: 9080, fixed-response: {status_code: 200}}]}}
''', "test.yaml"), {})
# Its files may be unreadable to others: all is imported by now.
os.setgroups([]); os.setgid(65534); os.setuid(65534)
ports = Ports(None, "127.0.0.1")
prepared = ports.prepare(plan)
print({port: bound.getsockname()[1] for port, bound in prepared.bound.items()})
"""


def test_a_port_that_only_root_may_have_moves_up_by_8000() -> None:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("needs root on Linux, to give its rights up in a network namespace of its own")
    done = subprocess.run(
        [sys.executable, "-c", _UNPRIVILEGED],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    if done.returncode == 77:
        pytest.skip("this machine allows no network namespace")
    assert done.stdout.strip() == "{80: 8080, 9080: 9080}", done.stderr
