"""The certificates of a listener beyond its default one (fact sheet 2.2): `more["certificates"]` of its record, by ARN."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.limits import limit, refuse_above
from lb.api.elbv2.listener_security import is_secure, read_certificates
from lb.api.elbv2.lookup import find
from lb.api.elbv2.paging import paged
from lb.resources.records import Kind, Record

_ADDED: Final = "certificates"


def add_listener_certificates(call: Call, params: Params) -> Result:
    """Adds certificates; one that is there already is no error."""
    listener = find(call, Kind.LISTENER, params["ListenerArn"])
    if not is_secure(listener.shape.get("Protocol", "")):
        raise ApiError("ValidationError", "Certificates can be specified only for listeners with protocol HTTPS or TLS")
    given = read_certificates(call, params["Certificates"])
    _put(call, listener, list(dict.fromkeys((*_added(listener), *given))))
    of_balancer = {arn for each in call.tx.children(Kind.LISTENER, listener.parent) for arn in _added(each)}
    balancer_type = find(call, Kind.LOAD_BALANCER, listener.parent).shape["Type"]
    most = limit(f"certificates-per-{balancer_type}-load-balancer")
    refuse_above(most, len(of_balancer), "TooManyCertificates", "certificates per load balancer")
    return {"Certificates": [{"CertificateArn": arn, "IsDefault": False} for arn in given]}


def remove_listener_certificates(call: Call, params: Params) -> Result:
    """Removes certificates; one that is not there is no error, the default certificate cannot go."""
    listener = find(call, Kind.LISTENER, params["ListenerArn"])
    gone = {certificate.get("CertificateArn") for certificate in params["Certificates"]}
    for arn in _defaults(listener):
        if arn in gone and arn not in _added(listener):
            raise ApiError("OperationNotPermitted", f"Default certificate '{arn}' cannot be removed")
    _put(call, listener, [arn for arn in _added(listener) if arn not in gone])
    return {}


def describe_listener_certificates(call: Call, params: Params) -> Result:
    """The default certificate, then the others; one that is both comes twice."""
    listener = find(call, Kind.LISTENER, params["ListenerArn"])
    certificates = [
        {"CertificateArn": arn, "IsDefault": is_default}
        for arns, is_default in ((_defaults(listener), True), (_added(listener), False))
        for arn in arns
    ]
    return paged("Certificates", certificates, params)


def _added(listener: Record) -> Sequence[str]:
    added: Sequence[str] = listener.more.get(_ADDED, ())
    return added


def _defaults(listener: Record) -> list[str]:
    return [certificate["CertificateArn"] for certificate in listener.shape.get("Certificates", ())]


def _put(call: Call, listener: Record, added: list[str]) -> None:
    call.tx.put(replace(listener, more={**listener.more, _ADDED: added}))


OPERATIONS: Final[Operations] = {
    "AddListenerCertificates": add_listener_certificates,
    "RemoveListenerCertificates": remove_listener_certificates,
    "DescribeListenerCertificates": describe_listener_certificates,
}
