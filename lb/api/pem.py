"""Certificates and private keys as PEM texts, read with suspicion: they come from clients."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_T = TypeVar("_T")

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
)
_CURVES: Final = {"secp256r1": "EC-prime256v1", "secp384r1": "EC-secp384r1", "secp521r1": "EC-secp521r1"}
_RSA_BITS: Final = (1024, 2048, 3072, 4096)


class PemError(ValueError):
    """A text that is no PEM, or that holds something which cannot be read."""


def read_certificates(text: bytes) -> list[x509.Certificate]:
    """The certificates in a text, at least one. Raises PemError."""
    return _read(_certificates, text)


def read_private_key(text: bytes) -> PrivateKey | None:
    """An unencrypted private key; None for a kind that load balancers cannot use. Raises PemError."""
    key = _read(lambda given: load_pem_private_key(given, password=None), text)
    return key if isinstance(key, PrivateKey) and key_algorithm(key.public_key()) else None


def key_algorithm(public_key: object) -> str | None:
    """As ACM answers it, `RSA-2048` or `EC-prime256v1`; None for one that load balancers cannot use."""
    match public_key:
        case rsa.RSAPublicKey(key_size=bits) if bits in _RSA_BITS:
            return f"RSA-{bits}"
        case ec.EllipticCurvePublicKey(curve=curve):
            return _CURVES.get(curve.name)
    return None


def pem(certificate: x509.Certificate) -> str:
    """The certificate as text."""
    return certificate.public_bytes(Encoding.PEM).decode()


def key_pem(key: PrivateKey) -> str:
    """The private key as text, unencrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def belongs(certificate: x509.Certificate, key: PrivateKey) -> bool:
    """Whether the certificate is for the key."""
    return _spki(certificate.public_key()) == _spki(key.public_key())


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether the certificate is signed with its own key."""
    return _is_signed_by(certificate, certificate)


def broken_link(certificate: x509.Certificate, issuers: Sequence[x509.Certificate]) -> int | None:
    """The place in `issuers` of the certificate that the next one did not sign, -1 for `certificate` itself; else None."""
    links = pairwise(chain((certificate,), issuers))
    return next((place for place, (below, above) in enumerate(links, -1) if not _is_signed_by(below, above)), None)


def _certificates(text: bytes) -> list[x509.Certificate]:
    found = x509.load_pem_x509_certificates(text)
    # Only the outside is read so far.
    for _ in chain.from_iterable(map(_parts, found)):
        pass
    return found


def _parts(certificate: x509.Certificate) -> Iterator[object]:
    yield certificate.subject
    yield certificate.issuer
    yield certificate.public_key()
    yield certificate.signature_hash_algorithm
    yield certificate.signature_algorithm_parameters
    yield certificate.not_valid_before_utc
    yield certificate.not_valid_after_utc
    yield from certificate.extensions


def _read(read: Callable[[bytes], _T], text: bytes) -> _T:
    try:
        return read(text)
    except _UNREADABLE as error:
        raise PemError(str(error)) from error


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _spki(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded
