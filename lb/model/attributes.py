"""The attribute table: every attribute this balancer honours, its type, range and default.

Values are strings, as on ELB's wire; `seconds_of` and `is_on` give them their type. An attribute that is missing here has no
behaviour behind it: the configuration file refuses it, the API keeps those of `lb.model.kept_attributes` as records.

Source: "Edit attributes" and "Edit target group attributes" in the ELB user guide (fact sheet 1.4, 2.5 and 4.3).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """The kind of resource that carries an attribute; the text is the one ELB's messages use."""

    LOAD_BALANCER = "Load balancer"
    LISTENER = "Listener"
    TARGET_GROUP = "Target group"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row: a number within `low` and `high`, a text that `pattern` matches whole, or one of `choices`.

    `choices` beside a number are texts that stand for themselves, such as `off`.
    """

    scope: Scope
    key: str
    default: str
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    words: str = ""

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        numbers = [f"{self.low}-{self.high}"] if self.low is not None else []
        return self.words or " or ".join((*self.choices, *numbers))

    def takes(self, text: str) -> bool:
        """Whether the text is an allowed value."""
        if text in self.choices:
            return True
        if self.low is not None and self.high is not None:
            return text.isascii() and text.isdigit() and self.low <= int(text) <= self.high
        return bool(self.pattern) and re.fullmatch(self.pattern, text) is not None

    def check(self, text: str) -> None:
        """Raises ValueError with ELB's wording for a value that is not allowed."""
        if not self.takes(text):
            how = f"must be between '{self.allowed}' inclusive" if self.low is not None else f"must be {self.allowed}"
            raise ValueError(f"'{self.key}' value '{text}' {how}")


_BOOLEAN = ("true", "false")
_LB, _LISTENER, _TG = Scope.LOAD_BALANCER, Scope.LISTENER, Scope.TARGET_GROUP
# ELB's characters for header values, up to 1 KB (fact sheet 2.5); a header must not be ended by its value.
_HEADER = r"[A-Za-z0-9_ :;.,\\/'?!(){}\[\]@<>=\-+*#&`|~^%\"$]{0,1024}"
_HEADER_WORDS = "a header value of up to 1024 characters, or nothing to leave the target's own alone"


def _response_header(name: str) -> Attribute:
    key = f"routing.http.response.{name}.header_value"
    return Attribute(_LISTENER, key, "", pattern=_HEADER, words=_HEADER_WORDS)


# A bucket is a folder here: neither it nor the prefix may lead out of it.
_BUCKET = r"(?:[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9])?"
_FOLDER = r"(?!\.\.?(?:/|$))[A-Za-z0-9!_.*'()-]{1,200}"
_PREFIX = rf"(?!.*AWSLogs)(?=.{{0,512}}$)(?:{_FOLDER}(?:/{_FOLDER})*)?"


def _log_delivery(log: str) -> tuple[Attribute, ...]:
    prefix = f"{log}_logs.s3"
    return (
        Attribute(_LB, f"{prefix}.enabled", "false", choices=_BOOLEAN),
        Attribute(
            _LB,
            f"{prefix}.bucket",
            "",
            pattern=_BUCKET,
            words="the name of a bucket: 3-63 lower-case letters, digits, dots and hyphens",
        ),
        Attribute(
            _LB,
            f"{prefix}.prefix",
            "",
            pattern=_PREFIX,
            words="a path without AWSLogs in it",
        ),
    )


TABLE: tuple[Attribute, ...] = (
    *_log_delivery("access"),
    *_log_delivery("connection"),
    *_log_delivery("health_check"),
    Attribute(_LB, "idle_timeout.timeout_seconds", "60", 1, 4000),
    Attribute(_LB, "client_keep_alive.seconds", "3600", 60, 604800),
    Attribute(_LB, "routing.http.desync_mitigation_mode", "defensive", choices=("monitor", "defensive", "strictest")),
    Attribute(_LB, "routing.http.drop_invalid_header_fields.enabled", "false", choices=_BOOLEAN),
    Attribute(_LB, "routing.http.preserve_host_header.enabled", "false", choices=_BOOLEAN),
    Attribute(_LB, "routing.http.xff_client_port.enabled", "false", choices=_BOOLEAN),
    Attribute(_LB, "routing.http.xff_header_processing.mode", "append", choices=("append", "preserve", "remove")),
    Attribute(_LISTENER, "routing.http.response.server.enabled", "true", choices=_BOOLEAN),
    *map(
        _response_header,
        (
            "strict_transport_security",
            "access_control_allow_origin",
            "access_control_allow_methods",
            "access_control_allow_headers",
            "access_control_allow_credentials",
            "access_control_expose_headers",
            "access_control_max_age",
            "content_security_policy",
            "x_content_type_options",
            "x_frame_options",
        ),
    ),
    Attribute(_TG, "deregistration_delay.timeout_seconds", "300", 0, 3600),
    Attribute(_TG, "stickiness.enabled", "false", choices=_BOOLEAN),
    Attribute(_TG, "stickiness.type", "lb_cookie", choices=("lb_cookie", "app_cookie")),
    Attribute(_TG, "stickiness.lb_cookie.duration_seconds", "86400", 1, 604800),
    Attribute(
        _TG,
        "stickiness.app_cookie.cookie_name",
        "",
        pattern=r"(?!AWSALB)[!#$%&'*+\-.^_`|~0-9A-Za-z]{0,255}",
        words="the name of the application's cookie, which must not begin with AWSALB",
    ),
    Attribute(_TG, "stickiness.app_cookie.duration_seconds", "86400", 1, 604800),
    Attribute(
        _TG,
        "load_balancing.algorithm.type",
        "round_robin",
        choices=("round_robin", "least_outstanding_requests", "weighted_random"),
    ),
    Attribute(_TG, "load_balancing.algorithm.anomaly_mitigation", "off", choices=("on", "off")),
    Attribute(
        _TG,
        "load_balancing.cross_zone.enabled",
        "use_load_balancer_configuration",
        choices=("true", "false", "use_load_balancer_configuration"),
    ),
    Attribute(_TG, "slow_start.duration_seconds", "0", 30, 900, choices=("0",)),
    Attribute(_TG, "target_group_health.dns_failover.minimum_healthy_targets.count", "1", 1, 1000, choices=("off",)),
    Attribute(
        _TG, "target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", 1, 100, choices=("off",)
    ),
    Attribute(_TG, "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", 1, 1000),
    Attribute(
        _TG,
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        "off",
        1,
        100,
        choices=("off",),
    ),
)

_BY_KEY = {(row.scope, row.key): row for row in TABLE}


def keys(scope: Scope) -> tuple[str, ...]:
    """The attribute keys of a kind of resource."""
    return tuple(row.key for row in TABLE if row.scope is scope)


def check(scope: Scope, key: str, text: str) -> None:
    """Raises KeyError for an unknown key, ValueError with ELB's wording for a value outside the table."""
    row = _BY_KEY.get((scope, key))
    if row is None:
        raise KeyError(f"{scope} attribute key '{key}' is not recognized")
    row.check(text)


def check_together(scope: Scope, values: Mapping[str, str]) -> None:
    """Raises ValueError for combinations that ELB refuses (fact sheet 4.3)."""
    if scope is Scope.LOAD_BALANCER:
        for log in ("access", "connection", "health_check"):
            prefix = f"{log}_logs.s3"
            if is_on(scope, values, f"{prefix}.enabled") and not text_of(scope, values, f"{prefix}.bucket"):
                raise ValueError(f"'{prefix}.enabled' needs '{prefix}.bucket'")
    if scope is not Scope.TARGET_GROUP:
        return
    algorithm = text_of(scope, values, "load_balancing.algorithm.type")
    sticky = is_on(scope, values, "stickiness.enabled")
    if algorithm != "round_robin" and seconds_of(scope, values, "slow_start.duration_seconds"):
        raise ValueError(f"slow start goes with round_robin only, not with {algorithm}")
    if algorithm == "weighted_random" and sticky:
        raise ValueError("stickiness cannot be used with the algorithm weighted_random")
    if algorithm != "weighted_random" and is_on_off(values, "load_balancing.algorithm.anomaly_mitigation"):
        raise ValueError("anomaly mitigation needs the algorithm weighted_random")
    if sticky and text_of(scope, values, "load_balancing.cross_zone.enabled") == "false":
        raise ValueError("stickiness cannot be used while cross-zone load balancing is off")
    if (
        sticky
        and text_of(scope, values, "stickiness.type") == "app_cookie"
        and not text_of(scope, values, "stickiness.app_cookie.cookie_name")
    ):
        raise ValueError("You must set an application cookie name to enable stickiness of type 'app_cookie'")
    _check_failover_order(values)


def _check_failover_order(values: Mapping[str, str]) -> None:
    """DNS failover comes with or before routing failover, where thresholds for both are given."""
    for unit in ("count", "percentage"):
        dns_key, routing_key = (
            f"target_group_health.{action}.minimum_healthy_targets.{unit}"
            for action in ("dns_failover", "unhealthy_state_routing")
        )
        dns, routing = values.get(dns_key, "off"), values.get(routing_key, "off")
        if "off" not in (dns, routing) and int(dns) < int(routing):
            raise ValueError(f"'{dns_key}' ({dns}) must not be less than '{routing_key}' ({routing})")


def is_on_off(values: Mapping[str, str], key: str) -> bool:
    """A target group attribute that is `on` or `off`."""
    return text_of(Scope.TARGET_GROUP, values, key) == "on"


def text_of(scope: Scope, values: Mapping[str, str], key: str) -> str:
    """The configured text, or the default."""
    return values.get(key, _BY_KEY[scope, key].default)


def seconds_of(scope: Scope, values: Mapping[str, str], key: str) -> int:
    """A numeric attribute."""
    return int(text_of(scope, values, key))


def is_on(scope: Scope, values: Mapping[str, str], key: str) -> bool:
    """A boolean attribute."""
    return text_of(scope, values, key) == "true"
