"""The bar: two clients change the same balancer at once, 2,000 calls.

No update is lost, no change is seen half applied, and no request that goes through the balancer meanwhile fails.
"""

import asyncio
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.api.aws_call import SUBNETS, VPC
from tests.proxy.wire import connected, get
from tests.support.aws_endpoint import Caller, Refused, calling, running_app
from tests.support.balancer import free_port, until
from tests.support.origins import naming, running_origin

CALLS_EACH: Final = 1000
MOST_RULES: Final = 15
_CLIENTS: Final = 4
_PAUSE_S: Final = 0.005
_BOTH_WANT: Final = 20_000
_ATTRIBUTES: Final = ("idle_timeout.timeout_seconds", "client_keep_alive.seconds")
_PATH: Final = re.compile(r"/(\d)/(\d+)")


def page(text: str) -> dict[str, Any]:
    config = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": text}
    return {"Type": "fixed-response", "FixedResponseConfig": config}


def path(text: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "Values": [text]}


def weighted(groups: tuple[str, str], weights: tuple[int, int]) -> dict[str, Any]:
    pairs = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(groups, weights, strict=True)]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": pairs}}


class Shop:
    """The balancer that both change: a listener, two target groups, and a weighted rule for each of the two."""

    def __init__(self) -> None:
        self.port = free_port()
        self.balancer = ""
        self.listener = ""
        self.groups = ("", "")
        self.weighted = ["", ""]

    async def build(self, call: Caller, origin_ports: tuple[int, int]) -> None:
        arns = []
        for name, port in zip(("one", "two"), origin_ports, strict=True):
            group = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": VPC, "TargetType": "ip"}
            arns.append((await call("CreateTargetGroup", **group))["TargetGroups"][0]["TargetGroupArn"])
            await call("RegisterTargets", TargetGroupArn=arns[-1], Targets=[{"Id": "127.0.0.1", "Port": port}])
        self.groups = (arns[0], arns[1])
        made = await call("CreateLoadBalancer", Name="shop", Subnets=list(SUBNETS[:2]))
        self.balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
        given = {"LoadBalancerArn": self.balancer, "Protocol": "HTTP", "Port": self.port}
        made = await call("CreateListener", **given, DefaultActions=[weighted(self.groups, (1, 1))])
        self.listener = made["Listeners"][0]["ListenerArn"]
        for number in (0, 1):
            rule = {"Priority": 40_000 + number, "Conditions": [path(f"/weighted/{number}")]}
            made = await call("CreateRule", ListenerArn=self.listener, **rule, Actions=[weighted(self.groups, (1, 1))])
            self.weighted[number] = made["Rules"][0]["RuleArn"]


class Client:
    """One of the two: what it did and was told worked, and so has to be there in the end."""

    def __init__(self, number: int, call: Caller, shop: Shop, extra_port: int) -> None:
        self.number = number
        self.refused = 0
        self.calls = 0
        self.rules: dict[str, tuple[int, str]] = {}  # ARN: priority and the text of its page
        self.deleted: set[str] = set()
        self.won: set[int] = set()
        self.weights = (1, 1)
        self.tags: dict[str, str] = {}
        self.attribute = ""
        self.extra = {"Id": "127.0.0.1", "Port": extra_port}
        self.registered = [False, False]
        self._call = call
        self._shop = shop
        self._rng = random.Random(number)
        self._said = 0

    async def run(self) -> None:
        steps = (
            *(self.create_rule, self.modify_rule, self.modify_rule, self.delete_rule, self.trade_places),
            *(self.change_weights, self.switch_target, self.tag, self.change_attribute, self.contend, self.look),
        )
        while self.calls < CALLS_EACH:
            await self._rng.choice(steps)()

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        self.calls += 1
        return await self._call(operation, **params)

    def _page(self) -> str:
        self._said += 1
        return f"{self.number}/{self._said}"

    async def create_rule(self) -> None:
        taken = {priority for priority, _ in self.rules.values()}
        free = [each for each in range(self.number + 1, 200, 2) if each not in taken]
        if len(self.rules) == MOST_RULES:
            return
        priority, text = self._rng.choice(free), self._page()
        given = {"Priority": priority, "Conditions": [path(f"/{text}")], "Actions": [page(text)]}
        made = await self.call("CreateRule", ListenerArn=self._shop.listener, **given)
        self.rules[made["Rules"][0]["RuleArn"]] = priority, text

    async def modify_rule(self) -> None:
        if self.rules:
            arn, text = self._rng.choice(list(self.rules)), self._page()
            await self.call("ModifyRule", RuleArn=arn, Conditions=[path(f"/{text}")], Actions=[page(text)])
            self.rules[arn] = self.rules[arn][0], text

    async def delete_rule(self) -> None:
        if len(self.rules) > 3:
            arn = self._rng.choice(list(self.rules))
            await self.call("DeleteRule", RuleArn=arn)
            del self.rules[arn]
            self.deleted.add(arn)

    async def trade_places(self) -> None:
        if len(self.rules) > 1:
            (one, (first, said)), (two, (second, told)) = self._rng.sample(list(self.rules.items()), 2)
            pairs = [{"RuleArn": one, "Priority": second}, {"RuleArn": two, "Priority": first}]
            await self.call("SetRulePriorities", RulePriorities=pairs)
            self.rules |= {one: (second, said), two: (first, told)}

    async def change_weights(self) -> None:
        weights = self._rng.randint(1, 999), self._rng.randint(1, 999)
        action = weighted(self._shop.groups, weights)
        await self.call("ModifyRule", RuleArn=self._shop.weighted[self.number], Actions=[action])
        self.weights = weights

    async def switch_target(self) -> None:
        which = self._rng.randrange(2)
        operation = "DeregisterTargets" if self.registered[which] else "RegisterTargets"
        await self.call(operation, TargetGroupArn=self._shop.groups[which], Targets=[self.extra])
        self.registered[which] = not self.registered[which]

    async def tag(self) -> None:
        tags = {f"{self.number}-{self._rng.randrange(10)}": str(self.calls)}
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        await self.call("AddTags", ResourceArns=[self._shop.balancer], Tags=pairs)
        self.tags |= tags

    async def change_attribute(self) -> None:
        value = str(self._rng.randint(60, 4000))
        given = [{"Key": _ATTRIBUTES[self.number], "Value": value}]
        await self.call("ModifyLoadBalancerAttributes", LoadBalancerArn=self._shop.balancer, Attributes=given)
        self.attribute = value

    async def contend(self) -> None:
        """Both want this priority; who comes second is told so."""
        priority = _BOTH_WANT + self._rng.randrange(30)
        given = {"Priority": priority, "Conditions": [path("/both")], "Actions": [page("both")]}
        try:
            await self.call("CreateRule", ListenerArn=self._shop.listener, **given)
        except Refused as error:
            if error.code != "PriorityInUse":
                raise
            self.refused += 1
        else:
            self.won.add(priority)

    async def look(self) -> None:
        """Every rule says the same in its condition and in its page, and no two have one priority."""
        rules = (await self.call("DescribeRules", ListenerArn=self._shop.listener))["Rules"]
        priorities = [rule["Priority"] for rule in rules]
        assert len(set(priorities)) == len(priorities)
        for rule in rules:
            if rule["Conditions"] and _PATH.fullmatch(rule["Conditions"][0]["Values"][0]):
                text = rule["Actions"][0]["FixedResponseConfig"]["MessageBody"]
                assert rule["Conditions"][0]["Values"] == [f"/{text}"], rule
        seen = {rule["RuleArn"]: (int(rule["Priority"]), self._text(rule)) for rule in rules if not rule["IsDefault"]}
        assert self.rules.items() <= seen.items()
        assert not self.deleted & seen.keys()

    @staticmethod
    def _text(rule: Mapping[str, Any]) -> str:
        return str(rule["Actions"][0].get("FixedResponseConfig", {}).get("MessageBody", ""))


class Visitor:
    """Asks for pages of both clients again and again; a page is the one of its path, or the default one."""

    def __init__(self, shop: Shop, clients: tuple[Client, Client], seed: int) -> None:
        self.asked = 0
        self.of_rules = 0
        self._shop = shop
        self._clients = clients
        self._rng = random.Random(seed)

    def _wanted(self) -> str:
        rules = list(self._rng.choice(self._clients).rules.values())
        if rules and self._rng.random() < 0.7:
            return f"/{self._rng.choice(rules)[1]}"
        return self._rng.choice(("/", "/weighted/0", "/weighted/1"))

    async def run(self, ending: asyncio.Event) -> None:
        async with connected(self._shop.port) as connection:
            while not ending.is_set():
                wanted = self._wanted()
                answer = await connection.ask(get(wanted.encode()))
                said = answer.body.decode()
                self.asked += 1
                assert answer.status == 200, (wanted, answer)
                if said != "origin":
                    assert f"/{said}" == wanted, (wanted, said)
                    self.of_rules += 1
                await asyncio.sleep(_PAUSE_S)


async def test_two_clients_change_one_balancer_at_once(tmp_path: Path) -> None:
    shop, ending = Shop(), asyncio.Event()
    async with (
        running_origin(naming(b"origin"), keep_received=False) as one,
        running_origin(naming(b"origin"), keep_received=False) as two,
        running_origin(naming(b"origin"), keep_received=False) as three,
        running_origin(naming(b"origin"), keep_received=False) as four,
    ):
        async with (
            running_app(tmp_path, store="sqlite") as (app, port),
            calling(port) as first,
            calling(port) as second,
        ):
            await shop.build(first, (one.port, two.port))
            clients = Client(0, first, shop, three.port), Client(1, second, shop, four.port)
            visitors = [Visitor(shop, clients, seed) for seed in range(_CLIENTS)]
            async with asyncio.TaskGroup() as group:
                for visitor in visitors:
                    group.create_task(visitor.run(ending))
                async with asyncio.TaskGroup() as both:
                    for client in clients:
                        both.create_task(client.run())
                ending.set()
            await until(lambda: not app.node.clients, "all visitors gone")
            await check_all_is_there(first, shop, clients)
        async with running_app(tmp_path, store="sqlite") as (_, port), calling(port) as call:
            await check_all_is_there(call, shop, clients)
    calls = sum(client.calls for client in clients)
    asked = sum(visitor.asked for visitor in visitors)
    print(f"\n  calls: {calls}; requests: {asked}; of rules: {sum(visitor.of_rules for visitor in visitors)}")
    assert calls >= 2 * CALLS_EACH
    assert all(visitor.of_rules for visitor in visitors)
    assert all(client.refused for client in clients)


async def check_all_is_there(call: Caller, shop: Shop, clients: tuple[Client, Client]) -> None:
    """The balancer is what both clients made of it, and nothing else."""
    rules = (await call("DescribeRules", ListenerArn=shop.listener))["Rules"]
    own = {rule["RuleArn"]: rule for rule in rules if int(rule["Priority"].replace("default", "50000")) < _BOTH_WANT}
    assert own.keys() == clients[0].rules.keys() | clients[1].rules.keys()
    for client in clients:
        for arn, (priority, text) in client.rules.items():
            rule = own[arn]
            said = rule["Actions"][0]["FixedResponseConfig"]["MessageBody"]
            assert (rule["Priority"], rule["Conditions"][0]["Values"], said) == (str(priority), [f"/{text}"], text)
        (rule,) = [each for each in rules if each["RuleArn"] == shop.weighted[client.number]]
        found = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        assert tuple(group["Weight"] for group in found) == client.weights
    assert not clients[0].won & clients[1].won
    contended = {
        int(rule["Priority"]) for rule in rules if rule["Conditions"] and rule["Conditions"][0]["Values"] == ["/both"]
    }
    assert contended == clients[0].won | clients[1].won
    (tags,) = (await call("DescribeTags", ResourceArns=[shop.balancer]))["TagDescriptions"]
    assert {tag["Key"]: tag["Value"] for tag in tags["Tags"]} == clients[0].tags | clients[1].tags
    answer = await call("DescribeLoadBalancerAttributes", LoadBalancerArn=shop.balancer)
    attributes = {each["Key"]: each["Value"] for each in answer["Attributes"]}
    assert [attributes[key] for key in _ATTRIBUTES] == [client.attribute for client in clients]
    for which, arn in enumerate(shop.groups):
        health = (await call("DescribeTargetHealth", TargetGroupArn=arn))["TargetHealthDescriptions"]
        ports = {each["Target"]["Port"] for each in health if each["TargetHealth"]["State"] != "draining"}
        for client in clients:
            assert (client.extra["Port"] in ports) == client.registered[which]
