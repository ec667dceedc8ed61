"""A certificate authority of this installation's own, which issues the certificates that ACM is asked for.

Keys are drawn here, within handlers that otherwise know no chance: a key from anything else but the system's random numbers
would be none. A client that trusts the authority's certificate trusts what it issues.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lb.api.pem import PrivateKey, key_pem, pem, read_certificates, read_private_key

NAME: Final = "lb local CA"
FASTEST: Final = "EC_prime256v1"
KEY_ALGORITHMS: Final = (FASTEST, "EC_secp384r1", "EC_secp521r1", "RSA_2048")
"""What keys can be drawn of. One of RSA_2048 takes a tenth of a second, one on a curve well under a millisecond."""

_AUTHORITY_DAYS: Final = 3650
# As ACM's own: thirteen months.
_DAYS: Final = 395


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, as PEM texts."""

    certificate: str
    private_key: str


def new_authority(now: datetime) -> Issued:
    """An authority for ten years."""
    key = _new_key(FASTEST)
    name = _name(NAME)
    return _signed(
        x509.CertificateBuilder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(is_authority=True), critical=True),
        key,
        key,
        now,
        _AUTHORITY_DAYS,
    )


def issue(authority: Issued, names: Sequence[str], algorithm: str, now: datetime) -> Issued:
    """A server's certificate for DNS names, the first of which is its subject; `algorithm` is one of KEY_ALGORITHMS."""
    (above,) = read_certificates(authority.certificate.encode())
    signing_key = read_private_key(authority.private_key.encode())
    assert signing_key is not None
    key = _new_key(algorithm)
    return _signed(
        x509.CertificateBuilder(above.subject, _name(names[0]), key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(_key_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False),
        key,
        signing_key,
        now,
        _DAYS,
    )


def _new_key(algorithm: str) -> PrivateKey:
    match algorithm:
        case "EC_secp384r1":
            return ec.generate_private_key(ec.SECP384R1())
        case "EC_secp521r1":
            return ec.generate_private_key(ec.SECP521R1())
        case "RSA_2048":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=not is_authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(
    builder: x509.CertificateBuilder, key: PrivateKey, signing_key: PrivateKey, now: datetime, days: int
) -> Issued:
    # From midnight on: a client whose clock is a little behind takes it too.
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    certificate = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(midnight)
        .not_valid_after(midnight + timedelta(days=days + 1, seconds=-1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, SHA256())
    )
    return Issued(pem(certificate), key_pem(key))
