"""What form fields and JSON become, and how they are refused, where botocore itself would not send them so."""

import time
from datetime import UTC, datetime

import pytest

from lb.api.call import ApiError
from lb.api.wire.decode import decode
from lb.api.wire.services import Services
from tests.api.wire.models import form_request, json_request, model

SERVICES = Services()
ATTRIBUTES = "EntityMetricData.member.1.Entity.KeyAttributes"
NO_INTEGERS = ("abc", "", "1.5", "0x1", "1_0", "٣", " 1", "9" * 30, "2147483648", "9" * 5000)
NO_INSTANTS = ("soon", "2026-13-01T00:00:00Z", "1e999", "NaN", "9" * 400, "0001-01-01T00:00:00+23:00")


def params(service: str, operation: str, fields):
    body = {"Action": operation, "Version": model(service).api_version, **fields}
    request = form_request(service, body)
    return decode(SERVICES.route(request, "us-east-1"), request).params


def json_params(operation: str, body: bytes):
    request = json_request("acm", f"CertificateManager.{operation}", body)
    return decode(SERVICES.route(request, "us-east-1"), request).params


def refused(service: str, operation: str, fields) -> ApiError:
    with pytest.raises(ApiError) as caught:
        params(service, operation, fields)
    return caught.value


def test_an_empty_list():
    assert params("elbv2", "DescribeLoadBalancers", {"Names": ""}) == {"Names": []}


def test_an_empty_text_is_a_value():
    assert params("elbv2", "DescribeLoadBalancers", {"Marker": ""}) == {"Marker": ""}


def test_indices_say_the_order_only():
    fields = {"Names.member.999999999": "c", "Names.member.10": "b", "Names.member.9": "a"}
    before = time.process_time()
    assert params("elbv2", "DescribeLoadBalancers", fields) == {"Names": ["a", "b", "c"]}
    assert time.process_time() - before < 5


def test_unknown_parameters_are_ignored_however_they_look():
    fields = {"Nmaes.member.1": "x", "Names.item.1": "y", "..": "z", "": "", "X-Amz-Date": "t", "Marker": "m"}
    assert params("elbv2", "DescribeLoadBalancers", fields) == {"Marker": "m"}


@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
def test_truths_in_any_case(text):
    assert params("elbv2", "CreateTargetGroup", {"Name": "t", "HealthCheckEnabled": text})["HealthCheckEnabled"] is True


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-05T10:20:30Z", datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)),
        ("2026-01-05T10:20:30.120Z", datetime(2026, 1, 5, 10, 20, 30, 120_000, tzinfo=UTC)),
        ("2026-01-05T10:20:30", datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)),
        ("2026-01-05T12:20:30+02:00", datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)),
        ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        ("1767608430", datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)),
    ],
)
def test_the_ways_to_write_an_instant(text, instant):
    assert params("rds", "DescribeEvents", {"StartTime": text}) == {"StartTime": instant}


@pytest.mark.parametrize(
    ("service", "operation", "fields"),
    [
        *(("elbv2", "DescribeRules", {"PageSize": text}) for text in NO_INTEGERS),
        *(("elbv2", "CreateTargetGroup", {"Name": "t", "HealthCheckEnabled": text}) for text in ("yes", "1", "")),
        *(("rds", "DescribeEvents", {"StartTime": text}) for text in NO_INSTANTS),
        ("iam", "DeactivateMFADevice", {"UserName.x": "u", "SerialNumber": "s"}),
        ("elbv2", "DescribeRules", {"PageSize.member.1": "1"}),
        ("elbv2", "DescribeLoadBalancers", {"Names": "web"}),
        ("elbv2", "DescribeLoadBalancers", {"Names.member": "web"}),
        ("elbv2", "DescribeLoadBalancers", {"Names.member.x": "web"}),
        ("elbv2", "DescribeLoadBalancers", {"Names.member.-1": "web"}),
        ("elbv2", "DescribeLoadBalancers", {"Names.member.1": "web", "Names.member.1.Name": "web"}),
        ("elbv2", "DescribeLoadBalancers", {f"Names.member.{'9' * 5000}": "web"}),
        ("elbv2", "DescribeLoadBalancers", {".".join(["Names"] * 17): "web"}),
        ("elbv2", "CreateRule", {"Actions.member.1": "forward"}),
        ("cloudwatch", "PutMetricData", {"Namespace": "n", f"{ATTRIBUTES}.entry.1.key": "k"}),
        ("cloudwatch", "PutMetricData", {"Namespace": "n", f"{ATTRIBUTES}.entry.1.value": "v"}),
        ("cloudwatch", "PutMetricData", {"Namespace": "n", ATTRIBUTES: "v"}),
        ("ec2", "RunInstances", {"MinCount": "one", "MaxCount": "1"}),
        ("ec2", "ImportKeyPair", {"KeyName": "k", "PublicKeyMaterial": "*not base64*"}),
    ],
)
def test_values_that_are_not_of_their_type(service, operation, fields):
    error = refused(service, operation, fields)
    assert (error.code, error.status) == ("MalformedInput", 400)


@pytest.mark.parametrize(
    "body",
    [
        b"Action=DescribeLoadBalancers&Marker=%FF",
        b"Action=DescribeLoadBalancers&Marker=\xff",
        b"Action=DescribeLoadBalancers&Marker=%ED%A0%80",
        b"Action=DescribeLoadBalancers&Marker=a&Marker=b",
        b"Action=DescribeLoadBalancers&Action=DeleteLoadBalancer",
        b"Action=DescribeLoadBalancers" + b"&a=b" * 10_000,
    ],
)
def test_bodies_that_are_no_form(body):
    request = form_request("elbv2", body)
    with pytest.raises(ApiError) as caught:
        decode(SERVICES.route(request, "us-east-1"), request)
    assert caught.value.code == "MalformedInput"


def test_an_empty_json_body_has_no_members():
    assert json_params("ListCertificates", b"") == {}


def test_json_members_that_are_null_or_unknown_are_left_out():
    assert json_params("ListCertificates", b'{"NextToken": null, "Other": {"a": [1]}, "MaxItems": 5.0}') == {
        "MaxItems": 5
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"MaxItems": "5"}', "STRING_VALUE can not be converted to an Integer"),
        (b'{"MaxItems": true}', "TRUE_VALUE can not be converted to an Integer"),
        (b'{"MaxItems": 5.5}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"MaxItems": 1e999}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"MaxItems": NaN}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"MaxItems": 99999999999}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"MaxItems": [5]}', "Start of list found where not expected"),
        (b'{"MaxItems": {}}', "Start of structure or map found where not expected."),
        (b'{"NextToken": 5}', "NUMBER_VALUE can not be converted to a String"),
        (b'{"NextToken": "\\ud800"}', "STRING_VALUE can not be converted to a String"),
        (b'{"CertificateStatuses": "ISSUED"}', "STRING_VALUE can not be converted to a List"),
        (b'{"CertificateStatuses": [null]}', "NULL_VALUE can not be converted to a String"),
        (b"[]", "Start of structure or map was expected"),
        (b"{", "The request body is not valid JSON"),
        (b"\xff", "The request body is not valid JSON"),
        (b"[" * 200_000, "The request body is not valid JSON"),
        (b'{"MaxItems": ' + b"9" * 5000 + b"}", "The request body is not valid JSON"),
    ],
)
def test_json_that_is_not_of_its_type(body, message):
    with pytest.raises(ApiError) as caught:
        json_params("ListCertificates", body)
    assert (caught.value.code, caught.value.message) == ("MalformedInput", message)


def test_json_of_a_recursive_shape_is_bounded():
    deep = b'{"FilterStatement": ' + b'{"Not": ' * 400 + b"{}" + b"}" * 401
    with pytest.raises(ApiError, match="nested deeper than 32 levels"):
        json_params("SearchCertificates", deep)


def datum(value: bytes, timestamp: bytes = b"0"):
    body = b'{"Namespace": "n", "MetricData": [{"MetricName": "m", "Timestamp": %s, "Value": %s}]}' % (timestamp, value)
    request = json_request("cloudwatch", "GraniteServiceVersion20100801.PutMetricData", body, "1.0")
    return decode(SERVICES.route(request, "us-east-1"), request).params["MetricData"][0]


@pytest.mark.parametrize(("text", "value"), [(b"1", 1.0), (b"0.5", 0.5), (b'"Infinity"', float("inf"))])
def test_json_numbers_with_a_fraction(text, value):
    assert datum(text)["Value"] == value


@pytest.mark.parametrize("text", [b"1" + b"0" * 400, b'"1"', b"true"])
def test_json_that_is_no_number_with_a_fraction(text):
    with pytest.raises(ApiError, match="can not be converted to a Double"):
        datum(text)


@pytest.mark.parametrize("text", [b"1767608430", b"1767608430.0", b'"2026-01-05T10:20:30Z"'])
def test_json_instants(text):
    assert datum(b"1", text)["Timestamp"] == datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", [b"1e300", b'"soon"', b"NaN"])
def test_json_that_is_no_instant(text):
    with pytest.raises(ApiError, match="can not be converted to a Timestamp"):
        datum(b"1", text)
