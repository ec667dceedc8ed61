import pytest

from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, VPC, Aws
from tests.api.elbv2.elb import ARN, HTML, Elb

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1"
SERVER_CERTIFICATE = f"arn:aws:iam::{ACCOUNT}:server-certificate/old"
PENDING = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/pending"
HTTPS = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": CERTIFICATE}]}
OIDC = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://id.test",
        "AuthorizationEndpoint": "https://id.test/a",
        "TokenEndpoint": "https://id.test/t",
        "UserInfoEndpoint": "https://id.test/u",
        "ClientId": "me",
        "ClientSecret": "secret",
    },
}
LOGIN = [OIDC, {**HTML, "Order": 2}]


@pytest.fixture
def balancer(elb: Elb, aws: Aws) -> str:
    """A load balancer in an account with certificates."""
    aws.put(
        Record(Kind.CERTIFICATE, CERTIFICATE, REGION, ACCOUNT, {"Status": "ISSUED"}),
        Record(Kind.CERTIFICATE, PENDING, REGION, ACCOUNT, {"Status": "PENDING_VALIDATION"}),
        Record(Kind.SERVER_CERTIFICATE, SERVER_CERTIFICATE, REGION, ACCOUNT, {}),
    )
    return elb.balancer()


def trust_store(elb: Elb, name: str = "clients") -> str:
    made = elb("CreateTrustStore", Name=name, CaCertificatesBundleS3Bucket="b", CaCertificatesBundleS3Key="k")
    return str(made["TrustStores"][0]["TrustStoreArn"])


def shown(elb: Elb, arn: str) -> dict[str, object]:
    found: dict[str, object] = elb("DescribeListeners", ListenerArns=[arn])["Listeners"][0]
    return found


def test_a_listener_comes_with_its_default_rule(elb: Elb, balancer: str):
    made = elb("CreateListener", LoadBalancerArn=balancer, Port=80, Protocol="HTTP", DefaultActions=[HTML])[
        "Listeners"
    ][0]
    arn = made["ListenerArn"]
    assert arn.startswith(balancer.replace(":loadbalancer/", ":listener/") + "/")
    assert made == {
        "ListenerArn": arn,
        "LoadBalancerArn": balancer,
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [HTML],
    }
    (rule,) = elb("DescribeRules", ListenerArn=arn)["Rules"]
    assert rule["RuleArn"].startswith(arn.replace(":listener/", ":listener-rule/") + "/")
    assert (rule["Priority"], rule["IsDefault"], rule["Conditions"]) == ("default", True, [])
    assert rule["Actions"] == [HTML]


def test_an_https_listener_has_elbs_defaults(elb: Elb, balancer: str):
    found = shown(elb, elb.listener(balancer, 443, **HTTPS))
    assert found["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    assert found["Certificates"] == [{"CertificateArn": CERTIFICATE}]
    assert found["MutualAuthentication"] == {"Mode": "off"}


def test_a_listener_can_verify_its_clients(elb: Elb, balancer: str):
    store = trust_store(elb)
    mutual = {"Mode": "verify", "TrustStoreArn": store}
    found = shown(elb, elb.listener(balancer, 443, **HTTPS, MutualAuthentication=mutual))
    assert found["MutualAuthentication"] == {
        "Mode": "verify",
        "TrustStoreArn": store,
        "IgnoreClientCertificateExpiry": False,
        "TrustStoreAssociationStatus": "active",
        "AdvertiseTrustStoreCaNames": "off",
    }
    elb.listener(balancer, 444, **HTTPS, MutualAuthentication=mutual)
    third = elb.listener(balancer, 445, **HTTPS, MutualAuthentication={"Mode": "passthrough"})
    error = elb.refused("ModifyListener", ListenerArn=third, MutualAuthentication=mutual)
    assert error.message == "Up to '2' listeners of a load balancer can verify client certificates"


def test_creating_the_same_again_answers_what_is_there(elb: Elb, balancer: str):
    arn = elb.listener(balancer, 443, **HTTPS, Tags=[{"Key": "a", "Value": "b"}])
    assert elb.listener(balancer, 443, **HTTPS) == arn
    assert len(elb("DescribeListeners", LoadBalancerArn=balancer)["Listeners"]) == 1
    for other in (
        {"SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
        {"Certificates": [{"CertificateArn": SERVER_CERTIFICATE}]},
        {"DefaultActions": [{**HTML, "FixedResponseConfig": {"StatusCode": "404"}}]},
        {"Protocol": "HTTP", "Certificates": []},
        {"Tags": [{"Key": "a", "Value": "c"}]},
    ):
        given = {"DefaultActions": [HTML], **HTTPS, **other}
        error = elb.refused("CreateListener", LoadBalancerArn=balancer, Port=443, **given)
        assert error.code == "DuplicateListener"
        assert error.message == f"A listener already exists on this port for this load balancer '{balancer}'"


INVALID = "InvalidConfigurationRequest"
ONE_CERTIFICATE = "You must provide a list containing exactly one certificate if the listener protocol is HTTPS."
REFUSED = {
    "no port": ({"Protocol": "HTTP"}, "ValidationError", "A listener port must be specified"),
    "no protocol": ({"Port": 80}, "ValidationError", "A listener protocol must be specified"),
    "a network protocol": (
        {"Port": 80, "Protocol": "TCP"},
        "ValidationError",
        "Listener protocol 'TCP' must be one of 'HTTP, HTTPS'",
    ),
    "no certificate": ({"Port": 443, "Protocol": "HTTPS"}, "ValidationError", ONE_CERTIFICATE),
    "two certificates": (
        {
            **HTTPS,
            "Port": 443,
            "Certificates": [{"CertificateArn": CERTIFICATE}, {"CertificateArn": SERVER_CERTIFICATE}],
        },
        "ValidationError",
        ONE_CERTIFICATE,
    ),
    "an empty certificate": (
        {**HTTPS, "Port": 443, "Certificates": [{}]},
        "ValidationError",
        "A certificate ARN must be specified",
    ),
    "told to be the default": (
        {**HTTPS, "Port": 443, "Certificates": [{"CertificateArn": CERTIFICATE, "IsDefault": True}]},
        "ValidationError",
        "You cannot specify whether a certificate is the default certificate",
    ),
    "an unknown certificate": (
        {
            **HTTPS,
            "Port": 443,
            "Certificates": [{"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/9"}],
        },
        "CertificateNotFound",
        "Certificate 'arn:aws:acm:us-east-1:000000000000:certificate/9' not found",
    ),
    "a certificate that is not issued": (
        {**HTTPS, "Port": 443, "Certificates": [{"CertificateArn": PENDING}]},
        "UnsupportedCertificate",
        (
            f"The certificate '{PENDING}' must have a fully-qualified domain name, a supported signature, "
            "and a supported key size."
        ),
    ),
    "an unknown policy": (
        {**HTTPS, "Port": 443, "SslPolicy": "best"},
        "SSLPolicyNotFound",
        "SSL policy 'best' not found",
    ),
    "a policy without TLS": (
        {"Port": 80, "Protocol": "HTTP", "SslPolicy": "ELBSecurityPolicy-2016-08"},
        INVALID,
        "You cannot specify 'SslPolicy' for a listener with protocol 'HTTP'",
    ),
    "ALPN": (
        {**HTTPS, "Port": 443, "AlpnPolicy": ["HTTP2Only"]},
        INVALID,
        "An ALPN policy is supported only on TLS listeners",
    ),
    "verifying without a trust store": (
        {**HTTPS, "Port": 443, "MutualAuthentication": {"Mode": "verify"}},
        "ValidationError",
        "A trust store ARN must be specified with the mutual authentication mode 'verify'",
    ),
    "an unknown trust store": (
        {**HTTPS, "Port": 443, "MutualAuthentication": {"Mode": "verify", "TrustStoreArn": f"{ARN}:truststore/a/1"}},
        "TrustStoreNotFound",
        "One or more trust stores not found",
    ),
    "a trust store for nothing": (
        {**HTTPS, "Port": 443, "MutualAuthentication": {"Mode": "off", "TrustStoreArn": f"{ARN}:truststore/a/1"}},
        INVALID,
        "You cannot specify 'TrustStoreArn' with the mutual authentication mode 'off'",
    ),
    "an unknown mode": (
        {**HTTPS, "Port": 443, "MutualAuthentication": {"Mode": "on"}},
        "ValidationError",
        "Mutual authentication mode 'on' must be one of 'off, passthrough, verify'",
    ),
    "an unknown target group": (
        {
            "Port": 80,
            "Protocol": "HTTP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": f"{ARN}:targetgroup/no/0123456789abcdef"}],
        },
        "TargetGroupNotFound",
        f"Target group '{ARN}:targetgroup/no/0123456789abcdef' not found",
    ),
    "a login over HTTP": (
        {"Port": 80, "Protocol": "HTTP", "DefaultActions": LOGIN},
        "InvalidLoadBalancerAction",
        "Actions of type 'authenticate-oidc' are supported only on HTTPS listeners",
    ),
    "a tag twice": (
        {"Port": 80, "Protocol": "HTTP", "Tags": [{"Key": "a"}, {"Key": "a"}]},
        "DuplicateTagKeys",
        "Tag key was specified more than once: a",
    ),
}


@pytest.mark.parametrize(("params", "code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_listener_is_refused(elb: Elb, balancer: str, params: dict[str, object], code: str, message: str):
    error = elb.refused("CreateListener", **{"LoadBalancerArn": balancer, "DefaultActions": [HTML], **params})
    assert (error.code, error.message) == (code, message)


def test_fifty_listeners_are_the_most(elb: Elb, balancer: str):
    for port in range(1, 51):
        elb.listener(balancer, port)
    error = elb.refused("CreateListener", LoadBalancerArn=balancer, Port=51, Protocol="HTTP", DefaultActions=[HTML])
    assert error.code == "TooManyListeners"


def test_listeners_by_load_balancer_and_by_arn(elb: Elb, balancer: str):
    arns = [elb.listener(balancer, port) for port in (81, 80)]
    assert [each["Port"] for each in elb("DescribeListeners", LoadBalancerArn=balancer)["Listeners"]] == [81, 80]
    assert [each["Port"] for each in elb("DescribeListeners", ListenerArns=arns[::-1])["Listeners"]] == [80, 81]
    page = elb("DescribeListeners", LoadBalancerArn=balancer, PageSize=1)
    (last,) = elb("DescribeListeners", LoadBalancerArn=balancer, PageSize=1, Marker=page["NextMarker"])["Listeners"]
    assert last["ListenerArn"] == arns[1]


NOT_FOUND = {
    "no filter": ({}, "ValidationError", "You must specify either listener ARNs or a load balancer ARN"),
    "an unknown load balancer": (
        {"LoadBalancerArn": f"{ARN}:loadbalancer/app/no/1"},
        "LoadBalancerNotFound",
        "One or more load balancers not found",
    ),
    "an unknown listener": (
        {"ListenerArns": [f"{ARN}:listener/app/no/1/2"]},
        "ListenerNotFound",
        "One or more listeners not found",
    ),
    "no ARN": ({"ListenerArns": ["80"]}, "ValidationError", "'80' is not a valid listener ARN"),
}


@pytest.mark.parametrize(("params", "code", "message"), NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_a_filter_is_refused(elb: Elb, params: dict[str, object], code: str, message: str):
    error = elb.refused("DescribeListeners", **params)
    assert (error.code, error.message) == (code, message)


def test_only_what_is_given_is_modified(elb: Elb, balancer: str):
    arn = elb.listener(balancer)
    assert elb("ModifyListener", ListenerArn=arn, Port=8080)["Listeners"][0]["DefaultActions"] == [HTML]
    gone = {**HTML, "FixedResponseConfig": {"StatusCode": "410"}}
    changed = elb("ModifyListener", ListenerArn=arn, DefaultActions=[gone])["Listeners"][0]
    assert (changed["Port"], changed["DefaultActions"]) == (8080, [gone])
    assert shown(elb, arn) == changed
    assert elb("DescribeRules", ListenerArn=arn)["Rules"][0]["Actions"] == [gone]


def test_https_comes_with_a_certificate_and_goes_with_all_of_its_own(elb: Elb, balancer: str):
    arn = elb.listener(balancer)
    assert elb.refused("ModifyListener", ListenerArn=arn, Protocol="HTTPS").message == ONE_CERTIFICATE
    secure = elb("ModifyListener", ListenerArn=arn, Port=443, **HTTPS)["Listeners"][0]
    assert secure["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    elb("AddListenerCertificates", ListenerArn=arn, Certificates=[{"CertificateArn": SERVER_CERTIFICATE}])
    renamed = {"Key": "routing.http.request.x_amzn_tls_version.header_name", "Value": "X-Tls"}
    elb("ModifyListenerAttributes", ListenerArn=arn, Attributes=[renamed])
    elb("ModifyListener", ListenerArn=arn, SslPolicy="ELBSecurityPolicy-TLS13-1-3-2021-06")
    assert len(elb("DescribeListenerCertificates", ListenerArn=arn)["Certificates"]) == 2
    plain = elb("ModifyListener", ListenerArn=arn, Port=80, Protocol="HTTP")["Listeners"][0]
    assert not {"SslPolicy", "Certificates", "MutualAuthentication"} & plain.keys()
    assert elb("DescribeListenerCertificates", ListenerArn=arn)["Certificates"] == []
    server = {"Key": "routing.http.response.server.enabled", "Value": "false"}
    elb("ModifyListenerAttributes", ListenerArn=arn, Attributes=[server])


def test_a_login_keeps_a_listener_on_https(elb: Elb, balancer: str):
    arn = elb.listener(balancer, 443, **HTTPS, DefaultActions=LOGIN)
    error = elb.refused("ModifyListener", ListenerArn=arn, Protocol="HTTP")
    assert error.message == "Actions of type 'authenticate-oidc' are supported only on HTTPS listeners"
    elb("ModifyListener", ListenerArn=arn, Protocol="HTTP", DefaultActions=[HTML])


def test_a_listener_cannot_move_to_a_port_that_is_taken(elb: Elb, balancer: str):
    arn = elb.listener(balancer, 80)
    elb.listener(balancer, 81)
    assert elb.refused("ModifyListener", ListenerArn=arn, Port=81).code == "DuplicateListener"
    assert elb("ModifyListener", ListenerArn=arn, Port=80)["Listeners"][0]["Port"] == 80


def test_a_deleted_listener_takes_its_rules_along(elb: Elb, aws: Aws, balancer: str):
    arn = elb.listener(balancer)
    condition = {"Field": "path-pattern", "Values": ["/a"]}
    elb("CreateRule", ListenerArn=arn, Priority=1, Conditions=[condition], Actions=[HTML])
    assert elb("DeleteListener", ListenerArn=arn) == {}
    assert list(aws.records.all(Kind.RULE)) == []
    for operation in ("DeleteListener", "ModifyListener"):
        error = elb.refused(operation, ListenerArn=arn)
        assert (error.code, error.message) == ("ListenerNotFound", "One or more listeners not found")


def test_a_group_of_another_load_balancer_cannot_be_used(elb: Elb, balancer: str):
    group = elb.group()
    forward = {"Type": "forward", "TargetGroupArn": group}
    elb.listener(balancer, DefaultActions=[forward])
    other = elb.balancer("other")
    given = {"Port": 80, "Protocol": "HTTP", "DefaultActions": [forward]}
    error = elb.refused("CreateListener", LoadBalancerArn=other, **given)
    assert error.code == "TargetGroupAssociationLimit"


def test_network_and_gateway_listeners_are_records(elb: Elb, balancer: str):
    def group(name: str, protocol: str, port: int) -> dict[str, str]:
        made = elb("CreateTargetGroup", Name=name, Protocol=protocol, Port=port, VpcId=VPC)
        return {"Type": "forward", "TargetGroupArn": made["TargetGroups"][0]["TargetGroupArn"]}

    network, gateway = elb.balancer("net", Type="network"), elb.balancer("gwy", Type="gateway")
    tls = {**HTTPS, "Protocol": "TLS", "AlpnPolicy": ["HTTP2Preferred"], "DefaultActions": [group("t", "TCP", 1)]}
    found = shown(elb, elb.listener(network, 443, **tls))
    assert (found["AlpnPolicy"], "MutualAuthentication" in found) == (["HTTP2Preferred"], False)
    tcp = {"LoadBalancerArn": network, "Port": 80, "DefaultActions": [HTML]}
    assert elb.refused("CreateListener", **{**tcp, **tls, "AlpnPolicy": ["HTTP3"]}).code == "ALPNPolicyNotFound"
    mutual = elb.refused("CreateListener", **{**tcp, **tls, "MutualAuthentication": {"Mode": "off"}})
    assert mutual.message == "Mutual authentication is supported only on HTTPS listeners"
    error = elb.refused("CreateListener", **tcp, Protocol="HTTP")
    assert error.message == "Listener protocol 'HTTP' must be one of 'TCP, TLS, UDP, TCP_UDP, QUIC, TCP_QUIC'"

    actions = [group("g", "GENEVE", 6081)]
    made = elb("CreateListener", LoadBalancerArn=gateway, DefaultActions=actions)["Listeners"][0]
    assert not {"Port", "Protocol"} & made.keys()
    assert elb("CreateListener", LoadBalancerArn=gateway, DefaultActions=actions)["Listeners"] == [made]
    elb("ModifyListener", ListenerArn=made["ListenerArn"], DefaultActions=actions)
    assert (
        elb.refused("CreateListener", LoadBalancerArn=gateway, Port=80, DefaultActions=actions).code
        == "ValidationError"
    )
    again = [group("h", "GENEVE", 6081)]
    assert elb.refused("CreateListener", LoadBalancerArn=gateway, DefaultActions=again).code == "DuplicateListener"
