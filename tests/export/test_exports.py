"""The three exports of the same description: references, secrets, certificates, and what one of them cannot say."""

import shutil
import subprocess

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lb.export.aws_cli import script
from lb.export.calls import calls
from lb.export.cloudformation import template
from lb.export.describe import UnknownResourceError, describe
from lb.export.terraform import configuration
from tests.export.snapshots import CERTIFICATE, FORWARD, GROUP, LISTENER, balancer, group, listener, rule, snapshot

OIDC = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://id.example",
        "AuthorizationEndpoint": "https://id.example/a",
        "TokenEndpoint": "https://id.example/t",
        "UserInfoEndpoint": "https://id.example/u",
        "ClientId": "shop",
        "SessionTimeout": 604800,
    },
}
JWT = {"Type": "jwt-validation", "Order": 1, "JwtValidationConfig": {"JwksEndpoint": "https://x", "Issuer": "y"}}
SECOND = {**FORWARD, "Order": 2}


def secure(*actions):
    return listener(
        *actions, Port=443, Protocol="HTTPS", SslPolicy="p", Certificates=[{"CertificateArn": CERTIFICATE + "first"}]
    )


def test_certificates_are_given_and_those_beside_the_first_are_added():
    described = describe(snapshot(listeners=(secure(FORWARD),), certificates={LISTENER: (CERTIFICATE + "second",)}))
    assert [each.value for each in described.given if each.ref.kind == "certificate"] == [
        CERTIFICATE + "first",
        CERTIFICATE + "second",
    ]
    assert '--certificates \'[{"CertificateArn": "\'"${CERTIFICATE_2}"\'"}]\'' in script(described)
    resources = yaml.safe_load(template(described))["Resources"]
    added = resources["ListenerCertificateWeb4431"]["Properties"]
    assert added == {
        "ListenerArn": {"Ref": "ListenerWeb443"},
        "Certificates": [{"CertificateArn": {"Ref": "Certificate2"}}],
    }
    text = configuration(described)
    assert "certificate_arn   = var.certificate_1" in text
    assert 'resource "aws_lb_listener_certificate" "web_443_1"' in text


def test_a_client_secret_has_to_be_given_and_is_kept_out_of_sight():
    described = describe(snapshot(listeners=(secure(OIDC, SECOND),)))
    assert ': "${CLIENT_SECRET_SHOP:?must be set}"' in script(described)
    parameter = yaml.safe_load(template(described))["Parameters"]["ClientSecretShop"]
    assert parameter == {"Type": "String", "Description": "client secret of shop", "NoEcho": True}
    text = configuration(described)
    assert "client_secret          = var.client_secret_shop" in text
    assert "sensitive   = true" in text


def test_a_rule_that_terraform_cannot_say_whole_is_left_out_and_told():
    described = describe(snapshot(rules={LISTENER: (rule(1, JWT, SECOND), rule(2, FORWARD))}))
    text = configuration(described)
    assert text.startswith(
        "# Note: aws_lb_listener_rule web_80_1 is left out: the provider has no argument for actions of"
    )
    assert 'resource "aws_lb_listener_rule" "web_80_2"' in text
    assert '"web_80_1"' not in text
    assert '"Type": "jwt-validation"' in script(described)


def test_a_listener_that_terraform_cannot_say_whole_is_left_out_with_its_rules():
    described = describe(snapshot(listeners=(secure(JWT, SECOND),), rules={LISTENER: (rule(2, FORWARD),)}))
    text = configuration(described)
    assert "# Note: aws_lb_listener web_443 is left out" in text
    assert 'resource "aws_lb_listener' not in text


def test_attributes_that_terraform_has_no_argument_for_are_told():
    values = {"stickiness.app_cookie.duration_seconds": "60", "deregistration_delay.timeout_seconds": "300"}
    described = describe(snapshot(attributes={GROUP: values}))
    assert (
        "# Note: aws_lb_target_group servers: the provider has no argument for stickiness.app_cookie"
        in configuration(described)
    )
    assert "deregistration_delay" not in script(described), "a default is left out"


def test_application_cookies_are_said_in_terraforms_words():
    values = {
        "stickiness.enabled": "true",
        "stickiness.type": "app_cookie",
        "stickiness.app_cookie.cookie_name": "SID",
        "stickiness.app_cookie.duration_seconds": "60",
    }
    text = configuration(describe(snapshot(attributes={GROUP: values})))
    for line in ('type            = "app_cookie"', "cookie_duration = 60", 'cookie_name     = "SID"'):
        assert line in text
    assert "# Note" not in text


def test_instances_are_given_once_for_all_groups():
    targets = ({"Id": "i-0123456789abcdef0", "Port": 80}, {"Id": "i-0123456789abcdef0", "Port": 81})
    described = describe(snapshot(target_groups=(group(TargetType="instance"),), targets={GROUP: targets}))
    assert [each.value for each in described.given if each.ref.kind == "instance"] == ["i-0123456789abcdef0"]
    assert yaml.safe_load(template(described))["Parameters"]["Instance1"]["Type"] == "AWS::EC2::Instance::Id"


def test_static_addresses_of_a_network_load_balancer_are_mappings():
    address = {"AllocationId": "eipalloc-1", "IpAddress": "203.0.113.1"}
    zone = {"ZoneName": "us-east-1a", "SubnetId": "subnet-a", "LoadBalancerAddresses": [address]}
    described = describe(snapshot(load_balancers=(balancer(Type="network", AvailabilityZones=[zone]),), listeners=()))
    assert (
        '--subnet-mappings \'[{"SubnetId": "\'"${SUBNET_1}"\'", "AllocationId": "\'"${ALLOCATION_1}"\'"}]\''
        in script(described)
    )
    assert "allocation_id = var.allocation_1" in configuration(described)


def test_a_target_group_that_is_not_there_is_an_error_that_names_both():
    missing = {"Type": "forward", "TargetGroupArn": "arn:gone"}
    with pytest.raises(
        UnknownResourceError, match="rule 7 of listener HTTP:80 of web forwards to the target group arn:gone"
    ):
        describe(snapshot(rules={LISTENER: (rule(7, missing),)}))


def test_a_condition_is_written_in_one_form():
    both = {"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"Values": ["/a"]}}
    old = {"Field": "host-header", "Values": ["a.example"]}
    described = describe(snapshot(rules={LISTENER: (rule(1, FORWARD, conditions=(both, old)),)}))
    made = [call for call in calls(described) if call.operation == "CreateRule"]
    assert made[0].params["Conditions"] == [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}, old]


def answering(text):
    body = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": text}}
    return describe(snapshot(listeners=(listener(body),)))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"])))
def test_the_template_keeps_any_text(text):
    loaded = yaml.safe_load(template(answering(text)))
    (action,) = loaded["Resources"]["ListenerWeb80"]["Properties"]["DefaultActions"]
    assert action["FixedResponseConfig"]["MessageBody"] == text


PRINTS = """\
aws() {
  if [ "$2" = create-listener ]; then
    while [ "$1" != --default-actions ]; do shift; done
    printf %s "$2" > answer.json
  fi
}
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    "text",
    [
        "'; touch pwned #",
        '"; touch pwned #',
        "$(touch pwned)`touch pwned`${TARGET_GROUP_SERVERS}",
        "\\'; touch pwned; \\",
        "a\nEOF\ntouch pwned",
        "!! !x {a,b} ~ * ?",
        "한글 \t",
    ],
)
def test_the_script_hands_any_text_over_whole_and_runs_none_of_it(tmp_path, text):
    described = answering(text)
    subprocess.run(["bash"], input=PRINTS + script(described), cwd=tmp_path, text=True, check=True, timeout=120)
    (action,) = yaml.safe_load((tmp_path / "answer.json").read_text())
    assert action["FixedResponseConfig"]["MessageBody"] == text
    assert [file.name for file in tmp_path.iterdir()] == ["answer.json"]
