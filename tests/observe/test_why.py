"""What is told of a request that has happened: the walk of that moment, what the record knows, and what is of now."""

import pytest

from lb.configfile.reader import read_config
from lb.http.head import HeadReader
from lb.http.outcomes import Failure, Moment
from lb.http.record import RequestRecord, Trouble
from lb.observe.entry import EntryFormatter
from lb.observe.why import Kept, why
from lb.routing.plan import compile_plan
from lb.targets.sealing import KEY_BYTES, Sealer
from tests.targets.rosters import new_roster

CREATED = 1_800_000_000.25
TRACE = b"Root=1-6b49d200-0123456789abcdef01234567"
FILE = """
load_balancers:
  shop:
    listeners:
      - port: 8099
        forward: web
        rules:
          - {priority: 10, conditions: {path-pattern: /img/*}, action: {forward: {web: 90, images: 10}}}
          - {priority: 20, conditions: {path-pattern: /old}, action: {redirect: {path: /new, status_code: 301}}}
          - {priority: 30, conditions: {path-pattern: /off}, action: {forward: {web: 0, images: 0}}}
          - priority: 40
            conditions: {path-pattern: /api/*}
            transforms: {url-rewrite: {regex: ^/api, replace: ""}}
            action: {forward: web}
target_groups:
  web: {targets: ["10.0.0.1:80", "10.0.0.2:80"]}
  images: {targets: ["10.0.0.3:80"]}
"""


def plan_of(text=FILE):
    return compile_plan(read_config(text, "lb.yaml"), {})


class World:
    """A node with a plan, and the plans before it."""

    def __init__(self):
        self.sealer = Sealer(bytes(KEY_BYTES), lambda: bytes(12))
        self.plans = []
        self.publish(FILE)

    def publish(self, text):
        self.plans.insert(0, plan_of(text))
        self.rosters = {}
        for group in self.plans[0].groups:
            self.rosters[group.arn] = roster = new_roster()
            roster.reconcile(group, 0.0)

    def arn(self, name):
        return next(group.arn for plan in self.plans for group in plan.groups if group.name == name)

    def record(self, path, **fields):
        """A request that came in under today's plan."""
        request = b"GET %b HTTP/1.1\r\nHost: shop.example\r\n\r\n" % path
        head, _ = HeadReader().read(request, 0, "monitor", drop_invalid=False)
        origin = self.plans[0].listeners[0].origin
        record = RequestRecord(origin, "203.0.113.9:40000", "TID_" + "0" * 32, head, CREATED, 100.0)
        record.trace_id = TRACE
        for name, value in fields.items():
            setattr(record, name, value)
        return record

    def forwarded(self, path, rule, group, target, **fields):
        return self.record(
            path,
            **{
                "rule_priority": rule,
                "action": "forward",
                "target_group_arn": self.arn(group),
                "target": target,
                "status": 200,
                "target_status": 200,
                "sent_at": 100.001,
                "responded_at": 100.0215,
                "ended_at": 100.03,
                **fields,
            },
        )

    def why(self, record):
        return why(record, Kept(self.plans, self.rosters, self.sealer, 200.0))


@pytest.fixture
def world():
    return World()


def chosen_of(told):
    return told["walk"]["action"]["targets"]["chosen"]


@pytest.mark.parametrize(("group", "target"), [("web", "10.0.0.2:80"), ("images", "10.0.0.3:80")])
def test_the_walk_ends_where_the_request_went_whatever_chance_says_now(world, group, target):
    told = world.why(world.forwarded(b"/img/a.png", 10, group, target))
    walk = told["walk"]
    assert walk["chosen"] == 10
    assert walk["action"]["group"]["target_group"] == world.arn(group)
    assert walk["action"]["group"]["why"] == f"drawn by weight: {90 if group == 'web' else 10} of 100"
    assert chosen_of(told) == target
    assert f"X-Amzn-Trace-Id: {TRACE.decode()}\r\n" in walk["action"]["sent"]
    assert "X-Forwarded-For: 203.0.113.9\r\n" in walk["action"]["sent"]
    assert walk["action"]["targets"]["situation"].startswith("as they are now, not as they were then: ")
    assert told["notes"] == []
    assert told["cause"] == f"200: the answer of the target {target} itself"


@pytest.mark.parametrize(
    ("path", "fields", "action"),
    [
        (
            b"/old",
            {"rule_priority": 20, "action": "redirect", "redirect_url": b"http://shop.example:8099/new", "status": 301},
            {"type": "redirect", "status": 301, "location": "http://shop.example:8099/new"},
        ),
        (
            b"/off",
            {"rule_priority": 30, "action": "forward", "status": 503},
            {"type": "forward", "status": 503, "why": "all weights are 0"},
        ),
    ],
)
def test_walks_to_the_balancers_own_answers(world, path, fields, action):
    told = world.why(world.record(path, **fields))
    assert told["walk"]["action"].items() >= action.items()
    assert told["notes"] == []


def test_a_request_that_found_no_target_is_not_given_one_of_now(world):
    record = world.forwarded(b"/", 0, "web", "", status=503, target_status=0, sent_at=0.0, responded_at=0.0)
    told = world.why(record)
    assert (told["walk"]["chosen"], told["result"]["rule"]) == ("default", "default")
    assert told["walk"]["action"]["status"] == 503
    assert chosen_of(told) is None
    assert told["notes"] == []


def test_a_transform_is_no_disagreement(world):
    record = world.forwarded(b"/api/x", 40, "web", "10.0.0.1:80", action="rewrite,forward")
    told = world.why(record)
    assert told["walk"]["action"]["transform"]["uri"] == "/x"
    assert told["notes"] == []


def test_after_a_change_the_rules_of_that_moment_are_shown(world):
    record = world.forwarded(b"/img/a.png", 10, "images", "10.0.0.3:80")
    before = world.why(record)["walk"]
    world.publish(FILE.replace("priority: 10", "priority: 15").replace("{web: 90, images: 10}", "web"))
    told = world.why(record)
    assert told["walk"] == before
    assert told["notes"] == ["the configuration has changed since: these are the rules of that moment, not of now"]


def test_the_same_configuration_published_again_is_no_change(world):
    record = world.forwarded(b"/img/a.png", 10, "images", "10.0.0.3:80")
    world.publish(FILE)
    assert world.why(record)["notes"] == []


def test_once_the_rules_of_that_moment_are_forgotten_disagreements_are_named(world):
    record = world.forwarded(b"/img/a.png", 10, "images", "10.0.0.3:80")
    world.publish(FILE.replace("/img/*", "/pictures/*"))
    del world.plans[1:]
    assert world.why(record)["notes"] == [
        "the rules of that moment are not kept any more: these are the rules of now",
        "rule 10 decided then, rule default would now",
        f"it went to the target group {world.arn('images')}, now it would go to {world.arn('web')}",
        "the target 10.0.0.3:80, which got the request, is not in its target group any more",
    ]


def test_once_the_rules_are_forgotten_another_redirect_is_named(world):
    location = b"http://shop.example:8099/new"
    record = world.record(b"/old", rule_priority=20, action="redirect", redirect_url=location, status=301)
    world.publish(FILE.replace("/new", "/newer"))
    del world.plans[1:]
    assert world.why(record)["notes"][1:] == [
        f"it was redirected to {location.decode()}, now it would be to http://shop.example:8099/newer"
    ]
    world.publish(FILE.replace("{redirect: {path: /new, status_code: 301}}", "{forward: web}"))
    del world.plans[1:]
    assert "the action was redirect then, it would be forward now" in world.why(record)["notes"]


def test_a_target_and_a_group_that_are_gone_are_named(world):
    record = world.forwarded(b"/img/a.png", 10, "images", "10.0.0.3:80")
    world.rosters.clear()
    told = world.why(record)
    assert "targets" not in told["walk"]["action"]
    assert told["notes"] == ["the target 10.0.0.3:80, which got the request, is not in its target group any more"]


def test_a_listener_that_is_gone_leaves_what_the_record_knows(world):
    record = world.forwarded(b"/", 0, "web", "10.0.0.1:80")
    world.plans.clear()
    told = world.why(record)
    assert told["walk"] is None
    assert "any more" in told["notes"][0]
    assert told["result"]["target"] == "10.0.0.1:80"


@pytest.mark.parametrize("readable", [True, False])
def test_no_rules_are_walked_where_none_was_asked(world, readable):
    record = world.record(b"/", status=405 if readable else 400, trace_id=b"")
    if not readable:
        record.head = None
    told = world.why(record)
    assert (told["walk"], told["notes"], told["trace_id"]) == (None, ["no rule was asked"], None)
    assert (told["request"] is None) is not readable


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status": 503, "target_status": 0, "sent_at": 0.0, "responded_at": 0.0},
        {"status": 502, "target_status": 0},
        {"status": 504, "target_status": 0, "responded_at": 0.0},
        {"kind": "ws", "status": 101, "target_status": 101, "ended_at": 900.0},
        {"sent_at": 103.4567, "responded_at": 105.0, "ended_at": 107.9999},
    ],
)
def test_processing_times_are_those_of_the_access_log(world, fields):
    record = world.forwarded(b"/", 0, "web", "10.0.0.1:80", **fields)
    in_log = EntryFormatter().format(record).split()[5:8]
    timings = world.why(record)["timings"]
    told = [timings[f"{part}_processing_time"] for part in ("request", "target", "response")]
    assert told == [float(text) for text in in_log]


def test_moments_are_told_from_the_beginning_and_left_out_where_they_never_came(world):
    timings = world.why(world.forwarded(b"/", 0, "web", "10.0.0.1:80"))["timings"]
    told = {key: value for key, value in timings.items() if key.endswith("_s")}
    assert told == {
        "sent_after_s": 0.001,
        "first_byte_after_s": 0.0215,
        "target_gone_after_s": None,
        "ended_after_s": 0.03,
        "connection_idle_s": None,
    }


def test_a_client_that_left_has_a_time_of_sending_here_though_not_in_the_log(world):
    trouble = Trouble(Failure.CLIENT_GONE, Moment.SENT, True, 100.002, 1.25, 0, 60)
    record = world.forwarded(
        b"/", 0, "web", "10.0.0.1:80", status=460, target_status=0, sent_at=0.0, responded_at=0.0, trouble=trouble
    )
    told = world.why(record)
    timings = told["timings"]
    assert (timings["sent_after_s"], timings["connection_idle_s"], timings["request_processing_time"]) == (
        0.002,
        1.25,
        -1,
    )
    assert (told["result"]["failure"], told["result"]["moment"]) == ("client_gone", "sent")
    assert told["result"]["cut"] is False
