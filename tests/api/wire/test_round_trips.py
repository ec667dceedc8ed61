"""botocore writes what we read, and reads what we write: every operation of every served service."""

import random

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from lb.api.wire.answer import render
from lb.api.wire.decode import decode
from lb.api.wire.message import Protocol, Request
from lb.api.wire.services import SERVED, Services
from tests.api.wire.generate import Generator, Unsatisfiable, fields_of, form_body
from tests.api.wire.models import REGION, form_request, json_request, model

SERVICES = Services()
PROTOCOLS = [*((name, "query") for name in SERVED if name not in ("acm", "ec2"))]
PROTOCOLS += [("ec2", "ec2"), ("acm", "json"), ("cloudwatch", "json")]
# EC2 has 830 operations.
DRAWS = {"ec2": 1}


def draws(service, shape_of):
    for name in model(service).operation_names:
        operation = model(service).operation_model(name)
        for seed in range(DRAWS.get(service, 3)):
            try:
                yield operation, Generator(random.Random(f"{name}/{seed}")).members(shape_of(operation))
            except Unsatisfiable:
                continue


def request_of(service: str, protocol: str, operation, params) -> Request:
    if protocol != "json":
        return form_request(service, form_body(fields_of(operation, params)))
    sent = create_serializer("json", include_validation=False).serialize_to_request(params, operation)
    return json_request(service, sent["headers"]["X-Amz-Target"], sent["body"])


@pytest.mark.parametrize(("service", "protocol"), PROTOCOLS)
def test_parameters_arrive_as_botocore_was_given_them(service, protocol):
    read = 0
    for operation, params in draws(service, lambda operation: operation.input_shape):
        request = request_of(service, protocol, operation, params)
        route = SERVICES.route(request, "us-east-1")
        decoded = decode(route, request)
        assert decoded.params == params, operation.name
        assert (decoded.service, decoded.operation, route.protocol) == (service, operation.name, Protocol(protocol))
        assert decoded.region == REGION
        read += 1
    assert read > 10


@pytest.mark.parametrize(("service", "protocol"), PROTOCOLS)
def test_results_arrive_at_botocore_as_they_were_given(service, protocol):
    parser = create_parser(protocol)
    read = 0
    for operation, result in draws(service, lambda operation: operation.output_shape):
        request = request_of(service, protocol, operation, {})
        answer = render(SERVICES.route(request, "us-east-1"), operation.name, result, "the-request-id")
        response = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        parsed = parser.parse(response, operation.output_shape)
        metadata = parsed.pop("ResponseMetadata")
        assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"] == "the-request-id"
        assert parsed == result, operation.name
        read += 1
    assert read > 10
