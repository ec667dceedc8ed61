"""Key pairs. Nobody logs in to an instance here; they are kept for the commands that name them."""

import base64
import hashlib
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_public_key,
)

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.ec2.describe import describe, shown
from lb.api.ec2.lookup import new_id
from lb.api.ec2.tags import given_tags
from lb.api.tag_list import tag_list
from lb.resources.records import Kind, Record

_PublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_MOST: Final = 5000
_FILTERS: Final = {
    "key-name": "KeyName",
    "key-pair-id": "KeyPairId",
    "fingerprint": "KeyFingerprint",
}


def create_key_pair(call: Call, params: Params) -> Result:
    """Makes a key pair and answers its private key, which is kept nowhere."""
    kind = params.get("KeyType", "rsa")
    # Making a key needs randomness, which the library takes by itself.
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if kind == "ed25519":
        private, form = ed25519.Ed25519PrivateKey.generate(), PrivateFormat.OpenSSH
    else:
        private, form = rsa.generate_private_key(65537, 2048), PrivateFormat.TraditionalOpenSSL
    record = _kept(call, params, kind, private.public_key())
    material = private.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    return {**_answer(record), "KeyMaterial": material}


def import_key_pair(call: Call, params: Params) -> Result:
    """Keeps a public key in OpenSSH's form."""
    try:
        public = load_ssh_public_key(params["PublicKeyMaterial"])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ApiError("InvalidKey.Format", "Key is not in valid OpenSSH public key format") from error
    if not isinstance(public, rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        raise ApiError("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
    kind = "rsa" if isinstance(public, rsa.RSAPublicKey) else "ed25519"
    return _answer(_kept(call, params, kind, public))


def describe_key_pairs(call: Call, params: Params) -> Result:
    """All key pairs of the region, or those with the given names or ids."""
    pairs = call.tx.all(Kind.KEY_PAIR, call.region)
    for member, field in (("KeyNames", "KeyName"), ("KeyPairIds", "KeyPairId")):
        if asked := params.get(member):
            known = {pair.shape[field] for pair in pairs}
            if missing := [each for each in asked if each not in known]:
                raise ApiError("InvalidKeyPair.NotFound", f"The key pair '{missing[0]}' does not exist")
            pairs = [pair for pair in pairs if pair.shape[field] in asked]
    return describe("KeyPairs", map(shown, pairs), params, _FILTERS, "KeyPairId")


def delete_key_pair(call: Call, params: Params) -> Result:
    """Deletes a key pair by name or id; one that does not exist is no error."""
    for pair in call.tx.all(Kind.KEY_PAIR, call.region):
        if pair.shape["KeyName"] == params.get("KeyName") or pair.id == params.get("KeyPairId"):
            call.tx.delete(Kind.KEY_PAIR, pair.id)
            return {"Return": True, "KeyPairId": pair.id}
    return {"Return": True}


def _kept(call: Call, params: Params, kind: str, public: _PublicKey) -> Record:
    name = params["KeyName"]
    pairs = call.tx.all(Kind.KEY_PAIR, call.region)
    if any(pair.shape["KeyName"] == name for pair in pairs):
        raise ApiError("InvalidKeyPair.Duplicate", f"The keypair already exists: {name}")
    if len(pairs) >= _MOST:
        raise ApiError("KeyPairLimitExceeded", f"The maximum number of key pairs is {_MOST}")
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    shape = {
        "KeyPairId": new_id(call, Kind.KEY_PAIR),
        "KeyName": name,
        "KeyType": kind,
        "KeyFingerprint": _fingerprint(kind, der),
        "CreateTime": call.created_time,
    }
    tags = given_tags(params, "key-pair")
    record = Record(Kind.KEY_PAIR, shape["KeyPairId"], call.region, call.account, shape, tags=tags)
    call.tx.put(record)
    return record


def _fingerprint(kind: str, der: bytes) -> str:
    if kind == "ed25519":
        return base64.b64encode(hashlib.sha256(der).digest()).decode()
    return hashlib.md5(der, usedforsecurity=False).digest().hex(":")


def _answer(record: Record) -> dict[str, Any]:
    members = ("KeyFingerprint", "KeyName", "KeyPairId")
    return {**{member: record.shape[member] for member in members}, "Tags": tag_list(record.tags)}


OPERATIONS: Final[Operations] = {
    "CreateKeyPair": create_key_pair,
    "ImportKeyPair": import_key_pair,
    "DescribeKeyPairs": describe_key_pairs,
    "DeleteKeyPair": delete_key_pair,
}
