"""What the tests of the wire share: botocore's models as oracle, loaded once, and requests as clients make them."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from lb.api.wire.message import Request
from lb.api.wire.services import BY_SIGNING_NAME

REGION = "eu-west-1"
SIGNING_NAMES = {service: name for name, service in BY_SIGNING_NAME.items()}


@cache
def model(service: str) -> ServiceModel:
    """botocore's own model of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operation(service: str, name: str) -> OperationModel:
    """botocore's own model of an operation."""
    return model(service).operation_model(name)


def authorization(service: str, region: str = REGION) -> str:
    """An Authorization header in form, with a signature that is none."""
    scope = f"AKIDEXAMPLE/20260101/{region}/{SIGNING_NAMES.get(service, service)}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=00"


def form_request(service: str | None, body: bytes | Mapping[str, Any], query: str = "") -> Request:
    """A call in the query protocol or EC2's; without a service it is not signed."""
    headers = {"host": "127.0.0.1:9000", "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    if service is not None:
        headers["authorization"] = authorization(service)
    return Request("POST", "/", query, headers, body if isinstance(body, bytes) else urlencode(body).encode())


def json_request(service: str, target: str, body: bytes, version: str = "1.1") -> Request:
    """A call in the JSON protocol."""
    headers = {
        "host": "127.0.0.1:9000",
        "content-type": f"application/x-amz-json-{version}",
        "x-amz-target": target,
        "authorization": authorization(service),
    }
    return Request("POST", "/", "", headers, body)
