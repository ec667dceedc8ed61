"""The checks that a lesson's file may name."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter

from lb.lessons import state_checks, traffic_checks
from lb.lessons.snapshot import Snapshot
from lb.lessons.text import Text

Check = Callable[..., Text | None]
"""Takes a snapshot and its own parameters by keyword; returns what is missing, None for nothing."""

CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            state_checks.server_state,
            state_checks.image_of,
            state_checks.launched_from_image_of,
            state_checks.page_says,
            state_checks.load_balancer_in_zones,
            state_checks.admits_clients,
            state_checks.target_group_exists,
            state_checks.registered,
            state_checks.healthy,
            state_checks.not_healthy,
            state_checks.health_check_path,
            state_checks.forwards,
            state_checks.group_attribute,
            state_checks.load_balancer_attribute,
            state_checks.database_answered,
            state_checks.lets_in,
            traffic_checks.alternate,
            traffic_checks.each_answers,
            traffic_checks.only_answers,
            traffic_checks.sticks,
            traffic_checks.group_share,
            traffic_checks.server_share,
            traffic_checks.idle_connection_closed,
            traffic_checks.without_errors,
            traffic_checks.avoids_busy,
        )
    }
)


def read_parameters(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a check, as its function has them. Raises ValueError, which says what is allowed."""
    check = CHECKS.get(name)
    if check is None:
        raise ValueError(f"there is no check '{name}'; there are {', '.join(CHECKS)}")
    known = {key: each for key, each in signature(check).parameters.items() if each.kind is Parameter.KEYWORD_ONLY}
    required = {key for key, each in known.items() if each.default is Parameter.empty}
    if not required <= given.keys() <= known.keys():
        raise ValueError(f"{name} takes {', '.join(known)}; given were {', '.join(given) or 'none'}")
    strict = ConfigDict(strict=True)
    return {
        key: TypeAdapter(known[key].annotation, config=strict).validate_python(value) for key, value in given.items()
    }


def missing(seen: Snapshot, name: str, parameters: Mapping[str, Any]) -> Text | None:
    """What a check finds missing."""
    return CHECKS[name](seen, **parameters)
