"""Which rule decides about a request (fact sheet 3.1). Used by the live proxy and by `lb explain`."""

from dataclasses import dataclass
from typing import Final

from lb.http.head import RequestHead
from lb.routing.plan import ListenerPlan
from lb.routing.request import RequestView
from lb.routing.walk import CompiledRule, walk


@dataclass(frozen=True, slots=True)
class Reply:
    """The balancer answers by itself, with its page for this status."""

    status: int


_NOT_ALLOWED: Final = Reply(405)
_REFUSED_METHODS: Final = frozenset((b"TRACE", b"CONNECT"))


def decide(listener: ListenerPlan, head: RequestHead, client_ip: str) -> CompiledRule | Reply:
    """The decision for one request (fact sheet 7.1: TRACE and CONNECT are refused before any rule)."""
    if head.method in _REFUSED_METHODS:
        return _NOT_ALLOWED
    if not listener.rules.rules:
        return listener.rules.default
    return walk(listener.rules, view_of(listener, head, client_ip))


def view_of(listener: ListenerPlan, head: RequestHead, client_ip: str) -> RequestView:
    """The request as the listener's rules and redirects see it."""
    return RequestView(head, client_ip, listener.forwarded.default_host)
