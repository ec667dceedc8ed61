"""The bar on speed: a change is carried out before its answer, and describing 50 balancers is twice as fast as moto_server.

What calls do to the latency of traffic is measured by `python -m bench.api` (docs/benchmarks.md), on a machine left alone.
"""

import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from tests.api.aws_call import REGION, SUBNETS
from tests.api.elbv2.world import PAGE
from tests.api.wire.models import authorization
from tests.proxy.wire import connected, get
from tests.support.aws_endpoint import calling, running_app, served
from tests.support.balancer import free_port
from tests.support.lb_process import until

BALANCERS: Final = 50
TURNS: Final = 5
CALLS: Final = 10
# A delayed acknowledgement takes 40 ms at least.
_DELAYED_S: Final = 0.03


async def test_a_rule_is_at_work_before_create_rule_answers(tmp_path: Path) -> None:
    port = free_port()
    async with running_app(tmp_path, store="sqlite") as (_, api), calling(api) as call:
        made = await call("CreateLoadBalancer", Name="web", Subnets=list(SUBNETS[:2]))
        given = {"LoadBalancerArn": made["LoadBalancers"][0]["LoadBalancerArn"], "Protocol": "HTTP", "Port": port}
        listener = (await call("CreateListener", **given, DefaultActions=[PAGE]))["Listeners"][0]["ListenerArn"]
        async with connected(port) as client:
            for priority in range(1, 51):
                condition = {"Field": "path-pattern", "Values": [f"/{priority}"]}
                teapot = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": f"4{priority:02}"}}
                rule = {"ListenerArn": listener, "Priority": priority, "Conditions": [condition]}
                arn = (await call("CreateRule", **rule, Actions=[teapot]))["Rules"][0]["RuleArn"]
                assert (await client.ask(get(f"/{priority}".encode()))).status == 400 + priority
                if priority % 2:
                    await call("DeleteRule", RuleArn=arn)
                    assert (await client.ask(get(f"/{priority}".encode()))).status == 200


async def test_no_answer_waits_for_the_client_to_acknowledge_its_first_half(tmp_path: Path) -> None:
    async with running_app(tmp_path) as (_, api), calling(api) as call:
        took = []
        for _ in range(60):
            begun = time.perf_counter()
            await call("DescribeLoadBalancers")
            took.append(time.perf_counter() - begun)
        # The first are acknowledged at once whatever they are. Were the others delayed, then each of them: a machine that is
        # busy delays some, and the quickest quarter is its own time.
        quick = statistics.quantiles(took[30:], n=4)[0]
        print(f"\n  the quickest quarter of the calls took at most {1000 * quick:.1f} ms; a delayed one takes 40 ms")
        assert quick < _DELAYED_S


@pytest.fixture
def moto_port(tmp_path: Path) -> Iterator[int]:
    pytest.importorskip("moto.server", reason="moto[server] is not installed")
    port = free_port()
    with (tmp_path / "moto.log").open("wb") as log:
        argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        until(lambda: http_status(port) is not None, "moto_server answers", within_s=120)
        yield port
    finally:
        process.kill()
        process.wait()


def http_status(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def describe_s(port: int) -> float:
    """The median time of a raw DescribeLoadBalancers, each on a connection of its own."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": authorization("elbv2", REGION),
    }
    took = []
    for _ in range(CALLS):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        begun = time.perf_counter()
        try:
            connection.request("POST", "/", b"Action=DescribeLoadBalancers&Version=2015-12-01", headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        took.append(time.perf_counter() - begun)
        assert answer.status == 200
        assert body.count(b"<LoadBalancerArn>") == BALANCERS
    return statistics.median(took)


def test_describing_50_balancers_takes_at_most_half_the_time_of_moto_server(
    tmp_path: Path, moto_port: int, record_property: Callable[[str, object], None]
) -> None:
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    moto = {"endpoint_url": f"http://127.0.0.1:{moto_port}", **credentials}
    subnets = [each["SubnetId"] for each in boto3.client("ec2", **moto).describe_subnets()["Subnets"][:2]]
    with served(tmp_path / "data") as endpoint:
        make_all(endpoint.client(), SUBNETS[:2])
        make_all(boto3.client("elbv2", **moto), subnets)
        ratios = [describe_s(endpoint.port) / describe_s(moto_port) for _ in range(TURNS)]
    record_property("ratio", ratio := statistics.median(ratios))
    print(f"\n  DescribeLoadBalancers: {ratio:.2f} of moto_server's time")
    assert ratio <= 0.5


def make_all(elb: Any, subnets: Any) -> None:
    for number in range(BALANCERS):
        elb.create_load_balancer(Name=f"web-{number}", Subnets=list(subnets))
