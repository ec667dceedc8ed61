"""The one description that every export is written from: properties in the words of ELB's Create operations, no ARNs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lb.export.names import Ref

Properties = Mapping[str, Any]
"""Members of a Create operation; a value, at any depth, may be a Ref."""


@dataclass(frozen=True, slots=True)
class Given:
    """An id that the export cannot make: part of a network, a certificate, a target. `value` None has to be given."""

    ref: Ref
    value: str | None
    what: str


@dataclass(frozen=True, slots=True)
class Resource:
    """`attributes` are those that differ from ELB's defaults."""

    ref: Ref
    properties: Properties
    attributes: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TargetGroup(Resource):
    """`targets` as RegisterTargets takes them."""

    targets: tuple[Properties, ...]


@dataclass(frozen=True, slots=True)
class Listener(Resource):
    """`certificates` are those beside the default one; `rules` those beside the default rule, in their order."""

    certificates: tuple[Ref, ...]
    rules: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class LoadBalancer(Resource):
    """With its listeners."""

    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """`notes` are sentences about what AWS would not take as it is here."""

    given: tuple[Given, ...]
    target_groups: tuple[TargetGroup, ...]
    load_balancers: tuple[LoadBalancer, ...]
    notes: tuple[str, ...]
