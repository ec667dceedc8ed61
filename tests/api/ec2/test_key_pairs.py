"""Key pairs: made, imported, shown, deleted."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from lb.resources.records import Kind
from tests.api.ec2.ec2 import Ec2

OPENSSH = (Encoding.OpenSSH, PublicFormat.OpenSSH)


@pytest.mark.parametrize(("kind", "load"), [("rsa", load_pem_private_key), ("ed25519", load_ssh_private_key)])
def test_a_key_pair_is_made_and_its_private_key_told_once(ec2: Ec2, kind: str, load: object) -> None:
    made = ec2("CreateKeyPair", KeyName="lesson", KeyType=kind)
    assert callable(load)
    load(made["KeyMaterial"].encode(), None)
    (shown,) = ec2("DescribeKeyPairs", KeyNames=["lesson"])["KeyPairs"]
    assert shown["KeyPairId"] == made["KeyPairId"]
    assert (shown["KeyType"], shown["KeyFingerprint"]) == (kind, made["KeyFingerprint"])
    assert not any(made["KeyMaterial"] in str(record) for record in ec2.aws.records.all(Kind.KEY_PAIR))


def test_a_public_key_is_imported(ec2: Ec2) -> None:
    public = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*OPENSSH)
    made = ec2("ImportKeyPair", KeyName="mine", PublicKeyMaterial=public)
    (shown,) = ec2("DescribeKeyPairs", KeyPairIds=[made["KeyPairId"]])["KeyPairs"]
    assert shown["KeyName"] == "mine"


@pytest.mark.parametrize(
    "material",
    [b"no key", ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*OPENSSH)],
    ids=["no key", "a curve that EC2 does not take"],
)
def test_what_is_no_such_key_is_refused(ec2: Ec2, material: bytes) -> None:
    assert ec2.refused("ImportKeyPair", KeyName="mine", PublicKeyMaterial=material).code == "InvalidKey.Format"


def test_a_name_is_taken_once(ec2: Ec2) -> None:
    ec2("CreateKeyPair", KeyName="lesson", KeyType="ed25519")
    refused = ec2.refused("CreateKeyPair", KeyName="lesson", KeyType="ed25519")
    assert (refused.code, refused.message) == ("InvalidKeyPair.Duplicate", "The keypair already exists: lesson")


def test_deleting_is_no_error_twice(ec2: Ec2) -> None:
    made = ec2("CreateKeyPair", KeyName="lesson", KeyType="ed25519")
    assert ec2("DeleteKeyPair", KeyName="lesson") == {"Return": True, "KeyPairId": made["KeyPairId"]}
    assert ec2("DeleteKeyPair", KeyName="lesson") == {"Return": True}
    assert ec2.refused("DescribeKeyPairs", KeyNames=["lesson"]).code == "InvalidKeyPair.NotFound"
