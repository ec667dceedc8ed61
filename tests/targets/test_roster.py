"""The roster: who gets requests, in turn; who no longer does; and that every request in flight is given back."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule

from lb.model.config import Target
from lb.model.reasons import Reason, TargetState
from lb.routing.plan import Endpoint
from lb.targets.health import DRAINING, NOT_IN_USE, REGISTERED, Health
from lb.targets.roster import Roster, Slot
from tests.routing.configs import endpoint, group_plan

HEALTHY = Health(TargetState.HEALTHY)
UNHEALTHY = Health(TargetState.UNHEALTHY, Reason.TIMEOUT)


def roster_of(*numbers: int, healthy: tuple[int, ...] = ()) -> Roster:
    """A roster of the targets web<number>, in use, those of `healthy` healthy."""
    roster = Roster("tg")
    roster.reconcile(group_plan(map(endpoint, numbers)), 0.0)
    for number in healthy:
        roster.apply_health(endpoint(number).key, HEALTHY)
    return roster


def slots(roster: Roster) -> dict[str, Slot]:
    return {slot.endpoint.target.id: slot for slot in roster.slots}


def states(roster: Roster) -> dict[str, str]:
    return {name: slot.health.state.value for name, slot in slots(roster).items()}


def picks(roster: Roster, count: int) -> list[str | None]:
    """The targets of `count` requests, each over before the next."""
    found = []
    for _ in range(count):
        slot = roster.pick()
        found.append(slot.endpoint.target.id if slot else None)
        if slot:
            roster.release(slot)
    return found


# --- who is next ---


def test_two_healthy_targets_alternate_strictly():
    roster = roster_of(1, 2, healthy=(1, 2))
    assert picks(roster, 1000) == ["web1", "web2"] * 500
    assert [slot.served for slot in roster.slots] == [500, 500]


def test_they_alternate_however_long_requests_last():
    roster = roster_of(1, 2, healthy=(1, 2))
    held = [roster.pick() for _ in range(101)]
    assert [slot.in_flight for slot in roster.slots] == [51, 50]
    for slot in held:
        assert slot is not None
        roster.release(slot)
    assert picks(roster, 3) == ["web2", "web1", "web2"]


def test_verdicts_that_change_nothing_do_not_disturb_the_order():
    roster = roster_of(1, 2, 3, healthy=(1, 2, 3))
    seen = []
    for _ in range(4):
        seen += picks(roster, 1)
        roster.apply_health("10.0.0.1:80", HEALTHY)
    assert seen == ["web1", "web2", "web3", "web1"]


def test_the_order_is_that_of_registration():
    roster = roster_of(3, 1, 2, healthy=(1, 2, 3))
    assert picks(roster, 4) == ["web3", "web1", "web2", "web3"]
    assert [slot.endpoint.target.id for slot in roster.slots] == ["web3", "web1", "web2"]


# --- who may get requests (fact sheet 5.4) ---


def test_initial_and_unhealthy_targets_get_nothing_beside_a_healthy_one():
    roster = roster_of(1, 2, 3, healthy=(2,))
    roster.apply_health("10.0.0.3:80", UNHEALTHY)
    assert picks(roster, 3) == ["web2"] * 3
    assert not roster.fail_open


def test_without_a_healthy_target_all_registered_ones_get_requests():
    roster = roster_of(1, 2, 3)
    assert roster.fail_open
    roster.apply_health("10.0.0.2:80", UNHEALTHY)
    assert picks(roster, 4) == ["web1", "web2", "web3", "web1"]
    assert roster.fail_open
    roster.apply_health("10.0.0.3:80", HEALTHY)
    assert not roster.fail_open
    assert picks(roster, 2) == ["web3", "web3"]


def test_the_lesson_both_unhealthy_and_still_alternating():
    roster = roster_of(1, 2, healthy=(1, 2))
    for key in ("10.0.0.1:80", "10.0.0.2:80"):
        roster.apply_health(key, UNHEALTHY)
    assert roster.fail_open
    assert picks(roster, 6) == ["web1", "web2"] * 3


def test_nobody_is_picked_where_nobody_is_registered():
    roster = Roster("tg")
    assert roster.pick() is None
    roster.reconcile(group_plan([]), 0.0)
    assert roster.pick() is None
    assert not roster.fail_open


def test_a_group_that_is_not_in_use_has_unused_targets():
    roster = Roster("tg")
    roster.reconcile(group_plan([endpoint(1)], in_use=False), 0.0)
    assert slots(roster)["web1"].health == NOT_IN_USE
    assert roster.pick() is None
    assert not roster.fail_open


def test_a_group_comes_into_use_and_out_of_it():
    roster = roster_of(1, 2, healthy=(1,))
    roster.reconcile(group_plan([endpoint(1), endpoint(2)], in_use=False), 1.0)
    assert states(roster) == {"web1": "unused", "web2": "unused"}
    assert roster.pick() is None
    roster.reconcile(group_plan([endpoint(1), endpoint(2)]), 2.0)
    assert [slot.health for slot in roster.slots] == [REGISTERED, REGISTERED]


def test_publishing_the_same_plan_again_keeps_everything():
    roster = roster_of(1, 2, healthy=(1, 2))
    picks(roster, 1)
    before = {name: (slot, slot.health, slot.served) for name, slot in slots(roster).items()}
    for now in (1.0, 2.0):
        roster.reconcile(group_plan([endpoint(1), endpoint(2)]), now)
    assert {name: (slot, slot.health, slot.served) for name, slot in slots(roster).items()} == before
    assert picks(roster, 2) == ["web2", "web1"]


def test_verdicts_on_strangers_are_ignored():
    roster = roster_of(1, healthy=(1,))
    roster.apply_health("10.0.0.9:80", UNHEALTHY)
    assert states(roster) == {"web1": "healthy"}


# --- registration and deregistration ---


def test_a_new_target_starts_initial_and_waits_for_its_first_success():
    roster = roster_of(1, healthy=(1,))
    roster.reconcile(group_plan([endpoint(1), endpoint(2)]), 1.0)
    assert slots(roster)["web2"].health == REGISTERED
    assert picks(roster, 2) == ["web1", "web1"]
    roster.apply_health("10.0.0.2:80", HEALTHY)
    assert picks(roster, 2) == ["web2", "web1"]


def test_a_deregistered_target_drains_for_its_delay_and_is_gone():
    roster = roster_of(1, 2, healthy=(1, 2))
    held = roster.pick()
    assert held is not None
    roster.reconcile(group_plan([endpoint(2)], deregistration_delay_s=300), 1000.0)
    assert slots(roster)["web1"].health == DRAINING
    assert picks(roster, 3) == ["web2"] * 3
    roster.apply_health("10.0.0.1:80", HEALTHY)
    assert slots(roster)["web1"].health == DRAINING
    assert roster.expired(1299.9) == []
    assert roster.expired(1300.0) == [held]
    assert states(roster) == {"web2": "healthy"}
    roster.release(held)
    assert held.in_flight == 0


def test_an_idle_target_also_shows_as_draining():
    roster = roster_of(1, 2, healthy=(1, 2))
    roster.reconcile(group_plan([endpoint(2)]), 0.0)
    assert states(roster) == {"web1": "draining", "web2": "healthy"}


def test_the_delay_counts_from_the_deregistration_not_from_later_plans():
    roster = roster_of(1, 2)
    for now in (0.0, 100.0, 200.0):
        roster.reconcile(group_plan([endpoint(2)], deregistration_delay_s=300), now)
    assert [slot.endpoint.target.id for slot in roster.expired(300.0)] == ["web1"]


def test_without_a_delay_a_target_is_gone_at_once():
    roster = roster_of(1, 2)
    roster.reconcile(group_plan([endpoint(2)], deregistration_delay_s=0), 5.0)
    assert [slot.endpoint.target.id for slot in roster.expired(5.0)] == ["web1"]


def test_a_group_whose_targets_all_drain_answers_nothing():
    roster = roster_of(1, healthy=(1,))
    roster.reconcile(group_plan([]), 0.0)
    assert roster.pick() is None
    assert not roster.fail_open


def test_an_unused_target_is_gone_at_once():
    roster = Roster("tg")
    roster.reconcile(group_plan([endpoint(1)], in_use=False), 0.0)
    roster.reconcile(group_plan([], in_use=False), 1.0)
    assert states(roster) == {}


def test_a_target_that_comes_back_while_draining_starts_anew():
    roster = roster_of(1, 2, healthy=(1, 2))
    held = roster.pick()
    assert held is not None
    roster.reconcile(group_plan([endpoint(2)]), 0.0)
    roster.reconcile(group_plan([endpoint(2), endpoint(1)]), 10.0)
    slot = slots(roster)["web1"]
    assert slot.health == REGISTERED
    assert slot.in_flight == 1
    assert roster.expired(1000.0) == []
    assert picks(roster, 2) == ["web2", "web2"]
    roster.apply_health("10.0.0.1:80", HEALTHY)
    assert set(picks(roster, 2)) == {"web1", "web2"}
    roster.release(held)
    assert slot.in_flight == 0


# --- addresses that move ---


def test_a_moved_target_leaves_no_trace_at_its_old_address():
    roster = roster_of(1, 2, healthy=(1, 2))
    roster.reconcile(group_plan([endpoint(1, "10.0.0.9"), endpoint(2)]), 0.0)
    assert {slot.key: slot.health.state.value for slot in roster.slots} == {
        "10.0.0.2:80": "healthy",
        "10.0.0.9:80": "initial",
    }
    assert picks(roster, 2) == ["web2", "web2"]


def test_a_moved_target_with_requests_in_flight_lets_them_end():
    roster = roster_of(1, 2, healthy=(1, 2))
    held = roster.pick()
    assert held is not None
    roster.reconcile(group_plan([endpoint(1, "10.0.0.9"), endpoint(2)]), 0.0)
    assert held.health == DRAINING
    assert held in list(roster.slots)
    roster.release(held)
    assert held.in_flight == 0


def test_a_name_that_resolves_at_last():
    unresolved = Endpoint(Target("web1", 80), None)
    roster = Roster("tg")
    roster.reconcile(group_plan([unresolved]), 0.0)
    assert [slot.key for slot in roster.slots] == ["web1:80"]
    roster.reconcile(group_plan([endpoint(1)]), 1.0)
    assert [slot.key for slot in roster.slots] == ["10.0.0.1:80"]


def test_two_names_that_swap_addresses_are_shown_where_they_are():
    # Containers that restart together may well get each other's address.
    roster = roster_of(1, 2, healthy=(1, 2))
    roster.reconcile(group_plan([endpoint(1, "10.0.0.2"), endpoint(2, "10.0.0.1")]), 0.0)
    assert {slot.key: slot.endpoint.target.id for slot in roster.slots} == {
        "10.0.0.1:80": "web2",
        "10.0.0.2:80": "web1",
    }
    for slot in roster.slots:
        assert slot.endpoint.key == slot.key


def test_another_name_for_the_same_address():
    roster = roster_of(1, healthy=(1,))
    renamed = Endpoint(Target("web1.local", 80), "10.0.0.1")
    roster.reconcile(group_plan([renamed]), 0.0)
    (slot,) = roster.slots
    assert slot.endpoint == renamed
    assert slot.health.state is TargetState.HEALTHY


@pytest.mark.parametrize("delay_s", [0, 300])
def test_a_name_that_loses_one_of_two_addresses(delay_s: int):
    both = [endpoint(1, "10.0.0.1"), endpoint(1, "10.0.0.2")]
    roster = Roster("tg")
    roster.reconcile(group_plan(both), 0.0)
    roster.reconcile(group_plan(both[:1], deregistration_delay_s=delay_s), 1.0)
    assert [slot.key for slot in roster.slots] == ["10.0.0.1:80"]


# --- everything at once ---

ENDPOINTS = [endpoint(number) for number in range(1, 5)]
VERDICTS = st.sampled_from((HEALTHY, UNHEALTHY, replace(UNHEALTHY, reason=Reason.FAILED_HEALTH_CHECKS)))


class RosterMachine(RuleBasedStateMachine):
    """A model that knows registration, verdicts and time, and nothing of cursors."""

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.roster = Roster("tg")
        self.now = 0.0
        self.in_use = True
        self.state: dict[str, str] = {}  # by key: initial, healthy, unhealthy, unused, draining
        self.until: dict[str, float] = {}
        self.in_flight: dict[Slot, int] = {}
        self.streak: list[str] = []  # picks since the usable targets changed last

    @rule(chosen=st.lists(st.sampled_from(ENDPOINTS), unique=True), in_use=st.booleans(), delay_s=st.integers(0, 5))
    def publish(self, chosen: list[Endpoint], in_use: bool, delay_s: int) -> None:
        self.roster.reconcile(group_plan(chosen, in_use=in_use, deregistration_delay_s=delay_s), self.now)
        keys = {each.key for each in chosen}
        for key in list(self.state):
            if key in keys:
                continue
            if self.state[key] == "unused":
                del self.state[key]
            elif self.state[key] != "draining":
                self.state[key] = "draining"
                self.until[key] = self.now + delay_s
        for key in keys:
            before = self.state.get(key)
            if not in_use:
                self.state[key] = "unused"
            elif before in (None, "unused", "draining"):
                self.state[key] = "initial"
        self.in_use = in_use
        self.streak = []

    @precondition(lambda self: self.in_use)
    @rule(target_=st.sampled_from(ENDPOINTS), health=VERDICTS)
    def verdict(self, target_: Endpoint, health: Health) -> None:
        self.roster.apply_health(target_.key, health)
        if self.state.get(target_.key) in ("initial", "healthy", "unhealthy"):
            if self.state[target_.key] != health.state.value:
                self.streak = []
            self.state[target_.key] = health.state.value

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        gone = {slot.key for slot in self.roster.expired(self.now)}
        assert gone == {key for key, state in self.state.items() if state == "draining" and self.until[key] <= self.now}
        for key in gone:
            del self.state[key]

    def usable(self) -> set[str]:
        healthy = {key for key, state in self.state.items() if state == "healthy"}
        return healthy or {key for key, state in self.state.items() if state in ("initial", "unhealthy")}

    @rule(target=requests)
    def pick(self):  # type: ignore[no-untyped-def]
        slot = self.roster.pick()
        usable = self.usable()
        if not usable:
            assert slot is None
            return multiple()
        assert slot is not None
        assert slot.key in usable
        recent = self.streak[-(len(usable) - 1) :] if len(usable) > 1 else []
        assert slot.key not in recent, "somebody was passed over"
        self.streak.append(slot.key)
        self.in_flight[slot] = self.in_flight.get(slot, 0) + 1
        return slot

    @rule(slot=consumes(requests))
    def release(self, slot: Slot) -> None:
        self.roster.release(slot)
        self.in_flight[slot] -= 1

    @invariant()
    def shows_what_the_model_knows(self) -> None:
        assert {slot.key: slot.health.state.value for slot in self.roster.slots} == self.state
        assert self.roster.fail_open is (bool(self.usable()) and "healthy" not in self.state.values())
        for slot, count in self.in_flight.items():
            assert slot.in_flight == count

    def teardown(self) -> None:
        for slot, count in self.in_flight.items():
            for _ in range(count):
                self.roster.release(slot)
            assert slot.in_flight == 0


TestRosterMachine = RosterMachine.TestCase
TestRosterMachine.settings = settings(deadline=None, max_examples=150, stateful_step_count=40)
