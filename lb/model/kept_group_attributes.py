"""Attributes of target groups that ELB has and nothing here acts on: accepted, kept and answered by the API only.

`lb.model.attributes` is the table of those with behaviour behind them; here they are joined to all that ELB has for a target
group of a kind.

Source: TargetGroupAttribute in the ELBv2 service model (fact sheet 4.3).
"""

from typing import Final

from lb.model.attributes import TABLE, Attribute, Scope

_TG = Scope.TARGET_GROUP
_BOOLEAN: Final = ("true", "false")
_HTTP2: Final = (
    Attribute(
        _TG,
        "waf.http2.traffic_inspection_behavior",
        "inspect_after_sufficient_data",
        pattern=r"[a-z_]{1,64}",
        words="the name of a behaviour",
    ),
)
_LAMBDA: Final = (Attribute(_TG, "lambda.multi_value_headers.enabled", "false", choices=_BOOLEAN),)
_FAILOVER: Final = ("rebalance", "no_rebalance")
_GENEVE: Final = (
    Attribute(_TG, "deregistration_delay.timeout_seconds", "300", 0, 3600),
    Attribute(_TG, "stickiness.enabled", "false", choices=_BOOLEAN),
    Attribute(
        _TG, "stickiness.type", "source_ip_dest_ip_proto", choices=("source_ip_dest_ip", "source_ip_dest_ip_proto")
    ),
    Attribute(_TG, "target_failover.on_deregistration", "no_rebalance", choices=_FAILOVER),
    Attribute(_TG, "target_failover.on_unhealthy", "no_rebalance", choices=_FAILOVER),
)
_HEALTH: Final = "target_group_health."
_SHARED: Final = ("deregistration_delay.timeout_seconds", "stickiness.enabled", "load_balancing.cross_zone.enabled")


def target_group_rows(target_type: str, protocol: str | None, protocol_version: str) -> tuple[Attribute, ...]:
    """Every attribute of a target group by its `TargetType`, `Protocol` (None for Lambda functions) and `ProtocolVersion`."""
    acting = tuple(row for row in TABLE if row.scope is _TG)
    if target_type == "lambda":
        return _LAMBDA
    if protocol in ("HTTP", "HTTPS"):
        return (*acting, *_HTTP2) if protocol_version in ("HTTP2", "GRPC") else acting
    if protocol == "GENEVE":
        return _GENEVE
    shared = tuple(row for row in acting if row.key in _SHARED or row.key.startswith(_HEALTH))
    return (*shared, *_network(target_type, protocol))


def is_known(key: str) -> bool:
    """Whether target groups of some kind have the attribute."""
    kinds = (("instance", "HTTP", "HTTP2"), ("lambda", None, ""), ("instance", "TCP", ""), ("instance", "GENEVE", ""))
    return any(row.key == key for kind in kinds for row in target_group_rows(*kind))


def _network(target_type: str, protocol: str | None) -> tuple[Attribute, ...]:
    datagrams = "true" if protocol in ("UDP", "TCP_UDP") else "false"
    client_ip = "false" if target_type == "ip" and protocol in ("TCP", "TLS") else "true"
    return (
        Attribute(_TG, "stickiness.type", "source_ip", choices=("source_ip",)),
        Attribute(_TG, "deregistration_delay.connection_termination.enabled", datagrams, choices=_BOOLEAN),
        Attribute(_TG, "preserve_client_ip.enabled", client_ip, choices=_BOOLEAN),
        Attribute(_TG, "proxy_protocol_v2.enabled", "false", choices=_BOOLEAN),
        Attribute(_TG, "target_health_state.unhealthy.connection_termination.enabled", "true", choices=_BOOLEAN),
        Attribute(_TG, "target_health_state.unhealthy.draining_interval_seconds", "0", 0, 360_000),
    )
