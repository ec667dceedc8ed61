"""How Terraform's configuration refers to what it makes and what it is given."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from lb.export.hcl import Code
from lb.export.names import Ref

TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "load_balancer": "aws_lb",
        "target_group": "aws_lb_target_group",
        "listener": "aws_lb_listener",
        "rule": "aws_lb_listener_rule",
    }
)
"""Kind of a reference to the type of its resource; others are variables."""


def label(ref: Ref) -> str:
    """The name of a resource, which must not begin with a digit."""
    return f"_{ref.name}" if ref.name[0].isdigit() else ref.name


def code(value: Any) -> Any:
    """A reference as an expression; other values as they are."""
    if not isinstance(value, Ref):
        return value
    if value.kind in TYPES:
        return Code(f"{TYPES[value.kind]}.{label(value)}.arn")
    return Code(f"var.{value.kind}_{value.name}")
