"""Weighted target groups and group stickiness (fact sheet 3.5 and 4.4), over the wire."""

import random
import re
import time

import pytest

from tests.proxy.rules.setups import attributes_of, cookie_header, cookies_set, naming_origins
from tests.proxy.wire import ask_once, connected, get
from tests.support.balancer import running_balancer
from tests.support.origins import refusing_port

_WEEK_S = 7 * 24 * 3600


def weighted(**weights: int) -> dict[str, object]:
    return {"forward": weights}


def sticky(duration_s: int = 600, **weights: int) -> dict[str, object]:
    return {"forward": {"target_groups": weights, "stickiness": duration_s}}


async def test_shares_follow_the_weights_and_a_weight_of_zero_gets_nothing() -> None:
    async with (
        naming_origins("a", "b", "none") as (a, b, none),
        running_balancer(
            targets=[a], group="a", groups={"b": [b], "none": [none]}, default=weighted(a=3, b=1, none=0)
        ) as balancer,
        connected(balancer.port) as client,
    ):
        balancer.node.rng.seed(7)
        said = [(await client.ask(get())).body for _ in range(400)]
        assert 250 < said.count(b"a") < 350
        assert said.count(b"a") + said.count(b"b") == 400
        assert none.requests == 0


async def test_the_only_group_of_weight_zero_is_answered_with_503() -> None:
    async with (
        naming_origins("a", "b") as (a, b),
        running_balancer(targets=[a], group="a", groups={"b": [b]}, default=weighted(a=0, b=0)) as balancer,
        connected(balancer.port) as client,
    ):
        assert (await client.ask(get())).status == 503
        response = await client.ask(get())
        assert (response.status, response.value(b"connection")) == (503, b"keep-alive")
        entry, _ = await balancer.log(2)
        assert (entry["target"], entry["target_group_arn"], entry["target_status_code"]) == ("-", "-", "-")
        assert entry["actions_executed"] == "forward"
        await balancer.apply(default=weighted(a=0))
        assert (await client.ask(get())).status == 503
        assert a.requests == b.requests == 0


async def test_a_group_that_cannot_answer_keeps_its_share() -> None:
    with refusing_port() as port:
        async with (
            naming_origins("a") as (a,),
            running_balancer(
                targets=[a],
                group="a",
                groups={"empty": [], "dead": [f"127.0.0.1:{port}"]},
                default=weighted(a=1, empty=1, dead=1),
            ) as balancer,
            connected(balancer.port) as client,
        ):
            balancer.node.rng.seed(3)
            said = [(await client.ask(get())).status for _ in range(150)]
            assert {said.count(status) > 25 for status in (200, 502, 503)} == {True}
            assert len(said) == sum(said.count(status) for status in (200, 502, 503))


async def test_group_cookies_have_albs_form_and_are_renewed_on_every_answer() -> None:
    async with (
        naming_origins("a", "b") as (a, b),
        running_balancer(targets=[a], group="a", groups={"b": [b]}, default=sticky(a=1, b=1)) as balancer,
        connected(balancer.port) as client,
    ):
        clock = time.time()
        balancer.node.wall_s = lambda: clock
        first = await client.ask(get())
        cookies = cookies_set(first)
        assert list(cookies) == ["AWSALBTG", "AWSALBTGCORS"]
        assert cookies["AWSALBTG"] == cookies["AWSALBTGCORS"]
        assert re.fullmatch(rb"[A-Za-z0-9+/=]{172}", cookies["AWSALBTG"])
        assert attributes_of(first, "AWSALBTG") == (int(clock) + _WEEK_S, b"")
        assert attributes_of(first, "AWSALBTGCORS") == (int(clock) + _WEEK_S, b"; SameSite=None")
        # Behind Connection, before the target's own headers.
        assert first.names.index(b"Set-Cookie") == first.names.index(b"Connection") + 1
        assert first.names[-1] == b"X-Name"
        clock += 5
        again = await client.ask(get(b"/", cookie_header(cookies)))
        renewed = cookies_set(again)
        assert renewed["AWSALBTG"] not in cookies.values()
        assert attributes_of(again, "AWSALBTG")[0] == int(clock) + _WEEK_S
        # The name of the group is nowhere to be read.
        assert b"targetgroup" not in first.head


async def test_a_client_keeps_its_group_and_either_cookie_is_enough() -> None:
    async with (
        naming_origins("a", "b", "c") as (a, b, c),
        running_balancer(
            targets=[a], group="a", groups={"b": [b], "c": [c]}, default=sticky(a=1, b=1, c=1)
        ) as balancer,
    ):
        for _ in range(10):
            async with connected(balancer.port) as client:
                first = await client.ask(get())
                cookies = cookies_set(first)
                for name in ("AWSALBTG", "AWSALBTGCORS"):
                    for _ in range(3):
                        kept = await client.ask(get(b"/", cookie_header({"x": b"1", name: cookies[name]})))
                        assert kept.body == first.body
        assert {entry["error_reason"] for entry in await balancer.log(70)} == {"-"}


async def test_the_cors_cookie_wins_over_the_other() -> None:
    async with (
        naming_origins("a", "b") as (a, b),
        running_balancer(targets=[a], group="a", groups={"b": [b]}, default=sticky(a=1, b=1)) as balancer,
        connected(balancer.port) as client,
    ):
        values = {}
        while len(values) < 2:
            response = await client.ask(get())
            values[response.body] = cookies_set(response)["AWSALBTG"]
        for winner, loser in ((b"a", b"b"), (b"b", b"a")):
            brought = {"AWSALBTG": values[loser], "AWSALBTGCORS": values[winner]}
            for _ in range(5):
                assert (await client.ask(get(b"/", cookie_header(brought)))).body == winner


def _flipped(value: bytes) -> bytes:
    return value[:50] + (b"A" if value[50:51] != b"A" else b"B") + value[51:]


@pytest.mark.parametrize(
    "broken",
    [
        _flipped,
        lambda value: value.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D") + b"%3D",
        lambda value: value[:-4],
        lambda _: b"nonsense",
        lambda _: b"",
    ],
    ids=["flipped", "url-encoded", "cut", "nonsense", "empty"],
)
async def test_a_broken_cookie_means_a_new_choice_and_is_told_in_the_log(broken) -> None:
    async with (
        naming_origins("a", "b") as (a, b),
        running_balancer(targets=[a], group="a", groups={"b": [b]}, default=sticky(a=1, b=1)) as balancer,
        connected(balancer.port) as client,
    ):
        value = cookies_set(await client.ask(get()))["AWSALBTG"]
        said = set()
        for _ in range(40):
            response = await client.ask(get(b"/", cookie_header({"AWSALBTG": broken(value)})))
            said.add(response.body)
            assert list(cookies_set(response)) == ["AWSALBTG", "AWSALBTGCORS"]
        assert said == {b"a", b"b"}
        _, *entries = await balancer.log(41)
        assert {entry["error_reason"] for entry in entries} == {"AWSALBTGCookieInvalid"}
        assert {entry["elb_status_code"] for entry in entries} == {"200"}


async def test_an_expired_cookie_means_a_new_choice_without_an_error() -> None:
    async with (
        naming_origins("a", "b") as (a, b),
        running_balancer(targets=[a], group="a", groups={"b": [b]}, default=sticky(1, a=1, b=1)) as balancer,
        connected(balancer.port) as client,
    ):
        now = time.time()
        balancer.node.wall_s = lambda: now - 60
        cookies = cookies_set(await client.ask(get()))
        said = {(await client.ask(get(b"/", cookie_header(cookies)))).body for _ in range(40)}
        assert said == {b"a", b"b"}
        assert {entry["error_reason"] for entry in await balancer.log(41)} == {"-"}


async def test_a_client_leaves_a_group_whose_weight_becomes_zero_and_one_that_leaves_the_action() -> None:
    async with (
        naming_origins("a", "b") as (a, b),
        running_balancer(targets=[a], group="a", groups={"b": [b]}, default=sticky(a=1, b=0)) as balancer,
        connected(balancer.port) as client,
    ):
        cookies = cookies_set(await client.ask(get()))
        for default in (sticky(a=0, b=1), sticky(b=1)):
            await balancer.apply(default=default)
            moved = await client.ask(get(b"/", cookie_header(cookies)))
            assert moved.body == b"b"
            assert (await client.ask(get(b"/", cookie_header(cookies_set(moved))))).body == b"b"
        assert {entry["error_reason"] for entry in await balancer.log(5 - 0)} == {"-"}


async def test_a_sticky_client_stays_with_a_group_that_has_nobody_left() -> None:
    async with (
        naming_origins("a", "b") as (a, b),
        running_balancer(targets=[a], group="a", groups={"b": [b]}, default=sticky(a=1, b=0)) as balancer,
        connected(balancer.port) as client,
    ):
        cookies = cookies_set(await client.ask(get()))
        await balancer.apply(default=sticky(a=1, b=1), targets=[])
        for _ in range(10):
            assert (await client.ask(get(b"/", cookie_header(cookies)))).status == 503


async def test_cookies_go_on_to_the_target_untouched() -> None:
    async with (
        naming_origins("a") as (a,),
        running_balancer(targets=[a], group="a", default=sticky(a=1)) as balancer,
        connected(balancer.port) as client,
    ):
        cookies = cookies_set(await client.ask(get()))
        line = cookie_header({"mine": b"1", **cookies})
        assert (await client.ask(get(b"/", line))).status == 200
        assert b"\r\n" + line + b"\r\n" in a.connections[0].received


async def test_group_and_target_stickiness_go_together_and_group_comes_first() -> None:
    attributes = {"stickiness.enabled": True}
    async with (
        naming_origins("a1", "a2", "b1", "b2") as (a1, a2, b1, b2),
        running_balancer(
            targets=[a1, a2],
            group="a",
            groups={"b": [b1, b2]},
            tg_attributes=attributes,
            default=sticky(a=1, b=1),
        ) as balancer,
        connected(balancer.port) as client,
    ):
        seen = set()
        for _ in range(30):
            first = await client.ask(get())
            seen.add(first.body)
            cookies = cookies_set(first)
            assert sorted(cookies) == ["AWSALB", "AWSALBCORS", "AWSALBTG", "AWSALBTGCORS"]
            for _ in range(4):
                kept = await client.ask(get(b"/", cookie_header(cookies)))
                assert kept.body == first.body
                cookies = cookies_set(kept)
        assert seen == {b"a1", b"a2", b"b1", b"b2"}


async def test_answers_of_the_balancers_own_set_no_cookies() -> None:
    with refusing_port() as port:
        async with running_balancer(
            targets=[f"127.0.0.1:{port}"], group="a", default=sticky(a=1), tg_attributes={"stickiness.enabled": True}
        ) as balancer:
            response = await ask_once(balancer.port, get())
            assert (response.status, response.values(b"set-cookie")) == (502, [])


async def test_two_forward_actions_of_one_load_balancer_honour_each_others_cookie() -> None:
    rules = [
        {"priority": 1, "conditions": {"path-pattern": "/one"}, "action": sticky(a=1, b=1)},
        {"priority": 2, "conditions": {"path-pattern": "/two"}, "action": sticky(b=1, a=1)},
    ]
    async with (
        naming_origins("a", "b") as (a, b),
        running_balancer(targets=[a], group="a", groups={"b": [b]}, rules=rules) as balancer,
        connected(balancer.port) as client,
    ):
        rng = random.Random(1)
        first = await client.ask(get(b"/one"))
        for _ in range(20):
            path = rng.choice((b"/one", b"/two"))
            assert (await client.ask(get(path, cookie_header(cookies_set(first))))).body == first.body
