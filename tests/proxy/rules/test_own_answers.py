"""Redirects and fixed responses (fact sheet 3.6, 3.7, 9.2), byte by byte, and what the log says of them."""

import pytest

from tests.proxy.wire import Client, connected, get, post
from tests.support.balancer import Balancer, running_balancer
from tests.support.origins import refusing_port

_PAGE = b"<html>\r\n<head><title>%b</title></head>\r\n<body>\r\n<center><h1>%b</h1></center>\r\n</body>\r\n</html>\r\n"


def rules_of(**actions: dict[str, object]) -> list[dict[str, object]]:
    """For each name a rule: requests for `/name` and below get the action."""
    return [
        {"priority": number, "conditions": {"path-pattern": [f"/{name}", f"/{name}/*"]}, "action": action}
        for number, (name, action) in enumerate(actions.items(), 1)
    ]


def redirect(status: int = 301, **parts: object) -> dict[str, object]:
    return {"redirect": {"status_code": status, **parts}}


def fixed(status: int, **parts: str) -> dict[str, object]:
    return {"fixed-response": {"status_code": str(status), **parts}}


NOBODY = fixed(404)


@pytest.mark.parametrize(
    ("status", "title", "length"), [(301, b"301 Moved Permanently", 134), (302, b"302 Found", 110)]
)
async def test_a_redirect_byte_by_byte(status: int, title: bytes, length: int) -> None:
    rules = rules_of(a=redirect(status, protocol="HTTPS", port=443))
    async with running_balancer(targets=[], default=NOBODY, rules=rules) as balancer:
        async with connected(balancer.port) as client:
            response = await client.ask(get(b"/a/b?c=d", b"User-Agent: Chrome/1", host=b"Shop.Example:81"))
            body = _PAGE % (title, title)
            assert len(body) == length
            assert response.raw == (
                b"HTTP/1.1 %b\r\nServer: awselb/2.0\r\nDate: %b\r\nContent-Type: text/html\r\nContent-Length: %d\r\n"
                b"Connection: keep-alive\r\nLocation: https://shop.example:443/a/b?c=d\r\n\r\n%b"
                % (title, response.value(b"date"), length, body)
            )
            head = await client.ask(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
            assert head.value(b"content-length") == b"%d" % length
            assert head.value(b"location") == b"https://x:443/a"
        entry, second = await balancer.log(2)
        assert int(entry["sent_bytes"]) == len(response.raw)
        assert int(second["sent_bytes"]) == len(head.raw)
        del entry["time"], entry["request_creation_time"], entry["elb"], entry["conn_trace_id"], entry["client"]
        assert entry.pop("trace_id").startswith("Root=1-")
        assert entry == {
            "type": "http",
            "target": "-",
            "request_processing_time": "-1",
            "target_processing_time": "-1",
            "response_processing_time": "-1",
            "elb_status_code": str(status),
            "target_status_code": "-",
            "received_bytes": str(len(get(b"/a/b?c=d", b"User-Agent: Chrome/1", host=b"Shop.Example:81"))),
            "sent_bytes": str(len(response.raw)),
            "request": f"GET http://Shop.Example:{balancer.port}/a/b?c=d HTTP/1.1",
            "user_agent": "Chrome/1",
            "ssl_cipher": "-",
            "ssl_protocol": "-",
            "target_group_arn": "-",
            "domain_name": "-",
            "chosen_cert_arn": "-",
            "matched_rule_priority": "1",
            "actions_executed": "redirect",
            "redirect_url": "https://shop.example:443/a/b?c=d",
            "error_reason": "-",
            "target_port_list": "-",
            "target_status_code_list": "-",
            "classification": "-",
            "classification_reason": "-",
            "transformed_host": "-",
            "transformed_uri": "-",
            "request_transform_status": "-",
        }


LOCATIONS = {
    "port": (redirect(port=8443), get(b"/x"), "http://example.com:8443/x"),
    "listener's port": (
        redirect(path="/n/#{path}"),
        get(b"/x", host=b"example.com:1"),
        "http://example.com:{port}/n/x",
    ),
    "path": (redirect(path="/new"), get(b"/x/old?q=1"), "http://example.com:{port}/new?q=1"),
    "no query, no question mark": (redirect(path="/new", query=""), get(b"/x?q=1"), "http://example.com:{port}/new"),
    "empty query": (redirect(path="/new"), get(b"/x?"), "http://example.com:{port}/new"),
    "all keywords": (
        redirect(host="www.#{host}", path="/#{host}/#{port}/#{path}", query="p=#{path}&q=#{query}&r=#{protocol}"),
        get(b"/x/y?z=1", host=b"A.b"),
        "http://www.a.b:{port}/a.b/{port}/x/y?p=x/y&q=z=1&r=http",
    ),
    "escapes stay": (redirect(port=1), get(b"/x/%41%2f?%20=%0d%0a"), "http://example.com:1/x/%41%2f?%20=%0d%0a"),
    "an expression that is none": (redirect(port=1), get(b"/x/#{host}"), "http://example.com:1/x/"),
}


@pytest.mark.parametrize("name", LOCATIONS)
async def test_where_a_redirect_leads(name: str) -> None:
    action, request, location = LOCATIONS[name]
    async with running_balancer(targets=[], default=NOBODY, rules=rules_of(x=action)) as balancer:
        async with connected(balancer.port) as client:
            response = await client.ask(request)
        expected = location.replace("{port}", str(balancer.port))
        assert response.value(b"location") == expected.encode()
        (entry,) = await balancer.log(1)
        assert entry["redirect_url"] == expected


async def test_a_redirect_of_an_old_client_without_a_host_names_the_load_balancer() -> None:
    async with running_balancer(targets=[], default=redirect(port=444)) as balancer, connected(balancer.port) as client:
        response = await client.ask(b"GET /a HTTP/1.0\r\n\r\n")
        assert response.value(b"location") == f"http://{balancer.dns_name}:444/a".encode()
        assert await client.ended()


async def test_a_location_of_more_than_8_kib_is_answered_with_507() -> None:
    async with running_balancer(targets=[], default=redirect(port=1)) as balancer:
        async with connected(balancer.port) as client:
            start = len("http://example.com:1")
            longest = await client.ask(get(b"/" + b"a" * (8192 - start - 1)))
            assert (longest.status, len(longest.value(b"location") or b"")) == (301, 8192)
            response = await client.ask(get(b"/" + b"a" * (8192 - start)))
            assert (response.status, response.value(b"location")) == (507, None)
            assert response.value(b"content-length") == b"140"
            assert (await client.ask(get())).status == 301
        _, entry, _ = await balancer.log(3)
        assert (entry["elb_status_code"], entry["actions_executed"], entry["redirect_url"]) == ("507", "redirect", "-")


async def test_a_fixed_response_byte_by_byte() -> None:
    body = "<b>größer</b>"
    rules = rules_of(a=fixed(418, content_type="text/html", message_body=body))
    async with running_balancer(targets=[], default=NOBODY, rules=rules) as balancer:
        async with connected(balancer.port) as client:
            response = await client.ask(get(b"/a", b"User-Agent: Chrome/1"))
            assert (
                response.raw
                == (
                    "HTTP/1.1 418 I'm a Teapot\r\nServer: awselb/2.0\r\nDate: {}\r\n"
                    "Content-Type: text/html; charset=utf-8\r\n"
                    "Content-Length: {}\r\nConnection: keep-alive\r\n\r\n{}"
                )
                .format((response.value(b"date") or b"").decode(), len(body.encode()), body)
                .encode()
            )
        (entry,) = await balancer.log(1)
        times = [entry[f"{name}_processing_time"] for name in ("request", "target", "response")]
        assert times == ["-1", "-1", "-1"]
        assert (entry["target"], entry["target_status_code"], entry["target_group_arn"]) == ("-", "-", "-")
        assert (entry["actions_executed"], entry["elb_status_code"]) == ("fixed-response", "418")
        assert (entry["matched_rule_priority"], int(entry["sent_bytes"])) == ("1", len(response.raw))
        assert entry["trace_id"].startswith("Root=1-")


async def test_an_empty_fixed_response_has_a_type_and_no_bytes() -> None:
    async with running_balancer(targets=[], default=fixed(503)) as balancer, connected(balancer.port) as client:
        for request in (get(), b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"):
            response = await client.ask(request)
            assert response.value(b"content-type") == b"text/plain; charset=utf-8"
            assert (response.value(b"content-length"), response.body) == (b"0", b"")


async def test_head_gets_the_length_and_no_body_and_the_connection_stays_in_step() -> None:
    async with (
        running_balancer(targets=[], default=fixed(200, message_body="hello")) as balancer,
        connected(balancer.port) as client,
    ):
        head = await client.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert head.value(b"content-length") == b"5"
        assert (await client.ask(get())).body == b"hello"


async def test_a_fixed_204_has_no_content_and_leaves_the_connection_in_step() -> None:
    default = fixed(204, message_body="never seen", content_type="text/html")
    async with running_balancer(targets=[], default=default) as balancer, connected(balancer.port) as client:
        for _ in range(2):
            response = await client.ask(get())
            assert (response.status, response.value(b"content-length")) == (204, None)


async def test_an_old_client_gets_http_1_1_and_close() -> None:
    async with (
        running_balancer(targets=[], default=fixed(200, message_body="hi")) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert response.head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert (response.value(b"connection"), response.body) == (b"close", b"hi")
        assert await client.ended()


async def bodies_are_left_unread(balancer: Balancer, client: Client, status: int) -> None:
    # What has not been read would be taken for a request: either all is read, or the connection ends.
    start = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
    inner = get(b"/smuggled")
    await client.send(start + inner)
    response = await client.response()
    assert response.status == status
    if response.value(b"connection") == b"close":
        assert await client.ended()
    else:
        await client.send(b"x" * (100 - len(inner)))
    (entry,) = await balancer.log(1)
    assert "smuggled" not in entry["request"]


async def test_a_body_that_is_still_coming_is_no_request_behind_a_fixed_response() -> None:
    async with running_balancer(targets=[], default=fixed(200)) as balancer, connected(balancer.port) as client:
        await bodies_are_left_unread(balancer, client, 200)


async def test_a_body_that_is_still_coming_is_no_request_behind_a_redirect() -> None:
    async with running_balancer(targets=[], default=redirect(port=1)) as balancer, connected(balancer.port) as client:
        await bodies_are_left_unread(balancer, client, 301)


async def test_a_body_that_came_whole_leaves_the_connection_open() -> None:
    async with running_balancer(targets=[], default=fixed(200)) as balancer, connected(balancer.port) as client:
        await client.send(post(b"body") + get(b"/next"))
        assert (await client.response()).value(b"connection") == b"keep-alive"
        assert (await client.response()).status == 200
        first, _ = await balancer.log(2)
        assert int(first["received_bytes"]) == len(post(b"body"))


async def test_a_client_that_asks_to_close_is_closed() -> None:
    for default in (fixed(200), redirect(port=1)):
        async with running_balancer(targets=[], default=default) as balancer, connected(balancer.port) as client:
            assert (await client.ask(get(b"/", b"Connection: close"))).value(b"connection") == b"close"
            assert await client.ended()


async def test_own_answers_need_no_target_that_works() -> None:
    with refusing_port() as port:
        rules = rules_of(a=fixed(200, message_body="fine"))
        async with (
            running_balancer(targets=[f"127.0.0.1:{port}"], rules=rules) as balancer,
            connected(balancer.port) as client,
        ):
            assert (await client.ask(get(b"/a"))).body == b"fine"
            assert (await client.ask(get(b"/b"))).status == 502


async def test_expect_continue_is_not_asked_for_where_nobody_wants_the_body() -> None:
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    async with running_balancer(targets=[], default=fixed(413)) as balancer, connected(balancer.port) as client:
        assert (await client.ask(request)).status == 413
