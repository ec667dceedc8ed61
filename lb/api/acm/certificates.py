"""One certificate: describe, get, delete, options."""

from dataclasses import replace
from typing import Final

from lb.api.acm.detail import shown
from lb.api.acm.lookup import find
from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.certificate_use import users
from lb.resources.records import Kind


def describe_certificate(call: Call, params: Params) -> Result:
    """All about a certificate but itself."""
    return {"Certificate": shown(call, find(call, params["CertificateArn"]))}


def get_certificate(call: Call, params: Params) -> Result:
    """The certificate and its chain, as PEM texts."""
    more = find(call, params["CertificateArn"]).more
    answer = {"Certificate": more["certificate"]}
    return {**answer, "CertificateChain": more["chain"]} if more["chain"] else answer


def delete_certificate(call: Call, params: Params) -> Result:
    """Deletes a certificate that no listener uses."""
    record = find(call, params["CertificateArn"])
    if users(call, record.id):
        message = f"Certificate {record.id} in account {record.account} is in use."
        raise ApiError("ResourceInUseException", message)
    call.tx.delete(Kind.CERTIFICATE, record.id)
    return {}


def update_certificate_options(call: Call, params: Params) -> Result:
    """Changes options of a certificate that was not imported."""
    record = find(call, params["CertificateArn"])
    if record.shape["Type"] == "IMPORTED":
        raise ApiError("InvalidStateException", f"Certificate {record.id} is imported: it has no options to change.")
    shape = {**record.shape, "Options": {**record.shape["Options"], **params["Options"]}}
    call.tx.put(replace(record, shape=shape))
    return {}


OPERATIONS: Final[Operations] = {
    "DescribeCertificate": describe_certificate,
    "GetCertificate": get_certificate,
    "DeleteCertificate": delete_certificate,
    "UpdateCertificateOptions": update_certificate_options,
}
