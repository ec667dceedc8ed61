"""Every check on snapshots: what it finds missing, in words, and when it finds nothing missing."""

from typing import Any

import pytest

from lb.lessons.checks import CHECKS, missing, read_parameters
from lb.lessons.snapshot import Answered, Target
from tests.lessons.scene import (
    BLUE,
    GREEN,
    ONE,
    TWO,
    WEB,
    answers,
    asked,
    balancer,
    db_instance,
    group,
    healthy,
    image,
    ingress,
    instance,
    listener,
    scene,
    security_group,
)

SERVERS = ["Web Server 1", "Web Server 2"]
ILL = Target(TWO, 80, "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]")
BUSY = Answered(0.0, "lb", 200, lasted_s=4.0, server=ONE)
SHOP = db_instance("shop", "sg-d")
GUARDED = (SHOP, security_group("sg-d", "guard"))
OPENED, CLOSED = ({"database": "shop", "server": "Web Server 1", "opened": opened} for opened in (True, False))
ADMITTED = ingress("sg-d", 3307, ReferencedGroupInfo={"GroupId": "sg-w"})


def shares(blue: int, green: int) -> list[Answered]:
    return [Answered(0.0, "lb", 200, target_group=BLUE)] * blue + [Answered(0.0, "lb", 200, target_group=GREEN)] * green


CASES: list[tuple[str, dict[str, Any], Any, str]] = [
    # check, parameters, snapshot, a part of what is missing; empty for nothing
    ("server_state", {"server": "Web Server 1", "state": "running"}, scene(), ""),
    ("server_state", {"server": "Web Server 1", "state": "stopped"}, scene(), "(i-1) is running, not stopped"),
    ("server_state", {"server": "Blue", "state": "running"}, scene(), "no instance with the tag Name=Blue"),
    (
        "server_state",
        {"server": "Web Server 1", "state": "running"},
        scene(instances={ONE: "terminated"}),
        "no instance with the tag Name=Web Server 1",
    ),
    ("image_of", {"server": "Web Server 1"}, scene(), "no image (AMI) of Web Server 1"),
    ("image_of", {"server": "Web Server 1"}, scene(image("ami-1", TWO)), "no image (AMI) of Web Server 1"),
    (
        "image_of",
        {"server": "Web Server 1"},
        scene(image("ami-1", ONE), images={"ami-1": "pending"}),
        "ami-1 is pending",
    ),
    ("image_of", {"server": "Web Server 1"}, scene(image("ami-1", ONE), images={"ami-1": "available"}), ""),
    ("image_of", {"server": "Blue"}, scene(), "Name=Blue"),
    (
        "launched_from_image_of",
        {"server": "Web Server 2", "original": "Web Server 1"},
        scene(image("ami-1", ONE)),
        "was launched from ami-0, which is no image of Web Server 1",
    ),
    (
        "launched_from_image_of",
        {"server": "Blue", "original": "Web Server 1"},
        scene(image("ami-1", ONE), instance("i-3", "Blue", "ami-1"), instances={"i-3": "running"}),
        "",
    ),
    ("page_says", {"server": "Web Server 1", "text": "one"}, scene(), "does not answer with a page"),
    ("page_says", {"server": "Web Server 1", "text": "one"}, scene(pages={ONE: "<p>two</p>"}), "but: <p>two</p>"),
    ("page_says", {"server": "Web Server 1", "text": "one"}, scene(pages={ONE: "<p>one</p>"}), ""),
    ("load_balancer_in_zones", {"load_balancer": "lb", "at_least": 2}, scene(), "no load balancer lb"),
    ("load_balancer_in_zones", {"load_balancer": "lb", "at_least": 2}, scene(balancer(["a"])), "1 zone(s) of 2: a"),
    ("load_balancer_in_zones", {"load_balancer": "lb", "at_least": 2}, scene(balancer()), ""),
    ("admits_clients", {"load_balancer": "lb", "port": 80}, scene(), "no load balancer lb"),
    (
        "admits_clients",
        {"load_balancer": "lb", "port": 80},
        scene(balancer(), security_group("sg-1", "closed"), ingress("sg-1", 443, CidrIpv4="0.0.0.0/0")),
        "no security group of lb (closed) has an inbound rule for TCP port 80",
    ),
    (
        "admits_clients",
        {"load_balancer": "lb", "port": 80},
        scene(balancer(), security_group("sg-1", "open"), ingress("sg-1", 80, CidrIpv4="0.0.0.0/0")),
        "",
    ),
    ("target_group_exists", {"group": "web"}, scene(), "no target group web"),
    ("target_group_exists", {"group": "web"}, scene(group(WEB, "web")), ""),
    ("registered", {"group": "web", "servers": SERVERS}, scene(), "no target group web"),
    (
        "registered",
        {"group": "web", "servers": SERVERS},
        scene(group(WEB, "web"), targets={WEB: healthy(ONE)}),
        "the target group web has 1 target(s) of 2: Web Server 2 is not registered",
    ),
    (
        "registered",
        {"group": "web", "servers": SERVERS},
        scene(group(WEB, "web"), targets={WEB: [*healthy(ONE), Target(TWO, 80, "draining")]}),
        "Web Server 2 is not registered",
    ),
    (
        "registered",
        {"group": "web", "servers": SERVERS},
        scene(group(WEB, "web")),
        "Web Server 1 and Web Server 2 are not registered",
    ),
    (
        "registered",
        {"group": "web", "servers": SERVERS},
        scene(group(WEB, "web"), targets={WEB: healthy(ONE, TWO)}),
        "",
    ),
    (
        "healthy",
        {"group": "web", "servers": SERVERS},
        scene(group(WEB, "web"), targets={WEB: [*healthy(ONE), ILL]}),
        "1 healthy target(s) of 2: Web Server 2 is unhealthy (Target.ResponseCodeMismatch: Health checks failed",
    ),
    ("healthy", {"group": "web", "servers": SERVERS}, scene(group(WEB, "web")), "are not registered"),
    ("healthy", {"group": "web", "servers": SERVERS}, scene(group(WEB, "web"), targets={WEB: healthy(ONE, TWO)}), ""),
    (
        "not_healthy",
        {"group": "web", "servers": SERVERS},
        scene(group(WEB, "web"), targets={WEB: [*healthy(ONE), ILL]}),
        "Web Server 1 is still healthy",
    ),
    (
        "not_healthy",
        {"group": "web", "servers": ["Web Server 2"]},
        scene(group(WEB, "web"), targets={WEB: [Target(TWO, 80, "initial", "Elb.X", "wait")]}),
        "Web Server 2 is still initial (Elb.X: wait)",
    ),
    (
        "not_healthy",
        {"group": "web", "servers": ["Web Server 2"]},
        scene(group(WEB, "web"), targets={WEB: [ILL]}),
        "",
    ),
    ("not_healthy", {"group": "web", "servers": SERVERS}, scene(group(WEB, "web")), "are not registered"),
    ("health_check_path", {"group": "web", "path": "/up"}, scene(), "no target group web"),
    ("health_check_path", {"group": "web", "path": "/up"}, scene(group(WEB, "web")), "of web is /, not /up"),
    ("health_check_path", {"group": "web", "path": "/up"}, scene(group(WEB, "web", "/up")), ""),
    ("forwards", {"load_balancer": "lb", "weights": {"blue": 1}}, scene(), "no load balancer lb"),
    ("forwards", {"load_balancer": "lb", "weights": {"blue": 1}}, scene(balancer()), "has no listener"),
    (
        "forwards",
        {"load_balancer": "lb", "weights": {"blue": 1}},
        scene(balancer(), *listener(None)),
        "forwards to -, not to blue: 1",
    ),
    (
        "forwards",
        {"load_balancer": "lb", "weights": {"blue": 90, "green": 10}},
        scene(balancer(), group(BLUE, "blue"), group(GREEN, "green"), *listener({BLUE: 50, GREEN: 50})),
        "forwards to blue: 50, green: 50, not to blue: 90, green: 10",
    ),
    (
        "forwards",
        {"load_balancer": "lb", "weights": {"green": 10, "blue": 90}},
        scene(balancer(), group(BLUE, "blue"), group(GREEN, "green"), *listener({BLUE: 90, GREEN: 10})),
        "",
    ),
    (
        "forwards",
        {"load_balancer": "lb", "weights": {"blue": 1}},
        scene(balancer(), group(BLUE, "blue"), *listener({BLUE: 7})),
        "",
    ),
    ("group_attribute", {"group": "web", "key": "k", "value": "1"}, scene(), "no target group web"),
    (
        "group_attribute",
        {"group": "web", "key": "k", "value": "1"},
        scene(group(WEB, "web")),
        "k of web is at its default",
    ),
    (
        "group_attribute",
        {"group": "web", "key": "k", "value": "1"},
        scene(group(WEB, "web", k="2")),
        "of web is 2, not 1",
    ),
    ("group_attribute", {"group": "web", "key": "k", "value": "1"}, scene(group(WEB, "web", k="1")), ""),
    ("load_balancer_attribute", {"load_balancer": "lb", "key": "k", "value": "1"}, scene(), "no load balancer lb"),
    (
        "load_balancer_attribute",
        {"load_balancer": "lb", "key": "k", "value": "1"},
        scene(balancer(k="2")),
        "is 2, not 1",
    ),
    ("load_balancer_attribute", {"load_balancer": "lb", "key": "k", "value": "1"}, scene(balancer(k="1")), ""),
    ("database_answered", {"outcome": "ok"}, scene(), "has not asked the database since this step began"),
    (
        "database_answered",
        {"outcome": "ok"},
        scene(database=asked("ok", "timeout")),
        "ended with 'timeout', not 'ok': so it was: timeout",
    ),
    ("database_answered", {"outcome": "ok"}, scene(database=asked("timeout", "ok")), ""),
    ("lets_in", OPENED, scene(database_port=3307), "no DB instance shop"),
    ("lets_in", OPENED, scene(SHOP), "no DB instance shop"),
    ("lets_in", {**OPENED, "server": "Blue"}, scene(*GUARDED, database_port=3307), "Name=Blue"),
    (
        "lets_in",
        OPENED,
        scene(*GUARDED, database_port=3307),
        "no security group of shop (guard) has an inbound rule for TCP port 3307 from Web Server 1",
    ),
    ("lets_in", OPENED, scene(*GUARDED, ADMITTED, database_port=3306), "for TCP port 3306"),
    ("lets_in", OPENED, scene(*GUARDED, ADMITTED, database_port=3307), ""),
    ("lets_in", CLOSED, scene(*GUARDED, database_port=3307), ""),
    (
        "lets_in",
        CLOSED,
        scene(*GUARDED, ADMITTED, database_port=3307),
        "shop (guard), or of another DB instance, still lets Web Server 1 in to TCP port 3307",
    ),
    (
        "lets_in",
        CLOSED,
        scene(*GUARDED, db_instance("other", "sg-o"), ingress("sg-o", 3307, CidrIpv4="0.0.0.0/0"), database_port=3307),
        "or of another DB instance, still lets",
    ),
    ("alternate", {"load_balancer": "lb", "times": 4}, scene(requests=answers(ONE, TWO, ONE)), "3 of 4 requests"),
    ("alternate", {"load_balancer": "other", "times": 1}, scene(requests=answers(ONE)), "0 of 1 requests"),
    (
        "alternate",
        {"load_balancer": "lb", "times": 4},
        scene(requests=answers(ONE, TWO, TWO, ONE)),
        "two in a row were answered by Web Server 2",
    ),
    ("alternate", {"load_balancer": "lb", "times": 4}, scene(requests=answers(TWO, TWO, ONE, TWO, ONE)), ""),
    (
        "each_answers",
        {"load_balancer": "lb", "servers": SERVERS, "at_least": 2},
        scene(requests=answers(ONE, ONE, TWO)),
        "answered by Web Server 2: 1; each must answer 2 or more",
    ),
    (
        "each_answers",
        {"load_balancer": "lb", "servers": SERVERS},
        scene(requests=answers(ONE, TWO, status=502)),
        "Web Server 1: 0, Web Server 2: 0",
    ),
    ("each_answers", {"load_balancer": "lb", "servers": SERVERS}, scene(requests=answers(ONE, TWO)), ""),
    (
        "only_answers",
        {"load_balancer": "lb", "server": "Web Server 1", "times": 2},
        scene(requests=answers(ONE)),
        "1 of 2 requests",
    ),
    (
        "only_answers",
        {"load_balancer": "lb", "server": "Web Server 1", "times": 2},
        scene(requests=answers(ONE, TWO)),
        "some were answered by Web Server 2",
    ),
    (
        "only_answers",
        {"load_balancer": "lb", "server": "Web Server 1", "times": 2},
        scene(requests=answers(TWO, ONE, ONE)),
        "",
    ),
    (
        "sticks",
        {"load_balancer": "lb", "times": 2},
        scene(requests=answers(ONE, ONE)),
        "0 of 2 requests to lb brought the cookie AWSALB along",
    ),
    (
        "sticks",
        {"load_balancer": "lb", "times": 2},
        scene(requests=answers(ONE, TWO, sticky=True)),
        "went to Web Server 1 and Web Server 2, not to one server",
    ),
    (
        "sticks",
        {"load_balancer": "lb", "times": 2},
        scene(
            requests=[*answers(TWO, sticky=True), *answers(ONE, sticky=True), *answers(TWO), *answers(ONE, sticky=True)]
        ),
        "",
    ),
    (
        "group_share",
        {"load_balancer": "lb", "group": "green", "at_least": 100, "lowest": 5, "highest": 20},
        scene(group(GREEN, "green"), requests=shares(89, 10)),
        "99 of 100 requests",
    ),
    (
        "group_share",
        {"load_balancer": "lb", "group": "green", "at_least": 100, "lowest": 5, "highest": 20},
        scene(group(GREEN, "green"), requests=shares(50, 50)),
        "green got 50 of 100 requests (50 %); it should be 5 to 20 %",
    ),
    (
        "group_share",
        {"load_balancer": "lb", "group": "green", "at_least": 100, "lowest": 5, "highest": 20},
        scene(group(GREEN, "green"), requests=shares(90, 10)),
        "",
    ),
    (
        "server_share",
        {"load_balancer": "lb", "server": "Web Server 2", "at_least": 4, "lowest": 0, "highest": 40},
        scene(requests=answers(ONE, TWO, ONE, TWO)),
        "Web Server 2 got 2 of 4 requests (50 %)",
    ),
    (
        "server_share",
        {"load_balancer": "lb", "server": "Web Server 2", "at_least": 4, "lowest": 0, "highest": 40},
        scene(requests=answers(ONE, ONE, ONE, TWO)),
        "",
    ),
    (
        "idle_connection_closed",
        {"load_balancer": "lb"},
        scene(requests=answers(ONE, status=502)),
        "of 1 requests to lb, none ended with 502 on a reused connection",
    ),
    ("idle_connection_closed", {"load_balancer": "lb"}, scene(requests=answers(ONE, status=502, idle_closed=True)), ""),
    ("without_errors", {"load_balancer": "lb", "times": 2}, scene(requests=answers(ONE)), "1 of 2 requests"),
    (
        "without_errors",
        {"load_balancer": "lb", "times": 2},
        scene(requests=[*answers(ONE), *answers(ONE, status=502)]),
        "1 of the last 2 requests to lb failed: 502",
    ),
    (
        "without_errors",
        {"load_balancer": "lb", "times": 2, "apart_s": 2.5},
        scene(requests=answers(ONE, ONE, each_s=2.0)),
        "must come 2.5 s or more after each other",
    ),
    (
        "without_errors",
        {"load_balancer": "lb", "times": 2, "apart_s": 2.5},
        scene(requests=answers(ONE, ONE, each_s=3.0)),
        "",
    ),
    ("without_errors", {"load_balancer": "lb", "times": 2}, scene(requests=answers(ONE, ONE, each_s=0.0)), ""),
    (
        "avoids_busy",
        {"load_balancer": "lb", "times": 2, "longer_than_s": 2.0},
        scene(requests=answers(ONE)),
        "no request to lb took longer than 2 s",
    ),
    (
        "avoids_busy",
        {"load_balancer": "lb", "times": 2, "longer_than_s": 2.0},
        scene(requests=[*answers(TWO, TWO), BUSY]),
        "1 of 2 requests came while Web Server 1 was busy",
    ),
    (
        "avoids_busy",
        {"load_balancer": "lb", "times": 2, "longer_than_s": 2.0},
        scene(requests=[*answers(TWO, TWO, ONE), BUSY]),
        "1 of 2 requests went to Web Server 1 while it was busy",
    ),
    (
        "avoids_busy",
        {"load_balancer": "lb", "times": 2, "longer_than_s": 2.0},
        scene(requests=[*answers(TWO, TWO, TWO), BUSY]),
        "",
    ),
]


@pytest.mark.parametrize(("name", "parameters", "seen", "expected"), CASES)
def test_what_a_check_finds_missing(name, parameters, seen, expected):
    found = missing(seen, name, read_parameters(name, parameters))
    if not expected:
        assert found is None
    else:
        assert found is not None
        assert expected in found.en
        assert any("가" <= letter <= "힣" for letter in found.ko), found.ko


def test_every_check_is_in_the_table_and_says_yes_and_no():
    for name in CHECKS:
        assert {bool(case[3]) for case in CASES if case[0] == name} == {True, False}, name


@pytest.mark.parametrize(
    ("name", "parameters", "wrong"),
    [
        ("nothing", {}, "there is no check 'nothing'"),
        ("image_of", {}, "image_of takes server"),
        ("image_of", {"server": "a", "zone": "b"}, "given were server, zone"),
        ("image_of", {"server": 1}, "valid string"),
        ("alternate", {"load_balancer": "lb", "times": "4"}, "valid integer"),
    ],
)
def test_parameters_that_a_check_does_not_take_are_refused(name, parameters, wrong):
    with pytest.raises(ValueError, match=wrong):
        read_parameters(name, parameters)


def test_an_instance_of_the_lesson_is_meant_before_another_of_the_same_name():
    other = instance("i-9", "Web Server 1", lesson="7")
    seen = scene(other, instances={ONE: "stopped", TWO: "running", "i-9": "running"})
    assert missing(seen, "server_state", {"server": "Web Server 1", "state": "stopped"}) is None
    alone = scene(other, no_servers=True, instances={"i-9": "running"})
    assert missing(alone, "server_state", {"server": "Web Server 1", "state": "running"}) is None
