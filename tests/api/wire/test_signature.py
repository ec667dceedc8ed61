"""Signatures made by botocore are accepted; whatever is changed afterwards is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lb.api.call import ApiError
from lb.api.wire.message import Request
from lb.api.wire.signature import verify

SECRETS = {"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
NOW = datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)
BODY = b"Action=DescribeLoadBalancers&Version=2015-12-01&Marker=%C3%A9"


def signed(
    monkeypatch,
    signer: type[auth.SigV4Auth] = auth.SigV4Auth,
    url: str = "http://127.0.0.1:9000/",
    key: str = "AKIDEXAMPLE",
) -> Request:
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_: NOW)
    presigned = issubclass(signer, auth.SigV4QueryAuth)
    headers = (
        {"Host": "127.0.0.1:9000"}
        if presigned
        else {"Host": "127.0.0.1:9000", "X-Amz-Target": "A.B", "X-Other": " a   b "}
    )
    request = AWSRequest("GET" if presigned else "POST", url, headers=headers, data=b"" if presigned else BODY)
    signer(
        Credentials(key, SECRETS.get(key, "?"), None if presigned else "the/token=="),
        "elasticloadbalancing",
        "eu-west-1",
    ).add_auth(request)
    parts = urlsplit(request.url)
    given = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, parts.path, parts.query, given, b"" if presigned else BODY)


def presigned(monkeypatch) -> Request:
    return signed(
        monkeypatch, auth.SigV4QueryAuth, "http://127.0.0.1:9000/?Action=GetCallerIdentity&b=%20%2F&a=1&a=0&c"
    )


def refused(request: Request, now: datetime = NOW, secrets=SECRETS) -> str:
    with pytest.raises(ApiError) as caught:
        verify(request, secrets, now)
    assert caught.value.status == 403
    return caught.value.code


def header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/", "http://127.0.0.1:9000/?b=2&a=%2F&a=%20&flag", "http://h/a%20b/c"]
)
def test_a_signed_request_is_accepted(monkeypatch, url):
    assert verify(signed(monkeypatch, url=url), SECRETS, NOW) == "AKIDEXAMPLE"


def test_a_presigned_request_is_accepted(monkeypatch):
    assert verify(presigned(monkeypatch), SECRETS, NOW) == "AKIDEXAMPLE"


def authorized(request: Request, old: str, new: str) -> Request:
    return header(request, "authorization", request.headers["authorization"].replace(old, new))


CHANGES: dict[str, Callable[[Request], Request]] = {
    "body": lambda request: replace(request, body=request.body + b"&x=1"),
    "method": lambda request: replace(request, method="PUT"),
    "path": lambda request: replace(request, path="/other"),
    "query": lambda request: replace(request, query=f"{request.query}&x=1"),
    "a signed header": lambda request: header(request, "x-other", "c"),
    "the operation": lambda request: header(request, "x-amz-target", "A.C"),
    "a header that is not signed": lambda request: header(request, "x-amz-other", "c"),
    "the payload hash": lambda request: header(request, "x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    "host": lambda request: header(request, "host", "elsewhere"),
    "region": lambda request: authorized(request, "eu-west-1", "eu-west-2"),
    "signature": lambda request: authorized(request, "Signature=", "Signature=é"),
    "date of the scope": lambda request: authorized(request, "/20260105/", "/20260104/"),
    "host is not signed": lambda request: authorized(request, "SignedHeaders=host;", "SignedHeaders="),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_request_is_refused(monkeypatch, change):
    assert refused(change(signed(monkeypatch))) == "SignatureDoesNotMatch"


def test_a_presigned_request_that_was_changed_is_refused(monkeypatch):
    request = presigned(monkeypatch)
    assert (
        refused(replace(request, query=request.query.replace("GetCallerIdentity", "GetSessionToken")))
        == "SignatureDoesNotMatch"
    )
    assert refused(replace(request, body=b"Action=Other")) == "SignatureDoesNotMatch"


def test_another_secret_is_refused(monkeypatch):
    assert refused(signed(monkeypatch), secrets={"AKIDEXAMPLE": "other"}) == "SignatureDoesNotMatch"


def test_an_unknown_access_key_is_refused(monkeypatch):
    assert refused(signed(monkeypatch, key="AKIDOTHER")) == "InvalidClientTokenId"


@pytest.mark.parametrize("minutes", [-14.9, 14.9])
def test_clocks_may_differ_by_a_quarter_of_an_hour(monkeypatch, minutes):
    assert verify(signed(monkeypatch), SECRETS, NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize("minutes", [-15.1, 15.1, 10_000])
def test_a_signature_of_another_time_is_refused(monkeypatch, minutes):
    assert refused(signed(monkeypatch), NOW + timedelta(minutes=minutes)) == "RequestExpired"


def test_a_presigned_request_lives_as_long_as_it_says(monkeypatch):
    request = presigned(monkeypatch)
    assert verify(request, SECRETS, NOW + timedelta(seconds=3599))
    assert refused(request, NOW + timedelta(seconds=3601)) == "RequestExpired"
    assert refused(request, NOW - timedelta(minutes=16)) == "RequestExpired"


@pytest.mark.parametrize("seconds", ["", "0", "-1", "604801", "9" * 5000, "x"])
def test_a_life_that_is_none(monkeypatch, seconds):
    request = presigned(monkeypatch)
    assert (
        refused(replace(request, query=request.query.replace("Expires=3600", f"Expires={seconds}")))
        == "IncompleteSignature"
    )


def test_a_request_without_a_signature(monkeypatch):
    assert refused(Request("POST", "/", "", {"host": "h"}, BODY)) == "MissingAuthenticationToken"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic dTpw",
        "AWS AKIDEXAMPLE:sig",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260105/eu-west-1/sts/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/sts/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/2/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 " + "," * 100_000,
    ],
)
def test_a_signature_that_is_not_complete(authorization):
    assert refused(Request("POST", "/", "", {"authorization": authorization}, BODY)) == "IncompleteSignature"
