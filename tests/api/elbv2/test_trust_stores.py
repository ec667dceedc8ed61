import pytest

from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, Aws
from tests.api.elbv2.elb import ARN, Elb

BUNDLE = {"CaCertificatesBundleS3Bucket": "certs", "CaCertificatesBundleS3Key": "ca.pem"}
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1"
UNKNOWN = f"{ARN}:truststore/no/0123456789abcdef"
LIST = {"S3Bucket": "certs", "S3Key": "list.crl"}


def store(elb: Elb, name: str = "clients") -> str:
    return str(elb("CreateTrustStore", Name=name, **BUNDLE)["TrustStores"][0]["TrustStoreArn"])


def verifying_balancer(elb: Elb, aws: Aws, trust_store: str) -> str:
    aws.put(Record(Kind.CERTIFICATE, CERTIFICATE, REGION, ACCOUNT, {"Status": "ISSUED"}))
    balancer = elb.balancer()
    mutual = {"Mode": "verify", "TrustStoreArn": trust_store}
    certificates = [{"CertificateArn": CERTIFICATE}]
    elb.listener(balancer, 443, Protocol="HTTPS", Certificates=certificates, MutualAuthentication=mutual)
    return balancer


def test_a_trust_store_is_active_at_once(elb: Elb):
    made = elb("CreateTrustStore", Name="clients", **BUNDLE, Tags=[{"Key": "a", "Value": "b"}])["TrustStores"]
    assert made[0]["TrustStoreArn"].startswith(f"{ARN}:truststore/clients/")
    assert (made[0]["Name"], made[0]["Status"]) == ("clients", "ACTIVE")
    assert elb("DescribeTrustStores")["TrustStores"] == made
    assert elb("DescribeTags", ResourceArns=[made[0]["TrustStoreArn"]])["TagDescriptions"][0]["Tags"]


def test_trust_stores_by_name_and_by_arn_and_in_pages(elb: Elb):
    first, second = store(elb, "first"), store(elb, "second")

    def shown(**params: object) -> list[str]:
        return [each["TrustStoreArn"] for each in elb("DescribeTrustStores", **params)["TrustStores"]]

    assert shown(Names=["second", "first"]) == [second, first]
    assert shown(TrustStoreArns=[second]) == [second]
    marker = elb("DescribeTrustStores", PageSize=1)["NextMarker"]
    assert shown(PageSize=1, Marker=marker) == [second]


def test_the_bundle_is_taken_from_elsewhere(elb: Elb):
    arn = store(elb)
    assert elb("GetTrustStoreCaCertificatesBundle", TrustStoreArn=arn)["Location"] == "s3://certs/ca.pem"
    other = {**BUNDLE, "CaCertificatesBundleS3ObjectVersion": "2"}
    assert elb("ModifyTrustStore", TrustStoreArn=arn, **other)["TrustStores"][0]["TrustStoreArn"] == arn
    assert elb("GetTrustStoreCaCertificatesBundle", TrustStoreArn=arn)["Location"] == "s3://certs/ca.pem?versionId=2"


def test_a_trust_store_in_use_stays(elb: Elb, aws: Aws):
    arn = store(elb)
    balancer = verifying_balancer(elb, aws, arn)
    assert elb("DescribeTrustStoreAssociations", TrustStoreArn=arn)["TrustStoreAssociations"] == [
        {"ResourceArn": balancer}
    ]
    assert elb.refused("DeleteTrustStore", TrustStoreArn=arn).code == "TrustStoreInUse"
    same = elb.refused("DeleteSharedTrustStoreAssociation", TrustStoreArn=arn, ResourceArn=balancer)
    assert same.code == "DeleteAssociationSameAccount"
    elb("DeleteLoadBalancer", LoadBalancerArn=balancer)
    assert elb("DescribeTrustStoreAssociations", TrustStoreArn=arn)["TrustStoreAssociations"] == []
    none = elb.refused("DeleteSharedTrustStoreAssociation", TrustStoreArn=arn, ResourceArn=balancer)
    assert none.code == "AssociationNotFound"
    elb("AddTrustStoreRevocations", TrustStoreArn=arn, RevocationContents=[LIST])
    elb("DeleteTrustStore", TrustStoreArn=arn)
    assert elb("DescribeTrustStores")["TrustStores"] == []
    assert list(aws.records.all(Kind.TRUST_STORE_REVOCATION)) == []


def test_a_trust_store_is_refused(elb: Elb):
    store(elb)
    assert elb.refused("CreateTrustStore", Name="clients", **BUNDLE).code == "DuplicateTrustStoreName"
    for number in range(1, 20):
        store(elb, f"store-{number}")
    assert elb.refused("CreateTrustStore", Name="store-20", **BUNDLE).code == "TooManyTrustStores"


def test_a_policy_is_for_what_is_shared(elb: Elb):
    assert elb("GetResourcePolicy", ResourceArn=store(elb)) == {}
    assert elb.refused("GetResourcePolicy", ResourceArn=UNKNOWN).code == "ResourceNotFound"


def test_revocation_lists_are_numbered_for_good(elb: Elb):
    arn = store(elb)
    added = elb(
        "AddTrustStoreRevocations", TrustStoreArn=arn, RevocationContents=[LIST, {**LIST, "S3ObjectVersion": "7"}]
    )
    assert added["TrustStoreRevocations"] == [
        {"TrustStoreArn": arn, "RevocationId": number, "RevocationType": "CRL"} for number in (1, 2)
    ]
    shown = elb("DescribeTrustStoreRevocations", TrustStoreArn=arn, RevocationIds=[2])["TrustStoreRevocations"]
    assert [each["RevocationId"] for each in shown] == [2]
    location = elb("GetTrustStoreRevocationContent", TrustStoreArn=arn, RevocationId=2)["Location"]
    assert location == "s3://certs/list.crl?versionId=7"
    assert elb("RemoveTrustStoreRevocations", TrustStoreArn=arn, RevocationIds=[2, 2]) == {}
    elb("AddTrustStoreRevocations", TrustStoreArn=arn, RevocationContents=[LIST])
    first = elb("DescribeTrustStoreRevocations", TrustStoreArn=arn, PageSize=1)
    last = elb("DescribeTrustStoreRevocations", TrustStoreArn=arn, PageSize=1, Marker=first["NextMarker"])
    assert [part["TrustStoreRevocations"][0]["RevocationId"] for part in (first, last)] == [1, 3]


def test_thirty_revocation_lists_are_the_most(elb: Elb):
    arn = store(elb)
    elb("AddTrustStoreRevocations", TrustStoreArn=arn, RevocationContents=[LIST] * 30)
    error = elb.refused("AddTrustStoreRevocations", TrustStoreArn=arn, RevocationContents=[LIST])
    assert error.code == "TooManyTrustStoreRevocationEntries"


REFUSED = {
    "both filters": ("DescribeTrustStores", {"TrustStoreArns": [UNKNOWN], "Names": ["no"]}, "ValidationError"),
    "an unknown name": ("DescribeTrustStores", {"Names": ["no"]}, "TrustStoreNotFound"),
    "an unknown ARN": ("DescribeTrustStores", {"TrustStoreArns": [UNKNOWN]}, "TrustStoreNotFound"),
    "no ARN": ("DescribeTrustStores", {"TrustStoreArns": ["no"]}, "ValidationError"),
    "no list": ("AddTrustStoreRevocations", {}, "ValidationError"),
    "a list from nowhere": ("AddTrustStoreRevocations", {"RevocationContents": [{"S3Key": "k"}]}, "ValidationError"),
    "no id": ("RemoveTrustStoreRevocations", {"RevocationIds": []}, "ValidationError"),
    "an unknown id": ("RemoveTrustStoreRevocations", {"RevocationIds": [9]}, "RevocationIdNotFound"),
    "an unknown id to describe": ("DescribeTrustStoreRevocations", {"RevocationIds": [9]}, "RevocationIdNotFound"),
    "an unknown id to get": ("GetTrustStoreRevocationContent", {"RevocationId": 9}, "RevocationIdNotFound"),
}


@pytest.mark.parametrize(("operation", "params", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_call_is_refused(elb: Elb, operation: str, params: dict[str, object], code: str):
    named = {} if operation == "DescribeTrustStores" else {"TrustStoreArn": store(elb)}
    assert elb.refused(operation, **named, **params).code == code


OF_A_STORE = {
    "ModifyTrustStore": BUNDLE,
    "DeleteTrustStore": {},
    "GetTrustStoreCaCertificatesBundle": {},
    "DescribeTrustStoreAssociations": {},
    "DeleteSharedTrustStoreAssociation": {"ResourceArn": f"{ARN}:loadbalancer/app/a/1"},
    "AddTrustStoreRevocations": {"RevocationContents": [LIST]},
    "DescribeTrustStoreRevocations": {},
    "RemoveTrustStoreRevocations": {"RevocationIds": [1]},
    "GetTrustStoreRevocationContent": {"RevocationId": 1},
}


@pytest.mark.parametrize("operation", OF_A_STORE)
def test_a_trust_store_that_is_not_there(elb: Elb, operation: str):
    error = elb.refused(operation, TrustStoreArn=UNKNOWN, **OF_A_STORE[operation])
    assert (error.code, error.message) == ("TrustStoreNotFound", "One or more trust stores not found")
