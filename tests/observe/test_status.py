"""The picture that `lb status` shows: plain JSON values from the state of the moment, and what it says in words."""

import json
from dataclasses import replace

import pytest

from lb.configfile.reader import read_config
from lb.model.said import ENGLISH
from lb.observe.status import Check, status
from lb.observe.words import load_words
from lb.routing.plan import compile_plan
from lb.targets.health import REGISTERED, ProbeOutcome, ProbeResult, advance
from tests.targets.rosters import new_roster

NOW = 1_800_000_000.0


def probe(outcome=ProbeOutcome.PASSED, code=200, detail=""):
    return ProbeResult(outcome, code, detail, 0.00123, NOW - 3)


OK = probe()
NOT_FOUND = probe(ProbeOutcome.CODE_MISMATCH, 404, "status 404, expected 200")
MOVED = probe(ProbeOutcome.CODE_MISMATCH, 301, "status 301, expected 200")
SILENT = probe(ProbeOutcome.TIMED_OUT, None, "no answer within 1 s")


class World:
    """One load balancer and one target group with two targets, and the probes that they have had."""

    def __init__(self, path="/health.php", targets=("10.0.0.1:80", "10.0.0.2:80"), *, used=True):
        listed = ", ".join(f'"{each}"' for each in targets)
        self.config = read_config(
            f"""
load_balancers:
  web: {{listeners: [{{port: 8080, forward: {"servers" if used else "others"}}}]}}
target_groups:
  servers:
    health_check: {{path: {path}, interval: 5, timeout: 1, healthy_threshold: 3, unhealthy_threshold: 2}}
    targets: [{listed}]
  others: {{}}
""",
            "lb.yaml",
        )
        self.checks = {}
        self.rosters = {}
        self.publish()

    def publish(self):
        self.plan = compile_plan(self.config, {"10.0.0.1": ("10.0.0.1",), "10.0.0.2": ("10.0.0.2",)})
        for group in self.plan.groups:
            self.rosters.setdefault(group.arn, new_roster(group.arn)).reconcile(group, 0.0)

    def probed(self, key, *results):
        group = self.plan.groups[0]
        known = self.checks.get((group.arn, key), Check(REGISTERED, None))
        for result in results:
            known = Check(advance(known.health, result, group.health_check), result)
        self.checks[group.arn, key] = known
        self.rosters[group.arn].apply_health(key, known.health, 0.0)
        return self

    def both(self, *results):
        return self.probed("10.0.0.1:80", *results).probed("10.0.0.2:80", *results)

    def picture(self, words=ENGLISH):
        picture = status(self.config, self.plan, self.rosters, self.checks, NOW, words=words)
        assert json.loads(json.dumps(picture)) == picture, "plain JSON values"
        return picture

    @property
    def group(self):
        return self.picture()["target_groups"][0]

    @property
    def notes(self):
        return [note["text"] for note in self.group["notes"]]


def test_the_load_balancer_and_its_listeners():
    (balancer,) = World().picture()["load_balancers"]
    assert (balancer["name"], balancer["state"]) == ("web", "active")
    assert balancer["arn"].startswith("arn:aws:elasticloadbalancing:")
    assert balancer["dns_name"].startswith("web-")
    assert balancer["idle_timeout_s"] == 60
    (listener,) = balancer["listeners"]
    assert (listener["protocol"], listener["port"], listener["forward"]) == ("HTTP", 8080, "servers")


def test_the_target_group_and_its_health_check():
    group = World().group
    assert (group["name"], group["in_use"]) == ("servers", True)
    assert group["health_check"] == {
        "path": "/health.php",
        "port": "traffic-port",
        "interval_s": 5.0,
        "timeout_s": 1.0,
        "healthy_threshold": 3,
        "unhealthy_threshold": 2,
        "matcher": "200",
    }


def test_a_target_before_its_first_probe():
    target = World().group["targets"][0]
    assert target == {
        "id": "10.0.0.1",
        "address": "10.0.0.1",
        "port": 80,
        "state": "initial",
        "reason": "Elb.RegistrationInProgress",
        "description": "Target registration is in progress",
        "counter": None,
        "last_probe": None,
        "served": 0,
        "in_flight": 0,
    }


def test_a_healthy_target_has_no_reason():
    target = World().both(OK).group["targets"][0]
    assert (target["state"], target["reason"], target["description"]) == ("healthy", None, None)
    assert target["last_probe"] == {
        "passed": True,
        "status": 200,
        "detail": None,
        "latency_ms": 1.2,
        "seconds_ago": 3.0,
    }


@pytest.mark.parametrize(
    ("result", "reason", "description"),
    [
        (NOT_FOUND, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]"),
        (SILENT, "Target.Timeout", "Request timed out"),
        (probe(ProbeOutcome.FAILED, None, "no connection"), "Target.FailedHealthChecks", "Health checks failed"),
    ],
)
def test_an_unhealthy_target_says_why_in_elbs_words(result, reason, description):
    target = World().both(result, result).group["targets"][0]
    assert (target["state"], target["reason"], target["description"]) == ("unhealthy", reason, description)
    assert target["last_probe"]["passed"] is False
    assert target["last_probe"]["detail"] == result.detail


def test_how_far_a_target_is_on_its_way_to_another_state():
    world = World().both(OK)
    assert world.group["targets"][0]["counter"] is None
    world.both(NOT_FOUND)
    assert world.group["targets"][0]["counter"] == "1 of 2 failures"
    korean = world.picture(load_words()["ko"])["target_groups"][0]
    assert korean["targets"][0]["counter"] == "2회 중 1회 실패"
    world.both(NOT_FOUND, OK, OK)
    assert world.group["targets"][0]["counter"] == "2 of 3 successes"
    world.both(OK)
    assert world.group["targets"][0]["counter"] is None


def test_requests_served_and_in_flight_are_counted():
    world = World().both(OK)
    roster = world.rosters[world.plan.groups[0].arn]
    first, _, third = roster.pick(0.0), roster.pick(0.0), roster.pick(0.0)
    assert [(each["served"], each["in_flight"]) for each in world.group["targets"]] == [(2, 2), (1, 1)]
    roster.release(first)
    roster.release(third)
    assert [(each["served"], each["in_flight"]) for each in world.group["targets"]] == [(2, 0), (1, 1)]


def test_failing_open_is_said_in_words_and_only_then():
    world = World().both(NOT_FOUND, NOT_FOUND)
    assert world.group["fail_open"] is True
    assert any("fails open" in note and "sends requests to all of them" in note for note in world.notes)
    world.probed("10.0.0.1:80", OK, OK, OK)
    assert world.group["fail_open"] is False
    assert world.group["notes"] == []


def test_a_health_check_path_that_is_a_directory_is_explained():
    world = World("/var/www/html").both(NOT_FOUND, NOT_FOUND)
    (note,) = [note for note in world.notes if "directory" in note]
    assert "/var/www/html" in note
    assert "URL path" in note
    assert "404" in note


def test_a_directory_that_answers_is_not_complained_about():
    assert World("/var/www/html").both(OK).group["notes"] == []


def test_a_redirect_is_explained():
    (note,) = [note for note in World().both(MOVED, MOVED).notes if "redirect" in note]
    assert "(301)" in note
    assert "matcher" in note


def test_a_group_that_no_listener_uses_says_so_and_complains_of_nothing():
    world = World(used=False)
    group = world.group
    assert (group["in_use"], group["fail_open"], group["notes"]) == (False, False, [])
    assert {(each["state"], each["reason"]) for each in group["targets"]} == {("unused", "Target.NotInUse")}


def test_a_group_without_targets_answers_503_and_says_so():
    world = World(targets=())
    assert any("503" in note for note in world.notes)
    assert world.picture()["ready"] is False


def test_a_target_on_its_way_out_is_shown_draining():
    world = World().both(OK)
    group = world.config.target_groups[0]
    world.config = replace(
        world.config, target_groups=(replace(group, targets=group.targets[:1]), *world.config.target_groups[1:])
    )
    world.publish()
    one, two = world.group["targets"]
    assert (one["state"], two["state"]) == ("healthy", "draining")
    assert (two["reason"], two["counter"]) == ("Target.DeregistrationInProgress", None)


@pytest.mark.parametrize(
    ("first", "second", "ready"),
    [
        ((), (), False),
        ((OK,), (), False),
        ((OK,), (OK,), True),
        ((OK,), (NOT_FOUND,), False),
        ((OK,), (NOT_FOUND, NOT_FOUND), True),
        ((NOT_FOUND, NOT_FOUND), (NOT_FOUND, NOT_FOUND), False),
    ],
)
def test_ready_means_that_every_target_has_a_verdict_and_one_is_healthy(first, second, ready):
    world = World().probed("10.0.0.1:80", *first).probed("10.0.0.2:80", *second)
    assert world.picture()["ready"] is ready


def test_a_clock_that_is_set_back_gives_no_negative_age():
    world = World().both(OK)
    picture = status(world.config, world.plan, world.rosters, world.checks, NOW - 60)
    assert picture["target_groups"][0]["targets"][0]["last_probe"]["seconds_ago"] == 0
