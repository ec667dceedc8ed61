"""`python -m bench.api_calls`: calls of the AWS API at a fixed rate.

A process of its own, so that what the answers cost to read is not on the clock of the load generator. Kinds of calls take
turns: describe load balancers, rules and target health; create, modify and delete a rule. Prints one JSON object.
"""

import asyncio
import json
import re
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import urlencode

import click

from bench.guard import loopback_address
from bench.percentiles import percentiles

_HEAD: Final = (
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/elasticloadbalancing/aws4_request, "
    "SignedHeaders=host, Signature=00\r\nContent-Length: {}\r\n\r\n"
)
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RULE: Final = re.compile(rb"<RuleArn>([^<]+)</RuleArn>")
_CONNECTIONS: Final = 4
_FIRST_PRIORITY: Final = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the calls: how many per HTTP status, how long they took, and whether the rate was held."""

    statuses: dict[int, int]
    seconds: float
    calls_per_s: float
    p50_ms: float
    p99_ms: float


class Connection:
    """A kept connection to the API; one call at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def call(self, action: str, **fields: object) -> tuple[int, bytes]:
        """Status and body of the answer to an operation of ELBv2."""
        body = urlencode({"Action": action, "Version": "2015-12-01", **fields}).encode()
        self._writer.write(_HEAD.format(len(body)).encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None:
            raise ConnectionError("an answer without Content-Length")
        return int(head[9:12]), await self._reader.readexactly(int(length[1]))

    def close(self) -> None:
        """Ends it."""
        self._writer.close()


async def connect(port: int) -> Connection:
    """A connection to the API on this port of this machine."""
    return Connection(*await asyncio.open_connection(loopback_address("127.0.0.1"), port, limit=2**24))


class _Caller:
    """One connection's share of the calls: six kinds in turn, the rule that is changed being its own."""

    def __init__(self, connection: Connection, listener: str, group: str, number: int) -> None:
        self._connection = connection
        self._listener = listener
        self._group = group
        self._priority = _FIRST_PRIORITY + number
        self._rule = ""
        self._turn = 0

    async def next(self) -> int:
        """Makes the next call; its status."""
        self._turn += 1
        match self._turn % 6:
            case 1:
                page = {**_page("made"), "Conditions.member.1.Field": "path-pattern"}
                page["Conditions.member.1.Values.member.1"] = f"/never/{self._priority}"
                given = {"ListenerArn": self._listener, "Priority": self._priority}
                status, body = await self._connection.call("CreateRule", **given, **page)
                found = _RULE.search(body)
                self._rule = found[1].decode() if found else ""
            case 2:
                status, _ = await self._connection.call("DescribeLoadBalancers", PageSize=20)
            case 3:
                status, _ = await self._connection.call("ModifyRule", RuleArn=self._rule, **_page("changed"))
            case 4:
                status, _ = await self._connection.call("DescribeRules", ListenerArn=self._listener)
            case 5:
                status, _ = await self._connection.call("DeleteRule", RuleArn=self._rule)
                self._rule = ""
            case _:
                status, _ = await self._connection.call("DescribeTargetHealth", TargetGroupArn=self._group)
        return status

    async def leave(self) -> None:
        """Deletes the rule that is left: the next run makes one of the same priority."""
        if self._rule:
            await self._connection.call("DeleteRule", RuleArn=self._rule)


def _page(text: str) -> dict[str, str]:
    action = "Actions.member.1"
    config = f"{action}.FixedResponseConfig"
    return {f"{action}.Type": "fixed-response", f"{config}.StatusCode": "200", f"{config}.MessageBody": text}


async def run(port: int, listener: str, group: str, *, rate: float, seconds: float) -> Outcome:
    """Calls for so long. A call that is due while all connections are busy waits, and that counts as its time."""
    connections = [await connect(port) for _ in range(_CONNECTIONS)]
    statuses: Counter[int] = Counter()
    took: list[float] = []
    begun = time.monotonic()

    async def share(number: int) -> None:
        caller = _Caller(connections[number], listener, group, number)
        for turn in range(number, round(rate * seconds), _CONNECTIONS):
            due = begun + turn / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            statuses[await caller.next()] += 1
            took.append(time.monotonic() - due)
        await caller.leave()

    try:
        async with asyncio.TaskGroup() as shares:
            for number in range(_CONNECTIONS):
                shares.create_task(share(number), name=f"connection {number}")
    finally:
        for connection in connections:
            connection.close()
    elapsed = time.monotonic() - begun
    found = percentiles(took)
    assert found is not None
    return Outcome(dict(statuses), elapsed, len(took) / elapsed, found.p50_ms, found.p99_ms)


@click.command()
@click.argument("port", type=int)
@click.argument("listener")
@click.argument("group")
@click.option("--rate", type=click.FloatRange(1, 2000), required=True)
@click.option("--seconds", type=click.FloatRange(0.1, 60), required=True)
def main(port: int, listener: str, group: str, rate: float, seconds: float) -> None:
    """Call the API on PORT of this machine at a fixed rate; LISTENER and GROUP are ARNs."""
    click.echo(json.dumps(asdict(asyncio.run(run(port, listener, group, rate=rate, seconds=seconds)))))


if __name__ == "__main__":
    main()
