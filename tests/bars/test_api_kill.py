"""The bar: `kill -9` at random moments while calls run. What was acknowledged is there afterwards, and nothing half-written.

30 kills, or as many as LB_KILLS says. `pytest -s` prints how many calls were acknowledged, and how many the kills cut.
"""

import asyncio
import os
import random
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lb.net.tasks import Tasks
from tests.api.aws_call import SUBNETS, VPC
from tests.support.aws_endpoint import Caller, calling
from tests.support.balancer import free_port, until
from tests.support.lb_process import LbProcess, get, lb

KILLS: Final = int(os.environ.get("LB_KILLS", "30"))
CLIENTS: Final = 3
_LONGEST_S: Final = 0.25
_CALLS_BETWEEN: Final = 11
_MOST_RULES: Final = 20
_CUT: Final = (ConnectionError, asyncio.IncompleteReadError, OSError)


def page(text: str) -> dict[str, Any]:
    config = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": text}
    return {"Type": "fixed-response", "FixedResponseConfig": config}


def path(text: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "Values": [f"/{text}"]}


@dataclass
class Client:
    """One client's part of the balancer: its own listener with rules, and its target group.

    `rules` is what was acknowledged: priority to text. `pending` is what the call that is under way would make of a rule: its
    priority, and the text, None for none. A call that was cut may have been carried out or not, but not in part.
    """

    number: int
    balancer: str
    listener: str
    group: str
    port: int
    rng: random.Random
    rules: dict[int, str] = field(default_factory=dict)
    arns: dict[int, str] = field(default_factory=dict)
    targets: set[int] = field(default_factory=set)
    pending: tuple[int, str | None] | None = None
    pending_targets: set[int] | None = None
    acknowledged: int = 0
    cut: int = 0
    _said: int = 0

    async def run(self, api_port: int) -> None:
        """Calls until the balancer is killed."""
        try:
            async with calling(api_port) as call:
                while True:
                    await self.rng.choice((self.put_rule, self.put_rule, self.delete_rule, self.switch_targets))(call)
                    self.pending = self.pending_targets = None
                    self.acknowledged += 1
        except _CUT:
            self.cut += 1

    def _text(self) -> str:
        self._said += 1
        return f"{self.number}-{self._said}"

    async def put_rule(self, call: Caller) -> None:
        """Creates a rule, or changes condition and action of one."""
        text = self._text()
        given = {"Conditions": [path(text)], "Actions": [page(text)]}
        if len(self.rules) < _MOST_RULES and (not self.rules or self.rng.random() < 0.6):
            priority = max(self.rules, default=0) + 1
            self.pending = priority, text
            made = await call("CreateRule", ListenerArn=self.listener, Priority=priority, **given)
            self.arns[priority] = made["Rules"][0]["RuleArn"]
        else:
            priority = self.rng.choice(list(self.rules))
            self.pending = priority, text
            await call("ModifyRule", RuleArn=self.arns[priority], **given)
        self.rules[priority] = text

    async def delete_rule(self, call: Caller) -> None:
        """Deletes one of its rules."""
        if self.rules:
            priority = self.rng.choice(list(self.rules))
            self.pending = priority, None
            await call("DeleteRule", RuleArn=self.arns[priority])
            del self.rules[priority], self.arns[priority]

    async def switch_targets(self, call: Caller) -> None:
        """Registers or deregisters three targets with one call: all or none."""
        ports = set(range(1, 4))
        operation = "DeregisterTargets" if self.targets else "RegisterTargets"
        self.pending_targets = set() if self.targets else ports
        pairs = [{"Id": "127.0.0.1", "Port": port} for port in ports]
        await call(operation, TargetGroupArn=self.group, Targets=pairs)
        self.targets = self.pending_targets

    async def check(self, call: Caller) -> None:
        """All that was acknowledged is there, and the call that was cut is there whole or not at all."""
        found: dict[int, str] = {}
        for rule in (await call("DescribeRules", ListenerArn=self.listener))["Rules"]:
            if not rule["IsDefault"]:
                text = rule["Actions"][0]["FixedResponseConfig"]["MessageBody"]
                assert rule["Conditions"][0]["Values"] == [f"/{text}"], "a rule is half-written"
                found[int(rule["Priority"])] = text
                self.arns[int(rule["Priority"])] = rule["RuleArn"]
        allowed = [self.rules]
        if self.pending is not None:
            priority, text = self.pending
            kept = {each: said for each, said in self.rules.items() if each != priority}
            allowed.append({**kept, priority: text} if text is not None else kept)
        assert found in allowed, (found, allowed)
        health = (await call("DescribeTargetHealth", TargetGroupArn=self.group))["TargetHealthDescriptions"]
        ports = {each["Target"]["Port"] for each in health}
        assert ports in [self.targets, *([] if self.pending_targets is None else [self.pending_targets])]
        self.rules, self.targets = found, ports
        self.pending = self.pending_targets = None

    def check_traffic(self) -> None:
        """The balancer carries out what it answers."""
        for text in list(self.rules.values())[:3]:
            assert get(self.port, f"/{text}") == (200, text)


async def made(call: Caller, number: int, rng: random.Random) -> Client:
    """A client with its listener and target group."""
    port, name = free_port(), f"client-{number}"
    answer = await call("CreateLoadBalancer", Name=name, Subnets=list(SUBNETS[:2]))
    balancer = answer["LoadBalancers"][0]["LoadBalancerArn"]
    given = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": port, "DefaultActions": [page("none")]}
    listener = (await call("CreateListener", **given))["Listeners"][0]["ListenerArn"]
    group = await call("CreateTargetGroup", Name=name, Protocol="HTTP", Port=80, VpcId=VPC, TargetType="ip")
    return Client(number, balancer, listener, group["TargetGroups"][0]["TargetGroupArn"], port, rng)


async def kill_at_random(process: LbProcess, clients: Sequence[Client], rng: random.Random) -> None:
    """The moments are random: that is what is tested. Some calls come first, however fast the machine is."""
    enough = sum(client.acknowledged for client in clients) + _CALLS_BETWEEN
    await until(lambda: sum(client.acknowledged for client in clients) >= enough, "calls are acknowledged")
    await asyncio.sleep(rng.uniform(0.01, _LONGEST_S))
    process.signal(signal.SIGKILL)
    await asyncio.to_thread(process.ended)


def running(folder: Path, port: int) -> Any:
    return lb("up", "--api-port", port, "--data", folder / "data", cwd=folder)


async def test_what_was_acknowledged_survives_kill_9(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    rng, api_port = random.Random(4), free_port()
    clients: list[Client] = []
    for kill in range(KILLS + 1):
        with running(tmp_path, api_port) as process:
            await asyncio.to_thread(process.says, "AWS APIs and console")
            async with calling(api_port) as call:
                if not clients:
                    clients = [await made(call, number, random.Random(number)) for number in range(CLIENTS)]
                for client in clients:
                    await client.check(call)
            if kill == KILLS:
                for client in clients:
                    await asyncio.to_thread(client.check_traffic)
                break
            tasks = Tasks()
            calls = [tasks.spawn(client.run(api_port), name=f"client {client.number}") for client in clients]
            await kill_at_random(process, clients, rng)
            await asyncio.gather(*calls)
            assert "Traceback" not in process.err
    acknowledged, cut = sum(client.acknowledged for client in clients), sum(client.cut for client in clients)
    record_property("acknowledged", acknowledged)
    print(f"\n  kills: {KILLS}; calls acknowledged: {acknowledged}; calls cut: {cut}")
    assert cut == KILLS * CLIENTS
    assert acknowledged >= _CALLS_BETWEEN * KILLS
