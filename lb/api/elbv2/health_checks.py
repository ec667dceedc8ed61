"""Health check settings of a target group: defaults by its type and protocol, and what ELB refuses (fact sheet 6.1)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from lb.api.call import ApiError
from lb.model.matcher import parse_matcher
from lb.resources.records import Json
from lb.resources.target_groups import TRAFFIC_PORT

MEMBERS: Final = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "HealthCheckPath",
    "Matcher",
)
_WEB: Final = ("HTTP", "HTTPS")
_GRPC_PATH: Final = "/AWS.ALB/healthcheck"
_GRPC_CODES: Final = re.compile(r"[0-9]{1,2}(?:-[0-9]{1,2})?(?:,[0-9]{1,2}(?:-[0-9]{1,2})?)*")
_VISIBLE: Final = re.compile(r"[!-~]+")


def read_health_check(group: Json, given: Mapping[str, Any]) -> dict[str, Any]:
    """The health check members of a TargetGroup: those `given`, and defaults for the others.

    `group` has TargetType, and Protocol and ProtocolVersion where it has them. Raises ApiError.
    """
    protocol = given.get("HealthCheckProtocol", _default_protocol(group))
    read = {**_defaults(group, protocol), **{member: given[member] for member in MEMBERS if member in given}}
    _check_protocol(group, protocol)
    _check_settings(group, read)
    if "Matcher" in read:
        _check_matcher(group, read["Matcher"])
    return read


def _is_web(group: Json) -> bool:
    return group.get("Protocol") in _WEB


def _default_protocol(group: Json) -> str | None:
    if group["TargetType"] == "lambda":
        return None
    return "HTTP" if _is_web(group) or group["TargetType"] == "alb" else "TCP"


def _defaults(group: Json, protocol: str | None) -> dict[str, Any]:
    if group["TargetType"] == "lambda":
        settings: dict[str, Any] = {"HealthCheckEnabled": False, **_numbers(35, 30)}
    else:
        geneve = group["Protocol"] == "GENEVE"
        port = "80" if geneve else TRAFFIC_PORT
        quick = geneve or _is_web(group)
        timeout_s = 5 if quick else 6 if protocol == "HTTP" else 10
        settings = {
            "HealthCheckProtocol": protocol,
            "HealthCheckPort": port,
            "HealthCheckEnabled": True,
            **_numbers(10 if geneve else 30, timeout_s),
        }
    if group.get("ProtocolVersion") == "GRPC":
        return {**settings, "HealthCheckPath": _GRPC_PATH, "Matcher": {"GrpcCode": "12"}}
    if protocol == "TCP":
        return settings
    codes = "200" if _is_web(group) or group["TargetType"] == "lambda" else "200-399"
    return {**settings, "HealthCheckPath": "/", "Matcher": {"HttpCode": codes}}


def _numbers(interval_s: int, timeout_s: int) -> dict[str, int]:
    return {
        "HealthCheckIntervalSeconds": interval_s,
        "HealthCheckTimeoutSeconds": timeout_s,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
    }


def _refuse(message: str) -> ApiError:
    return ApiError("ValidationError", message)


def _check_protocol(group: Json, protocol: str | None) -> None:
    if protocol is None:
        return
    if group["TargetType"] == "lambda":
        raise _refuse("Health check protocol cannot be specified for target groups with target type 'lambda'")
    allowed = _WEB if _is_web(group) or group["TargetType"] == "alb" else (*_WEB, "TCP")
    if protocol not in allowed:
        raise _refuse(f"Health check protocol '{protocol}' must be one of '{', '.join(allowed)}'")


def _check_settings(group: Json, read: Mapping[str, Any]) -> None:
    if group["TargetType"] != "lambda" and not read["HealthCheckEnabled"]:
        raise _refuse(f"Health check enabled must be true for target groups with target type '{group['TargetType']}'")
    port = read.get("HealthCheckPort", TRAFFIC_PORT)
    if port != TRAFFIC_PORT and not (re.fullmatch(r"[1-9][0-9]{0,4}", port) and int(port) <= 65535):
        raise _refuse(f"Health check port '{port}' must be '{TRAFFIC_PORT}' or in the range '1-65535'")
    path = read.get("HealthCheckPath", "/")
    if not path.startswith("/"):
        raise _refuse(f"Health check path '{path}' must begin with a '/' character")
    if not _VISIBLE.fullmatch(path):
        raise _refuse(f"Health check path '{path}' can only contain visible ASCII characters")
    timeout_s, interval_s = read["HealthCheckTimeoutSeconds"], read["HealthCheckIntervalSeconds"]
    if timeout_s >= interval_s:
        raise _refuse(f"Health check timeout '{timeout_s}' must be smaller than the interval '{interval_s}'")


def _check_matcher(group: Json, matcher: Json) -> None:
    grpc = group.get("ProtocolVersion") == "GRPC"
    own, other = ("GrpcCode", "HttpCode") if grpc else ("HttpCode", "GrpcCode")
    if own not in matcher or other in matcher:
        raise _refuse(f"You must specify '{own}', and only it, in the matcher of this target group")
    codes = matcher[own]
    if grpc:
        if not _GRPC_CODES.fullmatch(codes):
            raise _refuse(f"Health check matcher gRPC code '{codes}' must be within '0-99', a list or a range")
    elif _is_web(group) or group["TargetType"] == "lambda":
        try:
            parse_matcher(codes)
        except ValueError as error:
            raise _refuse(f"Health check matcher HTTP code '{codes}' is not valid: {error}") from error
