"""DNS failover, without a DNS: which zones ALB's name would leave out, as status and metrics tell it (fact sheet 5.4)."""

import json

import pytest

from lb.configfile.reader import read_config
from lb.model.names import load_balancer_label, target_group_label
from lb.observe.metrics.hosts import count_hosts
from lb.observe.status import status
from lb.routing.plan import compile_plan
from tests.targets.rosters import HEALTHY, UNHEALTHY, new_roster

A, B = "us-east-1a", "us-east-1b"
COUNT = "target_group_health.dns_failover.minimum_healthy_targets.count"
PERCENTAGE = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
OFF = {"load_balancing.cross_zone.enabled": "false"}
# The example of ELB's user guide: ten targets in each of two zones, six of those in B fail.
EXAMPLE = "HHHHHHHHHH", "HHHHUUUUUU"


class World:
    """A load balancer with two zones. `groups`: attributes, targets in A, targets in B; H is healthy, U unhealthy."""

    def __init__(self, *groups):
        names = [f"group{number}" for number in range(len(groups))]
        states = {
            f"10.{number}.{place}.{at}": (zone, state)
            for number, (_, *zones) in enumerate(groups)
            for place, (zone, found) in enumerate(zip((A, B), zones, strict=True))
            for at, state in enumerate(found)
        }
        file = {
            "load_balancers": {
                "web": {"zones": [A, B], "listeners": [{"port": 80, "forward": dict.fromkeys(names, 1)}]}
            },
            "target_groups": {
                name: {
                    "attributes": attributes,
                    "targets": [
                        {"target": address, "zone": zone}
                        for address, (zone, _) in states.items()
                        if address.startswith(f"10.{number}.")
                    ],
                }
                for number, (name, (attributes, *_)) in enumerate(zip(names, groups, strict=True))
            },
        }
        self.config = read_config(json.dumps(file), "test.yaml")
        self.plan = compile_plan(self.config, {address: (address,) for address in states})
        self.rosters = {}
        for group in self.plan.groups:
            roster = self.rosters[group.arn] = new_roster(group.arn)
            roster.reconcile(group, 0.0)
            for endpoint in group.endpoints:
                health = HEALTHY if states[endpoint.target.id][1] == "H" else UNHEALTHY
                roster.apply_health(endpoint.key, health, 0.0)

    @property
    def picture(self):
        return status(self.config, self.plan, self.rosters, {}, 0.0)

    @property
    def in_dns(self):
        (balancer,) = self.picture["load_balancers"]
        return {zone["zone"]: zone["in_dns"] for zone in balancer["zones"]}

    def metrics(self, group=0):
        """HealthyStateDNS of each zone."""
        plan = self.plan.groups[group]
        label = load_balancer_label(self.config.load_balancers[0].arn)
        counts = count_hosts(label, target_group_label(plan.arn), self.rosters[plan.arn].slots, plan.choosing)
        return {each.zone: each.dns_healthy for each in counts}


# attributes, targets in A, targets in B -> whether a zone meets the threshold, and whether it stays in DNS
CASES = {
    "the default wants one": ({**OFF}, "H", "U", (True, False), (True, False)),
    "one in each zone is enough": ({**OFF}, "HU", "UH", (True, True), (True, True)),
    "the example, cross-zone off": ({PERCENTAGE: 50, **OFF}, *EXAMPLE, (True, False), (True, False)),
    "the example, cross-zone on: 70 % of all": ({PERCENTAGE: 50}, *EXAMPLE, (True, True), (True, True)),
    "count reached": ({COUNT: 4, **OFF}, *EXAMPLE, (True, True), (True, True)),
    "count not reached": ({COUNT: 5, **OFF}, *EXAMPLE, (True, False), (True, False)),
    "the stricter one acts": ({COUNT: 1, PERCENTAGE: 41, **OFF}, *EXAMPLE, (True, False), (True, False)),
    "percentage reached exactly": ({PERCENTAGE: 40, **OFF}, *EXAMPLE, (True, True), (True, True)),
    "off": ({COUNT: "off", **OFF}, "H", "U", (True, True), (True, True)),
    "a zone without targets": ({**OFF}, "H", "", (True, False), (True, False)),
    "all zones fail: all stay": ({COUNT: 2, **OFF}, "HU", "UU", (False, False), (True, True)),
    "cross-zone on: they fail together": ({COUNT: 3}, "HU", "HU", (False, False), (True, True)),
}


@pytest.mark.parametrize(("attributes", "in_a", "in_b", "healthy", "in_dns"), CASES.values(), ids=CASES.keys())
def test_zones_with_too_few_healthy_targets_leave_dns(attributes, in_a, in_b, healthy, in_dns):
    world = World((attributes, in_a, in_b))
    (group,) = world.picture["target_groups"]
    assert tuple(zone["dns_healthy"] for zone in group["zones"]) == healthy
    assert world.metrics() == dict(zip((A, B), healthy, strict=True))
    assert world.in_dns == dict(zip((A, B), in_dns, strict=True))
    assert any("DNS" in note["text"] for note in group["notes"]) is (False in in_dns)


def test_one_group_that_fails_takes_the_zone_away_from_all():
    world = World((OFF, "H", "H"), (OFF, "H", "U"))
    assert world.in_dns == {A: True, B: False}
    well, failing = world.picture["target_groups"]
    assert well["notes"] == []
    assert [note["text"] for note in failing["notes"]] == [
        (
            f"Only 0 of 1 targets that {B} can use are healthy, too few for target_group_health.dns_failover: ALB's DNS"
            " name would leave out this zone's address. Here it goes on serving."
        )
    ]


def test_groups_that_fail_in_different_zones_leave_all_in_dns():
    assert World((OFF, "H", "U"), (OFF, "U", "H")).in_dns == {A: True, B: True}


def test_routing_goes_by_thresholds_of_its_own():
    world = World(
        (
            {COUNT: 3, "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": 2, **OFF},
            "HHU",
            "HHU",
        )
    )
    (group,) = world.picture["target_groups"]
    assert [(zone["dns_healthy"], zone["routing_healthy"]) for zone in group["zones"]] == [(False, True), (False, True)]
    assert group["fail_open"] is False


def test_a_group_that_nothing_uses_has_no_zones():
    config = read_config(
        "load_balancers: {web: {listeners: [{port: 80, fixed-response: {status_code: 200}}]}}\n"
        "target_groups: {group0: {}}\n",
        "test.yaml",
    )
    picture = status(
        config, compile_plan(config, {}), {group.arn: new_roster() for group in config.target_groups}, {}, 0.0
    )
    assert (picture["load_balancers"][0]["zones"], picture["target_groups"][0]["zones"]) == ([], [])
