"""Which service, region and operation a request is for."""

from dataclasses import replace

import pytest

from lb.api.call import ApiError
from lb.api.wire.decode import MAX_BODY, decode, not_implemented
from lb.api.wire.message import Protocol, Request
from lb.api.wire.services import SERVED, Services
from tests.api.wire.models import REGION, authorization, form_request, json_request

SERVICES = Services()
DESCRIBE = {"Action": "DescribeLoadBalancers", "Version": "2015-12-01"}


def route(request: Request):
    return SERVICES.route(request, "us-east-1")


def call(request: Request):
    return decode(route(request), request)


def refused(request: Request) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(request)
    return caught.value


@pytest.mark.parametrize("service", SERVED)
def test_the_credential_scope_names_service_and_region(service):
    found = route(form_request(service, b""))
    assert (found.service.name, found.region) == (service, REGION)


@pytest.mark.parametrize(
    ("body", "service", "protocol"),
    [
        (DESCRIBE, "elbv2", Protocol.QUERY),
        ({"Version": "2016-11-15", "Action": "DescribeVpcs"}, "ec2", Protocol.EC2),
        ({"Action": "GetCallerIdentity", "Version": "2011-06-15"}, "sts", Protocol.QUERY),
        ({"Action": "DescribeTargetHealth"}, "elbv2", Protocol.QUERY),
        ({"Action": "DescribeInstances"}, "ec2", Protocol.EC2),
    ],
)
def test_without_credentials_version_and_action_name_the_service(body, service, protocol):
    found = route(form_request(None, body))
    assert (found.service.name, found.protocol, found.region) == (service, protocol, "us-east-1")


def test_without_credentials_the_target_names_the_service():
    request = json_request("acm", "CertificateManager.ListCertificates", b"{}")
    unsigned = replace(
        request, headers={name: value for name, value in request.headers.items() if name != "authorization"}
    )
    assert call(unsigned).operation == "ListCertificates"


def test_parameters_in_the_query_string_of_a_presigned_request():
    scope = "AKIDEXAMPLE%2F20260101%2Feu-west-1%2Fsts%2Faws4_request"
    query = f"Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential={scope}&X-Amz-Signature=00"
    decoded = call(Request("GET", "/", query, {}, b""))
    assert (decoded.service, decoded.operation, decoded.region) == ("sts", "GetCallerIdentity", REGION)


@pytest.mark.parametrize("header", ["", "Basic dTpw", "AWS4-HMAC-SHA256 Credential=a/b, Signature=1", "\xff" * 5000])
def test_credentials_that_are_none_leave_the_default_region(header):
    request = form_request(None, DESCRIBE)
    found = route(replace(request, headers={**request.headers, "authorization": header}))
    assert (found.service.name, found.region) == ("elbv2", "us-east-1")


def test_a_service_that_is_not_served_is_named():
    request = form_request(None, {"Action": "ListBuckets"})
    error = refused(replace(request, headers={"authorization": authorization("s3")}))
    assert (error.code, error.status) == ("NotImplemented", 400)
    assert "'s3' is not implemented" in error.message


def test_classic_load_balancers_are_refused_with_the_way_out():
    error = refused(form_request("elbv2", {"Action": "DescribeLoadBalancers", "Version": "2012-06-01"}))
    assert error.code == "NotImplemented"
    assert "aws elbv2" in error.message


@pytest.mark.parametrize(
    ("service", "action", "version", "code", "message"),
    [
        ("elbv2", "Fly", "2015-12-01", "InvalidAction", "Could not find operation Fly for version 2015-12-01"),
        ("elbv2", "AddTags", "2000-01-01", "InvalidAction", "Could not find operation AddTags for version 2000-01-01"),
        ("ec2", "Fly", "2016-11-15", "InvalidAction", "The action Fly is not valid for this web service."),
        ("elbv2", "", "2015-12-01", "MissingAction", "The request must contain an Action"),
    ],
)
def test_calls_that_no_model_knows(service, action, version, code, message):
    error = refused(form_request(service, {"Action": action, "Version": version}))
    assert (error.code, error.message, error.status) == (code, message, 400)


@pytest.mark.parametrize("target", ["CertificateManager.Fly", "Other.ListCertificates", "CertificateManager", ""])
def test_json_calls_that_no_model_knows(target):
    assert refused(json_request("acm", target, b"{}")).code == "InvalidAction"


def test_a_service_of_the_query_protocol_does_not_take_json():
    error = refused(json_request("elbv2", ".DescribeLoadBalancers", b"{}"))
    assert error.code == "InvalidAction"


def test_a_request_that_names_nothing():
    for body in ({"Action": "NoSuchAction"}, b"", b"\xff\x00", {"Version": "1999-01-01"}):
        assert route(form_request(None, body)).service is None
    assert refused(form_request(None, {"Action": "NoSuchAction"})).code == "NotImplemented"


def test_an_operation_that_nobody_serves_is_named_with_a_status_that_is_not_retried():
    error = not_implemented("ec2", "CreateFleet")
    assert (error.code, error.status) == ("NotImplemented", 400)
    assert "CreateFleet of ec2" in error.message


def test_bodies_are_bounded():
    assert refused(form_request("elbv2", b"x" * (MAX_BODY + 1))).status == 413
