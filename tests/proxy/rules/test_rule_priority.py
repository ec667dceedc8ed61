"""matched_rule_priority of the access log (fact sheet 9.1): whose decision it was, whatever came of it.

A rule's priority once it has matched, 0 for the default rule, `-` where no rule was asked. -1, for an error while rules are
evaluated, never comes up: that evaluation cannot fail is tested in tests/routing/rules.
"""

import pytest

from tests.proxy.rules.setups import naming_origins
from tests.proxy.wire import connected, get
from tests.support.balancer import running_balancer

BOTH_LOOPS = True


def rule(priority: int, path: str, action: dict[str, object], **more: object) -> dict[str, object]:
    return {"priority": priority, "conditions": {"path-pattern": path}, "action": action, **more}


RULES = [
    rule(5, "/fixed", {"fixed-response": {"status_code": "404"}}),
    rule(6, "/moved*", {"redirect": {"status_code": "301", "port": "1"}}),
    rule(7, "/rewritten", {"forward": "web-servers"}, transforms={"url-rewrite": {"regex": "^.*$", "replace": "x"}}),
    rule(8, "/empty", {"forward": "empty"}),
    rule(9, "/web", {"forward": "web-servers"}),
    rule(50000, "/last", {"forward": "web-servers"}),
]
MANY = b"X-Forwarded-For: " + b", ".join([b"10.0.0.1"] * 31)
# request -> status, priority
CASES = {
    "a rule that forwards": (get(b"/web"), "200", "9"),
    "the highest priority there is": (get(b"/last"), "200", "50000"),
    "the default rule": (get(b"/"), "200", "0"),
    "a fixed response": (get(b"/fixed"), "404", "5"),
    "a redirect": (get(b"/moved"), "301", "6"),
    "a redirect with too long a location": (get(b"/moved" + b"a" * 8192), "507", "6"),
    "a transform that fails": (get(b"/rewritten"), "500", "7"),
    "a target group without targets": (get(b"/empty"), "503", "8"),
    "too many forwarded addresses, of a rule": (get(b"/web", MANY), "463", "9"),
    "too many forwarded addresses, of the default rule": (get(b"/", MANY), "463", "0"),
    "a method that is refused before any rule": (get(b"/web").replace(b"GET", b"TRACE"), "405", "-"),
    "no host": (b"GET /web HTTP/1.1\r\n\r\n", "400", "-"),
    "a line that is too long": (get(b"/web" + b"a" * 17_000), "414", "-"),
    "an unknown coding": (get(b"/web", b"Transfer-Encoding: gzip"), "501", "-"),
    "a version that is not spoken": (get(b"/web").replace(b"HTTP/1.1", b"HTTP/3.0"), "400", "-"),
    "a body that is broken from the start": (
        get(b"/web", b"Transfer-Encoding: chunked").replace(b"GET", b"PUT") + b"no\r\n",
        "400",
        "-",
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_the_priority_is_that_of_the_rule_that_decided(name: str) -> None:
    request, status, priority = CASES[name]
    async with (
        naming_origins("web") as (origin,),
        running_balancer(targets=[origin], rules=RULES, groups={"empty": []}) as balancer,
        connected(balancer.port) as client,
    ):
        assert str((await client.ask(request)).status) == status
        (entry,) = await balancer.log(1)
        assert (entry["elb_status_code"], entry["matched_rule_priority"]) == (status, priority)
