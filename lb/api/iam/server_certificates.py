"""Server certificates: uploaded with their keys, for the whole account.

`shape` of a record is ServerCertificateMetadata, `more` has the PEM texts: `certificate`, `private_key`, `chain`.
"""

from dataclasses import replace
from typing import Final

from cryptography import x509

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.certificate_use import rename, users
from lb.api.iam.lookup import find, named
from lb.api.iam.tag_errors import TAG_ERRORS
from lb.api.pem import PemError, belongs, broken_link, read_certificates, read_private_key
from lb.api.tag_list import read_tags, tag_list
from lb.api.wire.paginate import IAM, paged
from lb.resources.records import Kind, Record

# IAM has no regions; botocore calls the one where it is `aws-global`.
_REGION: Final = "aws-global"
_MOST: Final = 20
_MALFORMED: Final = "MalformedCertificate"


def upload_server_certificate(call: Call, params: Params) -> Result:
    """Keeps a certificate with its private key."""
    name, path = params["ServerCertificateName"], params.get("Path", "/")
    certificate = _checked(params)
    _refuse_taken(call, name)
    if len(call.tx.all(Kind.SERVER_CERTIFICATE)) >= _MOST:
        raise ApiError("LimitExceeded", f"Cannot exceed quota for ServerCertificatesPerAccount: {_MOST}", 409)
    shape = {
        "Path": path,
        "ServerCertificateName": name,
        "ServerCertificateId": f"ASCA0{call.new_id(16).upper()}",
        "Arn": _arn(call, path, name),
        "UploadDate": call.created_time,
        "Expiration": certificate.not_valid_after_utc.isoformat(),
    }
    tags = read_tags(params.get("Tags", ()), TAG_ERRORS)
    # Without the line end of the file that it came from: Terraform takes any other text for another certificate.
    more = {
        "certificate": params["CertificateBody"].strip(),
        "private_key": params["PrivateKey"],
        "chain": params.get("CertificateChain", "").strip(),
    }
    call.tx.put(Record(Kind.SERVER_CERTIFICATE, shape["Arn"], _REGION, call.account, shape, tags=tags, more=more))
    return {"ServerCertificateMetadata": shape, **({"Tags": tag_list(tags)} if tags else {})}


def get_server_certificate(call: Call, params: Params) -> Result:
    """A certificate without its private key, which IAM never gives back."""
    record = find(call, params["ServerCertificateName"])
    answer = {"ServerCertificateMetadata": record.shape, "CertificateBody": record.more["certificate"]}
    if chain := record.more["chain"]:
        answer["CertificateChain"] = chain
    return {"ServerCertificate": {**answer, "Tags": tag_list(record.tags)}}


def list_server_certificates(call: Call, params: Params) -> Result:
    """The certificates under a path, in the order of their upload."""
    prefix = params.get("PathPrefix", "/")
    shapes = [
        record.shape for record in call.tx.all(Kind.SERVER_CERTIFICATE) if record.shape["Path"].startswith(prefix)
    ]
    answer = paged(
        "ServerCertificateMetadataList", shapes, params, IAM, lambda shape: str(shape["ServerCertificateId"])
    )
    return {**answer, "IsTruncated": IAM.next in answer}


def update_server_certificate(call: Call, params: Params) -> Result:
    """Gives a certificate another name or path, and so another ARN; listeners that use it go on doing so."""
    record = find(call, params["ServerCertificateName"])
    name = params.get("NewServerCertificateName", record.shape["ServerCertificateName"])
    path = params.get("NewPath", record.shape["Path"])
    if name != record.shape["ServerCertificateName"]:
        _refuse_taken(call, name)
    arn = _arn(call, path, name)
    if arn != record.id:
        rename(call, record.id, arn)
        call.tx.delete(Kind.SERVER_CERTIFICATE, record.id)
        shape = {**record.shape, "Path": path, "ServerCertificateName": name, "Arn": arn}
        call.tx.put(replace(record, id=arn, shape=shape))
    return {}


def delete_server_certificate(call: Call, params: Params) -> Result:
    """Deletes a certificate that no listener uses."""
    record = find(call, params["ServerCertificateName"])
    if balancers := users(call, record.id):
        certificate_id = record.shape["ServerCertificateId"]
        used = f"Certificate: {certificate_id} is currently in use by {balancers[0]}."
        raise ApiError("DeleteConflict", f"{used} Please remove it first before deleting it from IAM.", 409)
    call.tx.delete(Kind.SERVER_CERTIFICATE, record.id)
    return {}


def _arn(call: Call, path: str, name: str) -> str:
    return f"arn:aws:iam::{call.account}:server-certificate{path}{name}"


def _refuse_taken(call: Call, name: str) -> None:
    if named(call, name) is not None:
        raise ApiError("EntityAlreadyExists", f"The Server Certificate with name {name} already exists.", 409)


def _checked(params: Params) -> x509.Certificate:
    certificates = _certificates(params["CertificateBody"], "certificate")
    if len(certificates) > 1:
        message = "The certificate body contains more than one certificate; put the others into the certificate chain."
        raise ApiError(_MALFORMED, message)
    try:
        key = read_private_key(params["PrivateKey"].encode())
    except PemError as error:
        message = "Unable to parse private key. Please ensure the key is in PEM format and not encrypted."
        raise ApiError(_MALFORMED, message) from error
    if key is None:
        raise ApiError(_MALFORMED, "The private key is not supported: use an RSA key, or one on P-256, P-384 or P-521.")
    if not belongs(certificates[0], key):
        raise ApiError("KeyPairMismatch", "The private key does not match the public key of the certificate.")
    if chain := params.get("CertificateChain"):
        place = broken_link(certificates[0], _certificates(chain, "certificate chain"))
        if place is not None:
            message = (
                "Unable to validate certificate chain. The certificate chain must start with the immediate signing "
                "certificate, followed by any intermediaries in order. "
                f"The index within the chain of the invalid certificate is: {place}"
            )
            raise ApiError(_MALFORMED, message)
    return certificates[0]


def _certificates(text: str, what: str) -> list[x509.Certificate]:
    try:
        return read_certificates(text.encode())
    except PemError as error:
        raise ApiError(_MALFORMED, f"Unable to parse {what}. Please ensure the {what} is in PEM format.") from error


OPERATIONS: Final[Operations] = {
    "UploadServerCertificate": upload_server_certificate,
    "GetServerCertificate": get_server_certificate,
    "ListServerCertificates": list_server_certificates,
    "UpdateServerCertificate": update_server_certificate,
    "DeleteServerCertificate": delete_server_certificate,
}
