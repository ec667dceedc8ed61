"""Calls to the smaller services drawn from their models: refused or carried out, nothing in between."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from lb.api.call import ApiError
from lb.api.operations import OPERATIONS
from lb.api.wire.message import Protocol
from lb.api.wire.validate import check
from lb.model.metric_table import Unit
from lb.observe.metrics.query import Datapoint, ListedMetric
from lb.resources.records import Kind
from tests.api.aws_call import ACCOUNT, NOW, REGION, SECURITY_GROUP, SUBNETS, Aws
from tests.api.elbv2.elb import check_fits
from tests.api.made_certificates import made
from tests.api.service import model
from tests.api.wire.generate import Generator, Unsatisfiable

CALLS = 600
ONE = made("one.test")
OTHER = made("other.test")
RDS = f"arn:aws:rds:{REGION}:{ACCOUNT}"
QUERIES: Sequence[Any] = (
    {
        "Id": "m1",
        "MetricStat": {
            "Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount"},
            "Period": 60,
            "Stat": "Sum",
        },
    },
    {"Id": "e1", "Expression": "SUM(METRICS()) / m1"},
    {"Id": "e2", "Expression": "FILL(e1, 0)", "ReturnData": False},
)
KNOWN: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "sts": {"RoleArn": (f"arn:aws:iam::{ACCOUNT}:role/deploy",)},
    "iam": {
        "UserName": ("lb",),
        "ServerCertificateName": ("a", "b"),
        "NewServerCertificateName": ("a", "c"),
        "CertificateBody": (ONE.pem, ONE.pem, OTHER.pem),
        "PrivateKey": (ONE.key_pem,),
        "CertificateChain": (ONE.pem,),
    },
    "acm": {
        "Certificate": (ONE.pem.encode(), ONE.pem.encode(), OTHER.pem.encode()),
        "PrivateKey": (ONE.key_pem.encode(),),
        "CertificateChain": (ONE.pem.encode(),),
        "DomainName": ("a.test", "b.test", "*.b.test"),
        "KeyAlgorithm": ("EC_prime256v1",),
        "Arn": [f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/00000000-0000-0000-0000-{n:012x}" for n in range(1, 20)],
        "IdempotencyToken": ("t",),
    },
    "cloudwatch": {
        "Namespace": ("AWS/ApplicationELB",),
        "MetricName": ("RequestCount", "Nothing"),
        "Period": (60, 300, 10, 7),
        "StartTime": (NOW - timedelta(hours=1),),
        "EndTime": (NOW,),
        "MetricDataQueries": (QUERIES, QUERIES[:1]),
        "Stat": ("Sum", "p99"),
        "Statistics": (["Sum"],),
        "ExtendedStatistics": (["p99"],),
    },
    "rds": {
        "DBInstanceIdentifier": ("a", "B"),
        "NewDBInstanceIdentifier": ("a", "c"),
        "Engine": ("mysql", "mariadb"),
        "EngineVersion": ("8.0", "11.4"),
        "AllocatedStorage": (20, 30),
        "MasterUsername": ("admin",),
        "MasterUserPassword": ("long enough",),
        "VpcSecurityGroupIds": ([SECURITY_GROUP],),
        "AvailabilityZone": (f"{REGION}a",),
        "DBSubnetGroupName": ("inner", "default"),
        "SubnetIds": (list(SUBNETS),),
        "MaxRecords": (20, 100),
        "Filters": ([],),
        "ResourceName": (f"{RDS}:db:a", f"{RDS}:db:b", f"{RDS}:subgrp:inner"),
    },
}
# What a handler asks for though the model does not.
NEEDED = {"CreateDBInstance": {"AllocatedStorage": 20, "MasterUsername": "admin", "MasterUserPassword": "long enough"}}


@pytest.mark.parametrize("service", KNOWN)
def test_every_call_is_refused_or_carried_out(service: str):
    rng = random.Random(f"{service} 4")
    aws, generator = Aws(), Generator(rng, KNOWN[service])
    point = Datapoint(int(NOW.timestamp()) // 60 * 60 - 60, Unit.COUNT, {"Sum": 5.0, "p99": 1.0})
    aws.live.metrics.points["RequestCount"] = [point]
    aws.live.metrics.listed = [ListedMetric("RequestCount", {"LoadBalancer": "app/web/1"})]
    done = set()
    for _ in range(CALLS):
        operation = rng.choice(sorted(OPERATIONS[service]))
        described = model(service).operation_model(operation)
        try:
            params = {**NEEDED.get(operation, {}), **generator.members(described.input_shape)}
            if described.input_shape is not None:
                check(described.input_shape, params, Protocol.QUERY)
            result = aws.do(OPERATIONS[service][operation], **params)
        except (Unsatisfiable, ApiError):
            continue
        if described.output_shape is not None:
            check_fits(result, described.output_shape)
        done.add(operation)
    for record in (record for kind in Kind for record in aws.records.all(kind)):
        parts = [dict(part) for part in (record.shape, record.tags, record.more)]
        # What is stored comes back as it was.
        assert json.loads(json.dumps(parts)) == parts
    assert done == set(OPERATIONS[service])
