"""Whatever is sent, there is a call or an error that a client can read."""

import json
import random

import pytest
from botocore.parsers import create_parser

from lb.api.call import ApiError
from lb.api.wire.answer import render_error
from lb.api.wire.decode import decode
from lb.api.wire.services import Services
from tests.api.wire.generate import Kind, cases
from tests.api.wire.models import form_request, json_request, model

SERVICES = Services()
CODES = {"ValidationError", "MalformedInput", "InvalidAction"}
EC2_OPERATIONS = (
    "RunInstances",
    "DescribeInstances",
    "CreateSecurityGroup",
    "AuthorizeSecurityGroupIngress",
    "CreateImage",
)


def outcome(request) -> str | None:
    """The code of the error, None for a call."""
    route = SERVICES.route(request, "us-east-1")
    try:
        decode(route, request)
    except ApiError as error:
        answer = render_error(route, error, "id-1")
        response = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        parsed = create_parser(route.protocol.value).parse(response, None)
        assert parsed["ResponseMetadata"]["RequestId"] == "id-1"
        assert parsed["Error"]["Message"]
        assert answer.status == 400
        return error.code
    return None


@pytest.mark.parametrize("name", model("elbv2").operation_names)
def test_elbv2(name):
    seen: dict[Kind, set[str | None]] = {kind: set() for kind in Kind}
    for case in cases(model("elbv2").operation_model(name), 200, random.Random(name)):
        seen[case.kind].add(outcome(form_request("elbv2", case.body)))
    assert seen[Kind.VALID] == {None}
    assert set().union(*seen.values()) <= {None, *CODES}
    if model("elbv2").operation_model(name).input_shape.required_members:
        assert seen[Kind.MISSING] == {"ValidationError"}


@pytest.mark.parametrize(
    ("service", "name"),
    [
        *(("ec2", name) for name in EC2_OPERATIONS),
        ("sts", "AssumeRole"),
        ("iam", "UploadServerCertificate"),
        ("rds", "CreateDBInstance"),
        ("cloudwatch", "GetMetricStatistics"),
    ],
)
def test_other_services(service, name):
    seen = {
        outcome(form_request(service, case.body))
        for case in cases(model(service).operation_model(name), 60, random.Random(name))
    }
    assert seen <= {None, *CODES, "MissingParameter", "InvalidParameterValue"}
    assert None in seen
    assert len(seen) > 1


JSON_VALUES = (
    None,
    True,
    -1,
    2**70,
    0.5,
    "",
    "x" * 10_000,
    "\ud800",
    "\x00",
    [],
    [[]],
    [None],
    {},
    {"": {}},
    {"And": [{}]},
)


@pytest.mark.parametrize("name", model("acm").operation_names)
def test_json(name):
    members = model("acm").operation_model(name).input_shape
    names = list(members.members) if members is not None else []
    for value in JSON_VALUES:
        body = json.dumps(dict.fromkeys(names, value)).encode()
        assert outcome(json_request("acm", f"CertificateManager.{name}", body)) in {None, *CODES}
