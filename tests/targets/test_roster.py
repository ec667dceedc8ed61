"""The roster: who gets requests, in turn; who no longer does; and that every request in flight is given back."""

import pytest

from lb.model.config import Target
from lb.model.reasons import TargetState
from lb.routing.plan import Endpoint
from lb.targets.health import DRAINING, NOT_IN_USE, REGISTERED
from lb.targets.roster import Roster, Slot
from tests.routing.configs import endpoint, group_plan
from tests.targets.rosters import HEALTHY, UNHEALTHY, new_roster


def roster_of(*numbers: int, healthy: tuple[int, ...] = ()) -> Roster:
    """A roster of the targets web<number>, in use, those of `healthy` healthy."""
    roster = new_roster()
    roster.reconcile(group_plan(map(endpoint, numbers)), 0.0)
    for number in healthy:
        roster.apply_health(endpoint(number).key, HEALTHY, 0.0)
    return roster


def slots(roster: Roster) -> dict[str, Slot]:
    return {slot.endpoint.target.id: slot for slot in roster.slots}


def states(roster: Roster) -> dict[str, str]:
    return {name: slot.health.state.value for name, slot in slots(roster).items()}


def picks(roster: Roster, count: int) -> list[str | None]:
    """The targets of `count` requests, each over before the next."""
    found = []
    for _ in range(count):
        slot = roster.pick(0.0)
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
    held = [roster.pick(0.0) for _ in range(101)]
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
        roster.apply_health("10.0.0.1:80", HEALTHY, 0.0)
    assert seen == ["web1", "web2", "web3", "web1"]


def test_the_order_is_that_of_registration():
    roster = roster_of(3, 1, 2, healthy=(1, 2, 3))
    assert picks(roster, 4) == ["web3", "web1", "web2", "web3"]
    assert [slot.endpoint.target.id for slot in roster.slots] == ["web3", "web1", "web2"]


# --- who may get requests (fact sheet 5.4) ---


def test_initial_and_unhealthy_targets_get_nothing_beside_a_healthy_one():
    roster = roster_of(1, 2, 3, healthy=(2,))
    roster.apply_health("10.0.0.3:80", UNHEALTHY, 0.0)
    assert picks(roster, 3) == ["web2"] * 3
    assert not roster.fail_open


def test_without_a_healthy_target_all_registered_ones_get_requests():
    roster = roster_of(1, 2, 3)
    assert roster.fail_open
    roster.apply_health("10.0.0.2:80", UNHEALTHY, 0.0)
    assert picks(roster, 4) == ["web1", "web2", "web3", "web1"]
    assert roster.fail_open
    roster.apply_health("10.0.0.3:80", HEALTHY, 0.0)
    assert not roster.fail_open
    assert picks(roster, 2) == ["web3", "web3"]


def test_the_lesson_both_unhealthy_and_still_alternating():
    roster = roster_of(1, 2, healthy=(1, 2))
    for key in ("10.0.0.1:80", "10.0.0.2:80"):
        roster.apply_health(key, UNHEALTHY, 0.0)
    assert roster.fail_open
    assert picks(roster, 6) == ["web1", "web2"] * 3


def test_nobody_is_picked_where_nobody_is_registered():
    roster = new_roster()
    assert roster.pick(0.0) is None
    roster.reconcile(group_plan([]), 0.0)
    assert roster.pick(0.0) is None
    assert not roster.fail_open


def test_a_group_that_is_not_in_use_has_unused_targets():
    roster = new_roster()
    roster.reconcile(group_plan([endpoint(1)], in_use=False), 0.0)
    assert slots(roster)["web1"].health == NOT_IN_USE
    assert roster.pick(0.0) is None
    assert not roster.fail_open


def test_a_group_comes_into_use_and_out_of_it():
    roster = roster_of(1, 2, healthy=(1,))
    roster.reconcile(group_plan([endpoint(1), endpoint(2)], in_use=False), 1.0)
    assert states(roster) == {"web1": "unused", "web2": "unused"}
    assert roster.pick(0.0) is None
    roster.reconcile(group_plan([endpoint(1), endpoint(2)]), 2.0)
    assert [slot.health for slot in roster.slots] == [REGISTERED, REGISTERED]


def test_a_verdict_that_comes_late_does_not_bring_a_target_into_use():
    roster = new_roster()
    roster.reconcile(group_plan([endpoint(1)], in_use=False), 0.0)
    roster.apply_health("10.0.0.1:80", HEALTHY, 1.0)
    assert slots(roster)["web1"].health == NOT_IN_USE
    assert roster.pick(1.0) is None


def test_a_draining_target_that_comes_back_where_the_group_is_not_in_use_is_unused():
    roster = roster_of(1, 2, healthy=(1, 2))
    roster.reconcile(group_plan([endpoint(2)]), 0.0)
    roster.reconcile(group_plan([endpoint(1), endpoint(2)], in_use=False), 1.0)
    assert states(roster) == {"web1": "unused", "web2": "unused"}


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
    roster.apply_health("10.0.0.9:80", UNHEALTHY, 0.0)
    assert states(roster) == {"web1": "healthy"}


# --- registration and deregistration ---


def test_a_new_target_starts_initial_and_waits_for_its_first_success():
    roster = roster_of(1, healthy=(1,))
    roster.reconcile(group_plan([endpoint(1), endpoint(2)]), 1.0)
    assert slots(roster)["web2"].health == REGISTERED
    assert picks(roster, 2) == ["web1", "web1"]
    roster.apply_health("10.0.0.2:80", HEALTHY, 0.0)
    assert picks(roster, 2) == ["web2", "web1"]


def test_a_deregistered_target_drains_for_its_delay_and_is_gone():
    roster = roster_of(1, 2, healthy=(1, 2))
    held = roster.pick(0.0)
    assert held is not None
    roster.reconcile(group_plan([endpoint(2)], deregistration_delay_s=300), 1000.0)
    assert slots(roster)["web1"].health == DRAINING
    assert picks(roster, 3) == ["web2"] * 3
    roster.apply_health("10.0.0.1:80", HEALTHY, 0.0)
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
    assert roster.pick(0.0) is None
    assert not roster.fail_open


def test_an_unused_target_is_gone_at_once():
    roster = new_roster()
    roster.reconcile(group_plan([endpoint(1)], in_use=False), 0.0)
    roster.reconcile(group_plan([], in_use=False), 1.0)
    assert states(roster) == {}


def test_a_target_that_comes_back_while_draining_starts_anew():
    roster = roster_of(1, 2, healthy=(1, 2))
    held = roster.pick(0.0)
    assert held is not None
    roster.reconcile(group_plan([endpoint(2)]), 0.0)
    roster.reconcile(group_plan([endpoint(2), endpoint(1)]), 10.0)
    slot = slots(roster)["web1"]
    assert slot.health == REGISTERED
    assert slot.in_flight == 1
    assert roster.expired(1000.0) == []
    assert picks(roster, 2) == ["web2", "web2"]
    roster.apply_health("10.0.0.1:80", HEALTHY, 0.0)
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
    held = roster.pick(0.0)
    assert held is not None
    roster.reconcile(group_plan([endpoint(1, "10.0.0.9"), endpoint(2)]), 0.0)
    assert held.health == DRAINING
    assert held in list(roster.slots)
    roster.release(held)
    assert held.in_flight == 0


def test_a_name_that_resolves_at_last():
    unresolved = Endpoint(Target("web1", 80), None)
    roster = new_roster()
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
    roster = new_roster()
    roster.reconcile(group_plan(both), 0.0)
    roster.reconcile(group_plan(both[:1], deregistration_delay_s=delay_s), 1.0)
    assert [slot.key for slot in roster.slots] == ["10.0.0.1:80"]
