"""Two balancers on one MySQL database: what one is told, both do within a second."""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.aws_endpoint import Endpoint, served
from tests.support.balancer import free_port
from tests.support.mariadb import MariaDB

HOSTS = ("127.0.0.1", "127.0.0.2")
# The promise is a second, where the machine has one to spare; each test prints what it took.
FOLLOWS_WITHIN_S = 15.0


@pytest.fixture
def both(mariadb: MariaDB, tmp_path: Path) -> Iterator[tuple[Endpoint, Endpoint]]:
    """Two balancers, each on an address of its own, on an empty database."""
    name = "shared_store"
    mariadb.administer(
        f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}; GRANT ALL ON {name}.* TO '{mariadb.user}'@'%';"
    )
    store = f"mysql://{quote(mariadb.user)}:{quote(mariadb.password)}@{mariadb.host}:{mariadb.port}/{name}"
    with contextlib.ExitStack() as stack:
        first, second = (stack.enter_context(served(tmp_path / host, host=host, store=store)) for host in HOSTS)
        yield first, second


def answered(host: str, port: int) -> str:
    """The body that a balancer answers with, or why there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=15)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except OSError as error:
        return type(error).__name__
    finally:
        connection.close()


def both_answer(port: int, body: str) -> None:
    begun = monotonic()
    for host in HOSTS:
        while (got := answered(host, port)) != body:
            assert monotonic() < begun + FOLLOWS_WITHIN_S, f"{host} answers {got!r}, not {body!r}"
            sleep(0.02)
    print(f"  both answer {body} after {monotonic() - begun:.2f} s")


def fixed(body: str) -> list[dict[str, Any]]:
    answer = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": body}
    return [{"Type": "fixed-response", "FixedResponseConfig": answer}]


def test_each_follows_the_other_within_a_second(both: tuple[Endpoint, Endpoint]) -> None:
    port = free_port()
    first, second = (endpoint.client() for endpoint in both)
    subnets = [subnet["SubnetId"] for subnet in both[0].client("ec2").describe_subnets()["Subnets"]]
    arn = first.create_load_balancer(Name="shared", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    made = first.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=port, DefaultActions=fixed("one"))
    both_answer(port, "one")
    second.modify_listener(ListenerArn=made["Listeners"][0]["ListenerArn"], DefaultActions=fixed("two"))
    both_answer(port, "two")
    second.delete_load_balancer(LoadBalancerArn=arn)
    both_answer(port, "ConnectionRefusedError")


def test_changes_through_both_at_once_are_all_kept(both: tuple[Endpoint, Endpoint]) -> None:
    each = 40
    clients = [endpoint.client() for endpoint in both]

    def make(client: Any, prefix: str) -> None:
        for number in range(each):
            client.create_target_group(Name=f"{prefix}-{number}", TargetType="lambda")

    names = ("first", "second")
    threads = [threading.Thread(target=make, args=pair) for pair in zip(clients, names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = {f"{name}-{number}" for name in names for number in range(each)}
    begun = monotonic()
    for client in clients:
        found: set[str] = set()
        while found != wanted and monotonic() < begun + FOLLOWS_WITHIN_S:
            pages = client.get_paginator("describe_target_groups").paginate().build_full_result()
            found = {group["TargetGroupName"] for group in pages["TargetGroups"]}
        assert found == wanted
    print(f"  both know all {len(wanted)} after {monotonic() - begun:.2f} s")
