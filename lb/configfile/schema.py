"""The keys of `lb.yaml`: names, types, defaults and ranges, as pydantic models.

A field's description says what is allowed, in words that go on after "must be"; error messages and docs/lb-yaml.md use it.
Types are strict: a number in quotes is not a number, and true is not 1. Fields are checked in the order they stand here,
and a check may look at the fields before it. What must hold between parts of a file is in `relations`.
"""

from functools import partial
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticKnownError

from lb.configfile import checks, rules_schema
from lb.configfile.keys import Keys
from lb.configfile.nodes import read_value, reader
from lb.configfile.targets import TARGETS_PER_GROUP, ZONES, read_targets, read_zones
from lb.model.attributes import Scope
from lb.model.config import Target
from lb.model.rules import Action

LISTENERS_PER_LOAD_BALANCER = 50
_ELB_LOWEST_INTERVAL_S = 5.0


def _wire(scope: Scope) -> PlainValidator:
    return reader(partial(checks.attribute_texts, scope))


def _given(value: object) -> object:
    """None is the default of a key that is left out; it cannot be written."""
    if value is None:
        raise PydanticKnownError("float_type")
    return value


Port = Annotated[int, Field(ge=1, le=65535)]
Threshold = Annotated[int, Field(ge=2, le=10)]

_A_PORT = "a number from 1 to 65535 without quotes"
_A_THRESHOLD = "a whole number from 2 to 10"


class HealthCheckKeys(Keys):
    """`target_groups.NAME.health_check`. Ranges are ELB's, except that intervals and timeouts may be shorter, for demos."""

    path: Annotated[str, AfterValidator(checks.health_check_path)] = Field(
        default="/", description="a URL path that starts with '/', at most 1024 characters"
    )
    port: Annotated[int | str, PlainValidator(checks.health_check_port)] = Field(
        default=checks.TRAFFIC_PORT, description="traffic-port or a number from 1 to 65535 without quotes"
    )
    protocol: Literal["HTTP"] = Field(default="HTTP", description="HTTP (HTTPS is not supported yet)")
    interval: float = Field(default=30, ge=0.1, le=300, description="a number of seconds from 0.1 to 300")
    timeout: Annotated[float | None, BeforeValidator(_given)] = Field(
        default=None,
        ge=0.05,
        le=120,
        description="a number of seconds from 0.05 to 120, less than the interval",
    )
    healthy_threshold: Threshold = Field(default=5, description=_A_THRESHOLD)
    unhealthy_threshold: Threshold = Field(default=2, description=_A_THRESHOLD)
    matcher: Annotated[str, PlainValidator(checks.matcher_text)] = Field(
        default="200", description='status codes from 200 to 499: 200, "200,202" or "200-299"'
    )

    @field_validator("timeout", mode="after")
    @classmethod
    def _shorter_than_interval(cls, timeout: float, info: ValidationInfo) -> float:
        interval = info.data.get("interval")
        if interval is not None and timeout >= interval:
            raise ValueError(
                f"Health check timeout '{_seconds(timeout)}' must be smaller than the interval '{_seconds(interval)}'"
            )
        return timeout

    @property
    def timeout_s(self) -> float:
        """The timeout given, or ELB's default of 5, or 0.8 of an interval that leaves no room for it."""
        if self.timeout is not None:
            return self.timeout
        return 5.0 if self.interval > _ELB_LOWEST_INTERVAL_S else round(0.8 * self.interval, 6)


class TargetGroupKeys(Keys):
    """`target_groups.NAME`."""

    port: Port = Field(default=80, description=_A_PORT)
    protocol: Literal["HTTP"] = Field(default="HTTP", description="HTTP (HTTPS is not supported yet)")
    attributes: Annotated[dict[str, str], _wire(Scope.TARGET_GROUP)] = Field(default={}, description=checks.ATTRIBUTES)
    health_check: HealthCheckKeys = Field(default=HealthCheckKeys(), description="a mapping of health check settings")
    targets: tuple[Target, ...] = Field(
        default=(),
        description=f'a list of up to {TARGETS_PER_GROUP} targets such as "web1:80", "10.0.0.1" or "[::1]:81"',
    )

    @field_validator("targets", mode="plain")
    @classmethod
    def _parsed(cls, value: object, info: ValidationInfo) -> tuple[Target, ...]:
        return read_value(partial(read_targets, default_port=info.data.get("port")), value)


class ListenerKeys(Keys):
    """`load_balancers.NAME.listeners[]`. That it has exactly one default action is in `relations`."""

    port: Port = Field(description=_A_PORT)
    protocol: Literal["HTTP"] = Field(default="HTTP", description="HTTP (HTTPS is not supported yet)")
    attributes: Annotated[dict[str, str], _wire(Scope.LISTENER)] = Field(default={}, description=checks.ATTRIBUTES)
    rules: list[rules_schema.RuleKeys] = Field(
        default=[], description=f"a list of rules, at most {rules_schema.RULES_PER_LOAD_BALANCER} in a load balancer"
    )
    forward: rules_schema.ForwardField = Field(default=None, description=rules_schema.FORWARD)
    redirect: rules_schema.RedirectField = Field(default=None, description=rules_schema.REDIRECT)
    fixed_response: rules_schema.FixedResponseField = Field(
        default=None, alias="fixed-response", description=rules_schema.FIXED_RESPONSE
    )

    @property
    def default_action(self) -> Action:
        """The default action. Its target groups are names."""
        (action,) = (each for each in (self.forward, self.redirect, self.fixed_response) if each is not None)
        return action


class LoadBalancerKeys(Keys):
    """`load_balancers.NAME`. The most listeners are in `relations`: here, too many would hide what is wrong with each."""

    attributes: Annotated[dict[str, str], _wire(Scope.LOAD_BALANCER)] = Field(default={}, description=checks.ATTRIBUTES)
    zones: Annotated[tuple[str, ...], reader(read_zones)] = Field(default=(), description=ZONES)
    listeners: list[ListenerKeys] = Field(
        min_length=1,
        description=f"a list of 1 to {LISTENERS_PER_LOAD_BALANCER} listeners, each with port and a default action",
    )


class FileKeys(Keys):
    """The file as a whole."""

    load_balancers: dict[Annotated[str, AfterValidator(checks.load_balancer_name)], LoadBalancerKeys] = Field(
        min_length=1, description="a mapping of load balancer names to settings, with at least one"
    )
    target_groups: dict[Annotated[str, AfterValidator(checks.target_group_name)], TargetGroupKeys] = Field(
        default={}, description="a mapping of target group names to settings"
    )


def _seconds(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
