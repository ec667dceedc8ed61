from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lb.api.call import ApiError
from lb.api.pem import broken_link, read_certificates
from tests.api.aws_call import ACCOUNT, NOW, REGION, Aws
from tests.api.elbv2.elb import Elb
from tests.api.made_certificates import Made, made
from tests.api.service import Service

ROOT = made("Root")
LEAF = made("shop.test", "www.shop.test", by=ROOT)
ALONE = made("alone.test")
GONE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000009"
PRIVATE_CA = f"arn:aws:acm-pca:{REGION}:{ACCOUNT}:certificate-authority/1"


@pytest.fixture
def acm(aws: Aws) -> Service:
    return Service(aws, "acm")


def given(found: Made = LEAF, issuer: Made | None = ROOT) -> dict[str, bytes]:
    chain = {"CertificateChain": issuer.pem.encode()} if issuer else {}
    return {"Certificate": found.pem.encode(), "PrivateKey": found.key_pem.encode(), **chain}


def imported(acm: Service, found: Made = LEAF, issuer: Made | None = ROOT, **more: Any) -> str:
    return str(acm("ImportCertificate", **given(found, issuer), **more)["CertificateArn"])


def requested(acm: Service, domain: str = "shop.test", **more: Any) -> str:
    return str(acm("RequestCertificate", DomainName=domain, **more)["CertificateArn"])


def described(acm: Service, arn: str) -> dict[str, Any]:
    return dict(acm("DescribeCertificate", CertificateArn=arn)["Certificate"])


def listener_with(aws: Aws, arn: str) -> str:
    elb = Elb(aws)
    return elb.listener(elb.balancer(), 443, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])


def test_an_imported_certificate_is_described(acm: Service):
    arn = imported(acm)
    assert arn == f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000001"
    found = described(acm, arn)
    assert found.pop("Serial").replace(":", "").lstrip("0") == f"{LEAF.certificate.serial_number:x}"
    assert found == {
        "CertificateArn": arn,
        "DomainName": "shop.test",
        "SubjectAlternativeNames": ["shop.test", "www.shop.test"],
        "Subject": "CN=shop.test",
        "Issuer": "Root",
        "CreatedAt": "2026-01-05T10:20:30.120Z",
        "ImportedAt": "2026-01-05T10:20:30.120Z",
        "NotBefore": LEAF.certificate.not_valid_before_utc.isoformat(),
        "NotAfter": LEAF.certificate.not_valid_after_utc.isoformat(),
        "Status": "ISSUED",
        "Type": "IMPORTED",
        "KeyAlgorithm": "EC-prime256v1",
        "SignatureAlgorithm": "SHA256WITHECDSA",
        "KeyUsages": [],
        "ExtendedKeyUsages": [],
        "InUseBy": [],
        "RenewalEligibility": "INELIGIBLE",
        "Options": {"CertificateTransparencyLoggingPreference": "DISABLED"},
    }


def test_one_with_an_rsa_key_says_so(acm: Service):
    own = made("rsa.test", key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    found = described(acm, imported(acm, own, None))
    assert (found["KeyAlgorithm"], found["SignatureAlgorithm"]) == ("RSA-2048", "SHA256WITHRSA")


def test_one_signed_without_a_digest_tells_the_algorithms_identifier(acm: Service):
    signer = made("Signer", key=ed25519.Ed25519PrivateKey.generate())
    found = described(acm, imported(acm, made("a.test", by=signer), signer))
    assert found["SignatureAlgorithm"] == "1.3.101.112"


def test_the_certificate_and_its_chain_come_back_without_what_was_around_them(acm: Service):
    around = {name: b"caf\xe9\n" + text for name, text in given().items()}
    arn = acm("ImportCertificate", **around)["CertificateArn"]
    answer = acm("GetCertificate", CertificateArn=arn)
    assert answer == {"Certificate": LEAF.pem, "CertificateChain": ROOT.pem}
    assert acm("GetCertificate", CertificateArn=imported(acm, ALONE, None)) == {"Certificate": ALONE.pem}


ED25519 = made("ed.test", key=ed25519.Ed25519PrivateKey.generate())
ODD_RSA = made("odd.test", key=rsa.generate_private_key(public_exponent=65537, key_size=1536))
ODD_CURVE = made("odd.test", key=ec.generate_private_key(ec.SECP256K1()))
NOT_SELF_SIGNED = (
    "Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate or "
    "certificate chain."
)
REFUSED: dict[str, tuple[Callable[[], dict[str, bytes]], str]] = {
    "no certificate": (
        lambda: {**given(), "Certificate": b"hello"},
        "The certificate is not PEM-encoded or is not valid.",
    ),
    "two certificates": (
        lambda: {**given(), "Certificate": (LEAF.pem + ROOT.pem).encode()},
        "The certificate field contains more than one certificate. You can specify only one certificate in this field.",
    ),
    "no key": (
        lambda: {**given(), "PrivateKey": b"\xff\xfe"},
        "The private key is not PEM-encoded or is not valid.",
    ),
    "an encrypted key": (
        lambda: {**given(), "PrivateKey": LEAF.locked_key_pem.encode()},
        "The private key is not PEM-encoded or is not valid.",
    ),
    "a kind of key that cannot be used": (lambda: given(ED25519, None), "The private key is not supported."),
    "an RSA key of an odd size": (lambda: given(ODD_RSA, None), "The private key is not supported."),
    "an odd curve": (lambda: given(ODD_CURVE, None), "The private key is not supported."),
    "another key": (
        lambda: {**given(), "PrivateKey": ALONE.key_pem.encode()},
        "The private key does not match the public key of the certificate.",
    ),
    "an end in the past": (
        lambda: given(made("a.test", start=NOW - timedelta(days=31)), None),
        "The certificate has expired, is not valid.",
    ),
    "a beginning in the future": (
        lambda: given(made("a.test", start=NOW + timedelta(days=1)), None),
        "The certificate is not in effect yet, is not valid.",
    ),
    "no name": (lambda: given(made(), None), "The certificate names no domain."),
    "no chain though it needs one": (lambda: given(LEAF, None), NOT_SELF_SIGNED),
    "another chain": (lambda: given(LEAF, ALONE), "Could not validate the certificate with the certificate chain."),
    "a chain that is none": (
        lambda: {**given(), "CertificateChain": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        "The certificate chain is not PEM-encoded or is not valid.",
    ),
}


@pytest.mark.parametrize(("params", "message"), REFUSED.values(), ids=REFUSED)
def test_an_import_is_refused_for(acm: Service, params: Callable[[], dict[str, bytes]], message: str):
    error = acm.refused("ImportCertificate", **params())
    assert (error.code, error.message) == ("ValidationException", message)


def test_an_import_can_take_the_place_of_an_earlier_one(acm: Service, aws: Aws):
    arn = imported(acm, Tags=[{"Key": "a", "Value": "b"}])
    aws.now = NOW + timedelta(days=2)
    assert imported(acm, ALONE, None, CertificateArn=arn) == arn
    found = described(acm, arn)
    assert (found["DomainName"], found["CreatedAt"]) == ("alone.test", "2026-01-05T10:20:30.120Z")
    assert found["ImportedAt"] == "2026-01-07T10:20:30.120Z"
    assert acm("ListTagsForCertificate", CertificateArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    error = acm.refused("ImportCertificate", **given(), CertificateArn=arn, Tags=[{"Key": "a", "Value": "c"}])
    assert (error.code, error.message) == ("ValidationException", "Tagging is not permitted on re-import.")
    error = acm.refused("ImportCertificate", **given(), CertificateArn=requested(acm))
    assert error.code == "ValidationException"
    assert acm.refused("ImportCertificate", **given(), CertificateArn=GONE).code == "ResourceNotFoundException"


def test_a_requested_certificate_is_issued_at_once(acm: Service):
    arn = requested(acm, SubjectAlternativeNames=["shop.test", "*.Shop.test"])
    found = described(acm, arn)
    assert (found["Status"], found["Type"], found["Issuer"]) == ("ISSUED", "AMAZON_ISSUED", "lb local CA")
    assert found["SubjectAlternativeNames"] == ["shop.test", "*.shop.test"]
    assert found["KeyAlgorithm"] == "EC-prime256v1"
    assert found["KeyUsages"] == [{"Name": "DIGITAL_SIGNATURE"}, {"Name": "KEY_ENCIPHERMENT"}]
    assert found["ExtendedKeyUsages"] == [{"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"}]
    first, second = found["DomainValidationOptions"]
    assert (first["DomainName"], first["ValidationStatus"]) == ("shop.test", "SUCCESS")
    assert first["ResourceRecord"]["Name"].endswith(".shop.test.")
    # As in ACM, one record validates a domain and its wildcard.
    assert (second["DomainName"], second["ResourceRecord"]) == ("*.shop.test", first["ResourceRecord"])
    texts = acm("GetCertificate", CertificateArn=arn)
    (certificate,) = read_certificates(texts["Certificate"].encode())
    assert broken_link(certificate, read_certificates(texts["CertificateChain"].encode())) is None


def test_all_regions_have_one_authority_which_is_no_certificate_of_acm(acm: Service):
    here, there = requested(acm), acm("RequestCertificate", region="eu-west-1", DomainName="eu.test")["CertificateArn"]
    assert there.startswith(f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/")
    texts = [
        acm("GetCertificate", CertificateArn=here)["CertificateChain"],
        acm("GetCertificate", region="eu-west-1", CertificateArn=there)["CertificateChain"],
    ]
    assert texts[0] == texts[1]
    assert [each["CertificateArn"] for each in acm("ListCertificates")["CertificateSummaryList"]] == [here]
    authority = f"arn:aws:acm-pca::{ACCOUNT}:certificate-authority/local"
    with pytest.raises(ApiError, match="regular expression"):
        acm("DeleteCertificate", CertificateArn=authority)


def test_email_validation_has_no_dns_record(acm: Service):
    (option,) = described(acm, requested(acm, ValidationMethod="EMAIL"))["DomainValidationOptions"]
    assert (option["ValidationMethod"], "ResourceRecord" in option) == ("EMAIL", False)


def test_the_algorithm_asked_for_is_had(acm: Service):
    assert described(acm, requested(acm, KeyAlgorithm="EC_secp384r1"))["KeyAlgorithm"] == "EC-secp384r1"
    assert described(acm, requested(acm, KeyAlgorithm="RSA_2048"))["KeyAlgorithm"] == "RSA-2048"


def test_the_same_request_within_an_hour_answers_the_same_certificate(acm: Service, aws: Aws):
    first = requested(acm, IdempotencyToken="t1")
    assert requested(acm, IdempotencyToken="t1") == first
    assert requested(acm, IdempotencyToken="t2") != first
    assert requested(acm, "other.test", IdempotencyToken="t1") != first
    assert requested(acm) != requested(acm)
    aws.now = NOW + timedelta(hours=1)
    assert requested(acm, IdempotencyToken="t1") != first


BAD_REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "no domain": ({"DomainName": "shop"}, "InvalidParameterException"),
    "a label that begins with a hyphen": ({"DomainName": "-shop.test"}, "InvalidParameterException"),
    "a wildcard within": ({"DomainName": "a.*.test"}, "InvalidParameterException"),
    "another name that is none": ({"SubjectAlternativeNames": ["a b.test"]}, "InvalidParameterException"),
    "a long first name": ({"DomainName": f"{'a' * 60}.test"}, "InvalidParameterException"),
    "many names": (
        {"SubjectAlternativeNames": [f"n{number}.test" for number in range(10)]},
        "LimitExceededException",
    ),
    "an algorithm that ACM does not draw": ({"KeyAlgorithm": "RSA_4096"}, "InvalidParameterException"),
    "a tag twice": ({"Tags": [{"Key": "a"}, {"Key": "a"}]}, "InvalidTagException"),
}


@pytest.mark.parametrize(("changed", "code"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_a_request_is_refused_for(acm: Service, changed: dict[str, Any], code: str):
    assert acm.refused("RequestCertificate", **{"DomainName": "shop.test", **changed}).code == code


def test_a_listener_in_use_holds_the_certificate(acm: Service, aws: Aws):
    arn = requested(acm)
    listener = listener_with(aws, arn)
    (balancer,) = Elb(aws)("DescribeLoadBalancers")["LoadBalancers"]
    found = described(acm, arn)
    assert (found["InUseBy"], found["RenewalEligibility"]) == ([balancer["LoadBalancerArn"]], "ELIGIBLE")
    error = acm.refused("DeleteCertificate", CertificateArn=arn)
    assert error.code == "ResourceInUseException"
    assert error.message == f"Certificate {arn} in account {ACCOUNT} is in use."
    second = imported(acm)
    Elb(aws)("AddListenerCertificates", ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    assert acm.refused("DeleteCertificate", CertificateArn=second).code == "ResourceInUseException"
    Elb(aws)("DeleteListener", ListenerArn=listener)
    acm("DeleteCertificate", CertificateArn=arn)
    assert acm.refused("DescribeCertificate", CertificateArn=arn).code == "ResourceNotFoundException"


def test_time_makes_a_certificate_expire(acm: Service, aws: Aws):
    arn = imported(acm)
    aws.now = NOW + timedelta(days=30)
    assert described(acm, arn)["Status"] == "EXPIRED"
    assert acm("ListCertificates", CertificateStatuses=["ISSUED"])["CertificateSummaryList"] == []


LISTED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing said": ({}, ["shop.test", "own.test", "rsa.test"]),
    "a status": ({"CertificateStatuses": ["ISSUED"]}, ["shop.test", "own.test", "rsa.test"]),
    "another status": ({"CertificateStatuses": ["EXPIRED", "FAILED"]}, []),
    "a type of key": ({"Includes": {"keyTypes": ["RSA_2048", "RSA_1024"]}}, ["rsa.test"]),
    "a use of the key": ({"Includes": {"keyUsage": ["DIGITAL_SIGNATURE"]}}, ["own.test"]),
    "any use of the key": ({"Includes": {"keyUsage": ["ANY"]}}, ["shop.test", "own.test", "rsa.test"]),
    "an extended use": ({"Includes": {"extendedKeyUsage": ["TLS_WEB_SERVER_AUTHENTICATION"]}}, ["own.test"]),
    "what can be exported": ({"Includes": {"exportOption": "ENABLED"}}, ["own.test"]),
    "what another service manages": ({"Includes": {"managedBy": "CLOUDFRONT"}}, []),
    "latest first": ({"SortBy": "CREATED_AT", "SortOrder": "DESCENDING"}, ["rsa.test", "own.test", "shop.test"]),
}


@pytest.mark.parametrize(("filters", "names"), LISTED.values(), ids=LISTED)
def test_certificates_are_listed_by(acm: Service, filters: dict[str, Any], names: list[str]):
    imported(acm)
    requested(acm, "own.test", Options={"Export": "ENABLED"})
    imported(acm, made("rsa.test", key=rsa.generate_private_key(public_exponent=65537, key_size=2048)), None)
    found = acm("ListCertificates", **filters)["CertificateSummaryList"]
    assert [each["DomainName"] for each in found] == names


def test_the_list_comes_in_pages_and_says_what_is_in_use(acm: Service, aws: Aws):
    first = imported(acm)
    listener_with(aws, first)
    second = imported(acm, ALONE, None)
    page = acm("ListCertificates", MaxItems=1)
    (summary,) = page["CertificateSummaryList"]
    assert (summary["CertificateArn"], summary["InUse"]) == (first, True)
    assert summary["SubjectAlternativeNameSummaries"] == ["shop.test", "www.shop.test"]
    rest = acm("ListCertificates", NextToken=page["NextToken"])
    assert [(each["CertificateArn"], each["InUse"]) for each in rest["CertificateSummaryList"]] == [(second, False)]
    assert acm.refused("ListCertificates", NextToken="nonsense").code == "ValidationException"
    assert acm.refused("ListCertificates", SortBy="CREATED_AT").code == "ValidationException"


@pytest.mark.parametrize("options", [{"CertificateAuthorityArn": PRIVATE_CA}, {"Options": {"Export": "ENABLED"}}])
def test_some_certificates_can_leave_with_their_key(acm: Service, options: dict[str, Any]):
    arn = requested(acm, **options)
    answer = acm("ExportCertificate", CertificateArn=arn, Passphrase=b"open sesame")
    key = load_pem_private_key(answer["PrivateKey"].encode(), b"open sesame")
    (certificate,) = read_certificates(answer["Certificate"].encode())
    assert certificate.public_key() == key.public_key()
    assert broken_link(certificate, read_certificates(answer["CertificateChain"].encode())) is None


def test_others_cannot(acm: Service):
    for arn in (imported(acm), requested(acm)):
        error = acm.refused("ExportCertificate", CertificateArn=arn, Passphrase=b"open sesame")
        assert (error.code, error.message) == ("ValidationException", f"Certificate ARN: {arn} is not exportable.")


def test_a_private_certificate_has_nothing_to_validate(acm: Service):
    found = described(acm, requested(acm, CertificateAuthorityArn=PRIVATE_CA))
    assert (found["Type"], found["CertificateAuthorityArn"]) == ("PRIVATE", PRIVATE_CA)
    assert "DomainValidationOptions" not in found


def test_options_change_for_requested_certificates_only(acm: Service):
    arn = requested(acm)
    options = {"CertificateTransparencyLoggingPreference": "DISABLED"}
    acm("UpdateCertificateOptions", CertificateArn=arn, Options=options)
    assert described(acm, arn)["Options"] == {**options, "Export": "DISABLED"}
    error = acm.refused("UpdateCertificateOptions", CertificateArn=imported(acm), Options=options)
    assert error.code == "InvalidStateException"


def test_tags_come_and_go(acm: Service):
    arn = requested(acm, Tags=[{"Key": "a", "Value": "1"}])

    def tags() -> dict[str, str]:
        found = acm("ListTagsForCertificate", CertificateArn=arn)["Tags"]
        assert acm("ListTagsForResource", ResourceArn=arn)["Tags"] == found
        return {each["Key"]: each["Value"] for each in found}

    acm("AddTagsToCertificate", CertificateArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c"}])
    assert tags() == {"a": "1", "b": "2", "c": ""}
    acm("RemoveTagsFromCertificate", CertificateArn=arn, Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}])
    assert tags() == {"a": "1", "c": ""}
    acm("TagResource", ResourceArn=arn, Tags=[{"Key": "a", "Value": "9"}])
    acm("UntagResource", ResourceArn=arn, TagKeys=["c", "none"])
    assert tags() == {"a": "9"}


def test_tags_are_refused(acm: Service):
    arn = requested(acm, Tags=[{"Key": "there"}])
    many = [{"Key": f"k{number}"} for number in range(50)]
    assert acm.refused("AddTagsToCertificate", CertificateArn=arn, Tags=many).code == "TooManyTagsException"
    reserved = [{"Key": "aws:x"}]
    assert acm.refused("AddTagsToCertificate", CertificateArn=arn, Tags=reserved).code == "InvalidTagException"
    assert acm.refused("TagResource", ResourceArn=arn, Tags=many).code == "ServiceQuotaExceededException"
    assert acm.refused("TagResource", ResourceArn=arn, Tags=reserved).code == "ValidationException"


UNKNOWN: dict[str, dict[str, Any]] = {
    "DescribeCertificate": {},
    "GetCertificate": {},
    "DeleteCertificate": {},
    "ExportCertificate": {"Passphrase": b"open sesame"},
    "UpdateCertificateOptions": {"Options": {}},
    "AddTagsToCertificate": {"Tags": [{"Key": "a"}]},
    "ListTagsForCertificate": {},
    "RemoveTagsFromCertificate": {"Tags": [{"Key": "a"}]},
    "TagResource": {"Tags": [{"Key": "a"}]},
    "ListTagsForResource": {},
    "UntagResource": {"TagKeys": ["a"]},
}


@pytest.mark.parametrize(("operation", "more"), UNKNOWN.items(), ids=UNKNOWN)
def test_a_certificate_that_is_not_there_is_unknown(acm: Service, operation: str, more: dict[str, Any]):
    member = "ResourceArn" if "Resource" in operation else "CertificateArn"
    elsewhere = acm("RequestCertificate", region="eu-west-1", DomainName="a.test")["CertificateArn"]
    for arn in (GONE, elsewhere):
        error = acm.refused(operation, **{member: arn}, **more)
        assert (error.code, error.message) == ("ResourceNotFoundException", f"Could not find certificate {arn}.")
    other = f"arn:aws:acm:{REGION}:{ACCOUNT}:acme-endpoint/1"
    assert acm.refused(operation, **{member: other}, **more).code == "InvalidArnException"
