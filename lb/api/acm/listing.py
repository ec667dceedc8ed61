"""ListCertificates: certificates in short, by status, key and use.

Without a filter, AWS lists certificates with RSA keys of up to 2048 bits only. Here all are listed: a key of P-256 is what a
requested certificate has unless it asks for another.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lb.api.acm.detail import shown
from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.wire.paginate import ACM, paged
from lb.resources.records import Kind

_SAME_MEMBERS: Final = (
    *("CertificateArn", "DomainName", "Status", "Type", "KeyAlgorithm", "RenewalEligibility"),
    *("NotBefore", "NotAfter", "CreatedAt", "IssuedAt", "ImportedAt"),
)


def list_certificates(call: Call, params: Params) -> Result:
    """The certificates of the region that fit, oldest first unless `SortOrder` says otherwise."""
    if ("SortBy" in params) != ("SortOrder" in params):
        raise ApiError("ValidationException", "SortBy and SortOrder must be specified together.")
    details = [shown(call, record) for record in call.tx.all(Kind.CERTIFICATE, call.region)]
    found = [detail for detail in details if _fits(detail, params)]
    if params.get("SortOrder") == "DESCENDING":
        found.reverse()
    return paged("CertificateSummaryList", found, params, ACM, lambda detail: str(detail["CertificateArn"]), _summary)


def _fits(detail: Mapping[str, Any], params: Params) -> bool:
    includes = params.get("Includes", {})
    has = {
        "keyTypes": [detail["KeyAlgorithm"].replace("-", "_")],
        "keyUsage": _usages(detail["KeyUsages"]),
        "extendedKeyUsage": _usages(detail["ExtendedKeyUsages"]),
    }
    statuses = params.get("CertificateStatuses", ())
    options = detail["Options"]
    return (
        (not statuses or detail["Status"] in statuses)
        and includes.get("exportOption", options.get("Export", "DISABLED")) == options.get("Export", "DISABLED")
        # No certificate here is managed by another service.
        and "managedBy" not in includes
        and all(not includes.get(name) or {"ANY", *having} & set(includes[name]) for name, having in has.items())
    )


def _usages(usages: Sequence[Mapping[str, str]]) -> list[str]:
    return [usage["Name"] for usage in usages]


def _summary(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        **{member: detail[member] for member in _SAME_MEMBERS if member in detail},
        "SubjectAlternativeNameSummaries": detail["SubjectAlternativeNames"],
        "HasAdditionalSubjectAlternativeNames": False,
        "KeyUsages": _usages(detail["KeyUsages"]),
        "ExtendedKeyUsages": _usages(detail["ExtendedKeyUsages"]),
        "ExportOption": detail["Options"].get("Export", "DISABLED"),
        "InUse": bool(detail["InUseBy"]),
    }


OPERATIONS: Final[Operations] = {"ListCertificates": list_certificates}
