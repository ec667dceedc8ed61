"""Checks of single values of `lb.yaml`: each takes what YAML gave and returns what the schema keeps.

All raise ValueError, which pydantic takes for a refusal, with a message that goes on after "key: ". Those that look at many
values at once raise pydantic's ValidationError instead, so that none hides another.
"""

from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from lb.configfile.address import HIGHEST_PORT, comparable_host, parse_address
from lb.configfile.problems import known_instead, shown
from lb.model import attributes, matcher
from lb.model.attributes import Scope
from lb.model.config import Target

TRAFFIC_PORT = "traffic-port"
TARGETS_PER_GROUP = 1000
_LONGEST_NAME = 32
_LONGEST_PATH = 1024
_LONGEST_ATTRIBUTE = 1024

Fault = tuple[str | int, str]


def load_balancer_name(name: str) -> str:
    """ELB's rules for the name of an Application Load Balancer."""
    _check_name(name, f"The load balancer name {shown(name)}")
    if name.startswith("internal-"):
        raise ValueError(f"The load balancer name {shown(name)} cannot begin with 'internal-'")
    return name


def target_group_name(name: str) -> str:
    """ELB's rules for the name of a target group."""
    _check_name(name, f"Target group name {shown(name)}")
    return name


def _check_name(name: str, subject: str) -> None:
    if not name:
        raise ValueError(f"{subject} cannot be empty")
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"{subject} cannot be longer than '{_LONGEST_NAME}' characters")
    if not (name.isascii() and name.replace("-", "a").isalnum()):
        raise ValueError(f"{subject} can only contain characters that are alphanumeric characters or hyphens(-)")
    if name.startswith("-") or name.endswith("-"):
        raise ValueError(f"{subject} cannot begin or end with '-'")


def health_check_path(path: str) -> str:
    """A URL path with an optional query. Only visible ASCII: it goes into the probe's request line as it is."""
    if not path.startswith("/"):
        raise ValueError(f"must start with '/' (a URL path such as /health.php), not {shown(path)}")
    if len(path) > _LONGEST_PATH:
        raise ValueError(f"must not be longer than {_LONGEST_PATH} characters, and has {len(path)}")
    if not all("!" <= character <= "~" for character in path):
        raise ValueError("must not hold spaces, control or non-ASCII characters; percent-encode them (%20)")
    return path


def health_check_port(value: object) -> int | str:
    """`traffic-port` or a port number."""
    if value == TRAFFIC_PORT:
        return TRAFFIC_PORT
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= HIGHEST_PORT:
        raise ValueError(
            f"must be {TRAFFIC_PORT} or a number from 1 to {HIGHEST_PORT} without quotes, not {shown(value)}"
        )
    return value


def matcher_text(value: object) -> str:
    """Status codes as text; YAML reads a lone one as a number."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f'must be status codes such as 200, "200,202" or "200-299", not {shown(value)}')  # noqa: TRY004
    return matcher.parse_matcher(str(value)).text


def attribute_texts(scope: Scope, value: object) -> object:
    """Attributes as ELB's wire text: `60` and `true` in YAML become "60" and "true". Other than a mapping is passed on."""
    if not isinstance(value, dict):
        return value
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for key, given in value.items():
        try:
            texts[key] = _attribute_text(scope, key, given)
        except ValueError as error:
            faults.append((key, str(error)))
    _raise_all(faults)
    return texts


def _attribute_text(scope: Scope, key: str, given: object) -> str:
    known = attributes.keys(scope)
    if key not in known:
        subject = f"{scope} attribute key {shown(key)} is not recognized"
        raise ValueError(f"{subject}; {known_instead(key, known, 'keys')}")
    if given is None or isinstance(given, dict | list):
        raise ValueError(f"must be a single value, not {shown(given)}")
    text = shown(given) if isinstance(given, bool) else str(given)
    if len(text) > _LONGEST_ATTRIBUTE:
        raise ValueError(f"must not be longer than {_LONGEST_ATTRIBUTE} characters, and has {len(text)}")
    attributes.check(scope, key, text)
    return text


def target_list(value: object, default_port: int | None) -> tuple[Target, ...]:
    """Targets in the order given. `default_port` is for those that name none; None where it is itself wrong."""
    if not isinstance(value, list):
        raise ValueError(f'must be a list such as ["web1:80", "web2:80"], not {shown(value)}')  # noqa: TRY004
    targets: list[Target] = []
    faults: list[Fault] = []
    if len(value) > TARGETS_PER_GROUP:
        raise ValueError(f"must not hold more than {TARGETS_PER_GROUP} targets, and has {len(value)}")
    first: dict[tuple[str, int], int] = {}
    for position, item in enumerate(value):
        try:
            target = _target(item, default_port)
        except ValueError as error:
            faults.append((position, str(error)))
            continue
        targets.append(target)
        before = first.setdefault((comparable_host(target.id), target.port), position)
        if before != position:
            faults.append((position, f"{target} is already in the list, at targets[{before}]"))
    _raise_all(faults)
    return tuple(targets)


def _target(item: object, default_port: int | None) -> Target:
    match item:
        case str():
            try:
                host, port = parse_address(item)
            except ValueError as error:
                raise ValueError(f"{error}, not {shown(item)}") from None
            return Target(host, port or default_port or 0)
        case dict() if len(item) == 1:
            raise ValueError('must be host:port without a space after the colon, such as "web1:80"')
        case _:
            raise ValueError(f'must be text such as "web1:80", not {shown(item)}')


def _raise_all(faults: Sequence[Fault]) -> None:
    if faults:
        raise ValidationError.from_exception_data(
            "lb.yaml",
            [
                InitErrorDetails(
                    type=PydanticCustomError("lb", "{message}", {"message": message}), loc=(step,), input=""
                )
                for step, message in faults
            ],
        )
