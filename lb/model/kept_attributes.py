"""Attributes that ELB has and nothing here acts on: they are accepted, kept and answered, since clients send many at once.

`lb.model.attributes` is the table of those with behaviour behind them; here they are joined to all that ELB has for a load
balancer or a listener. Only the API takes the ones below; the configuration file refuses them.

Source: LoadBalancerAttribute and ListenerAttribute in the ELBv2 service model (fact sheet 1.4 and 2.5).
"""

from dataclasses import replace
from typing import Final

from lb.model.attributes import TABLE, Attribute, Scope

DELETION_PROTECTION: Final = "deletion_protection.enabled"
"""The one that acts, in the API: DeleteLoadBalancer refuses."""

_BOOLEAN = ("true", "false")
_LB, _LISTENER = Scope.LOAD_BALANCER, Scope.LISTENER
_CROSS_ZONE = "load_balancing.cross_zone.enabled"
_DENY_IPV6 = "ipv6.deny_all_igw_traffic"

_DELETION_ROW = Attribute(_LB, DELETION_PROTECTION, "false", choices=_BOOLEAN)
_DENY_IPV6_ROW = Attribute(_LB, _DENY_IPV6, "false", choices=_BOOLEAN)
_ZONAL_SHIFT_ROW = Attribute(_LB, "zonal_shift.config.enabled", "false", choices=_BOOLEAN)

_APPLICATION: tuple[Attribute, ...] = (
    _DELETION_ROW,
    Attribute(_LB, _CROSS_ZONE, "true", choices=("true",)),
    _DENY_IPV6_ROW,
    Attribute(_LB, "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", choices=_BOOLEAN),
    Attribute(_LB, "routing.http2.enabled", "true", choices=_BOOLEAN),
    Attribute(_LB, "waf.fail_open.enabled", "false", choices=_BOOLEAN),
    _ZONAL_SHIFT_ROW,
)
_NETWORK: tuple[Attribute, ...] = (
    _DELETION_ROW,
    Attribute(_LB, _CROSS_ZONE, "false", choices=_BOOLEAN),
    _DENY_IPV6_ROW,
    Attribute(
        _LB,
        "dns_record.client_routing_policy",
        "any_availability_zone",
        choices=("availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"),
    ),
    Attribute(_LB, "secondary_ips.auto_assigned.per_subnet", "0", 0, 7),
    _ZONAL_SHIFT_ROW,
)
_GATEWAY: tuple[Attribute, ...] = (_DELETION_ROW, Attribute(_LB, _CROSS_ZONE, "false", choices=_BOOLEAN))


def _request_header(name: str) -> Attribute:
    return Attribute(
        _LISTENER,
        f"routing.http.request.{name.lower().replace('-', '_')}.header_name",
        name,
        pattern=r"[A-Za-z0-9_-]{0,40}",
        words="a header name of up to 40 letters, digits, hyphens and underscores",
    )


_HTTPS_LISTENER = tuple(
    map(
        _request_header,
        (
            "X-Amzn-Mtls-Clientcert-Serial-Number",
            "X-Amzn-Mtls-Clientcert-Issuer",
            "X-Amzn-Mtls-Clientcert-Subject",
            "X-Amzn-Mtls-Clientcert-Validity",
            "X-Amzn-Mtls-Clientcert-Leaf",
            "X-Amzn-Mtls-Clientcert",
            "X-Amzn-Tls-Version",
            "X-Amzn-Tls-Cipher-Suite",
        ),
    )
)
_TCP_LISTENER = (Attribute(_LISTENER, "tcp.idle_timeout.seconds", "350", 60, 6000),)
_GENEVE_LISTENER = (
    *_TCP_LISTENER,
    Attribute(_LISTENER, "send_tcp_reset.on_idle_timeout.enabled", "false", choices=_BOOLEAN),
)


def load_balancer_rows(balancer_type: str, scheme: str) -> tuple[Attribute, ...]:
    """Every attribute of a load balancer of a `Type` (`application`, `network`, `gateway`) and `Scheme`."""
    acting = tuple(row for row in TABLE if row.scope is _LB)
    if balancer_type == "application":
        rows = (*acting, *_APPLICATION)
    elif balancer_type == "network":
        rows = (*(row for row in acting if row.key.startswith("access_logs.")), *_NETWORK)
    else:
        rows = _GATEWAY
    return tuple(
        replace(row, default="true") if row.key == _DENY_IPV6 and scheme == "internal" else row for row in rows
    )


def listener_rows(balancer_type: str, protocol: str) -> tuple[Attribute, ...]:
    """Every attribute of a listener, by the type of its load balancer and its own protocol."""
    if balancer_type == "application":
        acting = tuple(row for row in TABLE if row.scope is _LISTENER)
        return (*acting, *_HTTPS_LISTENER) if protocol == "HTTPS" else acting
    return _TCP_LISTENER if balancer_type == "network" else _GENEVE_LISTENER
