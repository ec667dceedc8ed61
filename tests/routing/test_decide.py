"""Which rule decides about a request."""

import pytest

from lb.routing.decide import Reply, decide
from lb.routing.plan import compile_plan
from tests.http.messages import head_of
from tests.routing.configs import balancer, config, group


def listener_plan():
    web = group()
    return compile_plan(config([balancer((80, web))], [web]), {}).listeners[0]


@pytest.mark.parametrize(
    "method", [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"PURGE", b"trace"]
)
@pytest.mark.parametrize("uri", [b"/", b"/any?thing", b"*", b"http://other/x"])
def test_the_default_rule(method: bytes, uri: bytes):
    plan = listener_plan()
    head = head_of(method + b" " + uri + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert decide(plan, head, "127.0.0.1") is plan.rules.default


@pytest.mark.parametrize(("method", "uri"), [(b"TRACE", b"/"), (b"CONNECT", b"a:80"), (b"CONNECT", b"/")])
def test_methods_that_are_refused_before_any_rule(method: bytes, uri: bytes):
    head = head_of(method + b" " + uri + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert decide(listener_plan(), head, "127.0.0.1") == Reply(405)
