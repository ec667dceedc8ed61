"""The bar: the live proxy and `explain` agree on at least 2,000 generated (rules, request) pairs, without exception.

Rules and requests are drawn from a seed. Values of requests come from the same small alphabet as those of conditions, so
that every kind of condition matches often and misses often. What the live proxy did is told by its answer: an origin names
its target group and repeats the request head that it got; redirects and fixed responses speak for themselves.
"""

import random
import re
from collections import Counter
from typing import Any

import pytest

from lb.observe.explain import Question
from tests.proxy.wire import Response, connected
from tests.support.balancer import Balancer, running_balancer
from tests.support.origins import OriginConnection, Script, answer, running_origin

_RULE_SETS = 40
_REQUESTS_EACH = 55
_WORDS = ("a", "b", "img", "api", "v1", "A", "x.png")
_HOSTS = ("a.example", "b.example", "www.a.example", "A.Example", "example")
_METHODS = ("GET", "POST", "PUT", "PURGE", "get")
_KEYS = ("a", "b", "V", "debug")
_VALUES = ("1", "2", "x", "yes", "A*b", "")
_HEADERS = ("X-A", "X-B", "User-Agent")
_TRACE = re.compile(rb"Root=1-[0-9a-f]{8}-[0-9a-f]{24}")


def _telling(name: str) -> Script:
    async def script(connection: OriginConnection) -> None:
        while True:
            request = await connection.read_request()
            await connection.send(answer(b"%b\n%b" % (name.encode(), request.head)))

    return script


class _Draw:
    """Rules and requests out of one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def pattern(self, *words: str) -> str:
        """A word, with up to one wildcard in it."""
        word = self.rng.choice(words)
        kind = self.rng.randrange(5)
        at = self.rng.randrange(len(word) + 1)
        if kind == 0:
            return word[:at] + "*"
        if kind == 1:
            return "*" + word[at:]
        if kind == 2 and word:
            at = self.rng.randrange(len(word))
            return word[:at] + "?" + word[at + 1 :]
        return word

    def path(self) -> str:
        parts = [self.rng.choice(_WORDS) for _ in range(self.rng.randrange(1, 4))]
        return "/" + "/".join(parts) + self.rng.choice(("", "", "/"))

    def values(self, make: Any, most: int = 2) -> list[Any]:
        return [make() for _ in range(self.rng.randrange(1, most + 1))]

    def condition(self, field: str) -> object:
        rng = self.rng
        match field:
            case "path-pattern":
                return self.values(
                    lambda: (
                        {"regex": rng.choice((r"^/v[0-9]", "/a/", r"\.png$", "(?i)IMG"))}
                        if rng.random() < 0.2
                        else self.pattern(self.path())
                    )
                )
            case "host-header":
                return self.values(
                    lambda: rng.choice(("a.example", "*.example", "*.a.example", "?.example", "B.EXAMPLE"))
                )
            case "http-header":
                return {rng.choice(_HEADERS): self.values(lambda: self.pattern("one", "Two", "three four"))}
            case "http-request-method":
                return self.values(lambda: rng.choice(_METHODS[:4]))
            case "query-string":
                return self.values(self.pair)
            case _:
                return self.values(
                    lambda: rng.choice(("127.0.0.1/32", "127.0.0.0/8", "10.0.0.0/8", "::1/128", "0.0.0.0/0"))
                )

    def pair(self) -> dict[str, str]:
        value = self.pattern("1", "2", "yes", "x")
        return {"value": value} if self.rng.random() < 0.3 else {"key": self.pattern(*_KEYS), "value": value}

    def conditions(self) -> object:
        fields = ("path-pattern", "host-header", "http-header", "http-request-method", "query-string", "source-ip")
        chosen = self.rng.sample(fields, self.rng.choice((1, 1, 1, 2, 2)))
        # The limit of 5 values and 6 wildcards holds for all conditions of a rule together.
        return {field: self.condition(field) for field in chosen}

    def action(self, number: int) -> dict[str, object]:
        rng = self.rng
        match rng.randrange(6):
            case 0:
                return {
                    "fixed-response": {
                        "status_code": str(rng.choice((200, 404, 503))),
                        "message_body": f"rule {number}",
                    }
                }
            case 1:
                parts: dict[str, object] = rng.choice(
                    (
                        {"port": 4000 + number},
                        {"path": f"/r{number}/#{{path}}"},
                        {"host": f"r{number}.#{{host}}", "query": "h=#{host}&#{query}"},
                    )
                )
                return {"redirect": {"status_code": rng.choice((301, 302)), **parts}}
            case 2:
                # The chosen group is told, whichever it is: only one has a weight.
                return {"forward": {"red": 0, rng.choice(("green", "blue")): 5}}
            case 3:
                return {"forward": {"red": 0, "blue": 0}}
            case _:
                return {"forward": rng.choice(("red", "green", "blue", "empty"))}

    def rule(self, priority: int) -> dict[str, object]:
        action = self.action(priority)
        rule = {"priority": priority, "conditions": self.conditions(), "action": action}
        if "forward" in action and self.rng.random() < 0.3:
            rule["transforms"] = self.rng.choice(
                (
                    {"url-rewrite": {"regex": "^/([a-z]+)", "replace": "/new/$1"}},
                    {"url-rewrite": {"regex": "^/a", "replace": "a"}},
                    {"host-header-rewrite": {"regex": "^a", "replace": "inner"}},
                    {
                        "url-rewrite": {"regex": "b", "replace": "c"},
                        "host-header-rewrite": {"regex": "example$", "replace": "test"},
                    },
                )
            )
        return rule

    def rules(self) -> list[dict[str, object]]:
        priorities = self.rng.sample(range(1, 200), self.rng.randrange(1, 13))
        return [self.rule(priority) for priority in priorities]

    def request(self) -> bytes:
        rng = self.rng
        path = self.path()
        if rng.random() < 0.1:
            path = rng.choice(("/%61/b", "/a/../img/x.png", "/./api", "/a%2fb", "//a", "/a/.."))
        if rng.random() < 0.5:
            pairs = [f"{rng.choice(_KEYS)}={rng.choice(_VALUES)}" for _ in range(rng.randrange(1, 4))]
            path += "?" + rng.choice(("&", "&", "&&")).join(pairs) + rng.choice(("", "", "&debug", "#f"))
        host = rng.choice(_HOSTS) + rng.choice(("", "", ":8080"))
        if rng.random() < 0.05:
            path = f"http://{rng.choice(_HOSTS)}{path}"
        lines = [f"{rng.choice(_METHODS)} {path} HTTP/1.1", f"Host: {host}"]
        for _ in range(rng.randrange(3)):
            name = rng.choice(_HEADERS)
            lines.append(f"{rng.choice((name, name.lower()))}: {rng.choice(('one', 'TWO', 'three four', 'five', ''))}")
        if rng.random() < 0.1:
            lines.append("X-Forwarded-For: " + ", ".join(["10.0.0.1"] * rng.choice((1, 2, 31))))
        if rng.random() < 0.02:
            return b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _told(told: dict[str, Any]) -> tuple[object, ...]:
    """What `explain` says will happen, in the form of `_happened`."""
    if "refused" in told:
        return ("own answer", told["refused"]["status"])
    action = told["action"]
    if action["type"] == "fixed-response":
        return ("fixed", action["status"], f"rule {told['chosen']}")
    if "location" in action:
        return ("redirect", action["status"], action["location"])
    if "status" in action:
        return ("own answer", action["status"])
    sent = _TRACE.sub(b"TRACE", action["sent"].encode("latin-1"))
    return ("target", action["group"]["target_group"].split("/")[1], sent)


def _happened(response: Response) -> tuple[object, ...]:
    location = response.value(b"location")
    if location is not None:
        return ("redirect", response.status, location.decode("latin-1"))
    if response.value(b"server") != b"awselb/2.0":
        name, _, head = response.body.partition(b"\n")
        return ("target", name.decode(), _TRACE.sub(b"TRACE", head))
    if response.value(b"content-type") == b"text/plain; charset=utf-8":
        return ("fixed", response.status, response.body.decode())
    return ("own answer", response.status)


@pytest.mark.parametrize("seed", [1, 20261122])
async def test_live_proxy_and_explain_agree_on_every_pair(seed: int) -> None:
    draw = _Draw(seed)
    pairs = 0
    kinds: Counter[object] = Counter()
    priorities: Counter[bool] = Counter()
    expected_log: list[str] = []
    async with (
        running_origin(_telling("red"), keep_received=False) as red,
        running_origin(_telling("green"), keep_received=False) as green,
        running_origin(_telling("blue"), keep_received=False) as blue,
        running_balancer(
            targets=[red], group="red", groups={"green": [green], "blue": [blue], "empty": []}
        ) as balancer,
    ):
        for number in range(_RULE_SETS):
            rules = draw.rules()
            await balancer.apply(rules=rules)
            async with connected(balancer.port) as client:
                source, port = client.name.rsplit(":", 1)
                for _ in range(_REQUESTS_EACH):
                    request = draw.request()
                    told = balancer.app.explain(balancer.port, Question(request, source, int(port)))
                    response = await client.ask(request)
                    happened = _happened(response)
                    assert happened == _told(told), (number, request, rules)
                    pairs += 1
                    kinds[happened[0]] += 1
                    chosen = told.get("chosen")
                    priorities[chosen == "default"] += 1
                    expected_log.append("-" if "refused" in told else "0" if chosen == "default" else str(chosen))
        await _log_agrees(balancer, expected_log)
    assert pairs >= 2000
    # The pairs are worth something only as long as all of this happens often.
    assert {kind for kind, count in kinds.items() if count >= 20} == {"target", "redirect", "fixed", "own answer"}
    assert min(priorities.values()) > pairs / 10


async def _log_agrees(balancer: Balancer, priorities: list[str]) -> None:
    entries = await balancer.log(len(priorities))
    assert [entry["matched_rule_priority"] for entry in entries] == priorities


async def test_a_second_drawing_is_the_same() -> None:
    first, second = _Draw(5), _Draw(5)
    assert [(first.rules(), first.request()) for _ in range(20)] == [
        (second.rules(), second.request()) for _ in range(20)
    ]
