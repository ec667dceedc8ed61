"""`lb lint`, run as a command."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lb.cli.lint import lint

GOOD = """\
load_balancers: {web: {listeners: [{port: 8080, forward: a}]}}
target_groups: {a: {targets: ["web1:80"]}}
"""
SHADOWED = """\
load_balancers:
  web:
    listeners:
      - port: 8080
        forward: a
        rules:
          - {priority: 10, conditions: {path-pattern: "/img/*"}, action: {forward: a}}
          - {priority: 20, conditions: {path-pattern: "/img/*.png"}, action: {forward: a}}
target_groups: {a: {}, b: {}}
"""
LINES = [
    "lb.yaml: listener 8080, rule 20: never reached: rule 10 (path-pattern /img/*) matches everything it does",
    "lb.yaml: target group b: no rule forwards to it: its targets get neither requests nor health checks",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_without_findings(folder: Path):
    (folder / "lb.yaml").write_text(GOOD)
    result = CliRunner().invoke(lint, [])
    assert (result.exit_code, result.stdout) == (0, "lb.yaml: no findings\n")


def test_findings_are_one_line_each(folder: Path):
    (folder / "lb.yaml").write_text(SHADOWED)
    result = CliRunner().invoke(lint, [])
    assert (result.exit_code, result.stdout.splitlines()) == (1, LINES)


def test_a_kind_of_finding_can_be_ignored(folder: Path):
    (folder / "lb.yaml").write_text(SHADOWED)
    result = CliRunner().invoke(lint, ["--ignore", "unreachable-rule"])
    assert (result.exit_code, result.stdout.splitlines()) == (1, LINES[1:])
    result = CliRunner().invoke(lint, ["--ignore", "unreachable-rule", "--ignore", "unused-target-group"])
    assert result.exit_code == 0


def test_an_unknown_kind_is_wrong_usage(folder: Path):
    assert CliRunner().invoke(lint, ["--ignore", "everything"]).exit_code == 2


def test_json(folder: Path):
    (folder / "lb.yaml").write_text(SHADOWED)
    result = CliRunner().invoke(lint, ["--json"])
    told = json.loads(result.stdout)
    assert told["file"] == "lb.yaml"
    assert [each["code"] for each in told["findings"]] == ["unreachable-rule", "unused-target-group"]
    assert told["findings"][0]["where"] == "listener 8080, rule 20"
    assert told["undecided"] == []


def test_what_was_not_decided_is_said_beside_the_findings(folder: Path):
    rules = [
        {
            "priority": number,
            "conditions": {"path-pattern": [f"*{'a' * 90}{number}{last}*" for last in "xyz"]},
            "action": {"forward": "a"},
        }
        for number in range(1, 101)
    ]
    listener = {"port": 8080, "forward": "a", "rules": rules}
    config = {"load_balancers": {"web": {"listeners": [listener]}}, "target_groups": {"a": {}}}
    (folder / "lb.yaml").write_text(json.dumps(config))
    result = CliRunner().invoke(lint, [])
    # No finding, so no failure; but it is not hidden either.
    assert (result.exit_code, result.stdout) == (0, "lb.yaml: no findings\n")
    assert result.stderr
    assert all("not decided whether the rules before it" in line for line in result.stderr.splitlines())
    told = json.loads(CliRunner().invoke(lint, ["--json"]).stdout)
    assert len(told["undecided"]) == len(result.stderr.splitlines())


def test_a_file_that_is_not_valid(folder: Path):
    (folder / "lb.yaml").write_text("load_balancers: {}\n")
    result = CliRunner().invoke(lint, [])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "lb.yaml:1: load_balancers:" in result.stderr
