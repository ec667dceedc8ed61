"""Conditions and transforms of a rule as a client gives them, checked and brought into the form that ELB answers."""

from collections.abc import Sequence
from typing import Any, Final

from lb.api.call import ApiError
from lb.api.elbv2.rule_refusals import answered
from lb.model import rules
from lb.model.rule_checks import check_conditions, check_transforms
from lb.resources.records import Json
from lb.resources.rules import (
    CONDITION_CONFIGS,
    TRANSFORM_CONFIGS,
    condition_of,
    condition_shape,
    transform_of,
    transform_shape,
)

_SIMPLE_FORM: Final = (rules.HostHeader.field, rules.PathPattern.field)
_SIMPLE_REGEXES: Final = (*_SIMPLE_FORM, rules.HttpHeader.field)


def read_conditions(conditions: Sequence[Json]) -> list[dict[str, Any]]:
    """`Conditions` of CreateRule and ModifyRule. Raises ApiError."""
    for condition in conditions:
        _check_form(condition)
    read = [condition_of(condition) for condition in conditions]
    with answered():
        check_conditions(read)
    return [condition_shape(condition) for condition in read]


def _check_form(condition: Json) -> None:
    """One known field, and its values in one of its forms."""
    field = condition.get("Field")
    if not field:
        raise ApiError("ValidationError", "A condition field must be specified")
    if field not in CONDITION_CONFIGS:
        known = ",".join(rules.FIELDS)
        raise ApiError("ValidationError", f"Condition field '{field}' must be one of '[{known}]'")
    own = CONDITION_CONFIGS[field]
    if foreign := [config for config in CONDITION_CONFIGS.values() if config in condition and config != own]:
        raise ApiError("ValidationError", f"'{foreign[0]}' cannot be specified for conditions with field '{field}'")
    simple = [member for member in ("Values", "RegexValues") if condition.get(member)]
    if own in condition:
        # Clients send back what Describe answered, which has both forms.
        if any(condition[member] != condition[own].get(member) for member in simple):
            raise ApiError(
                "ValidationError", f"You can specify either '{simple[0]}' or '{own}', not different values in both"
            )
        if "IpAddressType" in condition[own]:
            raise ApiError("ValidationError", "'IpAddressType' is supported on Network Load Balancers only")
    elif ("Values" in simple and field not in _SIMPLE_FORM) or (
        "RegexValues" in simple and field not in _SIMPLE_REGEXES
    ):
        raise ApiError("ValidationError", f"You must specify '{own}' for conditions with field '{field}'")


def read_transforms(transforms: Sequence[Json]) -> list[dict[str, Any]]:
    """`Transforms` of CreateRule and ModifyRule. Raises ApiError."""
    for transform in transforms:
        own = TRANSFORM_CONFIGS[transform["Type"]]
        if any(config in transform for config in TRANSFORM_CONFIGS.values() if config != own) or own not in transform:
            raise ApiError(
                "ValidationError", f"You must specify '{own}', and only it, for '{transform['Type']}' transforms"
            )
        if len(transform[own].get("Rewrites", ())) != 1:
            raise ApiError("ValidationError", f"You must specify exactly one rewrite in '{own}'")
    read = [transform_of(transform) for transform in transforms]
    with answered():
        check_transforms(read)
    return [transform_shape(transform) for transform in read]
