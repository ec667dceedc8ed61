"""Sticky sessions through the roster: who stays, who is moved when, and which cookies an answer gets."""

import pytest

from lb.routing.plan import Choosing, Stickiness
from lb.targets.roster import Roster, Slot, StickyPick
from lb.targets.stickiness import Why
from tests.routing.configs import endpoint, group_plan
from tests.targets.rosters import UNHEALTHY, WALL, cookies, make_healthy, name, new_roster, publish

HOUR = 3600
PAIR = Choosing(stickiness=Stickiness(HOUR))
APP = Choosing(stickiness=Stickiness(HOUR, "session"))
SETS_SESSION = b"\r\nServer: x\r\nSet-Cookie: session=1"


def sticky_roster(*numbers: int, choosing: Choosing = PAIR) -> Roster:
    roster = new_roster()
    publish(roster, map(endpoint, numbers), choosing)
    make_healthy(roster, *numbers)
    return roster


def request(roster: Roster, block: bytes, wall_s: float = WALL) -> tuple[StickyPick, bytes]:
    """One request that is over at once; returns what the client brings along next time too."""
    pick = roster.pick_sticky(block, 0.0, wall_s)
    assert pick is not None
    before, after = roster.cookie_lines(pick.slot, pick.choice, SETS_SESSION, wall_s)
    roster.release(pick.slot)
    return pick, cookies(before + after + b"\r\nSet-Cookie: session=1;")


class Clients:
    """200 of them, each with its cookies and the target that it was on last."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.blocks = [b""] * 200
        self.on: list[Slot | None] = [None] * 200

    def round(self, wall_s: float) -> int:
        """One request each; returns how many were moved."""
        moved = 0
        for number, block in enumerate(self.blocks):
            pick, self.blocks[number] = request(self.roster, block, wall_s)
            moved += pick.slot is not self.on[number]
            self.on[number] = pick.slot
        return moved


@pytest.mark.parametrize("choosing", [PAIR, APP], ids=["lb_cookie", "app_cookie"])
def test_two_hundred_clients_never_move_while_their_target_is_usable_and_all_of_a_drained_one_at_once(choosing):
    roster = sticky_roster(1, 2, 3, 4, choosing=choosing)
    clients = Clients(roster)
    assert clients.round(WALL) == 200
    assert {name(slot): clients.on.count(slot) for slot in roster.slots} == dict.fromkeys(
        ("web1", "web2", "web3", "web4"), 50
    )
    for turn in range(1, 50):
        assert clients.round(WALL + turn * HOUR / 2) == 0
    on_first = [number for number, slot in enumerate(clients.on) if name(slot) == "web1"]
    publish(roster, map(endpoint, (2, 3, 4)), choosing)
    assert clients.round(WALL + 25 * HOUR) == len(on_first) == 50
    assert "web1" not in map(name, clients.on)
    assert clients.round(WALL + 25 * HOUR + 1) == 0
    assert [slot.in_flight for slot in roster.slots] == [0, 0, 0, 0]


def test_new_targets_and_other_attributes_move_nobody():
    roster = sticky_roster(1, 2)
    clients = Clients(roster)
    clients.round(WALL)
    publish(roster, map(endpoint, (1, 2, 3)), Choosing("least_outstanding_requests", stickiness=PAIR.stickiness))
    make_healthy(roster, 3)
    assert clients.round(WALL + 1) == 0


def test_only_the_clients_of_an_unhealthy_target_move_and_they_stay_where_they_went():
    roster = sticky_roster(1, 2, 3)
    clients = Clients(roster)
    clients.round(WALL)
    of_second = sum(name(slot) == "web2" for slot in clients.on)
    roster.apply_health("10.0.0.2:80", UNHEALTHY, 0.0)
    assert clients.round(WALL) == of_second
    make_healthy(roster, 2)
    assert clients.round(WALL) == 0


def test_in_fail_open_everybody_stays():
    roster = sticky_roster(1, 2)
    clients = Clients(roster)
    clients.round(WALL)
    for number in (1, 2):
        roster.apply_health(f"10.0.0.{number}:80", UNHEALTHY, 0.0)
    assert roster.fail_open
    assert clients.round(WALL) == 0


def test_a_kept_request_counts_and_takes_nobodys_turn():
    roster = sticky_roster(1, 2)
    first, block = request(roster, b"")
    for _ in range(3):
        kept = roster.pick_sticky(block, 0.0, WALL)
        assert kept is not None
        assert kept.slot is first.slot
        assert kept.choice.why is Why.KEPT
    assert (first.slot.in_flight, first.slot.served) == (3, 4)
    assert name(request(roster, b"")[0].slot) == "web2"


def test_nobody_is_picked_where_nobody_is_usable():
    roster = sticky_roster(1)
    block = request(roster, b"")[1]
    roster.reconcile(group_plan([], choosing=PAIR), 0.0)
    assert roster.pick_sticky(block, 0.0, WALL) is None


def test_every_answer_gets_both_load_balancer_cookies_before_the_targets_headers():
    roster = sticky_roster(1)
    for block in (b"", request(roster, b"")[1]):
        pick = roster.pick_sticky(block, 0.0, WALL)
        assert pick is not None
        before, after = roster.cookie_lines(pick.slot, pick.choice, b"\r\nServer: x", WALL)
        assert before.count(b"\r\nSet-Cookie: AWSALB") == 2
        assert before.startswith(b"\r\nSet-Cookie: AWSALB=")
        assert b"Secure" not in before
        assert after == b""


def test_application_cookies_stand_behind_the_targets_headers_and_follow_the_applications_own():
    roster = sticky_roster(1, choosing=APP)
    pick = roster.pick_sticky(b"", 0.0, WALL)
    assert pick is not None
    before, after = roster.cookie_lines(pick.slot, pick.choice, SETS_SESSION, WALL)
    assert before == b""
    assert after.startswith(b"\r\nSet-Cookie: AWSALBAPP-0=AAAAAAAAAA")
    kept = roster.pick_sticky(cookies(after + b"\r\nSet-Cookie: session=1;"), 0.0, WALL)
    assert kept is not None
    assert roster.cookie_lines(kept.slot, kept.choice, b"\r\nServer: x", WALL) == (b"", b"")
    assert b"=_remove_" in roster.cookie_lines(pick.slot, pick.choice, b"\r\nServer: x", WALL)[1]


def test_stickiness_is_switched_on_changed_and_off():
    roster = sticky_roster(1, 2, choosing=Choosing())
    assert roster.sticky is None
    publish(roster, map(endpoint, (1, 2)), PAIR)
    cookie = roster.sticky
    assert cookie is not None
    pick, block = request(roster, b"")
    publish(roster, map(endpoint, (1, 2)), Choosing(healthy_count=2, stickiness=PAIR.stickiness))
    assert roster.sticky is cookie
    publish(roster, map(endpoint, (1, 2)), Choosing(stickiness=Stickiness(60)))
    assert request(roster, block, WALL + 100)[0].choice.why is Why.EXPIRED
    publish(roster, map(endpoint, (1, 2)), Choosing())
    assert roster.sticky is None
    # An answer to a request from before the change.
    assert roster.cookie_lines(pick.slot, pick.choice, b"", WALL) == (b"", b"")


def test_a_target_whose_name_is_longer_than_a_cookie_is_kept_too():
    roster = new_roster()
    long = endpoint(1, "x" * 200 + ".example")
    publish(roster, [long, endpoint(2)], PAIR)
    first, block = request(roster, b"")
    assert first.slot.endpoint == long
    assert [request(roster, block)[0].slot for _ in range(3)] == [first.slot] * 3
