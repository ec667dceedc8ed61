"""Transforms (fact sheet 3.3): what the target gets, what the log says, and 500 where one fails."""

from typing import Any

import pytest

from tests.proxy.rules.setups import naming_origins
from tests.proxy.wire import connected, get, post
from tests.support.balancer import running_balancer
from tests.support.origins import echoing, running_origin


def rule(transforms: dict[str, Any], *, priority: int = 1, path: str = "/*") -> dict[str, object]:
    return {
        "priority": priority,
        "conditions": {"path-pattern": path},
        "transforms": transforms,
        "action": {"forward": "web-servers"},
    }


def uri(regex: str, replace: str) -> dict[str, Any]:
    return {"url-rewrite": {"regex": regex, "replace": replace}}


def host(regex: str, replace: str) -> dict[str, Any]:
    return {"host-header-rewrite": {"regex": regex, "replace": replace}}


URIS = {
    "groups": (uri("^/api/v([0-9])/(.*)$", "/$2?version=$1"), b"/api/v2/cart", b"/cart?version=2"),
    "path and query together": (uri(r"\?a=(\w+)$", "/$1"), b"/x?a=1", b"/x/1"),
    "first match only": (uri("a", "b"), b"/aaa", b"/baa"),
    "no match": (uri("^/z", "/y"), b"/x?q", b"/x?q"),
    "case counts": (uri("^/A", "/B"), b"/a", b"/a"),
    "to nothing": (uri("^/old", ""), b"/old/x", b"/x"),
}


@pytest.mark.parametrize("name", URIS)
async def test_the_target_gets_the_rewritten_uri(name: str) -> None:
    transforms, asked, got = URIS[name]
    async with (
        running_origin(echoing()) as origin,
        running_balancer(targets=[origin], rules=[rule(transforms)]) as balancer,
        connected(balancer.port) as client,
    ):
        for request, body in ((get(asked), b""), (post(b"body", asked), b"body")):
            response = await client.ask(request)
            assert response.body == b"%b %b HTTP/1.1\n%b" % (request.split(b" ")[0], got, body)
        entry, _ = await balancer.log(2)
        assert entry["request"].split()[1].endswith(asked.decode())
        assert entry["request_transform_status"] == "TransformSuccess"
        assert entry["actions_executed"] == "rewrite,forward"
        assert entry["transformed_uri"] == ("-" if asked == got else got.decode())
        assert entry["transformed_host"] == "-"


HOSTS = {
    "groups": (host(r"^(\w+)\.example\.com$", "$1.internal"), b"Shop.Example.COM:81", b"shop.internal:81"),
    "another port": (host("^.*$", "inner:8443"), b"a.example", b"inner:8443"),
    "no match": (host("^nobody$", "x"), b"a.example:9", b"a.example:9"),
}


@pytest.mark.parametrize("name", HOSTS)
async def test_the_target_is_told_the_rewritten_host(name: str) -> None:
    transforms, asked, got = HOSTS[name]
    async with (
        naming_origins("1") as (origin,),
        running_balancer(targets=[origin], rules=[rule(transforms)]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.ask(get(b"/", host=asked))
        assert b"\r\nHost: " + got + b"\r\n" in origin.connections[0].received
        assert origin.connections[0].received.lower().count(b"\r\nhost:") == 1
        (entry,) = await balancer.log(1)
        assert entry["transformed_host"] == ("-" if asked == got else got.decode())
        assert entry["request_transform_status"] == "TransformSuccess"


async def test_a_connection_that_asks_in_turns_gets_each_request_its_own_host() -> None:
    rules = [rule(host("^.*$", "inner.test"), path="/inner")]
    async with (
        naming_origins("1") as (origin,),
        running_balancer(targets=[origin], rules=rules) as balancer,
        connected(balancer.port) as client,
    ):
        for path in (b"/", b"/inner", b"/", b"/inner", b"/"):
            await client.ask(get(path, host=b"outer.test:1"))
        hosts = [
            line.partition(b": ")[2]
            for line in origin.connections[0].received.split(b"\r\n")
            if line.lower().startswith(b"host:")
        ]
        # The replacement names no port: the port of the host stays.
        assert hosts == [b"outer.test:1", b"inner.test:1", b"outer.test:1", b"inner.test:1", b"outer.test:1"]


async def test_both_transforms_of_a_rule() -> None:
    transforms = {**uri("^/a", "/b"), **host("^outer", "inner")}
    async with (
        naming_origins("1") as (origin,),
        running_balancer(targets=[origin], rules=[rule(transforms)]) as balancer,
        connected(balancer.port) as client,
    ):
        await client.ask(get(b"/a?x", host=b"outer.test:81"))
        assert origin.connections[0].received.startswith(b"GET /b?x HTTP/1.1\r\n")
        assert b"\r\nHost: inner.test:81\r\n" in origin.connections[0].received
        (entry,) = await balancer.log(1)
        assert (entry["transformed_host"], entry["transformed_uri"]) == ("inner.test:81", "/b?x")


async def test_no_rule_is_looked_for_again_after_a_rewrite() -> None:
    rules = [
        {"priority": 1, "conditions": {"path-pattern": "/secret"}, "action": {"fixed-response": {"status_code": 403}}},
        rule(uri("^.*$", "/secret"), priority=2),
    ]
    async with (
        running_origin(echoing()) as origin,
        running_balancer(targets=[origin], rules=rules) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get(b"/x"))).body == b"GET /secret HTTP/1.1\n"


async def test_the_host_alone_is_rewritten_where_a_request_brings_two() -> None:
    async with (
        naming_origins("1") as (origin,),
        running_balancer(
            targets=[origin],
            rules=[rule(host("^outer", "inner"))],
            lb_attributes={"routing.http.preserve_host_header.enabled": True},
        ) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(b"GET / HTTP/1.1\r\nHost: outer.test\r\nHost: second.test\r\n\r\n")
        assert response.status == 200
        assert b"\r\nHost: inner.test\r\n" in origin.connections[0].received


FAILURES = {
    "not a path": (uri("^/x", "x"), get(b"/x"), "TransformInvalidPath"),
    "a path with a space": (uri("^/x", "/ HTTP/1.1"), get(b"/x"), "TransformInvalidPath"),
    "nothing left": (uri("^.*$", ""), get(b"/x"), "TransformInvalidPath"),
    "a path too long": (
        uri("^/x(.*)$", "/$1$1$1$1"),
        get(b"/x" + b"a" * 8000),
        "TransformBufferTooSmall",
    ),
    "no host": (host("^.*$", "a b"), get(), "TransformInvalidHost"),
    "an empty host": (host("^.*$", ""), get(), "TransformInvalidHost"),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_transform_that_fails_is_answered_with_500(name: str) -> None:
    transforms, request, status = FAILURES[name]
    async with (
        naming_origins("1") as (origin,),
        running_balancer(targets=[origin], rules=[rule(transforms)]) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(request)
        assert (response.status, response.value(b"content-length")) == (500, b"142")
        assert origin.requests == 0
        (entry,) = await balancer.log(1)
        assert entry["request_transform_status"] == status
        assert (entry["elb_status_code"], entry["target_status_code"], entry["target"]) == ("500", "-", "-")
        assert (entry["transformed_host"], entry["transformed_uri"]) == ("-", "-")
        assert (entry["matched_rule_priority"], entry["request_processing_time"]) == ("1", "-1")


@pytest.mark.parametrize("byte", [b"\r", b"\x00", b"\t"])
async def test_no_transform_makes_a_second_header_out_of_what_the_client_sent(byte: bytes) -> None:
    rules = [rule(uri("^/(.*)$", "/x/$1"))]
    async with (
        running_origin(echoing()) as origin,
        running_balancer(targets=[origin], rules=rules) as balancer,
        connected(balancer.port) as client,
    ):
        await client.send(get(b"/a" + byte + b"Evil:1"))
        await client.response()
        received = b"".join(bytes(connection.received) for connection in origin.connections)
        assert b"\r\nEvil" not in received
        assert b"\nEvil" not in received
