"""Everything that can happen to a roster, in any order, against a model that knows nothing of cursors and cookies."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from lb.model.reasons import Reason
from lb.routing.plan import Choosing, Endpoint, Stickiness
from lb.targets.health import Health
from lb.targets.roster import Slot
from tests.routing.configs import group_plan
from tests.targets.rosters import HEALTHY, UNHEALTHY, WALL, cookies, new_roster, zoned

NODE_ZONE = "a"
ENDPOINTS = [zoned(1, "a"), zoned(2, "b"), zoned(3, None), zoned(4, "a")]
ZONES = {one.key: one.target.zone for one in ENDPOINTS}
VERDICTS = st.sampled_from((HEALTHY, UNHEALTHY, replace(UNHEALTHY, reason=Reason.FAILED_HEALTH_CHECKS)))
STICKY_S = 10
ACTIVE = ("initial", "healthy", "unhealthy")
CHOOSING = st.builds(
    Choosing,
    algorithm=st.sampled_from(("round_robin", "least_outstanding_requests", "weighted_random")),
    anomaly_mitigation=st.booleans(),
    slow_start_s=st.sampled_from((0, 30)),
    healthy_count=st.integers(1, 3),
    healthy_percentage=st.sampled_from((None, 50)),
    cross_zone=st.booleans(),
    zones=st.sampled_from(((), ("a",), ("a", "b"))),
    stickiness=st.sampled_from((None, Stickiness(STICKY_S))),
)


class RosterMachine(RuleBasedStateMachine):
    """A model that knows registration, verdicts, zones, thresholds, who was where, and time."""

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.roster = new_roster(node_zone=NODE_ZONE)
        self.now = 0
        self.choosing = Choosing()
        self.state: dict[str, str] = {}  # by key: initial, healthy, unhealthy, unused, draining
        self.until: dict[str, int] = {}
        self.in_flight: dict[Slot, int] = {}
        self.served: dict[Slot, int] = {}
        self.streak: list[str] = []  # picks of the algorithm since the usable targets changed last
        self.jars: dict[int, tuple[bytes, str, int]] = {}  # by client: cookies, their target, when they were issued

    @rule(
        chosen=st.lists(st.sampled_from(ENDPOINTS), unique=True),
        in_use=st.sampled_from((True, True, False)),
        delay_s=st.integers(0, 5),
        choosing=st.none() | CHOOSING,
    )
    def publish(self, chosen: list[Endpoint], in_use: bool, delay_s: int, choosing: Choosing | None) -> None:
        self.choosing = choosing or self.choosing
        plan = group_plan(chosen, in_use=in_use, deregistration_delay_s=delay_s, choosing=self.choosing)
        self.roster.reconcile(plan, self.now)
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
            if not in_use or (ZONES[key] and self.choosing.zones and ZONES[key] not in self.choosing.zones):
                self.state[key] = "unused"
            elif self.state.get(key) not in ACTIVE:
                self.state[key] = "initial"
        self.streak = []

    @rule(target_=st.sampled_from(ENDPOINTS), health=VERDICTS)
    def verdict(self, target_: Endpoint, health: Health) -> None:
        self.roster.apply_health(target_.key, health, self.now)
        if self.state.get(target_.key) in ACTIVE:
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

    @rule()
    def decide(self) -> None:
        self.roster.decide_anomalies(self.now)

    def candidates(self) -> set[str]:
        own = (None, NODE_ZONE)
        active = {key for key, state in self.state.items() if state in ACTIVE}
        return {key for key in active if self.choosing.cross_zone or ZONES[key] in own}

    def fails_open(self) -> bool:
        candidates = self.candidates()
        healthy = sum(self.state[key] == "healthy" for key in candidates)
        percentage = self.choosing.healthy_percentage
        too_few = healthy < self.choosing.healthy_count
        return bool(candidates) and (
            too_few or (percentage is not None and healthy / len(candidates) < percentage / 100)
        )

    def usable(self) -> set[str]:
        candidates = self.candidates()
        return candidates if self.fails_open() else {key for key in candidates if self.state[key] == "healthy"}

    @rule(target=requests, client=st.integers(1, 3))
    def request(self, client: int):  # type: ignore[no-untyped-def]
        usable = self.usable()
        loads = {slot.key: slot.in_flight for slot in self.roster.slots}
        block, target, issued = self.jars.get(client, (b"", "", 0))
        wall_s = WALL + self.now
        told = self.roster.explain(block, self.now, wall_s)
        assert {slot.key for slot, why in told.selection.verdicts if why.usable} == usable
        if self.choosing.stickiness is None:
            slot, kept = self.roster.pick(self.now), False
        else:
            pick = self.roster.pick_sticky(block, self.now, wall_s)
            slot = pick.slot if pick else None
            kept = target in usable and self.now - issued <= STICKY_S
            if pick is not None:
                assert (pick.choice.kept is not None) is kept
                lines = self.roster.cookie_lines(pick.slot, pick.choice, b"", wall_s)[0]
                self.jars[client] = (cookies(lines), pick.slot.key, self.now)
        if not usable:
            assert slot is None
            return multiple()
        assert slot is not None
        assert slot.key in usable
        if kept:
            assert slot.key == target, "a sticky client was moved although its target is usable"
        else:
            self.check_turn(slot.key, usable, loads)
        if kept or self.choosing.algorithm != "weighted_random":
            assert told.chosen is slot
        self.in_flight[slot] = self.in_flight.get(slot, 0) + 1
        self.served[slot] = self.served.get(slot, 0) + 1
        return slot

    def check_turn(self, key: str, usable: set[str], loads: dict[str, int]) -> None:
        if self.choosing.algorithm == "round_robin" and not self.choosing.slow_start_s:
            recent = self.streak[-(len(usable) - 1) :] if len(usable) > 1 else []
            assert key not in recent, "somebody was passed over"
            self.streak.append(key)
        elif self.choosing.algorithm == "least_outstanding_requests":
            assert loads[key] == min(loads[one] for one in usable)

    @rule(slot=consumes(requests), server_error=st.booleans(), connection_error=st.booleans())
    def release(self, slot: Slot, server_error: bool, connection_error: bool) -> None:
        self.roster.release(slot, server_error=server_error, connection_error=connection_error)
        self.in_flight[slot] -= 1

    @invariant()
    def shows_what_the_model_knows(self) -> None:
        assert {slot.key: slot.health.state.value for slot in self.roster.slots} == self.state
        assert self.roster.fail_open is self.fails_open()
        assert (self.roster.sticky is None) is (self.choosing.stickiness is None)
        for slot, count in self.in_flight.items():
            assert (slot.in_flight, slot.served) == (count, self.served[slot])

    def teardown(self) -> None:
        for slot, count in self.in_flight.items():
            for _ in range(count):
                self.roster.release(slot)
            assert slot.in_flight == 0


TestRosterMachine = RosterMachine.TestCase
TestRosterMachine.settings = settings(deadline=None, max_examples=200, stateful_step_count=40)
