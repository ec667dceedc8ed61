"""ExportCertificate: a certificate with its private key, for those that may leave."""

from typing import Final

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from lb.api.acm.lookup import find
from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.pem import read_private_key


def export_certificate(call: Call, params: Params) -> Result:
    """The PEM texts, the key encrypted with the passphrase. Private certificates, and those requested with Export ENABLED."""
    record = find(call, params["CertificateArn"])
    if record.shape["Type"] != "PRIVATE" and record.shape["Options"].get("Export") != "ENABLED":
        raise ApiError("ValidationException", f"Certificate ARN: {record.id} is not exportable.")
    key = read_private_key(record.more["private_key"].encode())
    assert key is not None
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(params["Passphrase"]))
    return {
        "Certificate": record.more["certificate"],
        "CertificateChain": record.more["chain"],
        "PrivateKey": encrypted.decode(),
    }


OPERATIONS: Final[Operations] = {"ExportCertificate": export_certificate}
