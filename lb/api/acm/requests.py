"""Certificates that are asked for. The local CA issues them before the answer: nothing has to be validated.

Two things differ from AWS: a key is of P-256 unless another algorithm is asked for (an RSA key, ACM's default, takes too long
to draw while traffic waits), and what is asked of a private CA is issued by the local one too.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from lb.api.acm.detail import members
from lb.api.acm.lookup import new_arn
from lb.api.acm.tags import TAG_ERRORS
from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.local_ca import FASTEST, KEY_ALGORITHMS, Issued, issue, new_authority
from lb.api.pem import read_certificates
from lb.api.tag_list import read_tags
from lb.model.names import derived_id
from lb.resources.records import Kind, Record

# One authority for all regions, so that a client has one certificate to trust.
_AUTHORITY_REGION: Final = "aws-global"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+{_LABEL}", re.ASCII)
_LONGEST: Final = 253
# The common name of a certificate (RFC 5280).
_LONGEST_FIRST: Final = 64
_MOST_NAMES: Final = 10
_SAME_REQUEST: Final = timedelta(hours=1)
_TOKEN: Final = "request"  # noqa: S105
_INVALID: Final = "InvalidParameterException"


def request_certificate(call: Call, params: Params) -> Result:
    """Issues a certificate for the domain and its other names.

    The same request with the same token within an hour answers the certificate of the first.
    """
    names = _names(params)
    algorithm = params.get("KeyAlgorithm", FASTEST)
    if algorithm not in KEY_ALGORITHMS:
        message = f"Certificates with the key algorithm {algorithm} cannot be requested; use one of"
        raise ApiError(_INVALID, f"{message} {', '.join(KEY_ALGORITHMS)}.")
    request = [params.get("IdempotencyToken", ""), *names]
    if (earlier := _earlier(call, request)) is not None:
        return {"CertificateArn": earlier.id}
    authority = _authority(call)
    issued = issue(authority, names, algorithm, call.now)
    arn = new_arn(call)
    shape = _shape(call, params, arn, issued)
    more = {
        "certificate": issued.certificate,
        "private_key": issued.private_key,
        "chain": authority.certificate,
        _TOKEN: request,
    }
    tags = read_tags(params.get("Tags", ()), TAG_ERRORS)
    call.tx.put(Record(Kind.CERTIFICATE, arn, call.region, call.account, shape, tags=tags, more=more))
    return {"CertificateArn": arn}


def _names(params: Params) -> Sequence[str]:
    names = list(
        dict.fromkeys(name.lower() for name in (params["DomainName"], *params.get("SubjectAlternativeNames", ())))
    )
    for name in names:
        if len(name) > _LONGEST or _DOMAIN.fullmatch(name) is None:
            raise ApiError(_INVALID, f"'{name}' is not a valid domain name.")
    if len(names[0]) > _LONGEST_FIRST:
        message = f"The first domain name can have {_LONGEST_FIRST} characters; name a longer one as alternative name."
        raise ApiError(_INVALID, message)
    if len(names) > _MOST_NAMES:
        raise ApiError("LimitExceededException", f"A certificate can have up to {_MOST_NAMES} domain names.")
    return names


def _earlier(call: Call, request: Sequence[str]) -> Record | None:
    if not request[0]:
        return None
    for record in call.tx.all(Kind.CERTIFICATE, call.region):
        if record.more.get(_TOKEN) == request:
            made = datetime.fromisoformat(record.shape["CreatedAt"])
            if call.now - made < _SAME_REQUEST:
                return record
    return None


def _authority(call: Call) -> Issued:
    arn = f"arn:aws:acm-pca::{call.account}:certificate-authority/local"
    record = call.tx.get(Kind.CERTIFICATE_AUTHORITY, arn)
    if record is not None:
        return Issued(record.more["certificate"], record.more["private_key"])
    made = new_authority(call.now)
    more = {"certificate": made.certificate, "private_key": made.private_key}
    call.tx.put(
        Record(Kind.CERTIFICATE_AUTHORITY, arn, _AUTHORITY_REGION, call.account, {"CertificateArn": arn}, more=more)
    )
    return made


def _shape(call: Call, params: Params, arn: str, issued: Issued) -> dict[str, Any]:
    (certificate,) = read_certificates(issued.certificate.encode())
    said = members(certificate)
    shape = {
        **said,
        "CertificateArn": arn,
        "CreatedAt": call.created_time,
        "IssuedAt": call.created_time,
        "Status": "ISSUED",
        "Options": {
            "CertificateTransparencyLoggingPreference": "ENABLED",
            "Export": "DISABLED",
            **params.get("Options", {}),
        },
    }
    if private := params.get("CertificateAuthorityArn"):
        return {**shape, "Type": "PRIVATE", "CertificateAuthorityArn": private}
    method = params.get("ValidationMethod", "DNS")
    validation = [_validation(name, method) for name in said["SubjectAlternativeNames"]]
    return {**shape, "Type": "AMAZON_ISSUED", "DomainValidationOptions": validation}


def _validation(name: str, method: str) -> dict[str, Any]:
    domain = name.removeprefix("*.")
    validation = {
        "DomainName": name,
        "ValidationDomain": domain,
        "ValidationStatus": "SUCCESS",
        "ValidationMethod": method,
    }
    if method != "DNS":
        return validation
    record = {
        "Name": f"_{derived_id('name', domain)}.{domain}.",
        "Type": "CNAME",
        "Value": f"_{derived_id('value', domain)}.acm-validations.aws.",
    }
    return {**validation, "ResourceRecord": record}


OPERATIONS: Final[Operations] = {"RequestCertificate": request_certificate}
