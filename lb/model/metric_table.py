"""The metric table: every CloudWatch metric of `AWS/ApplicationELB` that concerns plain HTTP.

Name, unit, dimension sets, the statistics that mean something, when a point is reported, and how samples come about. Whatever
counts, queries or exposes metrics reads these rows; `docs/metrics.md` lists the same rows and the metrics that are left out.

Source: "CloudWatch metrics for your Application Load Balancer" (fact sheet 10).
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

NAMESPACE: Final = "AWS/ApplicationELB"


class Unit(StrEnum):
    """CloudWatch's units."""

    COUNT = "Count"
    BYTES = "Bytes"
    SECONDS = "Seconds"


class Dimensions(Enum):
    """The dimension sets. Values: `app/NAME/ID`, a zone name, `targetgroup/NAME/ID`."""

    L = ("LoadBalancer",)
    AL = ("AvailabilityZone", "LoadBalancer")
    T = ("LoadBalancer", "TargetGroup")
    AT = ("AvailabilityZone", "LoadBalancer", "TargetGroup")
    TG = ("TargetGroup",)


class Kind(Enum):
    """How the samples of a metric come about."""

    EACH_REQUEST = "one sample of 1 for each request that counts"
    NODE_MINUTE = "one sample for each node and minute: its sum"
    PEAK = "one sample for each node and minute: the highest number in it"
    TIMES = "one sample for each request: a duration"
    HOSTS = "one sample each second: a number of targets or zones"
    PER_TARGET = "one sample for each minute: requests divided by targets"


class Reported(Enum):
    """When a minute has a point."""

    ALWAYS = "always"
    NONZERO = "non-zero"
    ELIGIBLE = "for eligible target groups"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row. `statistics` are those that ALB's users read; others are given where they can be computed."""

    name: str
    unit: Unit
    kind: Kind
    dimensions: tuple[Dimensions, ...]
    statistics: tuple[str, ...]
    reported: Reported
    meaning: str


_L = (Dimensions.L,)
_AL = (Dimensions.AL,)
_LOAD_BALANCER = (Dimensions.L, Dimensions.AL)
_TARGET_GROUP = (Dimensions.T, Dimensions.AT)
_ALL = _LOAD_BALANCER + _TARGET_GROUP
_SUM = ("Sum",)
_LEVELS = ("Average", "Minimum", "Maximum")


def _requests(
    name: str, dimensions: tuple[Dimensions, ...], meaning: str, reported: Reported = Reported.NONZERO
) -> Metric:
    return Metric(name, Unit.COUNT, Kind.EACH_REQUEST, dimensions, _SUM, reported, meaning)


def _total(
    name: str, dimensions: tuple[Dimensions, ...], meaning: str, unit: Unit = Unit.COUNT, kind: Kind = Kind.NODE_MINUTE
) -> Metric:
    return Metric(name, unit, kind, dimensions, _SUM, Reported.NONZERO, meaning)


def _hosts(
    name: str, meaning: str, reported: Reported = Reported.ALWAYS, statistics: tuple[str, ...] = _LEVELS
) -> Metric:
    return Metric(name, Unit.COUNT, Kind.HOSTS, _TARGET_GROUP, statistics, reported, meaning)


TABLE: tuple[Metric, ...] = (
    _total(
        "ActiveConnectionCount", _LOAD_BALANCER, "Open TCP connections, from clients and to targets.", kind=Kind.PEAK
    ),
    _total("NewConnectionCount", _LOAD_BALANCER, "New TCP connections, from clients and to targets."),
    _total("RejectedConnectionCount", _LOAD_BALANCER, "Connections refused at the connection limit."),
    _requests("RequestCount", _ALL, "Requests for which a target could be chosen.", Reported.ALWAYS),
    _total("RuleEvaluations", _L, "Rules evaluated, default rules not counted."),
    _total("ProcessedBytes", _LOAD_BALANCER, "Bytes from and to clients, headers and bodies.", Unit.BYTES),
    _total("IPv6ProcessedBytes", _L, "Those of clients that use IPv6.", Unit.BYTES),
    _requests("IPv6RequestCount", _ALL, "Requests of clients that use IPv6."),
    _requests("NonStickyRequestCount", _ALL, "Requests that got a new target because no sticky session could be used."),
    _requests("HTTP_Fixed_Response_Count", _LOAD_BALANCER, "Fixed-response actions."),
    _requests("HTTP_Redirect_Count", _LOAD_BALANCER, "Redirect actions."),
    _requests(
        "HTTP_Redirect_Url_Limit_Exceeded_Count", _LOAD_BALANCER, "Redirects that failed: the URL is over 8 K (507)."
    ),
    _requests("HTTPCode_ELB_3XX_Count", _LOAD_BALANCER, "3xx answers of the load balancer itself."),
    _requests("HTTPCode_ELB_4XX_Count", _LOAD_BALANCER, "4xx answers of the load balancer itself, and 460."),
    _requests("HTTPCode_ELB_5XX_Count", _LOAD_BALANCER, "5xx answers of the load balancer itself."),
    _requests("HTTPCode_ELB_500_Count", _LOAD_BALANCER, "500 answers of the load balancer itself."),
    _requests("HTTPCode_ELB_502_Count", _LOAD_BALANCER, "502 answers of the load balancer itself."),
    _requests("HTTPCode_ELB_503_Count", _LOAD_BALANCER, "503 answers of the load balancer itself."),
    _requests("HTTPCode_ELB_504_Count", _LOAD_BALANCER, "504 answers of the load balancer itself."),
    _requests(
        "DesyncMitigationMode_NonCompliant_Request_Count", _LOAD_BALANCER, "Requests that do not comply with RFC 9112."
    ),
    _requests("DroppedInvalidHeaderRequestCount", _AL, "Requests that lost headers with invalid names."),
    _requests(
        "ForwardedInvalidHeaderRequestCount",
        _AL,
        "Requests that went on with headers with invalid names.",
        Reported.ALWAYS,
    ),
    _hosts("HealthyHostCount", "Targets that are healthy."),
    _hosts("UnHealthyHostCount", "Targets that are unhealthy."),
    _requests("HTTPCode_Target_2XX_Count", _ALL, "2xx answers of targets."),
    _requests("HTTPCode_Target_3XX_Count", _ALL, "3xx answers of targets."),
    _requests("HTTPCode_Target_4XX_Count", _ALL, "4xx answers of targets."),
    _requests("HTTPCode_Target_5XX_Count", _ALL, "5xx answers of targets."),
    Metric(
        "RequestCountPerTarget",
        Unit.COUNT,
        Kind.PER_TARGET,
        (Dimensions.TG, *_TARGET_GROUP),
        _SUM,
        Reported.ALWAYS,
        "Requests for each healthy target, on average; for each registered one where none is healthy.",
    ),
    Metric(
        "TargetResponseTime",
        Unit.SECONDS,
        Kind.TIMES,
        _ALL,
        (*_LEVELS, "pNN"),
        Reported.NONZERO,
        "From the request leaving the load balancer to the head of the target's response.",
    ),
    _requests("TargetConnectionErrorCount", _ALL, "Requests for which no connection to the target could be made."),
    _hosts("AnomalousHostCount", "Targets with anomalies.", Reported.ELIGIBLE),
    _hosts("MitigatedHostCount", "Targets under anomaly mitigation.", Reported.ELIGIBLE),
    _hosts("HealthyStateDNS", "Zones that meet the healthy state for DNS.", statistics=("Minimum", "Maximum")),
    _hosts("HealthyStateRouting", "Zones that meet the healthy state for routing.", statistics=("Minimum", "Maximum")),
    _hosts("UnhealthyStateDNS", "Zones that do not meet the healthy state for DNS.", statistics=("Minimum",)),
    _hosts("UnhealthyStateRouting", "Zones that do not meet the healthy state for routing.", statistics=("Minimum",)),
    _requests("UnhealthyRoutingRequestCount", _TARGET_GROUP, "Requests routed while the target group failed open."),
)

BY_NAME: Final = {row.name: row for row in TABLE}


class Mark:
    """What only metrics want to know of a request: bits of `RequestRecord.marks`."""

    NON_STICKY: Final = 1  # stickiness is on, and no session could be used
    FAIL_OPEN: Final = 2  # the target was chosen while its group failed open
    HEADERS_DROPPED: Final = 4  # headers with invalid names were dropped
    HEADERS_FORWARDED: Final = 8  # headers with invalid names went on to the target
