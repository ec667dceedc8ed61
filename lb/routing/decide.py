"""Which action a request meets. One default action a listener today; rules are walked here."""

from dataclasses import dataclass
from typing import Final

from lb.http.head import RequestHead
from lb.model.config import ForwardAction
from lb.routing.plan import ListenerPlan


@dataclass(frozen=True, slots=True)
class Reply:
    """The balancer answers by itself, with its page for this status."""

    status: int


_NOT_ALLOWED: Final = Reply(405)
_REFUSED_METHODS: Final = frozenset((b"TRACE", b"CONNECT"))


def decide(listener: ListenerPlan, head: RequestHead) -> ForwardAction | Reply:
    """The decision for one request (fact sheet 7.1: TRACE and CONNECT are refused before any rule)."""
    if head.method in _REFUSED_METHODS:
        return _NOT_ALLOWED
    return listener.default_action
