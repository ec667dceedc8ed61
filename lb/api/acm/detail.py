"""What ACM tells of a certificate: CertificateDetail, from the certificate itself, from its use and from the time."""

from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lb.api.call import Call
from lb.api.certificate_use import users
from lb.api.pem import key_algorithm
from lb.resources.records import Record

_USAGES: Final = (
    ("digital_signature", "DIGITAL_SIGNATURE"),
    ("content_commitment", "NON_REPUDIATION"),
    ("key_encipherment", "KEY_ENCIPHERMENT"),
    ("data_encipherment", "DATA_ENCIPHERMENT"),
    ("key_agreement", "KEY_AGREEMENT"),
    ("key_cert_sign", "CERTIFICATE_SIGNING"),
    ("crl_sign", "CRL_SIGNING"),
)
_EXTENDED_USAGES: Final = {
    ExtendedKeyUsageOID.SERVER_AUTH: "TLS_WEB_SERVER_AUTHENTICATION",
    ExtendedKeyUsageOID.CLIENT_AUTH: "TLS_WEB_CLIENT_AUTHENTICATION",
    ExtendedKeyUsageOID.CODE_SIGNING: "CODE_SIGNING",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "EMAIL_PROTECTION",
    ExtendedKeyUsageOID.TIME_STAMPING: "TIME_STAMPING",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP_SIGNING",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "ANY",
}


def members(certificate: x509.Certificate) -> dict[str, Any]:
    """What the certificate itself says."""
    names = dns_names(certificate)
    algorithm = key_algorithm(certificate.public_key()) or ""
    return {
        "DomainName": names[0] if names else "",
        "SubjectAlternativeNames": names,
        "Serial": _colons(certificate.serial_number),
        "Subject": certificate.subject.rfc4514_string(),
        "Issuer": _common_name(certificate.issuer) or certificate.issuer.rfc4514_string(),
        "NotBefore": certificate.not_valid_before_utc.isoformat(),
        "NotAfter": certificate.not_valid_after_utc.isoformat(),
        "KeyAlgorithm": algorithm,
        "SignatureAlgorithm": _signature(certificate),
        "KeyUsages": _key_usages(certificate),
        "ExtendedKeyUsages": _extended_key_usages(certificate),
    }


def shown(call: Call, record: Record) -> dict[str, Any]:
    """CertificateDetail of a record: what is kept, who uses it, and whether it is still valid."""
    in_use = users(call, record.id)
    status = record.shape["Status"]
    if status == "ISSUED" and datetime.fromisoformat(record.shape["NotAfter"]) < call.now.astimezone(UTC):
        status = "EXPIRED"
    is_renewable = bool(in_use) and record.shape["Type"] == "AMAZON_ISSUED"
    return {
        **record.shape,
        "InUseBy": in_use,
        "Status": status,
        "RenewalEligibility": "ELIGIBLE" if is_renewable else "INELIGIBLE",
    }


def dns_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names that the certificate is for, the common name first; each once."""
    common_name = _common_name(certificate.subject)
    extension = _extension(certificate, x509.SubjectAlternativeName)
    alternative = extension.get_values_for_type(x509.DNSName) if extension is not None else []
    return list(dict.fromkeys(([common_name] if common_name else []) + alternative))


def _extension(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> Any:
    return next((each.value for each in certificate.extensions if isinstance(each.value, kind)), None)


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _colons(serial: int) -> str:
    digits = f"{abs(serial):x}"
    even = digits.zfill(len(digits) + len(digits) % 2)
    return ":".join(even[place : place + 2] for place in range(0, len(even), 2))


def _signature(certificate: x509.Certificate) -> str:
    digest = certificate.signature_hash_algorithm
    if digest is None:
        return certificate.signature_algorithm_oid.dotted_string
    kind = "ECDSA" if isinstance(certificate.signature_algorithm_parameters, ec.ECDSA) else "RSA"
    return f"{digest.name.upper()}WITH{kind}"


def _key_usages(certificate: x509.Certificate) -> list[dict[str, str]]:
    usage = _extension(certificate, x509.KeyUsage)
    return [{"Name": name} for attribute, name in _USAGES if usage is not None and getattr(usage, attribute)]


def _extended_key_usages(certificate: x509.Certificate) -> list[dict[str, str]]:
    usages = _extension(certificate, x509.ExtendedKeyUsage) or ()
    return [{"Name": _EXTENDED_USAGES.get(usage, "CUSTOM"), "OID": usage.dotted_string} for usage in usages]
