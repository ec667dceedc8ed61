"""What `explain` says is what a pick then does, and saying it changes nothing."""

import pytest

from lb.routing.plan import Choosing, Stickiness
from lb.targets.roster import Roster
from lb.targets.zones import Why
from tests.routing.configs import endpoint
from tests.targets.rosters import UNHEALTHY, WALL, cookies, make_healthy, name, new_roster, publish


def roster_with(choosing: Choosing, *healthy: int) -> Roster:
    """Four targets."""
    roster = new_roster()
    publish(roster, map(endpoint, range(1, 5)), choosing)
    make_healthy(roster, *healthy)
    return roster


@pytest.mark.parametrize(
    "choosing", [Choosing(), Choosing(slow_start_s=30), Choosing("least_outstanding_requests")], ids=str
)
def test_it_tells_who_is_next_however_often_it_is_asked(choosing: Choosing):
    roster = roster_with(choosing, 1, 2)
    make_healthy(roster, 3, now=1.0)
    for number in range(200):
        now = 1.0 + number / 10
        told = [roster.explain(b"", now, WALL) for _ in range(3)]
        slot = roster.pick(now)
        assert [one.chosen for one in told] == [slot] * 3
        assert slot is not None
        if number % 3:
            roster.release(slot)
    assert sum(slot.served for slot in roster.slots) == 200
    assert roster.explain(b"", 0.0, WALL).algorithm == choosing.algorithm


def test_chance_is_not_foretold_and_not_used_up():
    one, other = roster_with(Choosing("weighted_random"), 1, 2, 3), roster_with(Choosing("weighted_random"), 1, 2, 3)
    picks = []
    for _ in range(50):
        assert one.explain(b"", 0.0, WALL).chosen is None
        picks.append((name(one.pick(0.0)), name(other.pick(0.0))))
    assert all(first == second for first, second in picks)


def test_a_verdict_on_every_target():
    roster = roster_with(Choosing(), 1, 2)
    roster.apply_health("10.0.0.3:80", UNHEALTHY, 0.0)
    publish(roster, map(endpoint, (1, 3, 4)), Choosing())
    found = roster.explain(b"", 0.0, WALL)
    assert {name(slot): why for slot, why in found.selection.verdicts} == {
        "web1": Why.HEALTHY,
        "web2": Why.DRAINING,
        "web3": Why.UNHEALTHY,
        "web4": Why.INITIAL,
    }
    assert str(found.selection.text) == "1 of 3 targets healthy, at least 1 wanted"
    assert found.choice is None


def test_the_sticky_choice_in_words():
    roster = roster_with(Choosing(stickiness=Stickiness(60)), 1, 2)
    assert (found := roster.explain(b"", 0.0, WALL)).choice is not None
    assert str(found.choice.text) == "it brings no AWSALB cookie"
    assert name(found.chosen) == "web1"
    pick = roster.pick_sticky(b"", 0.0, WALL)
    assert pick is not None
    block = cookies(roster.cookie_lines(pick.slot, pick.choice, b"", WALL)[0])
    kept = roster.explain(block, 0.0, WALL)
    assert kept.choice is not None
    assert str(kept.choice.text) == "its AWSALBCORS cookie names 10.0.0.1:80"
    assert kept.chosen is pick.slot
    roster.apply_health("10.0.0.1:80", UNHEALTHY, 0.0)
    moved = roster.explain(block, 0.0, WALL)
    assert moved.choice is not None
    assert str(moved.choice.text) == "10.0.0.1:80, which its AWSALBCORS cookie names, gets no requests now"
    assert name(moved.chosen) == "web2"
    assert [slot.served for slot in roster.slots] == [1, 0, 0, 0]


def test_nobody_is_chosen_where_nobody_is_usable():
    roster = new_roster()
    publish(roster, [], Choosing())
    found = roster.explain(b"", 0.0, WALL)
    assert (found.chosen, str(found.selection.text)) == (None, "no target that this node may use: 503")


def test_how_far_a_target_in_slow_start_is():
    roster = roster_with(Choosing(slow_start_s=30), 1)
    publish(roster, map(endpoint, range(1, 6)), Choosing(slow_start_s=30))
    make_healthy(roster, 5, now=10.0)
    assert roster.explain(b"", 25.0, WALL).ramps == {"10.0.0.5:80": pytest.approx(0.51)}
    assert roster.explain(b"", 40.0, WALL).ramps == {}
