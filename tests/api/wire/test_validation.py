"""Violations of a model's constraints, in AWS's words."""

import time

import pytest

from lb.api.call import ApiError
from lb.api.wire.decode import decode
from lb.api.wire.services import Services
from tests.api.wire.models import form_request, json_request, model

SERVICES = Services()
FAILED = "failed to satisfy constraint: Member must"
LISTENER = {"ListenerArn": "arn:l"}
RULE = {"ListenerArn": "arn:l", "Priority": "1", "Conditions": "", "Actions.member.1.Type": "forward"}


def call(service: str, operation: str, fields):
    request = form_request(service, {"Action": operation, "Version": model(service).api_version, **fields})
    return decode(SERVICES.route(request, "us-east-1"), request).params


def refused(service: str, operation: str, fields) -> tuple[str, str, int]:
    with pytest.raises(ApiError) as caught:
        call(service, operation, fields)
    return caught.value.code, caught.value.message, caught.value.status


ACTIONS = ("forward", "authenticate-oidc", "authenticate-cognito", "redirect", "fixed-response", "jwt-validation")
STATUS_PATH = "'actions.1.member.fixedResponseConfig.statusCode'"
ONE = [
    ("DeleteLoadBalancer", {}, f"Value null at 'loadBalancerArn' {FAILED} not be null"),
    ("CreateRule", RULE | {"Priority": "0"}, f"Value '0' at 'priority' {FAILED} have value greater than or equal to 1"),
    (
        "ModifyListener",
        {**LISTENER, "Port": "65536"},
        f"Value '65536' at 'port' {FAILED} have value less than or equal to 65535",
    ),
    (
        "CreateRule",
        RULE | {"Actions.member.1.Type": "fly"},
        f"Value 'fly' at 'actions.1.member.type' {FAILED} satisfy enum value set: [{', '.join(ACTIONS)}]",
    ),
    (
        "CreateRule",
        RULE | {"Actions.member.1.FixedResponseConfig.StatusCode": "302"},
        f"Value '302' at {STATUS_PATH} {FAILED} satisfy regular expression pattern: ^(2|4|5)\\d\\d$",
    ),
    (
        "CreateRule",
        RULE | {"Conditions.member.1.Field": "f" * 65},
        f"Value '{'f' * 65}' at 'conditions.1.member.field' {FAILED} have length less than or equal to 64",
    ),
    (
        "AddTags",
        {"ResourceArns.member.1": "arn:l", "Tags.member.1.Value": "v"},
        f"Value null at 'tags.1.member.key' {FAILED} not be null",
    ),
    (
        "AddTags",
        {"ResourceArns.member.1": "arn:l", "Tags": ""},
        f"Value '[]' at 'tags' {FAILED} have length greater than or equal to 1",
    ),
]


@pytest.mark.parametrize(("operation", "fields", "message"), ONE)
def test_one_violation(operation, fields, message):
    assert refused("elbv2", operation, fields) == ("ValidationError", f"1 validation error detected: {message}", 400)


def test_several_violations_are_told_together():
    code, message, _ = refused("elbv2", "CreateRule", {"ListenerArn": "arn:l", "Priority": "0", "Conditions": ""})
    actions = f"Value null at 'actions' {FAILED} not be null"
    priority = f"Value '0' at 'priority' {FAILED} have value greater than or equal to 1"
    assert (code, message) == ("ValidationError", f"2 validation errors detected: {actions}; {priority}")


def test_many_violations_do_not_make_a_long_answer():
    fields = {f"RulePriorities.member.{index}.Priority": "0" for index in range(3000)}
    assert refused("elbv2", "SetRulePriorities", fields)[1].startswith("10 validation errors detected: ")


@pytest.mark.parametrize("value", ["Ünïcödé 負荷", "a b", "", "x" * 256])
def test_patterns_with_unicode_classes(value):
    fields = {"ResourceArns.member.1": "arn:l", "Tags.member.1.Key": "k", "Tags.member.1.Value": value}
    assert call("elbv2", "AddTags", fields)["Tags"] == [{"Key": "k", "Value": value}]


def test_patterns_with_code_points_in_javas_way():
    body = "-----BEGIN CERTIFICATE-----\r\nAA==\r\n-----END CERTIFICATE-----\n"
    fields = {"ServerCertificateName": "c", "CertificateBody": body, "PrivateKey": body}
    assert call("iam", "UploadServerCertificate", fields)["CertificateBody"] == body
    _, message, _ = refused("iam", "UploadServerCertificate", fields | {"CertificateBody": "負荷"})
    assert "certificateBody" in message
    assert "regular expression" in message


def test_a_pattern_that_re2_cannot_have_is_not_checked():
    assert call("iam", "CreateAccountAlias", {"AccountAlias": "a--b"}) == {"AccountAlias": "a--b"}


def test_the_value_of_a_secret_is_not_told():
    fields = {"ServerCertificateName": "c", "CertificateBody": "b", "PrivateKey": "SECRET負荷"}
    message = refused("iam", "UploadServerCertificate", fields)[1]
    assert "Value at 'privateKey' failed" in message
    assert "SECRET" not in message


@pytest.mark.parametrize(
    ("operation", "fields", "code", "start"),
    [
        ("RunInstances", {"MaxCount": "1"}, "MissingParameter", "The request must contain the parameter minCount"),
        (
            "CreateVpc",
            {"InstanceTenancy": "nowhere"},
            "InvalidParameterValue",
            "Value (nowhere) for parameter instanceTenancy is invalid. ",
        ),
    ],
)
def test_ec2_has_codes_of_its_own(operation, fields, code, start):
    found = refused("ec2", operation, fields)
    assert found[0] == code
    assert found[1].startswith(start)


def test_bytes_are_counted_and_not_shown():
    request = json_request("acm", "CertificateManager.ImportCertificate", b'{"Certificate": "", "PrivateKey": "QQ=="}')
    with pytest.raises(
        ApiError, match="Value '0 bytes' at 'certificate' failed to satisfy constraint: Member must have"
    ):
        decode(SERVICES.route(request, "us-east-1"), request)


def test_structures_are_shown_with_their_members():
    fields = {"LoadBalancerArn": "arn:l"} | {f"Attributes.member.{index}.Key": "k" for index in range(1, 22)}
    message = refused("elbv2", "ModifyLoadBalancerAttributes", fields)[1]
    assert f"Value '[{', '.join(['{Key=k}'] * 21)}]' at 'attributes' failed" in message


def test_json_calls_are_validated_alike():
    request = json_request("acm", "CertificateManager.DescribeCertificate", b"{}")
    with pytest.raises(ApiError, match="1 validation error detected: Value null at 'certificateArn'"):
        decode(SERVICES.route(request, "us-east-1"), request)


def test_a_text_made_for_a_backtracking_engine_costs_nothing():
    fields = {"Name": "a-" * 200_000 + "!", "CaCertificatesBundleS3Bucket": "b", "CaCertificatesBundleS3Key": "k"}
    before = time.process_time()
    assert refused("elbv2", "CreateTrustStore", fields)[0] == "ValidationError"
    assert time.process_time() - before < 5
