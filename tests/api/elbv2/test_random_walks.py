"""Calls drawn from the service model, one after another on the same account: refused or carried out, nothing in between."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from botocore.model import OperationModel

from lb.api.call import ApiError
from lb.api.elbv2 import OPERATIONS
from lb.api.wire.message import Protocol
from lb.api.wire.validate import check
from lb.resources.places import Placing
from lb.resources.records import Kind, Record, Transaction
from lb.resources.traffic import Traffic
from lb.routing.plan import compile_plan
from tests.api.aws_call import ACCOUNT, REGION, SECURITY_GROUP, SUBNETS, VPC, Aws
from tests.api.elbv2.elb import HTML, check_fits, model
from tests.api.wire.generate import Generator, Unsatisfiable

CALLS = 2_000
CERTIFICATES = [f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{number}" for number in range(3)]
MEMBERS: Mapping[str, Sequence[Any]] = {
    "LoadBalancerName": ("a", "b", "c"),
    "TargetGroupName": ("a", "b", "c", "d"),
    "TrustStoreName": ("a", "b"),
    "SubnetId": SUBNETS,
    "Subnets": (list(SUBNETS[:2]), list(SUBNETS)),
    "SubnetMappings": ([],),
    "SecurityGroups": ([SECURITY_GROUP],),
    "VpcId": (VPC,),
    "LoadBalancerTypeEnum": ("application", "application", "network", "gateway"),
    "ProtocolEnum": ("HTTP", "HTTP", "HTTPS", "TCP", "GENEVE"),
    "Port": (80, 81, 443),
    "RedirectActionPort": ("443", "#{port}"),
    "RulePriority": (1, 2, 3, 4),
    "Certificates": ([{"CertificateArn": CERTIFICATES[0]}],),
    "CertificateArn": CERTIFICATES,
    "SslPolicyName": ("ELBSecurityPolicy-2016-08",),
    "Mode": ("off", "passthrough", "verify"),
    "RevocationId": (1, 2),
    "TargetDescription": ({"Id": "172.31.0.1"}, {"Id": "172.31.0.2", "Port": 8080}),
    "RevocationContents": ([{"S3Bucket": "certs", "S3Key": "list.crl"}],),
    "RuleConditionList": (
        [{"Field": "path-pattern", "Values": ["/a"]}],
        [{"Field": "host-header", "Values": ["a.test"]}],
    ),
    "LoadBalancerAttribute": ({"Key": "idle_timeout.timeout_seconds", "Value": "5"},),
    "ListenerAttribute": ({"Key": "routing.http.response.server.enabled", "Value": "false"},),
    "TargetGroupAttribute": ({"Key": "stickiness.enabled", "Value": "true"},),
}
# What a call needs beside its required members to have a chance.
NEEDED: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "CreateLoadBalancer": ({"Subnets": list(SUBNETS[:2])},),
    "CreateListener": (
        {"Port": 80, "Protocol": "HTTP"},
        {"Port": 443, "Protocol": "HTTPS", "Certificates": [{"CertificateArn": CERTIFICATES[0]}]},
    ),
    "CreateTargetGroup": ({"Port": 80, "Protocol": "HTTP", "VpcId": VPC, "TargetType": "ip"},),
}
ARNS = {
    "LoadBalancerArn": Kind.LOAD_BALANCER,
    "ListenerArn": Kind.LISTENER,
    "RuleArn": Kind.RULE,
    "TargetGroupArn": Kind.TARGET_GROUP,
    "TrustStoreArn": Kind.TRUST_STORE,
}


def known(aws: Aws) -> dict[str, Sequence[Any]]:
    """Values that make calls meet what is there."""
    arns = {member: [record.id for record in aws.records.all(kind)] for member, kind in ARNS.items()}
    everything = [arn for each in arns.values() for arn in each]
    forward = [[{"Type": "forward", "TargetGroupArn": arn}] for arn in arns["TargetGroupArn"]]
    return {**MEMBERS, **arns, "ResourceArn": everything, "Actions": [[HTML], *forward]}


def check_relations(aws: Aws) -> None:
    """Every child has its parent, every listener one default rule, every group in a rule is there, and all of it runs."""
    parents = {
        Kind.LISTENER: Kind.LOAD_BALANCER,
        Kind.RULE: Kind.LISTENER,
        Kind.TARGET: Kind.TARGET_GROUP,
        Kind.TRUST_STORE_REVOCATION: Kind.TRUST_STORE,
    }
    for kind, parent in parents.items():
        assert all(aws.records.get(parent, record.parent) for record in aws.records.all(kind)), kind
    for listener in aws.records.all(Kind.LISTENER):
        defaults = [rule for rule in aws.records.children(Kind.RULE, listener.id) if rule.shape["IsDefault"]]
        assert len(defaults) == 1
    traffic = Traffic(Placing(), security_groups=True)
    compile_plan(traffic.config_of(Transaction(aws.records), lambda record: False), {})


def drawn(operation: OperationModel, rng: random.Random, aws: Aws) -> dict[str, Any]:
    """An input; half of the time with little beyond what it must have."""
    params = Generator(rng, known(aws)).members(operation.input_shape)
    if rng.random() < 0.5:
        return params
    required = operation.input_shape.required_members
    kept = {member: value for member, value in params.items() if member in required or rng.random() < 0.3}
    return {**kept, **rng.choice(NEEDED.get(operation.name, ({},)))}


@pytest.mark.parametrize("seed", range(3))
def test_any_call_is_refused_or_carried_out(aws: Aws, seed: int):
    rng = random.Random(seed)
    aws.put(*(Record(Kind.CERTIFICATE, arn, REGION, ACCOUNT, {"Status": "ISSUED"}) for arn in CERTIFICATES))
    names = sorted(OPERATIONS)
    # There has to be something to change.
    weights = [0.1 if name.startswith("Delete") else 3 if name.startswith("Create") else 1 for name in names]
    done: set[str] = set()
    for name in rng.choices(names, weights, k=CALLS):
        described = model().operation_model(name)
        try:
            params = drawn(described, rng, aws)
        except Unsatisfiable:
            continue
        call = aws.call()
        try:
            check(described.input_shape, params, Protocol.QUERY)
            answer = OPERATIONS[name](call, params)
        except ApiError:
            continue
        check_fits(answer, described.output_shape)
        aws.commit(call)
        done.add(name)
        if call.tx.changes:
            check_relations(aws)
    assert len(done) > 45, sorted(OPERATIONS.keys() - done)
