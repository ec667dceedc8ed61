"""Listener attributes that set response headers (fact sheet 2.5): on every answer, whatever its origin; and Server off."""

import pytest

from tests.proxy.wire import connected, get
from tests.support.balancer import running_balancer
from tests.support.origins import answering, refusing_port, running_origin

HEADERS = {
    "routing.http.response.strict_transport_security.header_value": (
        b"Strict-Transport-Security",
        "max-age=31536000; includeSubDomains; preload",
    ),
    "routing.http.response.access_control_allow_origin.header_value": (
        b"Access-Control-Allow-Origin",
        "https://a.example",
    ),
    "routing.http.response.access_control_allow_methods.header_value": (b"Access-Control-Allow-Methods", "GET,POST"),
    "routing.http.response.access_control_allow_headers.header_value": (b"Access-Control-Allow-Headers", "X-A,X-B"),
    "routing.http.response.access_control_allow_credentials.header_value": (
        b"Access-Control-Allow-Credentials",
        "true",
    ),
    "routing.http.response.access_control_expose_headers.header_value": (b"Access-Control-Expose-Headers", "*"),
    "routing.http.response.access_control_max_age.header_value": (b"Access-Control-Max-Age", "600"),
    "routing.http.response.content_security_policy.header_value": (b"Content-Security-Policy", "default-src 'self'"),
    "routing.http.response.x_content_type_options.header_value": (b"X-Content-Type-Options", "nosniff"),
    "routing.http.response.x_frame_options.header_value": (b"X-Frame-Options", "DENY"),
}
RULES = [
    {
        "priority": 1,
        "conditions": {"path-pattern": "/fixed"},
        "action": {"fixed-response": {"status_code": "404", "message_body": "a\r\n\r\nb"}},
    },
    {
        "priority": 2,
        "conditions": {"path-pattern": "/redirect"},
        "action": {"redirect": {"status_code": 301, "port": 1}},
    },
    {"priority": 3, "conditions": {"path-pattern": "/dead"}, "action": {"forward": "dead"}},
    {"priority": 4, "conditions": {"path-pattern": "/empty"}, "action": {"forward": "empty"}},
]
KINDS = {
    b"/": 200,
    b"/fixed": 404,
    b"/redirect": 301,
    b"/dead": 502,
    b"/empty": 503,
}


@pytest.mark.parametrize("key", HEADERS)
async def test_each_is_set_on_every_kind_of_answer_and_replaces_the_targets_own(key: str) -> None:
    name, value = HEADERS[key]
    raw = b"HTTP/1.1 200 OK\r\nX-Before: 1\r\n%b: mine\r\n%b: mine too\r\nX-After: 2\r\nContent-Length: 2\r\n\r\nok" % (
        name.lower(),
        name.upper(),
    )
    with refusing_port() as port:
        async with (
            running_origin(answering(raw)) as origin,
            running_balancer(
                targets=[origin],
                groups={"dead": [f"127.0.0.1:{port}"], "empty": []},
                rules=RULES,
                listener_attributes={key: value},
            ) as balancer,
            connected(balancer.port) as client,
        ):
            for path, status in KINDS.items():
                response = await client.ask(get(path))
                assert response.status == status
                assert response.values(name) == [value.encode()], path
            from_target = await client.ask(get())
            assert from_target.body == b"ok"
            fixed = await client.ask(get(b"/fixed"))
            assert fixed.body == b"a\r\n\r\nb"
            entries = await balancer.log(7)
            assert int(entries[1]["sent_bytes"]) == len(fixed.raw)
            # Refused before any rule, and refused as unreadable.
            assert (await client.ask(b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")).values(name) == [value.encode()]
            malformed = await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
            assert (malformed.status, malformed.values(name)) == (400, [value.encode()])


async def test_without_a_value_the_targets_own_header_stays() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-Frame-Options: mine\r\nContent-Length: 0\r\n\r\n"
    key = "routing.http.response.x_frame_options.header_value"
    for attributes in ({}, {key: ""}):
        async with (
            running_origin(answering(raw)) as origin,
            running_balancer(targets=[origin], rules=RULES[:1], listener_attributes=attributes) as balancer,
            connected(balancer.port) as client,
        ):
            assert (await client.ask(get())).value(b"x-frame-options") == b"mine"
            assert (await client.ask(get(b"/fixed"))).value(b"x-frame-options") is None


async def test_all_at_once_and_taken_away_again_by_a_reload() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    attributes = {key: value for key, (_, value) in HEADERS.items()}
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin], listener_attributes=attributes) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(get())
        for name, value in HEADERS.values():
            assert response.value(name) == value.encode()
        await balancer.apply(listener_attributes={})
        assert not {name for name, _ in HEADERS.values()} & set((await client.ask(get())).names)


async def test_the_balancers_server_header_goes_and_the_targets_stays() -> None:
    raw = b"HTTP/1.1 200 OK\r\nServer: Apache\r\nContent-Length: 0\r\n\r\n"
    key = "routing.http.response.server.enabled"
    with refusing_port() as port:
        for enabled in (True, False):
            async with (
                running_origin(answering(raw)) as origin,
                running_balancer(
                    targets=[origin],
                    groups={"dead": [f"127.0.0.1:{port}"], "empty": []},
                    rules=RULES,
                    listener_attributes={key: enabled},
                ) as balancer,
                connected(balancer.port) as client,
            ):
                for path in KINDS:
                    expected = [b"Apache"] if path == b"/" else [b"awselb/2.0"] if enabled else []
                    assert (await client.ask(get(path))).values(b"server") == expected, path
                malformed = await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
                assert malformed.values(b"server") == ([b"awselb/2.0"] if enabled else [])
