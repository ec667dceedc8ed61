"""What an HTTPS or TLS listener has beside its port: certificate, security policy, mutual authentication, ALPN.

All of it is checked and kept; this balancer carries plain HTTP, which the state of the load balancer says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call, Params
from lb.api.elbv2.lookup import find
from lb.api.elbv2.ssl_policies import DEFAULT_POLICY, is_policy
from lb.resources.records import NOTHING, Kind

MEMBERS: Final = ("SslPolicy", "Certificates", "MutualAuthentication", "AlpnPolicy")
"""The members of a Listener that only such a listener has."""
_SECURE: Final = frozenset(("HTTPS", "TLS"))
_ALPN_POLICIES: Final = frozenset(("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"))
_FOR_VERIFY: Final = ("TrustStoreArn", "IgnoreClientCertificateExpiry", "AdvertiseTrustStoreCaNames")


def is_secure(protocol: str) -> bool:
    """Whether a listener of this protocol has a certificate."""
    return protocol in _SECURE


def read_security(call: Call, protocol: str, params: Params, kept: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """The members for a listener of `protocol`: those given, else those in `kept`, else ELB's defaults. Raises ApiError."""
    if not is_secure(protocol):
        if given := [member for member in MEMBERS if params.get(member)]:
            message = f"You cannot specify '{given[0]}' for a listener with protocol '{protocol or 'GENEVE'}'"
            raise ApiError("InvalidConfigurationRequest", message)
        return {}
    policy = params.get("SslPolicy", kept.get("SslPolicy", DEFAULT_POLICY))
    if not is_policy(policy):
        raise ApiError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    certificates = params.get("Certificates", kept.get("Certificates", ()))
    if len(certificates) != 1:
        message = f"You must provide a list containing exactly one certificate if the listener protocol is {protocol}."
        raise ApiError("ValidationError", message)
    members = {"SslPolicy": policy, "Certificates": [{"CertificateArn": read_certificates(call, certificates)[0]}]}
    members |= _alpn(protocol, params.get("AlpnPolicy", kept.get("AlpnPolicy", ())))
    mutual = params.get("MutualAuthentication", kept.get("MutualAuthentication"))
    if protocol == "HTTPS":
        members["MutualAuthentication"] = _mutual_authentication(call, mutual or {"Mode": "off"})
    elif mutual:
        raise ApiError("InvalidConfigurationRequest", "Mutual authentication is supported only on HTTPS listeners")
    return members


def read_certificates(call: Call, certificates: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ARNs in `Certificates`, each once. Raises ApiError for one that is unknown or cannot be used."""
    for certificate in certificates:
        arn = certificate.get("CertificateArn")
        if not arn:
            raise ApiError("ValidationError", "A certificate ARN must be specified")
        if "IsDefault" in certificate:
            raise ApiError("ValidationError", "You cannot specify whether a certificate is the default certificate")
        _check_certificate(call, arn)
    return list(dict.fromkeys(certificate["CertificateArn"] for certificate in certificates))


def _check_certificate(call: Call, arn: str) -> None:
    issued = call.tx.get(Kind.CERTIFICATE, arn)
    if issued is not None and issued.region == call.region:
        if issued.shape.get("Status") != "ISSUED":
            needs = "a fully-qualified domain name, a supported signature, and a supported key size."
            raise ApiError("UnsupportedCertificate", f"The certificate '{arn}' must have {needs}")
    elif call.tx.get(Kind.SERVER_CERTIFICATE, arn) is None:
        raise ApiError("CertificateNotFound", f"Certificate '{arn}' not found")


def _alpn(protocol: str, policies: Sequence[str]) -> dict[str, list[str]]:
    if not policies:
        return {}
    if protocol != "TLS":
        raise ApiError("InvalidConfigurationRequest", "An ALPN policy is supported only on TLS listeners")
    if len(policies) > 1 or policies[0] not in _ALPN_POLICIES:
        raise ApiError("ALPNPolicyNotFound", f"ALPN policy '{', '.join(policies)}' not found")
    return {"AlpnPolicy": list(policies)}


def _mutual_authentication(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    mode = given.get("Mode", "off")
    if mode not in ("off", "passthrough", "verify"):
        raise ApiError(
            "ValidationError", f"Mutual authentication mode '{mode}' must be one of 'off, passthrough, verify'"
        )
    if mode != "verify":
        if foreign := [member for member in _FOR_VERIFY if given.get(member) not in (None, "", False, "off")]:
            message = f"You cannot specify '{foreign[0]}' with the mutual authentication mode '{mode}'"
            raise ApiError("InvalidConfigurationRequest", message)
        return {"Mode": mode}
    if not given.get("TrustStoreArn"):
        message = "A trust store ARN must be specified with the mutual authentication mode 'verify'"
        raise ApiError("ValidationError", message)
    return {
        "Mode": mode,
        "TrustStoreArn": find(call, Kind.TRUST_STORE, given["TrustStoreArn"]).id,
        "IgnoreClientCertificateExpiry": given.get("IgnoreClientCertificateExpiry", False),
        "TrustStoreAssociationStatus": "active",
        "AdvertiseTrustStoreCaNames": given.get("AdvertiseTrustStoreCaNames", "off"),
    }
