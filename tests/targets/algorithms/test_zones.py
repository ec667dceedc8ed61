"""Which targets a node may use: states, zones, thresholds, fail-open, and the reason for each target."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.model.reasons import TargetState
from lb.targets.health import Health
from lb.targets.zones import Selection, Thresholds, Why, Zoning, select
from tests.targets.algorithms.candidates import Candidate

STATES = {
    "H": TargetState.HEALTHY,
    "U": TargetState.UNHEALTHY,
    "I": TargetState.INITIAL,
    "D": TargetState.DRAINING,
    "X": TargetState.UNUSED,
}
EITHER_ZONE = Zoning("a", cross_zone=True, enabled=frozenset("ab"))
OWN_ZONE = Zoning("a", cross_zone=False, enabled=frozenset("ab"))


def targets(text: str) -> list[Candidate]:
    """`Ha Ub I`: healthy in zone a, unhealthy in zone b, initial without a zone."""
    slots = []
    for order, word in enumerate(text.split()):
        slot = Candidate(order, Health(STATES[word[0]]))
        slot.zone = word[1:] or None
        slots.append(slot)
    return slots


def orders(selection: Selection[Candidate]) -> list[int]:
    return [slot.order for slot in selection.usable]


# Targets, where the node stands, thresholds -> usable targets by place, fail-open.
TABLE = [
    ("only healthy ones get traffic", "H U I H", Zoning(), Thresholds(), [0, 3], False),
    ("none healthy: all, initial ones too", "U I U", Zoning(), Thresholds(), [0, 1, 2], True),
    ("draining and unused ones never", "D X H", Zoning(), Thresholds(), [2], False),
    ("not even in fail-open", "D X U", Zoning(), Thresholds(), [2], True),
    ("no targets", "", Zoning(), Thresholds(), [], False),
    ("all draining or unused", "D X", Zoning(), Thresholds(), [], False),
    ("count reached", "H H U", Zoning(), Thresholds(2), [0, 1], False),
    ("count not reached", "H H U", Zoning(), Thresholds(3), [0, 1, 2], True),
    ("percentage reached exactly", "H U", Zoning(), Thresholds(1, 50), [0], False),
    ("percentage not reached", "H U U", Zoning(), Thresholds(1, 34), [0, 1, 2], True),
    ("percentage of those that can serve", "H U D X", Zoning(), Thresholds(1, 50), [0], False),
    ("the stricter one acts: count", "H H U", Zoning(), Thresholds(3, 10), [0, 1, 2], True),
    ("the stricter one acts: percentage", "H H U", Zoning(), Thresholds(1, 70), [0, 1, 2], True),
    ("100 per cent", "H H", Zoning(), Thresholds(1, 100), [0, 1], False),
    ("cross-zone on: every zone", "Ha Hb", EITHER_ZONE, Thresholds(), [0, 1], False),
    ("cross-zone off: own zone", "Ha Hb Ha", OWN_ZONE, Thresholds(), [0, 2], False),
    ("cross-zone off, none in the zone: 503", "Hb Hb", OWN_ZONE, Thresholds(), [], False),
    ("cross-zone off, fail-open within the zone", "Ua Hb", OWN_ZONE, Thresholds(), [0], True),
    ("cross-zone off, thresholds within the zone", "Ha Ua Hb Hb", OWN_ZONE, Thresholds(2), [0, 1], True),
    ("a zone that is not enabled", "Hc Ha", EITHER_ZONE, Thresholds(), [1], False),
    ("a zone that is not enabled, in fail-open", "Hc Ua", EITHER_ZONE, Thresholds(), [1], True),
    ("targets without a zone, or with all", "H Hall Hb", OWN_ZONE, Thresholds(), [0, 1], False),
    ("a balancer without zones", "Ha Hb", Zoning(None, cross_zone=False), Thresholds(), [0, 1], False),
]


@pytest.mark.parametrize(
    ("text", "zoning", "thresholds", "usable", "fail_open"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_usable_targets(text, zoning, thresholds, usable, fail_open):
    selection = select(targets(text), zoning, thresholds)
    assert orders(selection) == usable
    assert selection.fail_open is fail_open


def test_every_target_has_its_reason():
    selection = select(targets("Ha Ua Ia Da Xa Hb Hc"), OWN_ZONE)
    assert [verdict.why for verdict in selection.verdicts] == [
        Why.HEALTHY,
        Why.UNHEALTHY,
        Why.INITIAL,
        Why.DRAINING,
        Why.UNUSED,
        Why.OTHER_ZONE,
        Why.ZONE_NOT_ENABLED,
    ]
    fail_open = select(targets("Ia Ua Da"), OWN_ZONE)
    assert [verdict.why for verdict in fail_open.verdicts] == [Why.FAIL_OPEN, Why.FAIL_OPEN, Why.DRAINING]


@pytest.mark.parametrize(
    ("text", "thresholds", "words"),
    [
        ("H U", Thresholds(), "1 of 2 targets healthy, at least 1 wanted"),
        ("U U", Thresholds(), "fail-open: 0 of 2 targets healthy, at least 1 wanted"),
        ("H U", Thresholds(1, 60), "fail-open: 1 of 2 targets healthy, at least 1 and 60 % wanted"),
        ("U U", Thresholds(None, 60), "fail-open: 0 of 2 targets healthy, at least 60 % wanted"),
        ("H U", Thresholds(None, None), "1 of 2 targets healthy, at least 0 wanted"),
        ("D", Thresholds(), "no target that this node may use: 503"),
    ],
)
def test_the_selection_in_words(text, thresholds, words):
    assert str(select(targets(text), Zoning(), thresholds).text) == words


@given(
    st.lists(st.tuples(st.sampled_from(list(STATES)), st.sampled_from(["", "a", "b", "c", "all"])), max_size=12),
    st.builds(
        Zoning, st.sampled_from([None, "a", "b"]), cross_zone=st.booleans(), enabled=st.sampled_from([(), ("a", "b")])
    ),
    st.builds(Thresholds, st.integers(1, 6), st.none() | st.integers(1, 100)),
)
def test_verdicts_and_usable_targets_always_agree(words, zoning, thresholds):
    slots = targets(" ".join(state + zone for state, zone in words))
    selection = select(slots, zoning, thresholds)
    assert [verdict.slot for verdict in selection.verdicts] == slots
    assert [verdict.slot for verdict in selection.verdicts if verdict.why.usable] == selection.usable
    for slot in selection.usable:
        assert slot.health.state in (TargetState.HEALTHY, TargetState.UNHEALTHY, TargetState.INITIAL)
        assert selection.fail_open or slot.health.state is TargetState.HEALTHY
