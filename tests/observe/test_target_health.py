"""What is said of targets: every advice from a real checker against scripted targets, and the counter on the way."""

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from lb.health.checker import KEPT_PROBES, HealthChecker
from lb.model.config import Target
from lb.observe.advice import advise
from lb.observe.target_health import Checked, target_health
from lb.routing.plan import Endpoint, GroupPlan, Plan
from lb.targets.health import DRAINING, NOT_IN_USE
from tests.health.scripted import endpoint, health_check, says, statuses, target, then_closes, until
from tests.support.origins import refusing_port
from tests.targets.rosters import new_roster

ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/0123456789abcdef"


class Bench:
    """A checker with one target, and the picture of it."""

    def __init__(self, where, check):
        self.plan = Plan(groups=(GroupPlan(ARN, "web", (where,), check, 30, in_use=True),))
        self.roster = new_roster(ARN)
        self.roster.reconcile(self.plan.groups[0], 0.0)
        self.checker = HealthChecker(self._changed, lambda _: None, lambda *_: None, random.Random(7))

    def _changed(self, _, key, health):
        self.roster.apply_health(key, health, 0.0)

    def picture(self):
        checks = {
            key: Checked(each.health, each.since_s, tuple(reversed(each.probes)))
            for key, each in self.checker.watched.items()
        }
        (told,) = target_health(self.plan, {ARN: self.roster}, checks)
        return told


@asynccontextmanager
async def checked(where, check=None):
    bench = Bench(where, check or health_check())
    bench.checker.reconcile(bench.plan)
    bench.checker.start()
    try:
        yield bench
    finally:
        async with asyncio.timeout(30):
            await bench.checker.close()


async def unhealthy(bench):
    await until(lambda: bench.picture()["state"] == "unhealthy")
    return bench.picture()


@pytest.mark.parametrize(
    ("path", "code", "advice"),
    [
        ("/var/www/html", 404, "directory-path"),
        ("/var/www/html", 403, "directory-path"),
        ("/", 301, "redirect"),
        ("/", 401, "needs-login"),
        ("/", 403, "needs-login"),
        ("/nowhere", 404, "not-found"),
        ("/", 503, "server-error"),
        ("/", 204, "other-code"),
    ],
)
async def test_a_wrong_status(path, code, advice):
    async with target(statuses(code)) as web, checked(endpoint(web.port), health_check(path=path)) as bench:
        told = await unhealthy(bench)
        assert told["advice"]["code"] == advice
        assert told["advice"]["values"]["status"] == code
        assert str(code) in told["advice"]["why"] + told["advice"]["to_do"]
        assert told["description"] == f"Health checks failed with these codes: [{code}]"
        assert "{" not in told["advice"]["why"] + told["advice"]["to_do"]


@pytest.mark.parametrize(("answer", "advice"), [(b"garbage\r\n\r\n", "no-answer"), (b"", "no-answer")])
async def test_an_answer_that_is_none(answer, advice):
    async with target(then_closes(answer)) as web, checked(endpoint(web.port)) as bench:
        told = await unhealthy(bench)
        assert (told["advice"]["code"], told["probes"][0]["answer"]) == (advice, None)
        assert told["advice"]["values"]["address"] == f"127.0.0.1:{web.port}"


async def test_a_target_that_is_silent():
    async with target(says(b"")) as web, checked(endpoint(web.port), health_check(timeout_s=0.2)) as bench:
        assert (await unhealthy(bench))["advice"]["code"] == "timeout"


async def test_a_target_that_a_security_group_blocks():
    blocked = Endpoint(Target("i-0abc", 80, blocked=True), "127.0.0.1")
    async with checked(blocked, health_check(timeout_s=0.2)) as bench:
        told = await unhealthy(bench)
        assert (told["advice"]["code"], told["advice"]["values"]) == ("security-group", {"port": 80})


async def test_a_target_that_is_not_there():
    with refusing_port() as port:
        async with checked(endpoint(port)) as bench:
            told = await unhealthy(bench)
            assert told["advice"]["code"] == "no-connection"
            assert "connection refused" in told["advice"]["why"]


async def test_a_name_that_is_not_known():
    async with checked(endpoint(80, None, name="nowhere.test")) as bench:
        told = await unhealthy(bench)
        assert (told["advice"]["code"], told["probes"][0]["host"]) == ("unknown-name", None)
        assert "nowhere.test" in told["advice"]["why"]


async def test_the_way_down_and_up_again():
    """Each step as the console shows it: state, counter, advice."""
    seen = {}
    script = (200, 500, 500, 500, 200, 200)
    check = health_check(unhealthy=3, interval_s=0.15)

    def look():
        told = bench.picture()
        counter = told["counter"] and told["counter"]["text"]
        seen[len(told["probes"])] = (told["state"], counter, told["advice"]["code"])
        return len(told["probes"]) >= len(script)

    async def step_by_step(web, reader, writer):
        await until(lambda: len(web.heads) - 1 in seen)
        await statuses(*script)(web, reader, writer)

    async with target(step_by_step) as web, checked(endpoint(web.port), check) as bench:
        await until(look)
    assert seen.pop(0) == ("initial", None, "first-probe")
    assert list(seen.values()) == [
        ("healthy", None, "healthy"),
        ("healthy", "1 of 3 failures", "failing"),
        ("healthy", "2 of 3 failures", "failing"),
        ("unhealthy", None, "server-error"),
        ("unhealthy", "1 of 2 successes", "recovering"),
        ("healthy", None, "healthy"),
    ]


async def test_the_last_ten_probes_are_kept_also_over_a_change_of_the_check():
    async with target(statuses(*range(200, 220))) as web:
        check = replace(health_check(interval_s=0.1), path="/before")
        async with checked(endpoint(web.port), check) as bench:
            await until(lambda: len(bench.picture()["probes"]) >= 3)
            since = bench.picture()["since_s"]
            bench.plan = Plan(
                groups=(
                    replace(bench.plan.groups[0], health_check=replace(check, path="/after", unhealthy_threshold=9)),
                )
            )
            bench.checker.reconcile(bench.plan)
            await until(lambda: len(web.heads) > KEPT_PROBES + 1)
            probes = bench.picture()["probes"]
    assert len(probes) == KEPT_PROBES
    assert probes[0]["request"] == "GET /after HTTP/1.1"
    assert sorted((probe["status"] for probe in probes), reverse=True) == [probe["status"] for probe in probes]
    assert since <= probes[0]["at_s"]


def test_a_target_out_of_use_has_no_counter():
    where = endpoint(80)
    for health, code in ((NOT_IN_USE, "not-in-use"), (DRAINING, "draining")):
        advice = advise(health, None, where, health_check(), None)
        assert advice.code == code
        assert str(advice.why)
        assert str(advice.to_do)
