"""One access log line per request, with all fields of ALB's format, for plain requests and many at once."""

import asyncio
import re
from datetime import UTC, datetime

from tests.proxy.wire import connected, get, post
from tests.support.balancer import running_balancer
from tests.support.origins import OriginConnection, answer, answering, naming, running_origin


async def test_every_field_of_a_plain_request() -> None:
    async def script(connection: OriginConnection) -> None:
        await connection.read_request()
        await asyncio.sleep(0.05)
        await connection.send(b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nha")
        # Long enough for the first half to be with the client by then.
        await asyncio.sleep(0.5)
        await connection.send(b"lf")
        await connection.ended()

    async with running_origin(script) as origin, running_balancer(targets=[origin]) as balancer:
        async with connected(balancer.port) as client:
            request = post(b"body", b"/a?b=c", b'User-Agent: say "hi"\xe9')
            response = await client.ask(request)
            name = client.name
        (entry,) = await balancer.log(1)
        head = origin.connections[0].received
        trace = re.search(rb"X-Amzn-Trace-Id: (\S+)", head)
        assert trace
        moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}"
        assert re.fullmatch(moment + r"\d{3}Z", entry.pop("time"))
        assert re.fullmatch(moment + r"000Z", entry["request_creation_time"])
        created = datetime.fromisoformat(entry.pop("request_creation_time"))
        assert abs((datetime.now(UTC) - created).total_seconds()) < 10
        assert re.fullmatch(r"TID_[0-9a-f]{32}", entry.pop("conn_trace_id"))
        assert re.fullmatch(r"app/web/[0-9a-f]{16}", entry.pop("elb"))
        assert entry.pop("target_group_arn").partition("targetgroup/")[2].startswith("web-servers/")
        assert 0 <= float(entry.pop("request_processing_time")) < 10
        assert 0.04 < float(entry.pop("target_processing_time")) < 10
        assert 0.09 < float(entry.pop("response_processing_time")) < 10
        assert entry == {
            "type": "http",
            "client": name,
            "target": origin.target,
            "elb_status_code": "201",
            "target_status_code": "201",
            "received_bytes": str(len(request)),
            "sent_bytes": str(len(response.raw)),
            "request": f"POST http://example.com:{balancer.port}/a?b=c HTTP/1.1",
            "user_agent": r"say \x22hi\x22\xe9",
            "ssl_cipher": "-",
            "ssl_protocol": "-",
            "trace_id": trace[1].decode(),
            "domain_name": "-",
            "chosen_cert_arn": "-",
            "matched_rule_priority": "0",
            "actions_executed": "forward",
            "redirect_url": "-",
            "error_reason": "-",
            "target_port_list": origin.target,
            "target_status_code_list": "201",
            "classification": "-",
            "classification_reason": "-",
            "transformed_host": "-",
            "transformed_uri": "-",
            "request_transform_status": "-",
        }


async def test_one_line_per_request_and_one_connection_id_per_connection() -> None:
    async with running_origin(naming(b"1")) as origin, running_balancer(targets=[origin]) as balancer:
        for _ in range(3):
            async with connected(balancer.port) as client:
                await client.send(b"".join(get(b"/%d" % number) for number in range(100)))
                for _ in range(100):
                    await client.response()
        entries = await balancer.log(300)
        assert len({entry["conn_trace_id"] for entry in entries}) == 3
        assert len({entry["trace_id"] for entry in entries}) == 300
        paths = [int(re.search(r"/(\d+) HTTP", entry["request"])[1]) for entry in entries]  # type: ignore[index]
        assert paths == list(range(100)) * 3


async def test_request_lines_as_logged() -> None:
    requests = {
        get(b"/a", host=b"Some.Host:81"): "GET http://Some.Host:{port}/a HTTP/1.1",
        b"GET /old HTTP/1.0\r\n\r\n": "GET http://{dns}:{port}/old HTTP/1.0",
        get(b"http://named.example/x", host=b"b"): "GET http://named.example:{port}/x HTTP/1.1",
        get(b"/" + b"u" * 9000): "GET http://example.com:{port}/" + "u" * 8191 + " HTTP/1.1",
        get(b'/"quoted"'): r"GET http://example.com:{port}/\x22quoted\x22 HTTP/1.1",
    }
    async with running_origin(naming(b"1")) as origin, running_balancer(targets=[origin]) as balancer:
        for request in requests:
            async with connected(balancer.port) as client:
                await client.ask(request)
        entries = await balancer.log(len(requests))
        assert [entry["request"] for entry in entries] == [
            text.replace("{port}", str(balancer.port)).replace("{dns}", balancer.dns_name) for text in requests.values()
        ]


async def test_bytes_of_chunked_bodies_are_those_on_the_wire() -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n"
    async with (
        running_origin(answering(raw)) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        response = await client.ask(request)
        await client.send(get(b"/next"))
        await client.response()
        entry, following = await balancer.log(2)
        assert (entry["received_bytes"], entry["sent_bytes"]) == (str(len(request)), str(len(response.raw)))
        assert following["received_bytes"] == str(len(get(b"/next")))


async def test_head_and_errors_count_what_was_sent() -> None:
    async with (
        running_origin(answering(answer(b""))) as origin,
        running_balancer(targets=[origin]) as balancer,
        connected(balancer.port) as client,
    ):
        sent = [
            (await client.ask(request)).raw
            for request in (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
        ]
        assert [int(entry["sent_bytes"]) for entry in await balancer.log(2)] == [len(each) for each in sent]
