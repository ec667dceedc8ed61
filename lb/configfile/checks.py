"""Checks of single values of `lb.yaml`: each takes what YAML gave and returns what the schema keeps.

Those of one value raise ValueError, which pydantic takes for a refusal, with a message that goes on after "key: "; the one of
many values is a reader (`nodes`), so that none hides another.
"""

from lb.configfile.address import HIGHEST_PORT
from lb.configfile.nodes import Node
from lb.configfile.problems import known_instead, shown
from lb.model import attributes, matcher
from lb.model.attributes import Scope
from lb.model.name_rules import check_load_balancer_name, check_target_group_name

TRAFFIC_PORT = "traffic-port"
ATTRIBUTES = "a mapping of attribute keys to values"
_LONGEST_PATH = 1024
_LONGEST_ATTRIBUTE = 1024


def load_balancer_name(name: str) -> str:
    """ELB's rules for the name of an Application Load Balancer."""
    check_load_balancer_name(name, shown(name))
    return name


def target_group_name(name: str) -> str:
    """ELB's rules for the name of a target group."""
    check_target_group_name(name, shown(name))
    return name


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


def attribute_texts(scope: Scope, node: Node) -> dict[str, str]:
    """Attributes as ELB's wire text: `60` and `true` in YAML become "60" and "true"."""
    if not isinstance(node.value, dict):
        node.refuse_kind(ATTRIBUTES)
        return {}
    texts: dict[str, str] = {}
    for key, value in node.value.items():
        try:
            texts[key] = _attribute_text(scope, key, value)
        except ValueError as error:
            node.below(key, value).refuse(str(error))
    if len(texts) == len(node.value):
        node.passes(attributes.check_together, scope, texts)
    return texts


def wire_text(value: object) -> str:
    """A single value of the file as ELB's wire text."""
    return shown(value) if isinstance(value, bool) else str(value)


def _attribute_text(scope: Scope, key: str, given: object) -> str:
    known = attributes.keys(scope)
    if key not in known:
        subject = f"{scope} attribute key {shown(key)} is not recognized"
        raise ValueError(f"{subject}; {known_instead(key, known, 'keys')}")
    if given is None or isinstance(given, dict | list):
        raise ValueError(f"must be a single value, not {shown(given)}")
    text = wire_text(given)
    if len(text) > _LONGEST_ATTRIBUTE:
        raise ValueError(f"must not be longer than {_LONGEST_ATTRIBUTE} characters, and has {len(text)}")
    attributes.check(scope, key, text)
    return text
