"""The checker against scripted targets: when it probes, when a verdict falls, and what a new plan changes."""

import asyncio
import logging
import random
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from lb.health.checker import HealthChecker
from lb.model.reasons import Reason, TargetState
from lb.routing.plan import GroupPlan, Plan
from tests.health.scripted import OK, endpoint, health_check, says, statuses, target, until

# The probes themselves are tested on both loops; the schedule on the one that `lb` runs on.
pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

ARN = "arn:group"
PASSING = says(OK)


def plan(*endpoints, check=None, in_use=True, arn=ARN):
    return Plan(groups=(GroupPlan(arn, "group", endpoints, check or health_check(), 30, in_use),))


class Watcher:
    """A running checker and what it told, with how many requests `web` had got by then."""

    def __init__(self, web=None):
        self.web = web
        self.verdicts = []
        self.unreachable = []
        self.checker = HealthChecker(self._changed, self.unreachable.append, lambda *_: None, random.Random(7))

    def _changed(self, arn, key, health):
        assert arn == ARN
        self.verdicts.append((len(self.web.heads) if self.web else 0, key, health))

    def health(self, where, arn=ARN):
        return self.checker.watched[arn, where.key].health

    @property
    def states(self):
        return [(after, health.state.value) for after, _, health in self.verdicts]


@asynccontextmanager
async def checking(first, web=None):
    watcher = Watcher(web)
    watcher.checker.reconcile(first)
    watcher.checker.start()
    try:
        yield watcher
    finally:
        await closed(watcher.checker)


async def closed(checker):
    """Closes, and fails where that takes as long as a probe or an interval of these tests does."""
    async with asyncio.timeout(20):
        await checker.close()


async def test_each_verdict_falls_with_the_probe_that_decides_it():
    script = (200, 500, 200, 500, 500, 200, 500, 200, 200, 500, 200)
    async with target(statuses(*script)) as web, checking(plan(endpoint(web.port)), web) as watcher:
        await until(lambda: len(web.heads) >= len(script) + 2)
        # One success out of `initial`; two failures in a row; two successes in a row.
        assert watcher.states == [(1, "healthy"), (5, "unhealthy"), (9, "healthy")]
        assert watcher.verdicts[1][2].reason is Reason.RESPONSE_CODE_MISMATCH
        assert watcher.verdicts[1][2].description == "Health checks failed with these codes: [500]"
        assert watcher.verdicts[2][2].description is None


async def test_other_thresholds_are_kept():
    script = (404, 404, 404, 200, 200, 200)
    check = health_check(healthy=3, unhealthy=3)
    async with target(statuses(*script)) as web, checking(plan(endpoint(web.port), check=check), web) as watcher:
        await until(lambda: len(web.heads) > len(script))
        assert [each for each in watcher.states if each[1] != "initial"] == [(3, "unhealthy"), (6, "healthy")]


async def test_an_unhealthy_target_that_fails_otherwise_gets_the_new_reason():
    async with target(statuses(404, 404, 404, 503)) as web, checking(plan(endpoint(web.port)), web) as watcher:
        await until(lambda: len(web.heads) >= 5)
        codes = [health.codes for _, _, health in watcher.verdicts if health.state is TargetState.UNHEALTHY]
        assert codes == [(404,), (503,)]


async def test_the_first_probe_comes_at_once_and_the_others_by_the_interval():
    async def slow(_, __, writer):
        await asyncio.sleep(0.4)
        writer.write(OK)

    begun = monotonic()
    async with target(slow) as web, checking(plan(endpoint(web.port), check=health_check(interval_s=0.5))):
        await until(lambda: len(web.times) >= 6)
        assert web.times[0] - begun < 5
        # The schedule does not drift: five intervals are 2.5 s, and 4.5 s together with what the probes take.
        assert 2 < web.times[5] - web.times[0] < 4.2


async def test_a_silent_target_holds_up_no_other():
    slow, quick = health_check(interval_s=90, timeout_s=60), health_check(interval_s=0.1)
    async with target(says(b"")) as silent, target(PASSING) as web:
        first = GroupPlan("arn:slow", "slow", (endpoint(silent.port),), slow, 30, in_use=True)
        second = plan(endpoint(web.port), check=quick).groups[0]
        async with checking(Plan(groups=(first, second)), web):
            await until(lambda: silent.heads)
            before = len(web.heads)
            await until(lambda: len(web.heads) >= before + 8)
            assert silent.open == 1


async def test_a_target_slower_than_its_timeout_is_probed_once_at_a_time():
    check = health_check(timeout_s=0.08)
    async with target(says(b"")) as silent, checking(plan(endpoint(silent.port), check=check), silent) as watcher:
        most = 0
        begun = monotonic()
        while len(silent.heads) < 5:
            most = max(most, silent.open)
            assert monotonic() - begun < 30
            await asyncio.sleep(0.005)
        assert most == 1
        assert watcher.health(endpoint(silent.port)).reason is Reason.TIMEOUT


async def test_a_group_that_no_listener_uses_is_not_probed():
    async with target(PASSING) as unused, target(PASSING) as web:
        idle = GroupPlan("arn:idle", "idle", (endpoint(unused.port),), health_check(), 30, in_use=False)
        async with checking(Plan(groups=(idle, *plan(endpoint(web.port)).groups)), web):
            await until(lambda: len(web.heads) >= 3)
            assert unused.connections == 0


async def test_an_added_target_is_probed_and_a_removed_one_no_more():
    async with target(PASSING) as one, target(PASSING) as two, checking(plan(endpoint(one.port)), one) as watcher:
        await until(lambda: len(one.heads) >= 2)
        watcher.checker.reconcile(plan(endpoint(two.port)))
        count = len(one.heads)
        await until(lambda: len(two.heads) >= 4)
        # A probe that was under way when the plan changed may still arrive.
        assert len(one.heads) <= count + 1
        assert list(watcher.checker.watched) == [(ARN, endpoint(two.port).key)]


async def test_a_removed_target_gets_no_verdict_from_a_probe_under_way():
    answering = asyncio.Event()

    async def late(web, reader, writer):
        await answering.wait()
        writer.write(OK)

    check = health_check(interval_s=90, timeout_s=60)
    async with target(late) as web, checking(plan(endpoint(web.port), check=check), web) as watcher:
        await until(lambda: web.heads)
        watcher.checker.reconcile(Plan())
        answering.set()
        await until(lambda: web.open == 0)
        await asyncio.sleep(0.05)
        assert watcher.verdicts == []
        assert web.connections == 1


async def test_changed_settings_keep_the_health_and_count_at_once():
    slow = health_check(path="/old", interval_s=60)
    async with target(PASSING) as web, checking(plan(endpoint(web.port), check=slow), web) as watcher:
        await until(lambda: watcher.states == [(1, "healthy")])
        watcher.checker.reconcile(plan(endpoint(web.port), check=health_check(path="/new")))
        assert watcher.health(endpoint(web.port)).state is TargetState.HEALTHY
        # The first probe by the new settings does not wait for the old interval of a minute.
        await until(lambda: len(web.heads) >= 4)
        assert all(head.startswith(b"GET /new ") for head in web.heads[1:])
        assert watcher.states == [(1, "healthy")]


async def test_changed_settings_end_the_old_schedule():
    async with target(PASSING) as web, checking(plan(endpoint(web.port))) as watcher:
        await until(lambda: len(web.heads) >= 2)
        for number in range(5):
            watcher.checker.reconcile(plan(endpoint(web.port), check=health_check(path=f"/{number}", interval_s=0.5)))
        await asyncio.sleep(0.5)
        begun = len(web.heads)
        await until(lambda: len(web.heads) >= begun + 5)
        # Four intervals; with the old schedules beside the new one, less than one.
        assert web.times[begun + 4] - web.times[begun] > 0.8


async def test_a_plan_that_changes_nothing_leaves_the_schedule_alone():
    check = health_check(interval_s=60)
    async with target(PASSING) as web, checking(plan(endpoint(web.port), check=check)) as watcher:
        await until(lambda: web.heads)
        for _ in range(20):
            watcher.checker.reconcile(plan(endpoint(web.port), check=check))
            await asyncio.sleep(0.01)
        assert len(web.heads) == 1


async def test_a_group_in_two_plans_with_other_groups_keeps_its_health():
    async with target(PASSING) as web, checking(plan(endpoint(web.port)), web) as watcher:
        await until(lambda: watcher.verdicts)
        other = GroupPlan("arn:other", "other", (endpoint(web.port),), health_check(), 30, in_use=False)
        watcher.checker.reconcile(Plan(groups=(other, *plan(endpoint(web.port)).groups)))
        await asyncio.sleep(0.02)
        assert watcher.health(endpoint(web.port)).state is TargetState.HEALTHY


async def test_a_health_check_port_of_its_own_is_probed():
    async with target(PASSING) as admin, target(PASSING) as web:
        check = health_check(port=admin.port)
        async with checking(plan(endpoint(web.port), check=check), admin) as watcher:
            await until(lambda: watcher.states == [(1, "healthy")])
            assert watcher.verdicts[0][1] == endpoint(web.port).key
            assert web.connections == 0


async def test_only_targets_that_do_not_answer_are_looked_up_again():
    async with target(statuses(500)) as wrong, target(says(b"")) as silent, target(PASSING) as gone:
        refused = endpoint(gone.port, "127.0.0.1", name="refused.test")
        where = (
            endpoint(wrong.port, "127.0.0.1", name="wrong.test"),
            endpoint(silent.port, "127.0.0.1", name="silent.test"),
            endpoint(1, None, name="unknown.test"),
        )
        check = health_check(timeout_s=1)
        async with checking(plan(refused, *where, check=check)) as watcher:
            await until(lambda: gone.heads)
            assert "refused.test" not in watcher.unreachable
            watcher.checker.reconcile(plan(*where, check=check))
            await until(lambda: len(wrong.heads) >= 4 and "silent.test" in watcher.unreachable)
            assert set(watcher.unreachable) == {"silent.test", "unknown.test"}


async def test_a_refused_target_is_looked_up_again():
    async with target(PASSING) as closed:
        port = closed.port
    async with checking(plan(endpoint(port, "127.0.0.1", name="refused.test"))) as watcher:
        await until(lambda: watcher.unreachable)
        assert watcher.unreachable[0] == "refused.test"


async def test_close_makes_no_verdict_of_a_probe_that_it_cuts_off():
    """The balancer that ends is not a target that fails: requests in flight still need the targets as they are."""
    check = health_check(interval_s=90, timeout_s=60, unhealthy=2)
    async with target(says(b"")) as silent:
        async with checking(plan(endpoint(silent.port), check=check), silent) as watcher:
            await until(lambda: silent.heads)
        assert watcher.verdicts == []
        assert watcher.unreachable == []
        assert watcher.health(endpoint(silent.port)).failures == 0
        await until(lambda: silent.open == 0)
        assert silent.connections == 1


async def test_close_leaves_no_task_behind():
    before = asyncio.all_tasks()
    async with target(says(b"")) as silent:
        async with checking(plan(endpoint(silent.port))):
            await until(lambda: silent.heads)
        await until(lambda: silent.open == 0)
    assert {task.get_name() for task in asyncio.all_tasks() - before} == set()


@pytest.mark.parametrize("turns", range(4))
async def test_close_ends_at_once_after_a_reload(turns):
    """In Python 3.11 asyncio.wait_for loses a cancellation that comes together with the event it waits for."""
    check = health_check(interval_s=60)
    async with target(PASSING) as web, checking(plan(endpoint(web.port), check=check)) as watcher:
        await until(lambda: watcher.verdicts)
        await asyncio.sleep(0.02)
        watcher.checker.reconcile(plan(endpoint(web.port), check=check))
        for _ in range(turns):
            await asyncio.sleep(0)


async def test_close_before_start_and_twice_is_fine():
    watcher = Watcher()
    await closed(watcher.checker)
    await closed(watcher.checker)


async def test_a_listener_to_verdicts_that_fails_does_not_end_the_probing(caplog):
    def breaks(*_):
        raise RuntimeError("broken on purpose")

    async with target(PASSING) as web:
        checker = HealthChecker(breaks, lambda _: None, lambda *_: None, random.Random(7))
        checker.reconcile(plan(endpoint(web.port)))
        checker.start()
        try:
            with caplog.at_level(logging.ERROR):
                await until(lambda: len(web.heads) >= 3)
        finally:
            await closed(checker)
    assert "broken on purpose" in caplog.text


@pytest.mark.parametrize("count", [200])
async def test_many_targets_are_all_probed_within_an_interval_or_so(count):
    async with target(statuses(200)) as web:
        where = [endpoint(web.port, "127.0.0.1") for _ in range(count)]
        groups = tuple(
            GroupPlan(f"arn:{number}", "group", (each,), health_check(interval_s=25), 30, in_use=True)
            for number, each in enumerate(where)
        )
        checker = HealthChecker(lambda *_: None, lambda _: None, lambda *_: None, random.Random(7))
        checker.reconcile(Plan(groups=groups))
        checker.start()
        try:
            await until(lambda: all(each.health.state is TargetState.HEALTHY for each in checker.watched.values()), 25)
        finally:
            await closed(checker)
        assert len(web.heads) >= count
