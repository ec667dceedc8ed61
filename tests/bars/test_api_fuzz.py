"""The bar: 200 generated inputs for every operation of ELBv2, over HTTP to a running balancer that carries traffic.

Each gets a well-formed AWS answer, none an error of the balancer's own, none ends a request of a client; and what they leave
behind is loaded again by the next balancer on the same folder.
"""

import asyncio
import random
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.model import OperationModel

from lb.app import App
from lb.net.tasks import Tasks
from lb.resources.records import Kind, Record, Records, Transaction
from tests.api.aws_call import ACCOUNT, REGION, SECURITY_GROUP, SUBNETS, VPC
from tests.api.elbv2.world import BUNDLE, CERTIFICATES, LIST, PAGE
from tests.api.wire.generate import Unsatisfiable, cases
from tests.api.wire.models import model
from tests.proxy.wire import connected, get
from tests.support.aws_endpoint import Caller, Reply, calling, running_app
from tests.support.balancer import free_port
from tests.support.origins import naming, running_origin

PER_OPERATION: Final = 200
NAMESPACE: Final = "{http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/}"
_PAUSE_S: Final = 0.005
# What answers 413: a body larger than the endpoint reads. All other refusals are 400 here, as most of ELB's are.
STATUSES: Final = {200, 400, 413}
ARNS: Final = {
    "LoadBalancerArn": Kind.LOAD_BALANCER,
    "ListenerArn": Kind.LISTENER,
    "RuleArn": Kind.RULE,
    "TargetGroupArn": Kind.TARGET_GROUP,
    "TrustStoreArn": Kind.TRUST_STORE,
}


def known(records: Records, ports: Sequence[int]) -> dict[str, Sequence[Any]]:
    """Values by the name of their shape that make calls meet what is there."""
    arns = {member: [record.id for record in records.all(kind)] for member, kind in ARNS.items()}
    forward = [[{"Type": "forward", "TargetGroupArn": arn}] for arn in arns["TargetGroupArn"]]
    return {
        **arns,
        "ResourceArn": [arn for each in arns.values() for arn in each],
        "Actions": [[PAGE], *forward],
        "Subnets": (list(SUBNETS[:2]),),
        "SubnetMappings": ([],),
        "SecurityGroups": ([SECURITY_GROUP],),
        "VpcId": (VPC,),
        "Port": ports,
        "CertificateArn": CERTIFICATES,
        "LoadBalancerTypeEnum": ("application", "application", "network", "gateway"),
        "ProtocolEnum": ("HTTP", "HTTP", "HTTPS", "TCP"),
        "TargetTypeEnum": ("ip", "instance"),
        "TargetDescription": ({"Id": "127.0.0.1", "Port": 9}, {"Id": "127.0.0.2", "Port": 9}),
        "RulePriority": tuple(range(1, 60)),
        "RuleConditionList": ([{"Field": "path-pattern", "Values": ["/a*"]}],),
    }


def check_answer(operation: str, reply: Reply) -> None:
    """The answer is one that an AWS client can read."""
    assert reply.status in STATUSES, (operation, reply)
    assert b"\r\nx-amzn-requestid: " in reply.head
    assert b"\r\ncontent-type: text/xml" in reply.head
    document = ET.fromstring(reply.body)
    if reply.status == 200:
        # One of the hostile inputs says Action twice.
        assert document.tag in {f"{NAMESPACE}{name}Response" for name in (operation, "DeleteLoadBalancer")}
        assert document.findtext(f"{NAMESPACE}ResponseMetadata/{NAMESPACE}RequestId")
        return
    assert document.tag.endswith("ErrorResponse"), reply.body
    found = {each.tag.removeprefix(NAMESPACE): each.text for each in document.iter()}
    assert found["Code"], reply.body
    assert found["Message"], reply.body
    assert found["RequestId"], reply.body
    assert "Traceback" not in found["Message"]
    assert ".py" not in found["Message"]


class Traffic:
    """A client of the protected balancer, which asks again and again for as long as the fuzzing goes on."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.said: Counter[tuple[int, bytes]] = Counter()

    async def run(self) -> None:
        async with connected(self._port) as client:
            while True:
                answer = await client.ask(get(b"/"))
                self.said[answer.status, answer.body] += 1
                # Leaves the event loop, which is the balancer's too, to the calls.
                await asyncio.sleep(_PAUSE_S)


class Protected:
    """A balancer with a target group that inputs do not know of: its traffic goes on whatever they do."""

    def __init__(self, arns: frozenset[str], port: int) -> None:
        self.arns = arns
        self.port = port

    def hide(self, values: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        """The values that do not name any of its resources."""
        return {name: [each for each in given if not self._names(each)] for name, given in values.items()}

    def _names(self, value: Any) -> bool:
        return any(arn in repr(value) for arn in self.arns)


async def protected(call: Caller, origin_port: int) -> Protected:
    port = free_port()
    group = await call("CreateTargetGroup", Name="protected", Protocol="HTTP", Port=80, VpcId=VPC, TargetType="ip")
    group_arn = group["TargetGroups"][0]["TargetGroupArn"]
    await call("RegisterTargets", TargetGroupArn=group_arn, Targets=[{"Id": "127.0.0.1", "Port": origin_port}])
    balancer = await call("CreateLoadBalancer", Name="protected", Subnets=list(SUBNETS[:2]))
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    forward = {"Type": "forward", "TargetGroupArn": group_arn}
    listener = await call("CreateListener", LoadBalancerArn=arn, Protocol="HTTP", Port=port, DefaultActions=[forward])
    return Protected(frozenset((arn, group_arn, listener["Listeners"][0]["ListenerArn"])), port)


async def put_certificates(app: App) -> None:
    """Certificates for HTTPS listeners."""

    def put(transaction: Transaction) -> None:
        for arn in CERTIFICATES:
            transaction.put(Record(Kind.CERTIFICATE, arn, REGION, ACCOUNT, {"Status": "ISSUED"}))

    await app.control.transact(put)


async def furnish(call: Caller, number: int) -> None:
    """Something of each kind for the inputs to meet, all of it used. What was made last time but is not used goes."""
    name, secure = f"free-{number}", [{"CertificateArn": CERTIFICATES[0]}]
    for store in (await call("DescribeTrustStores"))["TrustStores"]:
        arn = store["TrustStoreArn"]
        if not (await call("DescribeTrustStoreAssociations", TrustStoreArn=arn))["TrustStoreAssociations"]:
            await call("DeleteTrustStore", TrustStoreArn=arn)
    store = (await call("CreateTrustStore", Name=name, **BUNDLE))["TrustStores"][0]["TrustStoreArn"]
    await call("AddTrustStoreRevocations", TrustStoreArn=store, RevocationContents=[LIST])
    await call("CreateTargetGroup", Name=name, Protocol="HTTP", Port=80, VpcId=VPC, TargetType="ip")
    made = await call("CreateLoadBalancer", Name=name, Subnets=list(SUBNETS[:2]))
    given = {"LoadBalancerArn": made["LoadBalancers"][0]["LoadBalancerArn"], "DefaultActions": [PAGE]}
    verify = {"Mode": "verify", "TrustStoreArn": store}
    https = {"Protocol": "HTTPS", "Port": 443, "Certificates": secure, "MutualAuthentication": verify}
    await call("CreateListener", **given, **https)
    made = await call("CreateListener", **given, Protocol="HTTP", Port=free_port())
    condition = {"Field": "path-pattern", "Values": ["/a"]}
    rule = {"Priority": 100, "Conditions": [condition], "Actions": [PAGE]}
    await call("CreateRule", ListenerArn=made["Listeners"][0]["ListenerArn"], **rule)


def drawn(operation: OperationModel, rng: random.Random, values: Mapping[str, Sequence[Any]]) -> list[bytes]:
    """Inputs of an operation in all kinds; those for which a pattern finds no text are drawn again."""
    found: list[bytes] = []
    while len(found) < PER_OPERATION:
        try:
            found += [case.body for case in cases(operation, 6, rng, values)]
        except Unsatisfiable:
            continue
    return found[:PER_OPERATION]


@pytest.mark.parametrize("seed", [1])
async def test_whatever_is_sent_is_answered_and_leaves_a_balancer_that_runs(
    tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    rng = random.Random(seed)
    statuses: Counter[int] = Counter()
    worked: set[str] = set()
    async with running_origin(naming(b"origin"), keep_received=False) as origin:
        async with running_app(tmp_path, store="sqlite") as (app, port), calling(port) as call:
            safe = await protected(call, origin.port)
            traffic, tasks = Traffic(safe.port), Tasks()
            running = tasks.spawn(traffic.run(), name="traffic")
            names = list(model("elbv2").operation_names)
            rng.shuffle(names)
            await put_certificates(app)
            for number, name in enumerate(names):
                if number % 4 == 0:
                    await furnish(call, number)
                ports = [free_port() for _ in range(4)]
                values = safe.hide(known(app.control.records, ports))
                for body in drawn(model("elbv2").operation_model(name), rng, values):
                    reply = await call.send(body)
                    check_answer(name, reply)
                    statuses[reply.status] += 1
                    if reply.status == 200:
                        worked.add(name)
            assert not running.done()
            await tasks.close()
            assert traffic.said.keys() == {(200, b"origin")}
            before = {record.key: record for kind in Kind for record in app.control.records.all(kind)}
        async with running_app(tmp_path, store="sqlite") as (app, port), connected(safe.port) as client:
            after = {record.key: record for kind in Kind for record in app.control.records.all(kind)}
            assert after == before
            assert (await client.ask(get(b"/"))).body == b"origin"
    record_property("answers by status", dict(statuses))
    print(f"\n  answers by status: {dict(statuses)}; requests of the client: {sum(traffic.said.values())}")
    assert sum(statuses.values()) == PER_OPERATION * len(names)
    assert len(worked) > 40, sorted(set(names) - worked)
