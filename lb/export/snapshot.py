"""What ELB's Describe operations tell of some load balancers: where an export and an import begin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Items as the operations answer them.

    `rules` (default rules too) and `certificates` (ARNs beside the listener's own) are by listener ARN, `targets`
    (TargetDescription) by target group ARN, `attributes` and `tags` by the ARN of their resource.
    """

    load_balancers: tuple[Json, ...] = ()
    listeners: tuple[Json, ...] = ()
    target_groups: tuple[Json, ...] = ()
    rules: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    certificates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def registered(descriptions: list[Json]) -> tuple[Json, ...]:
    """The targets in `TargetHealthDescriptions`, without those that only drain."""
    return tuple([each["Target"] for each in descriptions if each.get("TargetHealth", {}).get("State") != "draining"])


def tags_of(listed: list[Json]) -> dict[str, str]:
    """`Tags` as a mapping."""
    return {tag["Key"]: tag.get("Value", "") for tag in listed}


def attributes_of(listed: list[Json]) -> dict[str, str]:
    """`Attributes` as a mapping."""
    return {attribute["Key"]: attribute["Value"] for attribute in listed}


def listener_of(rule_arn: str) -> str:
    """ARN of the listener that a rule belongs to."""
    return rule_arn.replace(":listener-rule/", ":listener/").rsplit("/", 1)[0]
