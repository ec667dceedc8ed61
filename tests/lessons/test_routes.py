"""Lessons over HTTP and in the terminal: what is answered, refused, removed and kept."""

import json
import os
import sys

import pytest
from click.testing import CliRunner

from lb.cli.main import main
from tests.lessons.learner import learning

pytestmark = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="listens on port 80: needs root")


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    """At a balancer without a database; lesson 4. Each test clears up."""
    with pytest.MonkeyPatch.context() as patch, learning("4", tmp_path_factory.mktemp("lessons"), patch) as learner:
        yield learner


@pytest.fixture
def lesson(learner):
    """Calls `lb lesson` with these words."""

    def call(*words):
        return CliRunner().invoke(main, ["lesson", *words], env={"LB_API": f"http://127.0.0.1:{learner.endpoint.port}"})

    return call


def error(answer):
    status, told = answer
    return status, told["error"]["code"]


def test_the_list_speaks_both_languages(learner):
    _, english = learner.api("")
    _, korean = learner.api("?lang=ko")
    assert [each["id"] for each in english["lessons"]] == [str(number) for number in range(1, 11)]
    assert english["lessons"][3]["title"] == "Refresh, and see them alternate"
    assert korean["lessons"][3]["title"] == "새로 고치면 번갈아 나온다"
    assert {each["state"] for each in english["lessons"]} == {"not-started"}


@pytest.mark.parametrize(
    ("path", "body", "post", "expected"),
    [
        ("/11", None, False, (404, "unknown-lesson")),
        ("/11/start", None, True, (404, "unknown-lesson")),
        ("/11/reset", None, True, (404, "unknown-lesson")),
        ("/4?lang=fr", None, False, (400, "bad-request")),
        ("/1/start", None, True, (409, "cannot-begin")),
        ("/database", {"user": "root", "password": ""}, True, (409, "cannot-begin")),
        ("/database", {"user": "root"}, True, (400, "bad-request")),
        ("/database", {"user": "root", "password": "", "host": "example.com"}, True, (400, "bad-request")),
        ("/database", {"user": "root", "password": 1}, True, (400, "bad-request")),
        ("/database", {"user": "root", "password": "x" * 20_000}, True, (400, "bad-request")),
        ("/database", [], True, (400, "bad-request")),
    ],
)
def test_what_is_refused(learner, path, body, post, expected):
    before = learner.resources()
    assert error(learner.api(path, body, post=post)) == expected
    assert learner.resources() == before


def test_a_reset_removes_what_has_the_tag_and_nothing_else(learner):
    before = learner.resources()
    ec2, elbv2 = learner.endpoint.client("ec2"), learner.endpoint.client("elbv2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    other = {"Key": "lb:lesson", "Value": "5"}
    elbv2.create_target_group(Name="mine", Protocol="HTTP", Port=80, VpcId=vpc)
    elbv2.create_target_group(Name="of-another", Protocol="HTTP", Port=80, VpcId=vpc, Tags=[other])
    learner.start()
    first = learner.resources()
    assert first["load balancers"] == {"lesson-4"}
    learner.start()
    second = learner.resources()
    assert len(second["instances"]) == 2
    assert not first["instances"] & second["instances"], "a start begins anew"
    status, answer = learner.api("/4/reset", post=True)
    assert (status, answer["kept"], len(answer["removed"])) == (200, {}, 6)
    assert learner.resources() == {**before, "target groups": {"mine", "of-another"}}
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        elbv2.delete_target_group(TargetGroupArn=group["TargetGroupArn"])


def test_a_reset_names_what_it_cannot_remove_and_why(learner):
    elbv2 = learner.endpoint.client("elbv2")
    learner.start()
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    group = elbv2.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    protect = {"Key": "deletion_protection.enabled", "Value": "true"}
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[protect])
    _, answer = learner.api("/4/reset", post=True)
    kept = answer["kept"]
    assert kept[balancer] == f"Load balancer '{balancer}' cannot be deleted because deletion protection is enabled"
    assert kept[group] == f"Target group '{group}' is currently in use by a listener or a rule"
    assert learner.resources()["instances"] == set()
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[{**protect, "Value": "false"}])
    assert learner.api("/4/reset", post=True)[1]["kept"] == {}


def test_the_terminal_says_the_same(learner, lesson):
    none = lesson("check", "--lang", "en")
    assert (none.exit_code, none.stderr) == (1, "Error: no lesson is under way; 'lb lesson list' names them\n")
    assert " 4  새로 고치면 번갈아 나온다  (시작 전, 0/3)" in lesson("list", "--lang", "ko").stdout
    assert json.loads(lesson("list", "--json").stdout) == learner.api("")[1]
    unbegun = lesson("check", "4", "--lang", "en")
    assert unbegun.exit_code == 4
    assert "Begin with: lb lesson start 4" in unbegun.stdout
    started = lesson("start", "4", "--lang", "en").stdout
    assert "[>] Open the page" in started
    assert f"curl -s {learner.look()['url']}/" in started
    missing = lesson("check", "--lang", "ko")
    assert missing.exit_code == 4
    assert "- 이 단계를 시작한 뒤로 lesson-4을(를) 거쳐 서버에 도착한 요청이 1개 필요한데 0개입니다" in missing.stdout
    as_json = lesson("check", "4", "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["steps"][0]["state"]) == (4, "now")
    assert lesson("reset", "4", "--lang", "ko").stdout == "실습 4의 리소스 6개를 삭제했습니다.\n"
    unknown = lesson("start", "11")
    assert (unknown.exit_code, unknown.stderr) == (1, "Error: there is no lesson 11; 'lb lesson list' names them\n")
    assert lesson("database", "--password", "x").stderr.startswith("Error: no MySQL server is configured")
    assert lesson("list", "--api", "http://127.0.0.1:1").exit_code == 3


def test_a_lesson_under_way_goes_on_with_the_next_balancer(tmp_path, monkeypatch):
    with learning("2", tmp_path, monkeypatch) as first:
        first.start()
        began = first.look()["started_s"]
    with learning("2", tmp_path, monkeypatch) as second:
        told = second.look()
        assert (told["state"], told["started_s"]) == ("under-way", began)
        assert told["steps"][0]["missing"][0] == "there is no instance with the tag Name=Web Server 1"
