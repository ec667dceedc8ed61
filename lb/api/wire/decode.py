"""A routed request as a call: its operation and validated parameters."""

from typing import Any, Final

from lb.api.call import ApiError
from lb.api.wire.form import parse_form, tree
from lb.api.wire.json_reader import read_json
from lb.api.wire.message import Decoded, Protocol, Request, Route
from lb.api.wire.query_reader import read_parameters
from lb.api.wire.service import Service
from lb.api.wire.services import CLASSIC_VERSION
from lb.api.wire.validate import check

MAX_BODY: Final = 1024 * 1024
"""Bytes of the largest body that is read; the endpoint need not wait for more."""


def decode(route: Route, request: Request) -> Decoded:
    """The call in a request. Raises ApiError, which `lb.api.wire.answer.render_error` writes."""
    if len(request.body) > MAX_BODY:
        raise ApiError("RequestEntityTooLarge", f"The request is larger than {MAX_BODY} bytes", 413)
    if route.protocol is Protocol.JSON:
        operation, given = _json_call(route, request)
    else:
        operation, given = _form_call(route, request)
    service = _service(route)
    shape = service.input_shape(operation)
    if shape is not None:
        check(shape, given, route.protocol)
    return Decoded(service.name, operation, given, route.region)


def not_implemented(service: str, operation: str) -> ApiError:
    """For an operation that the model knows and nobody serves. With this status clients do not try again."""
    return ApiError("NotImplemented", f"The operation {operation} of {service} is not implemented by this endpoint")


def _json_call(route: Route, request: Request) -> tuple[str, dict[str, Any]]:
    service = _service(route)
    prefix, _, operation = request.headers.get("x-amz-target", "").partition(".")
    if not prefix or prefix != service.metadata("targetPrefix") or not service.has(operation):
        raise ApiError("InvalidAction", f"Could not find operation {operation} for {service.name}")
    shape = service.input_shape(operation)
    return operation, {} if shape is None else read_json(shape, request.body)


def _form_call(route: Route, request: Request) -> tuple[str, dict[str, Any]]:
    fields = parse_form(request.query, request.body)
    head = dict(fields)
    operation, version = head.get("Action", ""), head.get("Version")
    if version == CLASSIC_VERSION:
        raise ApiError(
            "NotImplemented",
            "Classic load balancers (API version 2012-06-01) are not implemented by this endpoint; "
            "use Elastic Load Balancing v2 (aws elbv2, API version 2015-12-01)",
        )
    if not operation:
        raise ApiError("MissingAction", "The request must contain an Action")
    service = _service(route)
    if version not in (None, service.version) or not service.has(operation):
        raise ApiError("InvalidAction", _unknown(route.protocol, operation, version or service.version))
    shape = service.input_shape(operation)
    if shape is None:
        return operation, {}
    return operation, read_parameters(shape, tree(fields), route.protocol)


def _unknown(protocol: Protocol, operation: str, version: str) -> str:
    if protocol is Protocol.EC2:
        return f"The action {operation} is not valid for this web service."
    return f"Could not find operation {operation} for version {version}"


def _service(route: Route) -> Service:
    if route.service is None:
        of = f" '{route.signing_name}'" if route.signing_name is not None else ""
        raise ApiError(
            "NotImplemented",
            f"The service{of} is not implemented by this endpoint; it answers calls to elbv2, ec2, sts, iam, acm, "
            "cloudwatch and rds",
        )
    return route.service
