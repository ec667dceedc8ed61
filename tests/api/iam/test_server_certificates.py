from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.api.aws_call import ACCOUNT, Aws
from tests.api.elbv2.elb import Elb
from tests.api.made_certificates import Made, made
from tests.api.service import Service

ARN = f"arn:aws:iam::{ACCOUNT}:server-certificate"
ROOT = made("Root")
LEAF = made("shop.test", by=ROOT)
OTHER = made("other.test")


@pytest.fixture
def iam(aws: Aws) -> Service:
    return Service(aws, "iam")


def upload(iam: Service, name: str = "shop", found: Made = LEAF, **more: Any) -> dict[str, Any]:
    given = {"ServerCertificateName": name, "CertificateBody": found.pem, "PrivateKey": found.key_pem}
    return dict(iam("UploadServerCertificate", **given, **more)["ServerCertificateMetadata"])


def listener_with(aws: Aws, arn: str) -> str:
    elb = Elb(aws)
    return elb.listener(elb.balancer(), 443, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])


def test_a_certificate_comes_back_without_its_key_and_the_white_space_around_it(iam: Service):
    shape = upload(iam, Path="/web/", CertificateChain=ROOT.pem, Tags=[{"Key": "team", "Value": "a"}])
    assert shape["Arn"] == f"{ARN}/web/shop"
    assert shape["ServerCertificateId"].startswith("ASCA")
    assert shape["Expiration"] == LEAF.certificate.not_valid_after_utc.isoformat()
    assert iam("GetServerCertificate", ServerCertificateName="shop")["ServerCertificate"] == {
        "ServerCertificateMetadata": shape,
        "CertificateBody": LEAF.pem.strip(),
        "CertificateChain": ROOT.pem.strip(),
        "Tags": [{"Key": "team", "Value": "a"}],
    }


def test_without_a_chain_none_is_answered(iam: Service):
    upload(iam)
    assert "CertificateChain" not in iam("GetServerCertificate", ServerCertificateName="shop")["ServerCertificate"]


def test_a_listener_can_use_it(iam: Service, aws: Aws):
    listener = listener_with(aws, upload(iam)["Arn"])
    (shown,) = Elb(aws)("DescribeListeners", ListenerArns=[listener])["Listeners"]
    assert shown["Certificates"] == [{"CertificateArn": f"{ARN}/shop"}]


BROKEN = (
    "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, "
    "followed by any intermediaries in order. The index within the chain of the invalid certificate is:"
)
MALFORMED: dict[str, tuple[Callable[[], dict[str, Any]], str, str]] = {
    "no certificate": (
        lambda: {"CertificateBody": "hello"},
        "MalformedCertificate",
        "Unable to parse certificate. Please ensure the certificate is in PEM format.",
    ),
    "two certificates": (
        lambda: {"CertificateBody": LEAF.pem + ROOT.pem},
        "MalformedCertificate",
        "The certificate body contains more than one certificate; put the others into the certificate chain.",
    ),
    "no key": (
        lambda: {"PrivateKey": LEAF.pem},
        "MalformedCertificate",
        "Unable to parse private key. Please ensure the key is in PEM format and not encrypted.",
    ),
    "an encrypted key": (
        lambda: {"PrivateKey": LEAF.locked_key_pem},
        "MalformedCertificate",
        "Unable to parse private key. Please ensure the key is in PEM format and not encrypted.",
    ),
    "a kind of key that cannot be used": (
        lambda: {"PrivateKey": made("a.test", key=ed25519.Ed25519PrivateKey.generate()).key_pem},
        "MalformedCertificate",
        "The private key is not supported: use an RSA key, or one on P-256, P-384 or P-521.",
    ),
    "another key": (
        lambda: {"PrivateKey": OTHER.key_pem},
        "KeyPairMismatch",
        "The private key does not match the public key of the certificate.",
    ),
    "no chain": (
        lambda: {"CertificateChain": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        "MalformedCertificate",
        "Unable to parse certificate chain. Please ensure the certificate chain is in PEM format.",
    ),
    "another chain": (
        lambda: {"CertificateChain": OTHER.pem},
        "MalformedCertificate",
        f"{BROKEN} -1",
    ),
    "a chain that breaks further on": (
        lambda: {"CertificateChain": ROOT.pem + OTHER.pem},
        "MalformedCertificate",
        f"{BROKEN} 0",
    ),
}


@pytest.mark.parametrize(("changed", "code", "message"), MALFORMED.values(), ids=MALFORMED)
def test_an_upload_is_refused_for(iam: Service, changed: Callable[[], dict[str, Any]], code: str, message: str):
    given = {"ServerCertificateName": "shop", "CertificateBody": LEAF.pem, "PrivateKey": LEAF.key_pem}
    error = iam.refused("UploadServerCertificate", **{**given, **changed()})
    assert (error.code, error.message) == (code, message)


def test_a_name_is_taken_once(iam: Service):
    upload(iam)
    given = {"ServerCertificateName": "shop", "CertificateBody": OTHER.pem, "PrivateKey": OTHER.key_pem}
    error = iam.refused("UploadServerCertificate", Path="/elsewhere/", **given)
    assert error.code == "EntityAlreadyExists"
    assert error.message == "The Server Certificate with name shop already exists."


def test_an_account_has_twenty(iam: Service):
    for number in range(20):
        upload(iam, f"c{number}")
    given = {"ServerCertificateName": "shop", "CertificateBody": OTHER.pem, "PrivateKey": OTHER.key_pem}
    error = iam.refused("UploadServerCertificate", **given)
    assert (error.code, error.message) == ("LimitExceeded", "Cannot exceed quota for ServerCertificatesPerAccount: 20")


def test_certificates_are_listed_by_path_and_in_pages(iam: Service):
    for name, path in (("a", "/"), ("b", "/web/"), ("c", "/web/eu/")):
        upload(iam, name, Path=path)

    def names(**params: Any) -> list[str]:
        answer = iam("ListServerCertificates", **params)
        assert answer["IsTruncated"] == ("Marker" in answer)
        return [each["ServerCertificateName"] for each in answer["ServerCertificateMetadataList"]]

    assert names() == ["a", "b", "c"]
    assert names(PathPrefix="/web/") == ["b", "c"]
    marker = iam("ListServerCertificates", MaxItems=2)["Marker"]
    assert names(Marker=marker) == ["c"]
    assert iam.refused("ListServerCertificates", Marker="nonsense").code == "ValidationError"


def test_a_new_name_goes_to_the_listeners_too(iam: Service, aws: Aws):
    listener = listener_with(aws, upload(iam)["Arn"])
    upload(iam, "second", OTHER)
    added = [{"CertificateArn": f"{ARN}/shop"}, {"CertificateArn": f"{ARN}/second"}]
    Elb(aws)("AddListenerCertificates", ListenerArn=listener, Certificates=added)
    iam("UpdateServerCertificate", ServerCertificateName="shop", NewServerCertificateName="store", NewPath="/web/")
    assert iam.refused("GetServerCertificate", ServerCertificateName="shop").code == "NoSuchEntity"
    found = iam("GetServerCertificate", ServerCertificateName="store")["ServerCertificate"]
    assert found["ServerCertificateMetadata"]["Arn"] == f"{ARN}/web/store"
    shown = Elb(aws)("DescribeListenerCertificates", ListenerArn=listener)["Certificates"]
    assert [each["CertificateArn"] for each in shown] == [f"{ARN}/web/store", f"{ARN}/web/store", f"{ARN}/second"]


def test_an_update_that_changes_nothing_is_fine_and_one_to_a_taken_name_is_not(iam: Service):
    upload(iam)
    upload(iam, "second", OTHER)
    iam("UpdateServerCertificate", ServerCertificateName="shop")
    iam("UpdateServerCertificate", ServerCertificateName="shop", NewServerCertificateName="shop")
    given = {"ServerCertificateName": "shop", "NewServerCertificateName": "second"}
    assert iam.refused("UpdateServerCertificate", **given).code == "EntityAlreadyExists"


def test_a_certificate_in_use_stays(iam: Service, aws: Aws):
    shape = upload(iam)
    listener = listener_with(aws, shape["Arn"])
    error = iam.refused("DeleteServerCertificate", ServerCertificateName="shop")
    (balancer,) = Elb(aws)("DescribeLoadBalancers")["LoadBalancers"]
    assert error.code == "DeleteConflict"
    assert error.message == (
        f"Certificate: {shape['ServerCertificateId']} is currently in use by {balancer['LoadBalancerArn']}. "
        "Please remove it first before deleting it from IAM."
    )
    Elb(aws)("DeleteListener", ListenerArn=listener)
    iam("DeleteServerCertificate", ServerCertificateName="shop")
    assert iam("ListServerCertificates")["ServerCertificateMetadataList"] == []


def test_tags_come_and_go(iam: Service):
    upload(iam)
    iam(
        "TagServerCertificate",
        ServerCertificateName="shop",
        Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
    )
    iam("TagServerCertificate", ServerCertificateName="shop", Tags=[{"Key": "a", "Value": "3"}])
    answer = iam("ListServerCertificateTags", ServerCertificateName="shop")
    assert answer == {"Tags": [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}], "IsTruncated": False}
    assert iam("ListServerCertificateTags", ServerCertificateName="shop", MaxItems=1)["IsTruncated"]
    iam("UntagServerCertificate", ServerCertificateName="shop", TagKeys=["b", "c"])
    assert iam("ListServerCertificateTags", ServerCertificateName="shop")["Tags"] == [{"Key": "a", "Value": "3"}]


BAD_TAGS = {
    "a key twice": ([{"Key": "a", "Value": ""}, {"Key": "a", "Value": ""}], "InvalidInput"),
    "a reserved key": ([{"Key": "aws:a", "Value": ""}], "InvalidInput"),
    "too many": ([{"Key": f"k{number}", "Value": ""} for number in range(50)], "LimitExceeded"),
}


@pytest.mark.parametrize(("tags", "code"), BAD_TAGS.values(), ids=BAD_TAGS)
def test_tags_are_refused_for(iam: Service, tags: list[dict[str, str]], code: str):
    upload(iam, Tags=[{"Key": "there", "Value": ""}])
    assert iam.refused("TagServerCertificate", ServerCertificateName="shop", Tags=tags).code == code


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("GetServerCertificate", {}),
        ("UpdateServerCertificate", {}),
        ("DeleteServerCertificate", {}),
        ("TagServerCertificate", {"Tags": []}),
        ("UntagServerCertificate", {"TagKeys": []}),
        ("ListServerCertificateTags", {}),
    ],
)
def test_a_certificate_that_is_not_there_is_unknown(iam: Service, operation: str, more: dict[str, Any]):
    error = iam.refused(operation, ServerCertificateName="gone", **more)
    assert error.code == "NoSuchEntity"
    assert error.message == "The Server Certificate with name gone cannot be found."


def test_the_account_has_one_user_and_no_alias(iam: Service):
    user = iam("GetUser")["User"]
    assert (user["UserName"], user["Arn"]) == ("lb", f"arn:aws:iam::{ACCOUNT}:user/lb")
    assert iam("GetUser", UserName="lb")["User"] == user
    error = iam.refused("GetUser", UserName="eve")
    assert (error.code, error.message) == ("NoSuchEntity", "The user with name eve cannot be found.")
    assert iam("ListAccountAliases") == {"AccountAliases": [], "IsTruncated": False}
