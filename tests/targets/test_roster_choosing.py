"""Algorithms, slow start, anomalies, thresholds and zones through the roster."""

from collections import Counter
from collections.abc import Iterable

import pytest

from lb.model.reasons import TargetState
from lb.routing.plan import Choosing, Endpoint
from lb.targets.anomaly import DECISION_INTERVAL_S, LOWEST_WEIGHT, Standing
from lb.targets.health import NOT_IN_USE, REGISTERED
from lb.targets.roster import Roster
from lb.targets.zones import Why
from tests.routing.configs import endpoint, group_plan
from tests.targets.rosters import UNHEALTHY, make_healthy, name, new_roster, publish, zoned

RANDOM = Choosing("weighted_random")
MITIGATING = Choosing("weighted_random", anomaly_mitigation=True)
SLOW = Choosing(slow_start_s=30)
NO_TARGET: list[Endpoint] = []


def healthy_roster(choosing: Choosing, *numbers: int) -> Roster:
    roster = new_roster()
    publish(roster, map(endpoint, numbers), choosing)
    make_healthy(roster, *numbers)
    return roster


def traffic(roster: Roster, count: int, start: float = 0.0, end: float = 0.0, failing: str = "") -> dict[str, float]:
    """Evenly spaced requests, each over at once; the share of each target that got some. `failing` answers 500."""
    got: Counter[str] = Counter()
    for number in range(count):
        slot = roster.pick(start + (end - start) * number / count)
        assert slot is not None
        target = slot.endpoint.target.id
        roster.release(slot, server_error=target == failing)
        got[target] += 1
    return {target: requests / count for target, requests in got.items()}


# --- algorithms ---


def test_weighted_random_shares_evenly_within_two_points():
    shares = traffic(healthy_roster(RANDOM, 1, 2, 3, 4), 10_000)
    assert shares == pytest.approx(dict.fromkeys(("web1", "web2", "web3", "web4"), 0.25), abs=0.02)


def test_least_outstanding_requests_goes_to_who_has_fewest_in_flight():
    roster = healthy_roster(Choosing("least_outstanding_requests"), 1, 2, 3)
    held = [roster.pick(0.0) for _ in range(6)]
    assert [slot.in_flight for slot in roster.slots] == [2, 2, 2]
    second = held[1]
    assert second is not None
    roster.release(second)
    for _ in range(3):
        slot = roster.pick(0.0)
        assert slot is second
        roster.release(slot)


def test_no_algorithm_leaves_the_usable_targets():
    for choosing in (Choosing(), SLOW, RANDOM, Choosing("least_outstanding_requests")):
        roster = healthy_roster(choosing, 1, 2)
        publish(roster, map(endpoint, (1, 2, 3)), choosing)
        assert traffic(roster, 100).keys() == {"web1", "web2"}, choosing


def test_attributes_that_do_not_concern_the_algorithm_leave_it_its_place():
    roster = healthy_roster(Choosing(), 1, 2)
    assert name(roster.pick(0.0)) == "web1"
    publish(roster, map(endpoint, (1, 2)), Choosing(healthy_count=2))
    assert name(roster.pick(0.0)) == "web2"


def test_an_unknown_algorithm_is_refused_and_changes_nothing():
    roster = healthy_roster(RANDOM, 1, 2)
    with pytest.raises(ValueError, match="there is no algorithm 'fastest'"):
        publish(roster, [endpoint(1)], Choosing("fastest"))
    assert traffic(roster, 100).keys() == {"web1", "web2"}


# --- slow start (fact sheet 5.3) ---


def share_of(target: str, roster: Roster, start: float, end: float) -> float:
    return traffic(roster, 1_000, start, end).get(target, 0.0)


def test_a_new_target_follows_the_linear_ramp_within_three_points():
    roster = healthy_roster(SLOW, 1, 2)
    publish(roster, map(endpoint, (1, 2, 3)), SLOW, now=100.0)
    make_healthy(roster, 3, now=110.0)
    for second in range(0, 30, 3):
        share = share_of("web3", roster, 110.0 + second, 113.0 + second)
        assert share == pytest.approx((second + 1.5) / 30 / 3, abs=0.03), second
    assert share_of("web3", roster, 140.0, 150.0) == pytest.approx(1 / 3, abs=0.001)


def test_the_first_batch_in_an_empty_group_is_exempt_even_where_one_comes_later():
    roster = new_roster()
    publish(roster, map(endpoint, (1, 2)), SLOW)
    make_healthy(roster, 1, now=1.0)
    make_healthy(roster, 2, now=5.0)
    assert share_of("web2", roster, 5.0, 6.0) == 0.5


@pytest.mark.parametrize(
    ("before", "what"),
    [(NO_TARGET, "an empty group"), ([endpoint(9)], "only draining targets")],
)
def test_targets_registered_where_nobody_was_left_are_a_first_batch(before: list[Endpoint], what: str):
    roster = new_roster()
    publish(roster, before, SLOW)
    publish(roster, [], SLOW)
    publish(roster, map(endpoint, (1, 2)), SLOW)
    make_healthy(roster, 1, now=1.0)
    make_healthy(roster, 2, now=2.0)
    assert share_of("web2", roster, 2.0, 3.0) == 0.5, what


def test_targets_that_come_into_use_together_are_a_first_batch():
    roster = healthy_roster(SLOW, 1, 2)
    roster.reconcile(group_plan(map(endpoint, (1, 2)), in_use=False, choosing=SLOW), 1.0)
    publish(roster, map(endpoint, (1, 2)), SLOW, now=2.0)
    make_healthy(roster, 1, now=3.0)
    make_healthy(roster, 2, now=4.0)
    assert share_of("web2", roster, 4.0, 5.0) == 0.5


def test_a_name_that_resolves_at_last_still_belongs_to_the_first_batch():
    roster = new_roster()
    unresolved = Endpoint(endpoint(2).target, None)
    publish(roster, [endpoint(1), unresolved], SLOW)
    publish(roster, [endpoint(1), endpoint(2)], SLOW, now=1.0)
    make_healthy(roster, 1, now=2.0)
    make_healthy(roster, 2, now=3.0)
    assert share_of("web2", roster, 3.0, 4.0) == 0.5


def test_a_target_of_the_first_batch_that_was_unhealthy_comes_back_slowly():
    roster = healthy_roster(SLOW, 1, 2)
    roster.apply_health("10.0.0.2:80", UNHEALTHY, 10.0)
    make_healthy(roster, 2, now=20.0)
    assert share_of("web2", roster, 20.0, 21.0) < 0.05


def test_a_target_that_moved_to_another_address_comes_back_slowly():
    roster = healthy_roster(SLOW, 1, 2)
    publish(roster, [endpoint(1), endpoint(2, "10.0.0.9")], SLOW, now=10.0)
    make_healthy(roster, 9, now=20.0)
    assert share_of("web2", roster, 20.0, 21.0) < 0.05


def test_switching_slow_start_on_spares_the_healthy_and_off_ends_every_ramp():
    roster = healthy_roster(Choosing(), 1, 2)
    publish(roster, map(endpoint, (1, 2)), SLOW, now=50.0)
    assert share_of("web2", roster, 50.0, 51.0) == 0.5
    publish(roster, map(endpoint, (1, 2, 3)), SLOW, now=60.0)
    make_healthy(roster, 3, now=60.0)
    assert share_of("web3", roster, 60.0, 61.0) < 0.05
    publish(roster, map(endpoint, (1, 2, 3)), Choosing(), now=61.0)
    assert share_of("web3", roster, 61.0, 62.0) == pytest.approx(1 / 3, abs=0.001)


def test_plans_and_verdicts_in_between_do_not_start_a_ramp_anew():
    roster = healthy_roster(SLOW, 1)
    publish(roster, map(endpoint, (1, 2)), SLOW, now=100.0)
    make_healthy(roster, 2, now=100.0)
    for now in (110.0, 114.0):
        publish(roster, map(endpoint, (1, 2)), SLOW, now=now)
        make_healthy(roster, 1, 2, now=now)
    assert share_of("web2", roster, 114.0, 116.0) == pytest.approx(0.25, abs=0.03)


# --- anomalies (fact sheet 5.2) ---


def standings(roster: Roster) -> dict[str, Standing]:
    return {slot.endpoint.target.id: slot.standing for slot in roster.slots}


def rounds(roster: Roster, count: int, failing: str = "") -> dict[str, float]:
    """Rounds of traffic with a decision after each; the shares of the last."""
    shares: dict[str, float] = {}
    for number in range(count):
        shares = traffic(roster, 2_000, failing=failing)
        roster.decide_anomalies(number * DECISION_INTERVAL_S)
    return shares


def test_a_failing_target_is_anomalous_gets_less_and_recovers():
    roster = healthy_roster(MITIGATING, 1, 2, 3)
    rounds(roster, 1, failing="web2")
    assert {target: one.anomalous for target, one in standings(roster).items()} == {
        "web1": False,
        "web2": True,
        "web3": False,
    }
    assert standings(roster)["web2"].mitigation_in_effect
    shares = rounds(roster, 7, failing="web2")
    assert standings(roster)["web2"].weight == LOWEST_WEIGHT
    assert shares["web2"] == pytest.approx(LOWEST_WEIGHT / (2 + LOWEST_WEIGHT), abs=0.02)
    shares = rounds(roster, 20)
    assert not any(one.anomalous or one.mitigation_in_effect for one in standings(roster).values())
    assert shares["web2"] == pytest.approx(1 / 3, abs=0.04)


def test_connection_errors_count_too():
    roster = healthy_roster(MITIGATING, 1, 2, 3)
    for _ in range(300):
        slot = roster.pick(0.0)
        assert slot is not None
        roster.release(slot, connection_error=name(slot) == "web3")
    roster.decide_anomalies(5.0)
    assert [target for target, one in standings(roster).items() if one.anomalous] == ["web3"]


@pytest.mark.parametrize("algorithm", ["round_robin", "least_outstanding_requests", "weighted_random"])
def test_detection_is_always_on_and_lowers_nothing_without_mitigation(algorithm: str):
    roster = healthy_roster(Choosing(algorithm), 1, 2, 3)
    shares = rounds(roster, 3, failing="web2")
    assert standings(roster)["web2"].anomalous
    assert not standings(roster)["web2"].mitigation_in_effect
    assert shares["web2"] == pytest.approx(1 / 3, abs=0.05)


def test_two_healthy_targets_are_too_few_to_tell():
    roster = healthy_roster(MITIGATING, 1, 2)
    publish(roster, map(endpoint, (1, 2, 3)), MITIGATING)
    rounds(roster, 3, failing="web2")
    assert not any(one.anomalous or one.mitigation_in_effect for one in standings(roster).values())


def test_requests_in_flight_are_no_evidence_yet():
    roster = healthy_roster(Choosing(), 1, 2, 3)
    held = [roster.pick(0.0) for _ in range(300)]
    roster.decide_anomalies(5.0)
    assert [one.requests for one in standings(roster).values()] == [0, 0, 0]
    for slot in held:
        assert slot is not None
        roster.release(slot)
    roster.decide_anomalies(10.0)
    assert [one.requests for one in standings(roster).values()] == [100, 100, 100]


def test_a_target_that_was_not_healthy_starts_anew():
    roster = healthy_roster(MITIGATING, 1, 2, 3, 4)
    rounds(roster, 3, failing="web2")
    roster.apply_health("10.0.0.2:80", UNHEALTHY, 20.0)
    assert standings(roster)["web2"] == Standing()
    make_healthy(roster, 2, now=21.0)
    roster.decide_anomalies(25.0)
    assert standings(roster)["web2"] == Standing()
    assert traffic(roster, 8_000)["web2"] == pytest.approx(0.25, abs=0.02)


def test_what_happened_before_a_target_was_healthy_is_no_evidence():
    roster = healthy_roster(Choosing(healthy_count=4), 1, 2, 3)
    publish(roster, map(endpoint, (1, 2, 3, 4)), Choosing(healthy_count=4))
    assert roster.fail_open
    traffic(roster, 400, failing="web4")
    make_healthy(roster, 4, now=1.0)
    roster.decide_anomalies(5.0)
    assert standings(roster)["web4"] == Standing()
    assert standings(roster)["web1"].requests == 100


def test_only_healthy_targets_are_judged():
    roster = healthy_roster(Choosing(healthy_count=4), 1, 2, 3)
    publish(roster, map(endpoint, (1, 2, 3, 4)), Choosing(healthy_count=4))
    rounds(roster, 2, failing="web4")
    assert standings(roster)["web4"] == Standing()


def test_a_verdict_that_confirms_the_state_keeps_the_standing():
    roster = healthy_roster(MITIGATING, 1, 2, 3)
    rounds(roster, 2, failing="web2")
    before = standings(roster)
    make_healthy(roster, 2, now=10.0)
    assert standings(roster) == before


def test_another_algorithm_ends_the_mitigation():
    roster = healthy_roster(MITIGATING, 1, 2, 3)
    rounds(roster, 3, failing="web2")
    publish(roster, map(endpoint, (1, 2, 3)), Choosing())
    assert not standings(roster)["web2"].mitigation_in_effect
    assert traffic(roster, 300) == {"web1": 1 / 3, "web2": 1 / 3, "web3": 1 / 3}


def test_mitigation_switched_off_ends_with_the_next_decision():
    roster = healthy_roster(MITIGATING, 1, 2, 3)
    rounds(roster, 3, failing="web2")
    publish(roster, map(endpoint, (1, 2, 3)), RANDOM)
    roster.decide_anomalies(20.0)
    assert standings(roster)["web2"].anomalous
    assert traffic(roster, 8_000)["web2"] == pytest.approx(1 / 3, abs=0.02)


# --- thresholds and zones (fact sheet 5.4) ---

# Thresholds, healthy targets of four -> fail-open.
THRESHOLDS = [
    (Choosing(healthy_count=1), 1, False),
    (Choosing(healthy_count=1), 0, True),
    (Choosing(healthy_count=3), 3, False),
    (Choosing(healthy_count=3), 2, True),
    (Choosing(healthy_percentage=50), 2, False),
    (Choosing(healthy_percentage=51), 2, True),
    (Choosing(healthy_count=3, healthy_percentage=50), 2, True),
    (Choosing(healthy_count=1, healthy_percentage=75), 2, True),
]


@pytest.mark.parametrize(("choosing", "healthy", "fail_open"), THRESHOLDS)
def test_below_a_threshold_all_targets_are_used(choosing: Choosing, healthy: int, fail_open: bool):
    roster = new_roster()
    publish(roster, map(endpoint, range(1, 5)), choosing)
    make_healthy(roster, *range(1, healthy + 1))
    assert roster.fail_open is fail_open
    assert len(traffic(roster, 8)) == (4 if fail_open else healthy)


def test_a_threshold_acts_when_it_is_changed():
    roster = healthy_roster(Choosing(), 1)
    publish(roster, map(endpoint, (1, 2)), Choosing(), now=1.0)
    assert traffic(roster, 4).keys() == {"web1"}
    publish(roster, map(endpoint, (1, 2)), Choosing(healthy_count=2), now=2.0)
    assert traffic(roster, 4).keys() == {"web1", "web2"}


def zones_of(roster: Roster, endpoints: Iterable[Endpoint], **attributes: object) -> set[str]:
    publish(roster, endpoints, Choosing(**attributes))  # type: ignore[arg-type]
    make_healthy(roster, 1, 2, 3, 4)
    return set(traffic(roster, 12))


FOUR = [zoned(1, "a"), zoned(2, "b"), zoned(3, "c"), zoned(4, None)]


def test_with_cross_zone_every_enabled_zone_is_used():
    assert zones_of(new_roster(node_zone="a"), FOUR) == {"web1", "web2", "web3", "web4"}
    assert zones_of(new_roster(node_zone="a"), FOUR, zones=("a", "b")) == {"web1", "web2", "web4"}


def test_without_cross_zone_a_node_uses_its_own_zone():
    assert zones_of(new_roster(node_zone="b"), FOUR, cross_zone=False, zones=("a", "b")) == {"web2", "web4"}


def test_without_cross_zone_a_node_without_targets_in_its_zone_has_none():
    roster = new_roster(node_zone="b")
    publish(roster, [zoned(1, "a")], Choosing(cross_zone=False))
    make_healthy(roster, 1)
    assert roster.pick(0.0) is None
    assert not roster.fail_open


def test_a_node_without_a_zone_uses_all():
    assert zones_of(new_roster(), FOUR, cross_zone=False) == {"web1", "web2", "web3", "web4"}


def test_targets_in_a_zone_that_is_not_enabled_are_unused_until_it_is():
    roster = new_roster()
    publish(roster, FOUR, Choosing(zones=("a",)))
    assert [slot.health for slot in roster.slots] == [REGISTERED, NOT_IN_USE, NOT_IN_USE, REGISTERED]
    make_healthy(roster, 1, 2, 3, 4)
    assert [slot.health.state for slot in roster.slots][1] is TargetState.UNUSED
    assert [one.why for one in roster.explain(b"", 0.0, 0.0).selection.verdicts] == [
        Why.HEALTHY,
        Why.ZONE_NOT_ENABLED,
        Why.ZONE_NOT_ENABLED,
        Why.HEALTHY,
    ]
    publish(roster, FOUR, Choosing(zones=("a", "b")))
    assert [slot.health for slot in roster.slots][1] == REGISTERED
    make_healthy(roster, 2)
    assert set(traffic(roster, 6)) == {"web1", "web2", "web4"}


def test_a_target_that_is_told_another_zone_is_there_at_once():
    roster = new_roster(node_zone="a")
    assert zones_of(roster, [zoned(1, "a"), zoned(2, "b")], cross_zone=False) == {"web1"}
    assert zones_of(roster, [zoned(1, "b"), zoned(2, "a")], cross_zone=False) == {"web2"}
