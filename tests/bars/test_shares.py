"""The bars on shares and sessions: weighted groups 90/10/0, and sticky clients that stay while their target is usable."""

import asyncio
import contextlib
import random
import re
from collections import Counter
from collections.abc import AsyncIterator

from lb.model.rules import Forward, WeightedGroup
from lb.routing.weights import GroupChoice
from lb.targets.groups import GroupPicker
from lb.targets.sealing import KEY_BYTES, NONCE_BYTES, Sealer
from tests.proxy.wire import connected, get
from tests.support.balancer import running_balancer
from tests.support.origins import Origin, naming, running_origin

_WEIGHTS = {"most": 90, "few": 10, "none": 0}
_CLIENTS = 200
_REQUESTS = 50
_AT_ONCE = 20
_COOKIE = re.compile(rb"\r\nSet-Cookie: (AWSALB(?:TG)?(?:CORS)?)=([^;]*);")


@contextlib.asynccontextmanager
async def origins(*names: str) -> AsyncIterator[list[Origin]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(running_origin(naming(name.encode()), keep_received=False))
            for name in names
        ]


def within_a_point(said: Counter[str], total: int) -> bool:
    return all(abs(100 * said[name] / total - weight) <= 1 for name, weight in _WEIGHTS.items())


def test_ten_thousand_choices_are_within_a_point_of_the_weights() -> None:
    action = GroupChoice(Forward(tuple(WeightedGroup(f"arn:tg/{name}/1", weight) for name, weight in _WEIGHTS.items())))
    rng = random.Random(11)
    picker = GroupPicker(action, "arn:x:loadbalancer/app/a/1", Sealer(bytes(KEY_BYTES), lambda: bytes(NONCE_BYTES)))
    picks = (picker.pick(b"\r\nHost: a", 0.0, rng.random()) for _ in range(10_000))
    said = Counter(str(pick.arn).split("/")[1] for pick in picks)
    assert within_a_point(said, 10_000)
    assert said["none"] == 0
    # The ends of the range of random numbers.
    for number in (0.0, 0.9 - 1e-12, 0.9 + 1e-12, 1 - 2**-53):
        pick = picker.pick(b"", 0.0, number)
        assert pick.arn == ("arn:tg/most/1" if number < 0.9 else "arn:tg/few/1")


async def test_ten_thousand_requests_over_sockets_are_within_a_point_of_the_weights() -> None:
    total = 10_000
    async with (
        origins(*_WEIGHTS) as (most, few, none),
        running_balancer(
            targets=[most], group="most", groups={"few": [few], "none": [none]}, default={"forward": _WEIGHTS}
        ) as balancer,
        connected(balancer.port) as client,
    ):
        balancer.node.rng.seed(2)
        said: Counter[str] = Counter()
        for _ in range(total // 100):
            await client.send(get() * 100)
            for _ in range(100):
                said[(await client.response()).body.decode()] += 1
        assert sum(said.values()) == total
        assert within_a_point(said, total)
        assert none.requests == 0
        assert (most.requests, few.requests) == (said["most"], said["few"])
        logged = Counter(entry["target_group_arn"].split("/")[1] for entry in await balancer.log(total))
        assert logged == said


class _Browser:
    """A client that keeps its cookies: what it got last, by name."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cookies: dict[bytes, bytes] = {}
        self.answers: list[tuple[int, bytes]] = []

    async def ask(self, times: int) -> None:
        async with connected(self._port) as client:
            for _ in range(times):
                cookies = b"; ".join(name + b"=" + value for name, value in self.cookies.items())
                response = await client.ask(get(b"/", *([b"Cookie: " + cookies] if cookies else [])))
                self.cookies.update(_COOKIE.findall(response.head))
                self.answers.append((response.status, response.body))


async def all_ask(browsers: list[_Browser], times: int) -> None:
    """Each asks so often, some at once."""
    waiting = iter(browsers)

    async def some() -> None:
        for browser in waiting:
            await browser.ask(times)

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))


async def test_sticky_clients_never_move_until_their_target_drains_and_then_at_once() -> None:
    sticky = {"stickiness.enabled": True}
    async with (
        origins("1", "2", "3") as targets,
        running_balancer(targets=targets, tg_attributes=sticky) as balancer,
    ):
        browsers = [_Browser(balancer.port) for _ in range(_CLIENTS)]
        await all_ask(browsers, _REQUESTS)
        for browser in browsers:
            assert len(browser.answers) == _REQUESTS
            assert len(set(browser.answers)) == 1, browser.answers
            assert browser.answers[0][0] == 200
        assert Counter(browser.answers[0][1] for browser in browsers).keys() == {b"1", b"2", b"3"}
        homes = [browser.answers[0][1] for browser in browsers]
        await balancer.apply(targets=targets[1:])
        requests = targets[0].requests
        await all_ask(browsers, 5)
        assert targets[0].requests == requests
        for browser, home in zip(browsers, homes, strict=True):
            after = browser.answers[_REQUESTS:]
            assert {status for status, _ in after} == {200}
            (now,) = {body for _, body in after}
            assert now != b"1"
            assert home in (now, b"1")


async def test_clients_of_weighted_groups_never_move_until_their_group_loses_its_weight() -> None:
    def default(**weights: int) -> dict[str, object]:
        return {"forward": {"target_groups": weights, "stickiness": 600}}

    async with (
        origins("1", "2", "3", "4") as (one, two, three, four),
        running_balancer(
            targets=[one, two],
            group="a",
            groups={"b": [three, four]},
            tg_attributes={"stickiness.enabled": True},
            default=default(a=50, b=50),
        ) as balancer,
    ):
        browsers = [_Browser(balancer.port) for _ in range(_CLIENTS)]
        await all_ask(browsers, 10)
        for browser in browsers:
            assert len(set(browser.answers)) == 1, browser.answers
        homes = [browser.answers[0][1] for browser in browsers]
        assert set(homes) == {b"1", b"2", b"3", b"4"}
        # Other weights move nobody; no weight moves everybody who was there.
        await balancer.apply(default=default(a=1, b=999))
        await all_ask(browsers, 3)
        assert [browser.answers[-1][1] for browser in browsers] == homes
        await balancer.apply(default=default(a=0, b=1))
        before = one.requests + two.requests
        await all_ask(browsers, 3)
        assert one.requests + two.requests == before
        for browser, home in zip(browsers, homes, strict=True):
            (now,) = set(browser.answers[-3:])
            assert now[0] == 200
            assert now[1] in ((home,) if home in (b"3", b"4") else (b"3", b"4"))
