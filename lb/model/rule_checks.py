"""What ELB refuses of a rule: its limits on conditions, actions and transforms.

For whoever builds rules (the configuration file, the API). Each check raises InvalidRule with ELB's text where one is known
(fact sheet 11.4), and one in its style where none is. Sources: fact sheet 1.7 and 3.1 to 3.7.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from lb.model.regexes import InvalidRegex, compile_regex
from lb.model.rules import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    PathPattern,
    QueryString,
    Redirect,
    Rule,
    SourceIp,
    Transform,
    UrlRewrite,
)

LOWEST_PRIORITY, HIGHEST_PRIORITY = 1, 50_000
CONDITION_VALUES_PER_RULE: Final = 5
# The quota page and the error text say 6; the rules page and DescribeAccountLimits say 5 (fact sheet 1.7).
CONDITION_WILDCARDS_PER_RULE: Final = 6
TARGET_GROUPS_PER_ACTION: Final = 5
HIGHEST_WEIGHT: Final = 999
HIGHEST_STICKINESS_S: Final = 604_800
CONTENT_TYPES: Final = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
REDIRECT_STATUSES: Final = ("HTTP_301", "HTTP_302")

_LONGEST_VALUE: Final = 128
_LONGEST_NAME: Final = 40
_LONGEST_REWRITE: Final = 1024
_LONGEST_MESSAGE: Final = 1024
_REPEATABLE: Final = ("http-header", "query-string")


class InvalidRule(ValueError):
    """A rule that ELB refuses. `code` is the error code of its API."""

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.code = code


_HOST_CHARACTERS: Final = re.compile(r"[A-Za-z0-9.*?-]+")
_HOST_ENDING: Final = re.compile(r"[A-Za-z*?]*")
_PATH_CHARACTERS: Final = re.compile(r"""[A-Za-z0-9_.$/~"'@:+&*?-]+""")
_METHOD_CHARACTERS: Final = re.compile(r"[A-Z_-]+")
# Leaves out what else Python takes: a lone address, a netmask after the slash, an IPv6 zone.
_CIDR: Final = re.compile(r"[0-9A-Fa-f:.]+/[0-9]{1,3}")
_TOKEN: Final = re.compile(r"[!#$%&'+\-.^_`|~0-9A-Za-z]+")
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")
_ESCAPED: Final = re.compile(r"\\[*?\\]")
_GROUP: Final = re.compile(r"\$([1-9])")
_KEYWORD: Final = re.compile(r"#\{([^}]*)\}")
# Which keywords each part of a redirect may hold.
_KEYWORDS: Final = {
    "protocol": ("protocol",),
    "host": ("host",),
    "port": ("port",),
    "path": ("host", "path", "port"),
    "query": ("host", "path", "port", "protocol", "query"),
}


def check_rule(rule: Rule, listener_protocol: str = "HTTP") -> None:
    """Everything that can be said about one rule by itself. Raises InvalidRule."""
    if rule.priority is None:
        if rule.conditions or rule.transforms:
            raise InvalidRule(
                f"Default rule '{rule.arn}' cannot have conditions or transforms", "OperationNotPermitted"
            )
    else:
        check_priority(rule.priority)
        check_conditions(rule.conditions)
    check_action(rule.action, listener_protocol)
    check_transforms(rule.transforms)


def check_priority(priority: int) -> None:
    """Raises InvalidRule for a priority that no rule can have."""
    if not LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        raise InvalidRule(
            f"The priority '{priority}' must be between {LOWEST_PRIORITY} and {HIGHEST_PRIORITY}, inclusive"
        )


def check_conditions(conditions: Sequence[Condition]) -> None:
    """Each condition, and the limits of ELB on those of one rule together. Raises InvalidRule."""
    if not conditions:
        raise InvalidRule("A condition must be specified")
    for condition in conditions:
        check_condition(condition)
    for name, count in Counter(condition.field for condition in conditions).items():
        if count > 1 and name not in _REPEATABLE:
            raise InvalidRule(f"A rule can only have one '{name}' condition")
    if sum(map(_value_count, conditions)) > CONDITION_VALUES_PER_RULE:
        raise InvalidRule(f"A rule can only have '{CONDITION_VALUES_PER_RULE}' condition values")
    if sum(map(_wildcard_count, conditions)) > CONDITION_WILDCARDS_PER_RULE:
        raise InvalidRule(f"A rule can only have '{CONDITION_WILDCARDS_PER_RULE}' condition wildcards")


def check_condition(condition: Condition) -> None:
    """The values of one condition. Raises InvalidRule."""
    if _value_count(condition) == 0 or not all(_texts(condition)):
        raise InvalidRule("A condition value must be specified")
    match condition:
        case HostHeader():
            for value in condition.values:
                _check_host(value)
        case PathPattern():
            for value in condition.values:
                _check_text("path-pattern", value, _PATH_CHARACTERS, "A-Z, a-z, 0-9 and _-.$/~\"'@:+&*?")
        case HttpHeader():
            _check_header_name(condition.name)
            for value in condition.values:
                _check_text("http-header", value, _PRINTABLE, "printable ASCII characters")
        case HttpRequestMethod():
            for value in condition.values:
                _check_method(value)
        case QueryString():
            for pair in condition.values:
                _check_text("Key", pair.key or "", _PRINTABLE, "printable ASCII characters")
                _check_text("Value", pair.value, _PRINTABLE, "printable ASCII characters")
        case SourceIp():
            for value in condition.values:
                _check_cidr(value)
    if isinstance(condition, HostHeader | PathPattern | HttpHeader):
        for regex in condition.regex_values:
            _check_length(condition.field, regex, _LONGEST_VALUE)
            _regex_groups(regex)


def check_action(action: Action, listener_protocol: str = "HTTP") -> None:
    """Raises InvalidRule for an action that ELB refuses on a listener of this protocol."""
    match action:
        case Forward():
            _check_forward(action)
        case Redirect():
            _check_redirect(action, listener_protocol)
        case FixedResponse():
            _check_fixed_response(action)


def check_transforms(transforms: Sequence[Transform]) -> None:
    """At most one of each kind, and each by itself. Raises InvalidRule."""
    kinds = Counter("url-rewrite" if isinstance(each, UrlRewrite) else "host-header-rewrite" for each in transforms)
    for kind, count in kinds.items():
        if count > 1:
            raise InvalidRule(f"A rule can only have one '{kind}' transform")
    for transform in transforms:
        if not transform.regex:
            raise InvalidRule("A transform must have a 'Regex'")
        _check_length("Regex", transform.regex, _LONGEST_REWRITE)
        _check_length("Replace", transform.replace, _LONGEST_REWRITE)
        groups = _regex_groups(transform.regex)
        named = max(map(int, _GROUP.findall(transform.replace)), default=0)
        if named > groups:
            raise InvalidRule(f"The 'Replace' value names the group '${named}', but the 'Regex' value has {groups}")


def _regex_groups(regex: str) -> int:
    """How many groups an expression has. Raises InvalidRule for one that cannot be used."""
    try:
        groups: int = compile_regex(regex, groups=True).groups
    except InvalidRegex as error:
        raise InvalidRule(str(error)) from error
    return groups


def _value_count(condition: Condition) -> int:
    return len(condition.values) + len(getattr(condition, "regex_values", ()))


def _texts(condition: Condition) -> list[str]:
    """What must not be empty. A key of a query string may well have an empty value (`?debug=`)."""
    if isinstance(condition, QueryString):
        return [pair.value if pair.key is None else pair.key for pair in condition.values]
    return [*condition.values, *getattr(condition, "regex_values", ())]


def _wildcard_count(condition: Condition) -> int:
    match condition:
        case QueryString():
            texts = [_ESCAPED.sub("", text) for pair in condition.values for text in (pair.key or "", pair.value)]
        case HostHeader() | PathPattern() | HttpHeader():
            texts = list(condition.values)
        case HttpRequestMethod() | SourceIp():
            texts = []
    return sum(text.count("*") + text.count("?") for text in texts)


def _check_length(name: str, value: str, most: int) -> None:
    if len(value) > most:
        raise InvalidRule(f"The '{name}' value is too long; the limit is '{most}'")


def _check_text(name: str, value: str, characters: re.Pattern[str], allowed: str) -> None:
    _check_length(name, value, _LONGEST_VALUE)
    if not characters.fullmatch(value):
        raise InvalidRule(f"The '{name}' value '{value}' is invalid; the allowed characters are {allowed}")


def _check_host(value: str) -> None:
    _check_text("host-header", value, _HOST_CHARACTERS, "A-Z, a-z, 0-9 and -.*?")
    _, dot, ending = value.rpartition(".")
    if not dot:
        raise InvalidRule(f"The 'host-header' value '{value}' is invalid; it must contain at least one '.'")
    if not _HOST_ENDING.fullmatch(ending):
        raise InvalidRule(f"The 'host-header' value '{value}' is invalid; only letters may follow the last '.'")


def _check_method(value: str) -> None:
    _check_length("http-request-method", value, _LONGEST_NAME)
    if not _METHOD_CHARACTERS.fullmatch(value):
        allowed = "the allowed characters are A-Z, hyphen and underscore"
        raise InvalidRule(f"The 'http-request-method' value is invalid; {allowed}")


def _check_header_name(name: str) -> None:
    _check_length("HttpHeaderName", name, _LONGEST_NAME)
    if not _TOKEN.fullmatch(name):
        raise InvalidRule(f"The 'HttpHeaderName' value '{name}' is invalid; it must be a header name without wildcards")
    if name.lower() == "host":
        raise InvalidRule("The 'HttpHeaderName' value cannot be 'Host'; use a 'host-header' condition")


def _check_cidr(value: str) -> None:
    if value == "255.255.255.255/32":
        raise InvalidRule(f"The 'source-ip' value '{value}' is not supported")
    try:
        ipaddress.ip_network(value, strict=False)
        valid = _CIDR.fullmatch(value) is not None
    except ValueError:
        valid = False
    if not valid:
        message = "must be an address block in CIDR notation, such as 203.0.113.9/32"
        raise InvalidRule(f"The 'source-ip' value '{value}' {message}")


def _check_forward(action: Forward) -> None:
    groups = action.target_groups
    if not 1 <= len(groups) <= TARGET_GROUPS_PER_ACTION:
        raise InvalidRule(
            f"A forward action must have between 1 and {TARGET_GROUPS_PER_ACTION} target groups",
            "InvalidLoadBalancerAction",
        )
    if len({group.arn for group in groups}) != len(groups):
        raise InvalidRule("A forward action cannot name a target group twice", "InvalidLoadBalancerAction")
    if not all(0 <= group.weight <= HIGHEST_WEIGHT for group in groups):
        raise InvalidRule(f"The weight for each target group must be between 0 and {HIGHEST_WEIGHT}, inclusive")
    if action.stickiness_s is not None and not 1 <= action.stickiness_s <= HIGHEST_STICKINESS_S:
        raise InvalidRule(f"The stickiness duration must be between 1 and {HIGHEST_STICKINESS_S} seconds, inclusive")


def _check_redirect(action: Redirect, listener_protocol: str) -> None:
    if action.status_code not in REDIRECT_STATUSES:
        raise InvalidRule(
            f"The redirect status code '{action.status_code}' must be one of '{', '.join(REDIRECT_STATUSES)}'"
        )
    if action.protocol not in ("HTTP", "HTTPS", "#{protocol}"):
        raise InvalidRule(f"The redirect protocol '{action.protocol}' must be one of 'HTTP, HTTPS, #{{protocol}}'")
    if action.protocol == "HTTP" and listener_protocol == "HTTPS":
        raise InvalidRule("A redirect from HTTPS to HTTP is not supported", "InvalidLoadBalancerAction")
    if action.port != "#{port}" and not (re.fullmatch(r"[1-9][0-9]{0,4}", action.port) and int(action.port) <= 65535):
        raise InvalidRule(f"The redirect port '{action.port}' must be between 1 and 65535, or '#{{port}}'")
    for name in ("host", "path", "query"):
        value = getattr(action, name)
        if len(value) > _LONGEST_VALUE or not (value or name == "query"):
            least = 0 if name == "query" else 1
            raise InvalidRule(f"The redirect {name} must have between {least} and {_LONGEST_VALUE} characters")
        for keyword in _KEYWORD.findall(value):
            if keyword not in _KEYWORDS[name]:
                allowed = ", ".join(f"#{{{each}}}" for each in _KEYWORDS[name])
                raise InvalidRule(f"The redirect {name} cannot contain '#{{{keyword}}}'; it can contain {allowed}")
    if not action.path.startswith("/"):
        raise InvalidRule(f"The redirect path '{action.path}' must begin with '/'")
    if action.query.startswith("?"):
        raise InvalidRule("The redirect query cannot begin with '?', which is added where there is a query")
    if (action.protocol, action.host, action.port, action.path) == ("#{protocol}", "#{host}", "#{port}", "/#{path}"):
        message = "The redirect configuration is not valid because it creates a loop."
        raise InvalidRule(message, "InvalidLoadBalancerAction")


def _check_fixed_response(action: FixedResponse) -> None:
    if not re.fullmatch(r"[245][0-9]{2}", action.status_code):
        raise InvalidRule(f"The fixed response status code '{action.status_code}' must be of the form 2XX, 4XX or 5XX")
    if action.content_type is not None and action.content_type not in CONTENT_TYPES:
        raise InvalidRule(f"The content type '{action.content_type}' must be one of '{', '.join(CONTENT_TYPES)}'")
    if len(action.message_body) > _LONGEST_MESSAGE:
        raise InvalidRule(f"The message body cannot be longer than '{_LONGEST_MESSAGE}' characters")
