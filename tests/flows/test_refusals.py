"""What the endpoint does not take: pages of other sites, huge bodies, too many calls. It goes on working in each case."""

import asyncio
import re
from collections import Counter

import pytest

from lb.api.rate import BURST
from lb.api.wire.decode import MAX_BODY
from tests.flows.endpoint import running_endpoint

CALL = b"Action=DescribeLoadBalancers&Version=2015-12-01"
CONNECTIONS = 20
LIMIT_S = 20.0


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    """One `lb up` for all tests here: none of them changes anything."""
    with running_endpoint(tmp_path_factory.mktemp("open")) as running:
        yield running


def test_a_page_of_another_site_is_refused(endpoint):
    create = b"Action=CreateTargetGroup&Version=2015-12-01&Name=stolen&TargetType=lambda"
    for headers in (
        {"Origin": "http://shop.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:1"},
        {"Host": "shop.example"},
    ):
        status, body = endpoint.post(create, **headers)
        assert (status, b"cross-origin" in body) == (403, True), headers
    status, body = endpoint.post(CALL, Origin=endpoint.url)
    assert (status, b"<LoadBalancers" in body) == (200, True)
    with endpoint.client("elbv2") as elbv2:
        assert elbv2.describe_target_groups()["TargetGroups"] == []


def test_a_body_over_1_mib_is_refused(endpoint):
    filled = CALL + b"&Marker=" + b"a" * (MAX_BODY - len(CALL) - 8)
    assert endpoint.post(filled)[0] == 400, "as long as allowed, and refused for its marker only"
    status, body = endpoint.post(filled + b"a")
    assert (status, b"<Code>RequestEntityTooLarge" in body) == (413, True), (status, body)
    assert endpoint.post(CALL)[0] == 200


async def test_too_many_calls_are_throttled_and_nothing_else_happens(endpoint):
    answers: Counter[tuple[bytes, bytes]] = Counter()
    throttled = (b"400", b"Throttling")
    request = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{endpoint.api_port}\r\nContent-Length: {len(CALL)}\r\n\r\n".encode() + CALL
    )

    async def call_until_throttled():
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.api_port)
        while answers[throttled] < CONNECTIONS:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
            code = re.search(b"<Code>(.*)</Code>", await reader.readexactly(int(length[1])))
            answers[head.split()[1], code[1] if code else b""] += 1
        writer.close()
        await writer.wait_closed()

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(call_until_throttled())
    assert set(answers) == {(b"200", b""), throttled}
    assert answers[b"200", b""] >= BURST
    with endpoint.client("elbv2") as elbv2:
        assert elbv2.describe_load_balancers()["LoadBalancers"] == []
