"""The services of the endpoint: which one a request is for, and their models, each loaded when first asked for."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from lb.api.wire.message import Protocol, Request, Route
from lb.api.wire.service import Service, model_loader

SERVED: Final = ("elbv2", "sts", "iam", "rds", "cloudwatch", "acm", "ec2")
"""botocore's names of the services, cheap models first."""

# The three tables say what the models say (a test compares), so that finding the service loads no other model.
BY_SIGNING_NAME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "elasticloadbalancing": "elbv2",
        "sts": "sts",
        "iam": "iam",
        "rds": "rds",
        "monitoring": "cloudwatch",
        "acm": "acm",
        "ec2": "ec2",
    }
)
BY_VERSION: Final[Mapping[str, str]] = MappingProxyType(
    {
        "2015-12-01": "elbv2",
        "2011-06-15": "sts",
        "2010-05-08": "iam",
        "2014-10-31": "rds",
        "2010-08-01": "cloudwatch",
        "2016-11-15": "ec2",
    }
)
BY_TARGET_PREFIX: Final[Mapping[str, str]] = MappingProxyType(
    {"CertificateManager": "acm", "GraniteServiceVersion20100801": "cloudwatch"}
)
CLASSIC_VERSION: Final = "2012-06-01"
"""The API version of classic load balancers, which share ELB's signing name."""

_SCOPE: Final = re.compile(
    r"[^\s/,]{1,128}/\d{8}/(?P<region>[a-z0-9-]{1,32})/(?P<service>[a-z0-9-]{1,64})/aws4_request"
)
_HEADER_CREDENTIAL: Final = re.compile(r"\bCredential=" + _SCOPE.pattern)
_QUERY_CREDENTIAL: Final = re.compile(r"(?:^|&)X-Amz-Credential=([^&]*)")
_ACTION: Final = re.compile(r"(?:^|&)Action=([A-Za-z0-9]{1,128})(?:&|$)")
_VERSION: Final = re.compile(r"(?:^|&)Version=([0-9-]{10})(?:&|$)")


class Services:
    """The models that are loaded so far."""

    def __init__(self) -> None:
        self._loader = model_loader()
        self._loaded: dict[str, Service] = {}

    def get(self, name: str) -> Service:
        """The service of this botocore name, which is one of `SERVED`."""
        service = self._loaded.get(name)
        if service is None:
            service = self._loaded[name] = Service(name, self._loader)
        return service

    def warm(self, names: Iterable[str] = SERVED) -> None:
        """Loads models ahead of the first call: about 0.2 s for all of them."""
        for name in names:
            self.get(name)

    def route(self, request: Request, default_region: str) -> Route:
        """Where a request is bound for, by its credential scope, else by X-Amz-Target, Version or Action. Never raises."""
        target = request.headers.get("x-amz-target")
        is_json = target is not None or "application/x-amz-json" in request.headers.get("content-type", "")
        scope = _scope(request)
        if scope is not None:
            name = BY_SIGNING_NAME.get(scope["service"])
        elif target is not None:
            name = BY_TARGET_PREFIX.get(target.partition(".")[0])
        else:
            name = self._by_parameters(request)
        protocol = Protocol.JSON if is_json else Protocol.EC2 if name == "ec2" else Protocol.QUERY
        service = None if name is None else self.get(name)
        if scope is None:
            return Route(service, protocol, default_region)
        return Route(service, protocol, scope["region"], scope["service"])

    def _by_parameters(self, request: Request) -> str | None:
        text = f"{request.query}&{request.body.decode('latin-1')}"
        if (version := _VERSION.search(text)) is not None:
            return BY_VERSION.get(version[1])
        if (action := _ACTION.search(text)) is not None:
            return next((name for name in BY_VERSION.values() if self.get(name).has(action[1])), None)
        return None


def _scope(request: Request) -> re.Match[str] | None:
    if (authorization := request.headers.get("authorization")) is not None:
        return _HEADER_CREDENTIAL.search(authorization)
    if (found := _QUERY_CREDENTIAL.search(request.query)) is not None:
        return _SCOPE.fullmatch(unquote(found[1]))
    return None
