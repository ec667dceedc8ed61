"""Listener rules as a user configures them: conditions, actions and transforms as frozen values.

Names follow the ELBv2 API (fact sheet 3.1 to 3.7). `lb.model.rule_checks` says what ELB refuses.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

# Conditions


@dataclass(frozen=True, slots=True)
class HostHeader:
    """The host name, without its port, matches one of the values."""

    values: tuple[str, ...] = ()
    regex_values: tuple[str, ...] = ()
    field: ClassVar[str] = "host-header"


@dataclass(frozen=True, slots=True)
class PathPattern:
    """The path, without the query string, matches one of the values."""

    values: tuple[str, ...] = ()
    regex_values: tuple[str, ...] = ()
    field: ClassVar[str] = "path-pattern"


@dataclass(frozen=True, slots=True)
class HttpHeader:
    """A line of the header `name` matches one of the values."""

    name: str
    values: tuple[str, ...] = ()
    regex_values: tuple[str, ...] = ()
    field: ClassVar[str] = "http-header"


@dataclass(frozen=True, slots=True)
class HttpRequestMethod:
    """The method is one of the values."""

    values: tuple[str, ...]
    field: ClassVar[str] = "http-request-method"


@dataclass(frozen=True, slots=True)
class QueryPair:
    """A key and a value of the query string, both with wildcards; without a key, the value of any key."""

    key: str | None
    value: str


@dataclass(frozen=True, slots=True)
class QueryString:
    """The query string holds one of the pairs."""

    values: tuple[QueryPair, ...]
    field: ClassVar[str] = "query-string"


@dataclass(frozen=True, slots=True)
class SourceIp:
    """The address of the TCP peer lies in one of the blocks, in CIDR notation."""

    values: tuple[str, ...]
    field: ClassVar[str] = "source-ip"


Condition = HostHeader | PathPattern | HttpHeader | HttpRequestMethod | QueryString | SourceIp
FIELDS: Final = ("path-pattern", "host-header", "http-header", "http-request-method", "query-string", "source-ip")

# Actions


@dataclass(frozen=True, slots=True)
class WeightedGroup:
    """A target group and its share: the weight over the sum of weights."""

    arn: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Forward:
    """Send to one of the target groups. `stickiness_s` is how long a client keeps its group, None for not at all."""

    target_groups: tuple[WeightedGroup, ...]
    stickiness_s: int | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the client elsewhere. All parts but the status code may hold keywords such as `#{host}`."""

    status_code: str
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


@dataclass(frozen=True, slots=True)
class FixedResponse:
    """Answer with this."""

    status_code: str
    content_type: str | None = None
    message_body: str = ""


Action = Forward | Redirect | FixedResponse

# Transforms


@dataclass(frozen=True, slots=True)
class UrlRewrite:
    """What `regex` finds in path and query is replaced; `$1` to `$9` stand for its groups."""

    regex: str
    replace: str


@dataclass(frozen=True, slots=True)
class HostHeaderRewrite:
    """What `regex` finds in the host is replaced; `$1` to `$9` stand for its groups."""

    regex: str
    replace: str


Transform = UrlRewrite | HostHeaderRewrite


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a listener. `priority` None makes it the default rule, which has neither conditions nor transforms."""

    arn: str
    priority: int | None
    conditions: tuple[Condition, ...]
    action: Action
    transforms: tuple[Transform, ...] = ()


def rule_arn(listener_arn: str, resource_id: str) -> str:
    """ARN of a rule, from the ARN of its listener."""
    return f"{listener_arn.replace(':listener/', ':listener-rule/', 1)}/{resource_id}"
