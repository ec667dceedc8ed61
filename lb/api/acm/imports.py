"""Certificates that are brought along."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from cryptography import x509

from lb.api.acm.detail import dns_names, members
from lb.api.acm.lookup import find, new_arn
from lb.api.acm.tags import TAG_ERRORS
from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.pem import (
    PemError,
    PrivateKey,
    belongs,
    broken_link,
    is_self_signed,
    key_pem,
    pem,
    read_certificates,
    read_private_key,
)
from lb.api.tag_list import read_tags
from lb.resources.records import Kind, Record

_ERROR: Final = "ValidationException"


def import_certificate(call: Call, params: Params) -> Result:
    """Keeps a certificate with its key and chain, in the place of another one where an ARN is given."""
    certificate = _only(_certificates(params["Certificate"], "certificate"))
    key = _key(certificate, params["PrivateKey"])
    _check_time(certificate, call.now)
    chain = _chain(certificate, params.get("CertificateChain"))
    # Written anew, so that what a client had around the PEM blocks is not kept.
    more = {"certificate": pem(certificate), "private_key": key_pem(key), "chain": "".join(map(pem, chain))}
    shape = {
        **members(certificate),
        "ImportedAt": call.created_time,
        "Status": "ISSUED",
        "Type": "IMPORTED",
        "Options": {"CertificateTransparencyLoggingPreference": "DISABLED"},
    }
    if arn := params.get("CertificateArn"):
        call.tx.put(_again(call, arn, params, shape, more))
        return {"CertificateArn": arn}
    arn = new_arn(call)
    shape |= {"CertificateArn": arn, "CreatedAt": call.created_time}
    tags = read_tags(params.get("Tags", ()), TAG_ERRORS)
    call.tx.put(Record(Kind.CERTIFICATE, arn, call.region, call.account, shape, tags=tags, more=more))
    return {"CertificateArn": arn}


def _again(call: Call, arn: str, params: Params, shape: dict[str, Any], more: dict[str, str]) -> Record:
    record = find(call, arn)
    if record.shape["Type"] != "IMPORTED":
        raise ApiError(_ERROR, f"Certificate {arn} is not an imported certificate.")
    if params.get("Tags"):
        raise ApiError(_ERROR, "Tagging is not permitted on re-import.")
    kept = {member: record.shape[member] for member in ("CertificateArn", "CreatedAt")}
    return replace(record, shape={**shape, **kept}, more=more)


def _certificates(text: bytes, what: str) -> list[x509.Certificate]:
    try:
        return read_certificates(text)
    except PemError as error:
        raise ApiError(_ERROR, f"The {what} is not PEM-encoded or is not valid.") from error


def _only(certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    if len(certificates) > 1:
        message = "The certificate field contains more than one certificate."
        raise ApiError(_ERROR, f"{message} You can specify only one certificate in this field.")
    if not dns_names(certificates[0]):
        raise ApiError(_ERROR, "The certificate names no domain.")
    return certificates[0]


def _key(certificate: x509.Certificate, text: bytes) -> PrivateKey:
    try:
        key = read_private_key(text)
    except PemError as error:
        raise ApiError(_ERROR, "The private key is not PEM-encoded or is not valid.") from error
    if key is None:
        raise ApiError(_ERROR, "The private key is not supported.")
    if not belongs(certificate, key):
        raise ApiError(_ERROR, "The private key does not match the public key of the certificate.")
    return key


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    if certificate.not_valid_after_utc < now:
        raise ApiError(_ERROR, "The certificate has expired, is not valid.")
    if certificate.not_valid_before_utc > now:
        raise ApiError(_ERROR, "The certificate is not in effect yet, is not valid.")


def _chain(certificate: x509.Certificate, text: bytes | None) -> list[x509.Certificate]:
    if text:
        chain = _certificates(text, "certificate chain")
        if broken_link(certificate, chain) is not None:
            raise ApiError(_ERROR, "Could not validate the certificate with the certificate chain.")
        return chain
    if not is_self_signed(certificate):
        needs = "Please provide either a valid self-signed certificate or certificate chain."
        raise ApiError(_ERROR, f"Provided certificate is not a valid self signed. {needs}")
    return []


OPERATIONS: Final[Operations] = {"ImportCertificate": import_certificate}
