"""`python -m bench.api`: what the AWS APIs cost, in two tables.

`describe`: DescribeLoadBalancers of 50 load balancers as raw HTTP, the balancer and moto_server in turn, a new connection for
each call. `traffic`: latency of requests at a fixed rate through the balancer, with and without calls of the API, in turn.
"""

import asyncio
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import boto3  # type: ignore[import-untyped]
import click
from botocore.config import Config  # type: ignore[import-untyped]

from bench import origins
from bench.api_calls import Connection, connect
from bench.guard import loopback_address
from bench.open_rate import Arrivals, run_open_rate
from bench.origins import start_origins
from bench.pinning import choose_pinning, pin_this_process, pinned
from bench.processes import Processes, free_ports
from lb.model.names import DEFAULT_ACCOUNT_ID, DEFAULT_REGION
from lb.resources.defaults import default_network
from lb.resources.records import Kind

BALANCERS: Final = 50
_CALLS_PER_TURN: Final = 40
_RULES: Final = 20
_START_LIMIT_S: Final = 30.0
_BODY: Final = b"Action=DescribeLoadBalancers&Version=2015-12-01"
_SCOPE: Final = f"test/20260101/{DEFAULT_REGION}/elasticloadbalancing/aws4_request"
_HEADERS: Final = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={_SCOPE}, SignedHeaders=host, Signature=00",
}


@dataclass(frozen=True, slots=True)
class Described:
    """One turn of both: median milliseconds of a call."""

    pair: int
    lb_ms: float
    moto_ms: float


@dataclass(frozen=True, slots=True)
class Disturbed:
    """One turn: latency of the traffic from when each request was due, alone and with calls."""

    pair: int
    rate_per_s: float
    balancers: int
    alone_p50_ms: float
    alone_p99_ms: float
    with_calls_p50_ms: float
    with_calls_p99_ms: float
    failed: int
    generator_late: bool
    calls: dict[str, Any]


def client(port: int, service: str) -> Any:
    """A boto3 client of the endpoint on this port of this machine."""
    return boto3.client(
        service,
        endpoint_url=f"http://{loopback_address('127.0.0.1')}:{port}",
        region_name=DEFAULT_REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def describe_ms(port: int) -> float:
    """The median time of one DescribeLoadBalancers, connecting included. Raises ValueError for a wrong answer."""
    took = []
    for _ in range(_CALLS_PER_TURN):
        begun = time.perf_counter()
        connection = http.client.HTTPConnection(loopback_address("127.0.0.1"), port, timeout=10)
        try:
            connection.request("POST", "/", _BODY, _HEADERS)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        took.append(time.perf_counter() - begun)
        if answer.status != 200 or body.count(b"<LoadBalancerName>") != BALANCERS:
            raise ValueError(f"not the answer: {answer.status} {body[:200]!r}")
    return statistics.median(took) * 1000


def default_subnets() -> list[str]:
    """Two of the balancer's default VPC."""
    network = default_network(DEFAULT_REGION, DEFAULT_ACCOUNT_ID)
    return [record.id for record in network if record.kind is Kind.SUBNET][:2]


def make_balancers(elb: Any, subnets: Sequence[str], count: int) -> list[str]:
    """ARNs of new load balancers."""
    return [
        elb.create_load_balancer(Name=f"lb-{number}", Subnets=list(subnets))["LoadBalancers"][0]["LoadBalancerArn"]
        for number in range(count)
    ]


class Bench:
    """The servers of a run."""

    def __init__(self, processes: Processes, directory: Path) -> None:
        self.pinning = choose_pinning()
        self._processes = processes
        self._directory = directory
        self._started = 0

    def start(self, name: str, argv: list[str], port: int) -> None:
        """Starts a server on the proxy's core and waits until it listens on `port`."""
        self._started += 1
        folder = self._directory / f"{name}-{self._started}"
        folder.mkdir()
        started = self._processes.start(
            name, argv, cores=self.pinning.proxy, directory=folder, output=folder / "output.log"
        )
        self._processes.wait_until_listening(started, port, limit_s=_START_LIMIT_S)

    def start_lb(self) -> int:
        """A balancer without a configuration file; the port of its API."""
        (port,) = free_ports(1)
        self.start("lb", [sys.executable, "-m", "lb.cli.main", "up", "--api-port", str(port), "--data", "data"], port)
        return port

    def start_moto(self) -> int:
        """moto_server; its port."""
        (port,) = free_ports(1)
        self.start("moto", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port)
        return port

    def start_origins(self) -> tuple[int, ...]:
        """The origin servers; their ports."""
        folder = self._directory / "origins"
        folder.mkdir()
        return start_origins(self._processes, folder, cores=self.pinning.load, body_sizes=())


def measure_describe(bench: Bench, pairs: int) -> list[Described]:
    """Both answer in turn."""
    ours, moto = bench.start_lb(), bench.start_moto()
    make_balancers(client(ours, "elbv2"), default_subnets(), BALANCERS)
    found = client(moto, "ec2").describe_subnets()["Subnets"][:2]
    make_balancers(client(moto, "elbv2"), [subnet["SubnetId"] for subnet in found], BALANCERS)
    for port in (ours, moto):
        describe_ms(port)
    turns = []
    for pair in range(1, pairs + 1):
        turns.append(Described(pair, describe_ms(ours), describe_ms(moto)))
        progress(f"describe {pair}: lb {turns[-1].lb_ms:.2f} ms, moto_server {turns[-1].moto_ms:.2f} ms")
    return turns


def measure_traffic(
    bench: Bench,
    origin_ports: Sequence[int],
    *,
    balancers: int,
    rates: Sequence[float],
    calls: float,
    pairs: int,
    seconds: float,
) -> list[Disturbed]:
    """Traffic through one of `balancers` load balancers, each with a target group and rules."""
    api = bench.start_lb()
    port, listener, group = asyncio.run(_furnish(api, origin_ports, balancers))
    url = f"http://127.0.0.1:{port}/"
    turns = []
    for rate in rates:
        arrivals = Arrivals(rate, seconds)
        run_open_rate(url, Arrivals(rate, 1.0))
        for pair in range(1, pairs + 1):
            alone = run_open_rate(url, arrivals)
            argv = [sys.executable, "-m", "bench.api_calls", str(api), listener, group]
            argv += ["--rate", str(calls), "--seconds", str(seconds + 1)]
            with subprocess.Popen(pinned(argv, bench.pinning.load), stdout=subprocess.PIPE) as caller:
                time.sleep(0.7)
                busy = run_open_rate(url, arrivals)
                assert caller.stdout is not None
                outcome = json.loads(caller.stdout.read())
            if alone.corrected is None or busy.corrected is None:
                raise ValueError("no request was answered")
            turns.append(
                Disturbed(
                    pair,
                    rate,
                    balancers,
                    alone.corrected.p50_ms,
                    alone.corrected.p99_ms,
                    busy.corrected.p50_ms,
                    busy.corrected.p99_ms,
                    sum(alone.failed.values()) + sum(busy.failed.values()),
                    alone.generator_late or busy.generator_late,
                    outcome,
                )
            )
            progress(_line(turns[-1]))
    return turns


async def _furnish(api: int, origin_ports: Sequence[int], balancers: int) -> tuple[int, str, str]:
    """Makes the load balancers; listener port, listener ARN and target group ARN of the first."""
    elb, ports = client(api, "elbv2"), free_ports(balancers)
    made: tuple[int, str, str] | None = None
    vpc = next(record.id for record in default_network(DEFAULT_REGION, DEFAULT_ACCOUNT_ID) if record.kind is Kind.VPC)
    for arn, port in zip(make_balancers(elb, default_subnets(), balancers), ports, strict=True):
        named = {"Name": f"tg-{port}", "Protocol": "HTTP", "Port": 80, "VpcId": vpc, "TargetType": "ip"}
        group = elb.create_target_group(**named)["TargetGroups"][0]["TargetGroupArn"]
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": each} for each in origin_ports])
        forward = {"Type": "forward", "TargetGroupArn": group}
        given = {"LoadBalancerArn": arn, "Protocol": "HTTP", "Port": port, "DefaultActions": [forward]}
        listener = elb.create_listener(**given)["Listeners"][0]["ListenerArn"]
        for priority in range(1, _RULES + 1 if made is None else 3):
            condition = {"Field": "path-pattern", "Values": [f"/rule/{priority}/*"]}
            elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=[condition], Actions=[forward])
        made = made or (port, listener, group)
    assert made is not None
    await _wait_until_healthy(api, made[2], len(origin_ports))
    return made


async def _wait_until_healthy(api: int, group: str, targets: int) -> None:
    connection = await connect(api)
    try:
        async with asyncio.timeout(_START_LIMIT_S):
            # Only asking tells.
            while await _healthy(connection, group) < targets:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        connection.close()


async def _healthy(connection: Connection, group: str) -> int:
    _, body = await connection.call("DescribeTargetHealth", TargetGroupArn=group)
    return body.count(b">healthy<")


def _line(turn: Disturbed) -> str:
    late = ", generator late" if turn.generator_late else ""
    return (
        f"{turn.balancers} balancers, {turn.rate_per_s:g}/s, turn {turn.pair}: p99 {turn.alone_p99_ms:.2f} ms alone, "
        f"{turn.with_calls_p99_ms:.2f} ms with {turn.calls['calls_per_s']:.0f} calls/s "
        f"(p99 {turn.calls['p99_ms']:.1f} ms, {turn.calls['statuses']}), {turn.failed} failed{late}"
    )


def progress(line: str) -> None:
    """Says on standard error what is going on."""
    click.echo(f"bench: {line}", err=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--pairs", type=click.IntRange(1, 25), default=5, show_default=True, help="Turns; figures are medians.")
@click.option("--seconds", type=click.FloatRange(1, 30), default=5, show_default=True, help="Length of a turn.")
@click.option("--calls", type=click.FloatRange(1, 1000), default=300, show_default=True, help="API calls per second.")
@click.option("--rate", "rates", type=click.FloatRange(1, 20000), multiple=True, default=(300, 1000), show_default=True)
@click.option("--balancers", "sizes", type=click.IntRange(1, 50), multiple=True, default=(1, 50), show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def main(
    pairs: int, seconds: float, calls: float, rates: tuple[float, ...], sizes: tuple[int, ...], json_file: Path | None
) -> None:
    """Measure the AWS APIs beside moto_server, and what calls do to traffic. Loopback only.

    Exit codes: 0 measured, 2 nothing can be measured.
    """
    if (reason := origins.missing()) is not None:
        raise click.UsageError(f"nothing can be measured: {reason}")
    with tempfile.TemporaryDirectory(prefix="lb-bench-") as folder, Processes() as processes:
        bench = Bench(processes, Path(folder))
        pin_this_process(bench.pinning.load)
        described = measure_describe(bench, pairs)
        origin_ports = bench.start_origins()
        disturbed = [
            turn
            for size in sizes
            for turn in measure_traffic(
                bench, origin_ports, balancers=size, rates=rates, calls=calls, pairs=pairs, seconds=seconds
            )
        ]
    click.echo(report(described, disturbed))
    if json_file is not None:
        result = {"describe": list(map(asdict, described)), "traffic": list(map(asdict, disturbed))}
        json_file.write_text(json.dumps(result, indent=2) + "\n")


def report(described: Sequence[Described], disturbed: Sequence[Disturbed]) -> str:
    """Both tables as text: medians over the turns, and medians of the ratios within each turn."""
    median = statistics.median
    ours, moto = median(turn.lb_ms for turn in described), median(turn.moto_ms for turn in described)
    ratio = median(turn.lb_ms / turn.moto_ms for turn in described)
    what = f"DescribeLoadBalancers, {BALANCERS} load balancers"
    lines = [f"{what}: lb {ours:.2f} ms, moto_server {moto:.2f} ms, ratio {ratio:.2f}"]
    for size, rate in dict.fromkeys((turn.balancers, turn.rate_per_s) for turn in disturbed):
        turns = [turn for turn in disturbed if (turn.balancers, turn.rate_per_s) == (size, rate)]
        ratios = [turn.with_calls_p99_ms / turn.alone_p99_ms for turn in turns]
        lines.append(
            f"{size} balancers, {rate:g} requests/s: p99 {median(turn.alone_p99_ms for turn in turns):.2f} ms alone, "
            f"{median(turn.with_calls_p99_ms for turn in turns):.2f} ms with "
            f"{median(turn.calls['calls_per_s'] for turn in turns):.0f} calls/s; ratio {median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}), {sum(turn.failed for turn in turns)} failed"
            + (" *" if any(turn.generator_late for turn in turns) else "")
        )
    return "\n".join([*lines, "* the load generator itself was late"])


if __name__ == "__main__":
    main()
