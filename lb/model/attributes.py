"""The attribute table: every attribute this balancer honours, its type, range and default.

Values are strings, as on ELB's wire; `seconds_of` and `is_on` give them their type. An attribute that is missing here has no
behaviour behind it, so it is refused rather than recorded.

Source: "Edit attributes" and "Edit target group attributes" in the ELB user guide (fact sheet 1.4, 2.5 and 4.3).
"""

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
    """One row. `low` and `high` bound a number; `choices` lists the allowed texts of anything else."""

    scope: Scope
    key: str
    default: str
    low: int = 0
    high: int = 0
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        return " or ".join(self.choices) if self.choices else f"{self.low}-{self.high}"


_BOOLEAN = ("true", "false")

TABLE: tuple[Attribute, ...] = (
    Attribute(Scope.LOAD_BALANCER, "idle_timeout.timeout_seconds", "60", 1, 4000),
    Attribute(Scope.LOAD_BALANCER, "client_keep_alive.seconds", "3600", 60, 604800),
    Attribute(
        Scope.LOAD_BALANCER,
        "routing.http.desync_mitigation_mode",
        "defensive",
        choices=("monitor", "defensive", "strictest"),
    ),
    Attribute(Scope.LOAD_BALANCER, "routing.http.drop_invalid_header_fields.enabled", "false", choices=_BOOLEAN),
    Attribute(Scope.LOAD_BALANCER, "routing.http.preserve_host_header.enabled", "false", choices=_BOOLEAN),
    Attribute(Scope.LOAD_BALANCER, "routing.http.xff_client_port.enabled", "false", choices=_BOOLEAN),
    Attribute(
        Scope.LOAD_BALANCER,
        "routing.http.xff_header_processing.mode",
        "append",
        choices=("append", "preserve", "remove"),
    ),
    Attribute(Scope.LISTENER, "routing.http.response.server.enabled", "true", choices=_BOOLEAN),
    Attribute(Scope.TARGET_GROUP, "deregistration_delay.timeout_seconds", "300", 0, 3600),
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
    if row.choices:
        if text not in row.choices:
            raise ValueError(f"'{key}' value '{text}' must be {row.allowed}")
    elif not (text.isascii() and text.isdigit() and row.low <= int(text) <= row.high):
        raise ValueError(f"'{key}' value '{text}' must be between '{row.allowed}' inclusive")


def text_of(scope: Scope, values: Mapping[str, str], key: str) -> str:
    """The configured text, or the default."""
    return values.get(key, _BY_KEY[scope, key].default)


def seconds_of(scope: Scope, values: Mapping[str, str], key: str) -> int:
    """A numeric attribute."""
    return int(text_of(scope, values, key))


def is_on(scope: Scope, values: Mapping[str, str], key: str) -> bool:
    """A boolean attribute."""
    return text_of(scope, values, key) == "true"
