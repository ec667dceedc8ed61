import pytest

from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, Aws
from tests.api.elbv2.elb import ARN, Elb


def acm(number: int) -> str:
    return f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{number}"


def given(*numbers: int) -> list[dict[str, str]]:
    return [{"CertificateArn": acm(number)} for number in numbers]


@pytest.fixture
def listener(elb: Elb, aws: Aws) -> str:
    """An HTTPS listener with certificate 0, of thirty in the account."""
    aws.put(*(Record(Kind.CERTIFICATE, acm(number), REGION, ACCOUNT, {"Status": "ISSUED"}) for number in range(30)))
    return elb.listener(elb.balancer(), 443, Protocol="HTTPS", Certificates=given(0))


def shown(elb: Elb, listener: str) -> list[tuple[str, bool]]:
    answer = elb("DescribeListenerCertificates", ListenerArn=listener)["Certificates"]
    return [(each["CertificateArn"], each["IsDefault"]) for each in answer]


def test_certificates_come_and_go(elb: Elb, listener: str):
    assert shown(elb, listener) == [(acm(0), True)]
    added = elb("AddListenerCertificates", ListenerArn=listener, Certificates=given(1, 2))["Certificates"]
    assert added == [{"CertificateArn": acm(1), "IsDefault": False}, {"CertificateArn": acm(2), "IsDefault": False}]
    elb("AddListenerCertificates", ListenerArn=listener, Certificates=given(2))
    assert shown(elb, listener) == [(acm(0), True), (acm(1), False), (acm(2), False)]
    assert elb("RemoveListenerCertificates", ListenerArn=listener, Certificates=given(1, 9)) == {}
    assert shown(elb, listener) == [(acm(0), True), (acm(2), False)]
    (only,) = elb("DescribeListeners", ListenerArns=[listener])["Listeners"]
    assert only["Certificates"] == given(0)


def test_one_that_is_both_comes_twice_and_leaves_the_list_only(elb: Elb, listener: str):
    elb("AddListenerCertificates", ListenerArn=listener, Certificates=given(0))
    assert shown(elb, listener) == [(acm(0), True), (acm(0), False)]
    elb("RemoveListenerCertificates", ListenerArn=listener, Certificates=given(0))
    assert shown(elb, listener) == [(acm(0), True)]


def test_the_default_certificate_cannot_be_removed(elb: Elb, listener: str):
    error = elb.refused("RemoveListenerCertificates", ListenerArn=listener, Certificates=given(0))
    assert (error.code, error.message) == ("OperationNotPermitted", f"Default certificate '{acm(0)}' cannot be removed")


def test_they_come_in_pages(elb: Elb, listener: str):
    elb("AddListenerCertificates", ListenerArn=listener, Certificates=given(1, 2))
    first = elb("DescribeListenerCertificates", ListenerArn=listener, PageSize=2)
    second = elb("DescribeListenerCertificates", ListenerArn=listener, PageSize=2, Marker=first["NextMarker"])
    assert [each["CertificateArn"] for each in second["Certificates"]] == [acm(2)]


def test_a_load_balancer_has_25_beside_the_default_ones(elb: Elb, listener: str):
    (balancer,) = (each["LoadBalancerArn"] for each in elb("DescribeLoadBalancers")["LoadBalancers"])
    other = elb.listener(balancer, 444, Protocol="HTTPS", Certificates=given(26))
    elb("AddListenerCertificates", ListenerArn=other, Certificates=given(1, 2))
    elb("AddListenerCertificates", ListenerArn=listener, Certificates=given(*range(1, 26)))
    error = elb.refused("AddListenerCertificates", ListenerArn=other, Certificates=given(27))
    assert error.code == "TooManyCertificates"


def test_an_unknown_certificate_is_refused(elb: Elb, listener: str):
    error = elb.refused("AddListenerCertificates", ListenerArn=listener, Certificates=given(99))
    assert (error.code, error.message) == ("CertificateNotFound", f"Certificate '{acm(99)}' not found")


def test_a_certificate_of_another_region_is_unknown(elb: Elb, aws: Aws, listener: str):
    arn = f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/1"
    aws.put(Record(Kind.CERTIFICATE, arn, "eu-west-1", ACCOUNT, {"Status": "ISSUED"}))
    error = elb.refused("AddListenerCertificates", ListenerArn=listener, Certificates=[{"CertificateArn": arn}])
    assert error.code == "CertificateNotFound"


def test_an_http_listener_has_none(elb: Elb, listener: str):
    plain = elb.listener(elb.balancer())
    assert shown(elb, plain) == []
    error = elb.refused("AddListenerCertificates", ListenerArn=plain, Certificates=given(1))
    assert error.code == "ValidationError"


@pytest.mark.parametrize("operation", ["Add", "Remove", "Describe"])
def test_a_listener_that_is_not_there_has_none(elb: Elb, operation: str):
    certificates = {} if operation == "Describe" else {"Certificates": given(1)}
    error = elb.refused(f"{operation}ListenerCertificates", ListenerArn=f"{ARN}:listener/app/no/1/2", **certificates)
    assert error.code == "ListenerNotFound"
