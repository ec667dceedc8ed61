"""Rules that forward, over the wire: every kind of condition, their order, and nothing behind the rule that matched."""

import collections

import pytest

from tests.proxy.rules.setups import connected_from, naming_origins
from tests.proxy.wire import ask_once, connected, get, post
from tests.support.balancer import running_balancer
from tests.support.origins import refusing_port

FORWARD = {"forward": "special"}
# Conditions, a request that meets them, requests that do not.
CASES: dict[str, tuple[object, bytes, list[bytes]]] = {
    "path": (
        {"path-pattern": "/img/*"},
        get(b"/img/a/b.png?x=1"),
        [get(b"/img"), get(b"/IMG/a"), get(b"/x?/img/a"), get(b"/x/img/a")],
    ),
    "path of one more character": ({"path-pattern": "/v?/a"}, get(b"/v1/a"), [get(b"/v/a"), get(b"/v12/a")]),
    "path, brackets are no wildcard": ({"path-pattern": "/a*b"}, get(b"/a[x]b"), [get(b"/ab/")]),
    "path, any of several": ({"path-pattern": ["/a", "/b"]}, get(b"/b"), [get(b"/c")]),
    "path by expression": ({"path-pattern": {"regex": "^/v[0-9]+/"}}, get(b"/v12/x"), [get(b"/vx/"), get(b"/V12/")]),
    "path after dot segments": ({"path-pattern": "/admin/*"}, get(b"/x/../admin/y"), [get(b"/admin/../x")]),
    "host": (
        {"host-header": "*.example.com"},
        get(host=b"SHOP.Example.com:81"),
        [get(host=b"example.com"), get(host=b"shop.example.org")],
    ),
    "host of an absolute URI": (
        {"host-header": "named.example"},
        get(b"http://named.example/x", host=b"other.example"),
        [get(b"http://other.example/x", host=b"named.example")],
    ),
    "header": (
        {"http-header": {"X-Kind": "*gold*"}},
        get(b"/", b"x-kind: a GOLD one"),
        [get(), get(b"/", b"X-Kinds: gold"), get(b"/", b"X-Kind: silver")],
    ),
    "header, second line": (
        {"http-header": {"X-Kind": "gold"}},
        get(b"/", b"X-Kind: iron", b"X-Kind: gold"),
        [get(b"/", b"X-Kind: iron, gold")],
    ),
    "method": (
        {"http-request-method": "POST"},
        post(b"body"),
        [get(), b"post / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"],
    ),
    "method of one's own": (
        {"http-request-method": "PURGE"},
        b"PURGE / HTTP/1.1\r\nHost: a\r\n\r\n",
        [get(), b"PURGES / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ),
    "query, any of several": (
        {"query-string": [{"key": "v", "value": "1"}, {"key": "w", "value": "2"}]},
        get(b"/?a=b&W=2"),
        [get(b"/"), get(b"/?v=2&w=1"), get(b"/v=1"), get(b"/?x=1")],
    ),
    "query, a key that comes twice": ({"query-string": {"key": "v", "value": "1"}}, get(b"/?v=0&v=1"), [get(b"/?v=0")]),
    "query, a value of any key": ({"query-string": {"value": "yes"}}, get(b"/?q=YES"), [get(b"/?yes=no")]),
    "query, a key with any value": (
        {"query-string": {"key": "debug", "value": "*"}},
        get(b"/?debug"),
        [get(b"/?bug=1"), get()],
    ),
    "source": ({"source-ip": "127.0.0.1/32"}, get(), []),
    "all of several": (
        {"path-pattern": "/a", "http-request-method": "GET", "http-header": {"X-A": "1"}},
        get(b"/a", b"X-A: 1"),
        [get(b"/a"), get(b"/b", b"X-A: 1"), post(b"", b"/a", b"X-A: 1")],
    ),
    "two queries, both": (
        [{"query-string": {"key": "a", "value": "1"}}, {"query-string": {"key": "b", "value": "1"}}],
        get(b"/?b=1&a=1"),
        [get(b"/?a=1"), get(b"/?b=1")],
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_condition_leads_to_its_target_group_and_the_rest_to_the_default(name: str) -> None:
    conditions, meeting, others = CASES[name]
    rules = [{"priority": 7, "conditions": conditions, "action": FORWARD}]
    async with (
        naming_origins("default", "special") as (default, special),
        running_balancer(targets=[default], groups={"special": [special]}, rules=rules) as balancer,
    ):
        async with connected(balancer.port) as client:
            assert (await client.ask(meeting)).body == b"special"
            for request in others:
                assert (await client.ask(request)).body == b"default", request
        entries = await balancer.log(1 + len(others))
        assert [entry["matched_rule_priority"] for entry in entries] == ["7"] + ["0"] * len(others)
        assert "targetgroup/special/" in entries[0]["target_group_arn"]
        assert {entry["actions_executed"] for entry in entries} == {"forward"}


async def test_the_source_is_the_peer_and_never_what_a_header_says() -> None:
    rules = [{"priority": 1, "conditions": {"source-ip": ["127.0.0.64/26", "2001:db8::/32"]}, "action": FORWARD}]
    async with (
        naming_origins("default", "special") as (default, special),
        running_balancer(targets=[default], groups={"special": [special]}, rules=rules) as balancer,
    ):
        for address, name in {
            "127.0.0.63": b"default",
            "127.0.0.64": b"special",
            "127.0.0.127": b"special",
            "127.0.0.128": b"default",
        }.items():
            async with connected_from(address, balancer.port) as client:
                assert (await client.ask(get(b"/", b"X-Forwarded-For: 127.0.0.100"))).body == name, address


async def test_priorities_decide_and_not_the_order_of_the_file() -> None:
    def rule(priority: int, pattern: str, group: str) -> dict[str, object]:
        return {"priority": priority, "conditions": {"path-pattern": pattern}, "action": {"forward": group}}

    rules = [rule(30, "/*", "c"), rule(10, "/a/b", "a"), rule(20, "/a/*", "b")]
    async with (
        naming_origins("default", "a", "b", "c") as (default, a, b, c),
        running_balancer(targets=[default], groups={"a": [a], "b": [b], "c": [c]}, rules=rules) as balancer,
        connected(balancer.port) as client,
    ):
        for path, name in {b"/a/b": b"a", b"/a/c": b"b", b"/x": b"c"}.items():
            assert (await client.ask(get(path))).body == name
        assert (await client.ask(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")).body == b"default"
        logged = [entry["matched_rule_priority"] for entry in await balancer.log(4)]
        assert logged == ["10", "20", "30", "0"]


async def test_nothing_falls_through_to_a_rule_behind_the_one_that_matched() -> None:
    rules = [
        {"priority": 1, "conditions": {"path-pattern": "/empty*"}, "action": {"forward": "empty"}},
        {"priority": 2, "conditions": {"path-pattern": "/dead*"}, "action": {"forward": "dead"}},
        {"priority": 3, "conditions": {"path-pattern": "/*"}, "action": {"fixed-response": {"status_code": 200}}},
    ]
    with refusing_port() as port:
        async with (
            naming_origins("default") as (default,),
            running_balancer(
                targets=[default], groups={"empty": [], "dead": [f"127.0.0.1:{port}"]}, rules=rules
            ) as balancer,
            connected(balancer.port) as client,
        ):
            assert (await client.ask(get(b"/empty"))).status == 503
            assert (await client.ask(get(b"/dead"))).status == 502
            empty, dead = await balancer.log(2)
            assert (empty["matched_rule_priority"], empty["target"], empty["elb_status_code"]) == ("1", "-", "503")
            assert "targetgroup/empty/" in empty["target_group_arn"]
            assert (dead["matched_rule_priority"], dead["target"]) == ("2", f"127.0.0.1:{port}")
            assert default.requests == 0


async def test_two_rules_may_share_a_target_group_and_its_connections() -> None:
    rules = [{"priority": 1, "conditions": {"path-pattern": "/a"}, "action": {"forward": "web-servers"}}]
    async with naming_origins("one") as (one,), running_balancer(targets=[one], rules=rules) as balancer:
        async with connected(balancer.port) as client:
            for path in (b"/a", b"/b", b"/a"):
                assert (await client.ask(get(path))).body == b"one"
        assert len(one.connections) == 1


async def test_pipelined_requests_are_routed_each_by_itself_and_answered_in_order() -> None:
    rules = [
        {"priority": 1, "conditions": {"path-pattern": "/s*"}, "action": FORWARD},
        {
            "priority": 2,
            "conditions": {"path-pattern": "/f"},
            "action": {"fixed-response": {"status_code": 200, "message_body": "fixed"}},
        },
        {
            "priority": 3,
            "conditions": {"path-pattern": "/r"},
            "action": {"redirect": {"status_code": 302, "path": "/to"}},
        },
    ]
    async with (
        naming_origins("default", "special") as (default, special),
        running_balancer(targets=[default], groups={"special": [special]}, rules=rules) as balancer,
        connected(balancer.port) as client,
    ):
        paths = [b"/s", b"/f", b"/", b"/r", b"/s", b"/f", b"/f", b"/"]
        await client.send(b"".join(map(get, paths)))
        said = [await client.response() for _ in paths]
        expected = {b"/s": b"special", b"/f": b"fixed", b"/": b"default"}
        for path, response in zip(paths, said, strict=True):
            if path == b"/r":
                assert response.status == 302
            else:
                assert response.body == expected[path]
        assert collections.Counter(e["actions_executed"] for e in await balancer.log(8)) == {
            "forward": 4,
            "fixed-response": 3,
            "redirect": 1,
        }
        # Fixed answers and redirects are told in the order in which they were given, too.
        assert [e["matched_rule_priority"] for e in await balancer.log(8)] == list("12031220")


async def test_trace_and_connect_are_refused_before_any_rule() -> None:
    rules = [{"priority": 1, "conditions": {"path-pattern": "/*"}, "action": {"fixed-response": {"status_code": 200}}}]
    async with naming_origins("default") as (default,), running_balancer(targets=[default], rules=rules) as balancer:
        response = await ask_once(balancer.port, b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert response.status == 405
        (entry,) = await balancer.log(1)
        assert (entry["matched_rule_priority"], entry["actions_executed"]) == ("-", "-")
