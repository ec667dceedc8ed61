"""What travels: an HTTP request of an AWS client, where it is bound for, the call in it, and the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lb.api.call import Params
from lb.api.wire.service import Service


class Protocol(StrEnum):
    """How a call and its answer are written."""

    QUERY = "query"
    EC2 = "ec2"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request.

    `path` and `query` are as they were sent, still percent-encoded and without the question mark. Header names are in lower
    case; values of a header that came several times are joined by commas.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Route:
    """What a request tells before its parameters are read. `service` is None where nothing names one that is served."""

    service: Service | None
    protocol: Protocol
    region: str
    signing_name: str | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """A call. `service` is botocore's name of the service; `params` are validated against its model."""

    service: str
    operation: str
    params: Params
    region: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
