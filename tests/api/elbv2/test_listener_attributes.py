import pytest

from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, VPC, Aws
from tests.api.elbv2.elb import ARN, Elb

RESPONSE_HEADERS = (
    "strict_transport_security",
    "access_control_allow_origin",
    "access_control_allow_methods",
    "access_control_allow_headers",
    "access_control_allow_credentials",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "x_content_type_options",
    "x_frame_options",
)
HTTP = {
    "routing.http.response.server.enabled": "true",
    **{f"routing.http.response.{name}.header_value": "" for name in RESPONSE_HEADERS},
}
HTTPS = HTTP | {
    f"routing.http.request.{name}.header_name": header
    for name, header in {
        "x_amzn_mtls_clientcert_serial_number": "X-Amzn-Mtls-Clientcert-Serial-Number",
        "x_amzn_mtls_clientcert_issuer": "X-Amzn-Mtls-Clientcert-Issuer",
        "x_amzn_mtls_clientcert_subject": "X-Amzn-Mtls-Clientcert-Subject",
        "x_amzn_mtls_clientcert_validity": "X-Amzn-Mtls-Clientcert-Validity",
        "x_amzn_mtls_clientcert_leaf": "X-Amzn-Mtls-Clientcert-Leaf",
        "x_amzn_mtls_clientcert": "X-Amzn-Mtls-Clientcert",
        "x_amzn_tls_version": "X-Amzn-Tls-Version",
        "x_amzn_tls_cipher_suite": "X-Amzn-Tls-Cipher-Suite",
    }.items()
}
TLS_VERSION = "routing.http.request.x_amzn_tls_version.header_name"
HSTS = "routing.http.response.strict_transport_security.header_value"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1"


@pytest.fixture
def secure(elb: Elb, aws: Aws) -> str:
    """An HTTPS listener."""
    aws.put(Record(Kind.CERTIFICATE, CERTIFICATE, REGION, ACCOUNT, {"Status": "ISSUED"}))
    return elb.listener(elb.balancer(), 443, Protocol="HTTPS", Certificates=[{"CertificateArn": CERTIFICATE}])


def attributes(elb: Elb, arn: str) -> dict[str, str]:
    answer = elb("DescribeListenerAttributes", ListenerArn=arn)["Attributes"]
    return {pair["Key"]: pair["Value"] for pair in answer}


def test_every_protocol_has_attributes_of_its_own(elb: Elb, secure: str):
    assert attributes(elb, secure) == HTTPS
    assert attributes(elb, elb.listener(elb.balancer())) == HTTP


def test_network_and_gateway_listeners_have_timeouts(elb: Elb):
    expected = {
        "network": {"tcp.idle_timeout.seconds": "350"},
        "gateway": {"tcp.idle_timeout.seconds": "350", "send_tcp_reset.on_idle_timeout.enabled": "false"},
    }
    for balancer_type, protocol, port in (("network", "TCP", 80), ("gateway", "GENEVE", 6081)):
        balancer = elb.balancer(balancer_type, Type=balancer_type)
        made = elb("CreateTargetGroup", Name=balancer_type, Protocol=protocol, Port=port, VpcId=VPC)
        place = {"Port": port, "Protocol": protocol} if balancer_type == "network" else {}
        actions = [{"Type": "forward", "TargetGroupArn": made["TargetGroups"][0]["TargetGroupArn"]}]
        listener = elb("CreateListener", LoadBalancerArn=balancer, DefaultActions=actions, **place)["Listeners"][0]
        assert attributes(elb, listener["ListenerArn"]) == expected[balancer_type]


def test_changes_are_answered_kept_and_reset_by_an_empty_text(elb: Elb, secure: str):
    given = [{"Key": HSTS, "Value": "max-age=31536000; preload"}, {"Key": TLS_VERSION, "Value": "X-Tls"}]
    assert elb("ModifyListenerAttributes", ListenerArn=secure, Attributes=given) == {"Attributes": given}
    assert attributes(elb, secure) == HTTPS | {HSTS: "max-age=31536000; preload", TLS_VERSION: "X-Tls"}
    empty = [{"Key": HSTS, "Value": ""}, {"Key": TLS_VERSION}]
    elb("ModifyListenerAttributes", ListenerArn=secure, Attributes=empty)
    assert attributes(elb, secure) == HTTPS


NOT_FOR_HTTP = "is not supported on listeners with protocol 'HTTP'"
HEADER_VALUE = "a header value of up to 1024 characters, or nothing to leave the target's own alone"
REFUSED = {
    "unknown": ("no.such", "1", "Listener attribute key 'no.such' is not recognized"),
    "for HTTPS only": (TLS_VERSION, "X-Tls", f"Listener attribute key '{TLS_VERSION}' {NOT_FOR_HTTP}"),
    "for TCP only": (
        "tcp.idle_timeout.seconds",
        "60",
        f"Listener attribute key 'tcp.idle_timeout.seconds' {NOT_FOR_HTTP}",
    ),
    "a line break": (HSTS, "a\r\nb", f"'{HSTS}' value 'a\r\nb' must be {HEADER_VALUE}"),
}


@pytest.mark.parametrize(("key", "value", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_change_is_refused(elb: Elb, key: str, value: str, message: str):
    arn = elb.listener(elb.balancer())
    error = elb.refused("ModifyListenerAttributes", ListenerArn=arn, Attributes=[{"Key": key, "Value": value}])
    assert (error.code, error.message) == ("ValidationError", message)


@pytest.mark.parametrize("params", [{}, {"Attributes": []}], ids=["describe", "modify"])
def test_a_listener_that_is_not_there_has_no_attributes(elb: Elb, params: dict[str, object]):
    operation = "ModifyListenerAttributes" if params else "DescribeListenerAttributes"
    error = elb.refused(operation, ListenerArn=f"{ARN}:listener/app/no/1/2", **params)
    assert error.code == "ListenerNotFound"
