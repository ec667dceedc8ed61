"""Results and errors as HTTP answers, in the protocol that the request came in."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lb.api.call import ApiError, Result
from lb.api.wire.json_writer import jsonable
from lb.api.wire.message import Answer, Protocol, Route
from lb.api.wire.service import Service
from lb.api.wire.xml_writer import escape

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
# Errors of the wire are raised with the codes of the query protocol; the other protocols have their own for some.
_CODES: Final[Mapping[Protocol, Mapping[str, str]]] = MappingProxyType(
    {
        Protocol.QUERY: MappingProxyType({}),
        Protocol.EC2: MappingProxyType(
            {
                "ValidationError": "InvalidParameterValue",
                "MalformedInput": "InvalidParameterValue",
                "SignatureDoesNotMatch": "AuthFailure",
                "InvalidClientTokenId": "AuthFailure",
            }
        ),
        Protocol.JSON: MappingProxyType(
            {
                "ValidationError": "ValidationException",
                "MalformedInput": "SerializationException",
                "InvalidAction": "UnknownOperationException",
                "NotImplemented": "NotImplementedException",
                "AccessDenied": "AccessDeniedException",
                "Throttling": "ThrottlingException",
                "SignatureDoesNotMatch": "InvalidSignatureException",
                "RequestExpired": "InvalidSignatureException",
                "InvalidClientTokenId": "UnrecognizedClientException",
                "MissingAuthenticationToken": "MissingAuthenticationTokenException",
                "IncompleteSignature": "IncompleteSignatureException",
            }
        ),
    }
)


def render(route: Route, operation: str, result: Result, request_id: str) -> Answer:
    """The answer to a call of a routed service. Members that the model does not have, or that are None, are left out."""
    service = route.service
    assert service is not None
    if route.protocol is Protocol.JSON:
        shape = service.output_shape(operation)
        body = b"" if shape is None else _json(jsonable(shape, result))
        return _answer(route, 200, body, request_id)
    write = service.xml_writer(operation)
    out = [_DECLARATION, f'<{operation}Response xmlns="{service.metadata("xmlNamespace")}">']
    if route.protocol is Protocol.EC2:
        out.append(f"<requestId>{request_id}</requestId>")
        if write is None:
            out.append("<return>true</return>")
        else:
            write(out, result)
    else:
        if write is not None:
            out.append(f"<{operation}Result>")
            write(out, result)
            out.append(f"</{operation}Result>")
        out.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>")
    out.append(f"</{operation}Response>")
    return _answer(route, 200, "".join(out).encode(), request_id)


def render_error(route: Route, error: ApiError, request_id: str) -> Answer:
    """The answer to a call that failed, with AWS's code for the protocol."""
    code = _CODES[route.protocol].get(error.code, error.code)
    match route.protocol:
        case Protocol.JSON:
            return _json_error(route, error, code, request_id)
        case Protocol.EC2:
            body = (
                f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(error.message)}</Message></Error>"
                f"</Errors><RequestID>{request_id}</RequestID></Response>"
            )
        case Protocol.QUERY:
            namespace = "" if route.service is None else f' xmlns="{route.service.metadata("xmlNamespace")}"'
            body = (
                f"<ErrorResponse{namespace}><Error><Type>{_fault(error)}</Type><Code>{escape(code)}</Code>"
                f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            )
    return _answer(route, error.status, (_DECLARATION + body).encode(), request_id)


def _json_error(route: Route, error: ApiError, code: str, request_id: str) -> Answer:
    service = route.service
    name = (service.error_shape(code) if service is not None else None) or code
    body = _json({"__type": name, "message": error.message})
    answer = _answer(route, error.status, body, request_id)
    if service is None or not service.is_query_compatible:
        return answer
    compatible = {"x-amzn-query-error": f"{error.code};{_fault(error)}"}
    return Answer(answer.status, {**answer.headers, **compatible}, body)


def _fault(error: ApiError) -> str:
    return "Sender" if error.status < 500 else "Receiver"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _answer(route: Route, status: int, body: bytes, request_id: str) -> Answer:
    return Answer(
        status, {"content-type": _content_type(route.protocol, route.service), "x-amzn-requestid": request_id}, body
    )


def _content_type(protocol: Protocol, service: Service | None) -> str:
    if protocol is Protocol.JSON:
        return f"application/x-amz-json-{service.metadata('jsonVersion') if service is not None else '1.1'}"
    return "text/xml;charset=UTF-8" if protocol is Protocol.EC2 else "text/xml"
