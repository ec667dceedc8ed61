"""Signature Version 4: whether a request was signed with a secret key that is known here, in its header or presigned.

Source: AWS's "Create a signed AWS API request". The body is always hashed: there is no TLS to vouch for an unsigned one.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

from lb.api.call import ApiError
from lb.api.wire.message import Request

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SKEW: Final = timedelta(minutes=15)
_LONGEST_LIFE_S: Final = 7 * 24 * 3600
_TIME_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_PARAMETER: Final = re.compile(r"\s*(Credential|SignedHeaders|Signature)=([^,\s]+)\s*")
_SECONDS: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_REQUIRED: Final = ("Credential", "SignedHeaders", "Signature")
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
    "signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What the request says about its signature. `life` is of presigned requests."""

    access_key: str
    scope: tuple[str, str, str]
    signed_headers: tuple[str, ...]
    signature: str
    time: str
    life: timedelta | None


def verify(request: Request, secrets: Mapping[str, str], now: datetime) -> str:
    """The access key that signed the request; `secrets` are secret keys by access key.

    Raises ApiError with status 403: MissingAuthenticationToken, IncompleteSignature, InvalidClientTokenId, RequestExpired
    or SignatureDoesNotMatch.
    """
    claim = _claim(request)
    secret = secrets.get(claim.access_key)
    if secret is None:
        raise _refused("InvalidClientTokenId", "The security token included in the request is invalid.")
    _check_headers(request, claim)
    _check_time(claim, now)
    expected = hmac.new(_signing_key(secret, claim.scope), _string_to_sign(request, claim).encode(), hashlib.sha256)
    if not hmac.compare_digest(expected.hexdigest().encode(), claim.signature.encode()):
        raise _refused("SignatureDoesNotMatch", _MISMATCH)
    return claim.access_key


def _claim(request: Request) -> _Claim:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    authorization = request.headers.get("authorization")
    if authorization is not None:
        algorithm, _, rest = authorization.partition(" ")
        given = {found[1]: found[2] for part in rest.split(",") if (found := _PARAMETER.fullmatch(part)) is not None}
        time, life = request.headers.get("x-amz-date", ""), None
    elif "X-Amz-Algorithm" in query or "X-Amz-Signature" in query:
        algorithm = query.get("X-Amz-Algorithm", "")
        given = {name: query[f"X-Amz-{name}"] for name in _REQUIRED if f"X-Amz-{name}" in query}
        time, life = query.get("X-Amz-Date", ""), _life(query.get("X-Amz-Expires", ""))
    else:
        raise _refused("MissingAuthenticationToken", "Request is missing Authentication Token")
    if algorithm != _ALGORITHM:
        raise _refused("IncompleteSignature", f"Unsupported AWS 'algorithm': '{algorithm}'.")
    for name in _REQUIRED:
        if name not in given:
            raise _refused("IncompleteSignature", f"Authorization header requires '{name}' parameter.")
    return _complete(given, time, life)


def _complete(given: Mapping[str, str], time: str, life: timedelta | None) -> _Claim:
    match given["Credential"].split("/"):
        case [key, date, region, service, "aws4_request"]:
            signed = tuple(given["SignedHeaders"].lower().split(";"))
            return _Claim(key, (date, region, service), signed, given["Signature"], time, life)
    raise _refused(
        "IncompleteSignature",
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
        f"got '{given['Credential']}'",
    )


def _check_headers(request: Request, claim: _Claim) -> None:
    if "host" not in claim.signed_headers:
        raise _refused("SignatureDoesNotMatch", "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    # X-Amz-Target names the operation: were it not signed, a signature for one call would do for every other.
    for name in request.headers:
        if name.startswith("x-amz-") and name not in claim.signed_headers:
            raise _refused("SignatureDoesNotMatch", f"The header '{name}' is present in the request and not signed.")


def _life(text: str) -> timedelta:
    if _SECONDS.fullmatch(text) is None or not 1 <= int(text) <= _LONGEST_LIFE_S:
        raise _refused("IncompleteSignature", f"X-Amz-Expires must be between 1 and {_LONGEST_LIFE_S} seconds")
    return timedelta(seconds=int(text))


def _check_time(claim: _Claim, now: datetime) -> None:
    try:
        signed = datetime.strptime(claim.time, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise _refused("IncompleteSignature", f"Date must be in ISO-8601 'basic format'. Got '{claim.time}'.") from None
    if claim.time[:8] != claim.scope[0]:
        raise _refused(
            "SignatureDoesNotMatch", f"Date in Credential scope '{claim.scope[0]}' is not that of '{claim.time}'."
        )
    life = _SKEW if claim.life is None else claim.life
    if now > signed + life:
        earliest = (now - life).strftime(_TIME_FORMAT)
        raise _refused("RequestExpired", f"Signature expired: {claim.time} is now earlier than {earliest}")
    if signed > now + _SKEW:
        latest = (now + _SKEW).strftime(_TIME_FORMAT)
        raise _refused("RequestExpired", f"Signature not yet current: {claim.time} is still later than {latest}")


def _string_to_sign(request: Request, claim: _Claim) -> str:
    canonical = "\n".join(
        (
            request.method.upper(),
            quote(request.path or "/", safe="/~"),
            _canonical_query(request.query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in claim.signed_headers),
            "",
            ";".join(claim.signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    scope = "/".join((*claim.scope, "aws4_request"))
    return "\n".join((_ALGORITHM, claim.time, scope, hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()))


def _canonical_query(query: str) -> str:
    fields = []
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name != "X-Amz-Signature":
            fields.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(fields))


def _encoded(text: str) -> str:
    return quote(unquote(text, errors="surrogateescape"), safe="-_.~", errors="surrogateescape")


def _signing_key(secret: str, scope: tuple[str, str, str]) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request"):
        key = hmac.new(key, part.encode("utf-8", "replace"), hashlib.sha256).digest()
    return key


def _refused(code: str, message: str) -> ApiError:
    return ApiError(code, message, 403)
