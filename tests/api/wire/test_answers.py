"""Answers and errors as documents: what the round trips with botocore do not tell."""

import json
import time
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from botocore.parsers import create_parser

from lb.api.call import ApiError
from lb.api.wire.answer import render, render_error
from lb.api.wire.message import Answer, Protocol, Route
from lb.api.wire.services import Services
from tests.api.wire.models import operation

SERVICES = Services()
NS = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"


def to(service: str, protocol: Protocol = Protocol.QUERY) -> Route:
    return Route(SERVICES.get(service), protocol, "us-east-1")


def parsed_error(answer: Answer, protocol: str):
    response = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    found = create_parser(protocol).parse(response, None)
    assert found["ResponseMetadata"]["RequestId"] == "id-1"
    return found["Error"]


def test_an_empty_list_is_in_its_envelope():
    answer = render(to("elbv2"), "DescribeLoadBalancers", {"LoadBalancers": [], "NextMarker": None}, "id-1")
    assert answer.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<DescribeLoadBalancersResponse xmlns="{NS}"><DescribeLoadBalancersResult><LoadBalancers></LoadBalancers>'
        "</DescribeLoadBalancersResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>"
        "</DescribeLoadBalancersResponse>"
    )
    assert answer.headers == {"content-type": "text/xml", "x-amzn-requestid": "id-1"}


def test_an_operation_without_results():
    assert b"<DeleteRuleResult></DeleteRuleResult>" in render(to("elbv2"), "DeleteRule", {}, "id-1").body
    assert b"<return>true</return>" in render(to("ec2", Protocol.EC2), "DeleteVpc", {}, "id-1").body
    assert render(to("acm", Protocol.JSON), "DeleteCertificate", {}, "id-1").body == b""


def test_members_that_the_model_does_not_have_are_left_out():
    answer = render(
        to("elbv2"), "DescribeLoadBalancers", {"LoadBalancers": [{"Secret": "x", "VpcId": "vpc-1"}]}, "id-1"
    )
    assert b"<member><VpcId>vpc-1</VpcId></member>" in answer.body


@pytest.mark.parametrize("text", ["".join(map(chr, range(0x100))), "\ud800", "\ufffe", "]]>", "<!--", "\r\n"])
def test_every_text_makes_a_document_that_parses(text):
    answer = render(to("elbv2"), "DescribeLoadBalancers", {"NextMarker": text}, "id-1")
    found = ET.fromstring(answer.body).findtext(f".//{{{NS}}}NextMarker")
    assert found == "".join("\ufffd" if each in FORBIDDEN else each for each in text)
    error = ApiError(text, text)
    for protocol in (Protocol.QUERY, Protocol.EC2):
        ET.fromstring(render_error(to("elbv2", protocol), error, "id-1").body)
    assert json.loads(render_error(to("acm", Protocol.JSON), error, "id-1").body)["message"] == text


FORBIDDEN = {chr(code) for code in range(0x20)} - set("\t\n\r") | {"\ud800", "\ufffe"}


@pytest.mark.parametrize("value", [datetime(2026, 1, 5, 10, 20, 30, 120_000, tzinfo=UTC), "2026-01-05T10:20:30.120Z"])
def test_instants_are_datetimes_or_texts(value):
    answer = render(to("elbv2"), "DescribeLoadBalancers", {"LoadBalancers": [{"CreatedTime": value}]}, "id-1")
    assert b"<CreatedTime>2026-01-05T10:20:30.120Z</CreatedTime>" in answer.body
    answer = render(to("acm", Protocol.JSON), "DescribeCertificate", {"Certificate": {"CreatedAt": value}}, "id-1")
    assert answer.body == b'{"Certificate":{"CreatedAt":1767608430.12}}'
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"


def test_numbers_that_json_does_not_have():
    result = {"MetricDataResults": [{"Values": [float("nan"), float("inf"), float("-inf"), 0.5]}]}
    answer = render(to("cloudwatch", Protocol.JSON), "GetMetricData", result, "id-1")
    assert answer.body == b'{"MetricDataResults":[{"Values":["NaN","Infinity","-Infinity",0.5]}]}'


@pytest.mark.parametrize(
    ("service", "protocol", "code", "written"),
    [
        ("elbv2", Protocol.QUERY, "LoadBalancerNotFound", "LoadBalancerNotFound"),
        ("elbv2", Protocol.QUERY, "ValidationError", "ValidationError"),
        ("ec2", Protocol.EC2, "InvalidVpcID.NotFound", "InvalidVpcID.NotFound"),
        ("ec2", Protocol.EC2, "MalformedInput", "InvalidParameterValue"),
        ("ec2", Protocol.EC2, "SignatureDoesNotMatch", "AuthFailure"),
        ("acm", Protocol.JSON, "ResourceNotFoundException", "ResourceNotFoundException"),
        ("acm", Protocol.JSON, "ValidationError", "ValidationException"),
        ("acm", Protocol.JSON, "InvalidAction", "UnknownOperationException"),
        # A client that reads JSON is told the code of the query protocol where the service once had only that.
        ("cloudwatch", Protocol.JSON, "ValidationError", "ValidationError"),
    ],
)
def test_an_error_has_the_code_of_its_protocol(service, protocol, code, written):
    answer = render_error(to(service, protocol), ApiError(code, "It's <not> there", 403), "id-1")
    assert answer.status == 403
    error = parsed_error(answer, protocol.value)
    assert (error["Code"], error["Message"]) == (written, "It's <not> there")


def test_the_fault_is_the_senders_unless_the_status_says_otherwise():
    for status, fault in ((400, "Sender"), (500, "Receiver")):
        answer = render_error(to("elbv2"), ApiError("HealthUnavailable", "no", status), "id-1")
        assert parsed_error(answer, "query")["Type"] == fault


@pytest.mark.parametrize("protocol", list(Protocol))
def test_an_error_before_a_service_is_known(protocol):
    answer = render_error(Route(None, protocol, "us-east-1"), ApiError("NotImplemented", "no"), "id-1")
    assert parsed_error(answer, protocol.value)["Code"].startswith("NotImplemented")


def test_fifty_load_balancers_are_written_quickly():
    zones = [
        {"ZoneName": f"us-east-1{zone}", "SubnetId": f"subnet-{zone}", "LoadBalancerAddresses": []} for zone in "abc"
    ]
    shape = operation("elbv2", "DescribeLoadBalancers").output_shape.members["LoadBalancers"].member
    texts = {name: f"{name}-0123456789abcdef" for name, member in shape.members.items() if member.type_name == "string"}
    result = {"LoadBalancers": [{**texts, "AvailabilityZones": zones, "State": {"Code": "active"}}] * 50}
    route = to("elbv2")
    took = []
    for _ in range(20):
        before = time.thread_time()
        render(route, "DescribeLoadBalancers", result, "id-1")
        took.append(time.thread_time() - before)
    # About 0.5 ms, several times that under a coverage tracer.
    assert min(took) < 0.005
