"""`lb validate`, run as a command."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lb.cli.validate import validate

GOOD = """\
load_balancers: {web: {listeners: [{port: 80, forward: a}]}}
target_groups: {a: {targets: ["web1:80", "web2:80"]}}
"""
BAD = """\
load_balancers: {web: {listeners: [{port: 0, forward: a}]}}
target_groups: {a: {prt: 1}}
"""
BAD_LINES = """\
lb.yaml:1: load_balancers.web.listeners[0].port: must be a number from 1 to 65535 without quotes, not 0
lb.yaml:2: target_groups.a.prt: is not a known key; did you mean 'port'? known keys: port, protocol, attributes, \
health_check, targets
""".splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_valid_file_is_summed_up(folder: Path):
    (folder / "lb.yaml").write_text(GOOD)
    result = CliRunner().invoke(validate, [])
    assert result.exit_code == 0
    assert result.stdout == "lb.yaml: valid: 1 load balancer, 1 listener, 0 rules, 1 target group, 2 targets\n"
    assert result.stderr == ""


def test_rules_are_counted_without_the_default_ones(folder: Path):
    rules = ", ".join(
        f"{{priority: {number}, conditions: {{path-pattern: /{number}}}, action: {{forward: a}}}}" for number in (1, 2)
    )
    (folder / "lb.yaml").write_text(
        f"load_balancers: {{web: {{listeners: [{{port: 80, forward: a, rules: [{rules}]}}, {{port: 81, forward: a}}]}}}}\n"
        "target_groups: {a: {}}\n"
    )
    result = CliRunner().invoke(validate, [])
    assert result.stdout == "lb.yaml: valid: 1 load balancer, 2 listeners, 2 rules, 1 target group, 0 targets\n"


def test_another_file_can_be_named(folder: Path):
    (folder / "other.yaml").write_text(GOOD)
    result = CliRunner().invoke(validate, ["other.yaml"])
    assert result.stdout.startswith("other.yaml: valid: ")


def test_problems_go_to_standard_error(folder: Path):
    (folder / "lb.yaml").write_text(BAD)
    result = CliRunner().invoke(validate, [])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == BAD_LINES


def test_a_missing_file_is_one_line(folder: Path):
    result = CliRunner().invoke(validate, [])
    assert result.exit_code == 1
    assert result.stderr == "lb.yaml: cannot be read: No such file or directory\n"


def test_json_of_a_valid_file(folder: Path):
    (folder / "lb.yaml").write_text(GOOD)
    result = CliRunner().invoke(validate, ["--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "valid": True,
        "problems": [],
        "counts": {"load_balancers": 1, "listeners": 1, "rules": 0, "target_groups": 1, "targets": 2},
    }


def test_json_of_a_wrong_file(folder: Path):
    (folder / "lb.yaml").write_text(BAD)
    result = CliRunner().invoke(validate, ["--json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["valid"], answer["counts"]) == (False, None)
    assert [(problem["file"], problem["line"], problem["path"]) for problem in answer["problems"]] == [
        ("lb.yaml", 1, "load_balancers.web.listeners[0].port"),
        ("lb.yaml", 2, "target_groups.a.prt"),
    ]
    assert [problem["message"] for problem in answer["problems"]] == [line.split(": ", 2)[2] for line in BAD_LINES]


def test_help_shows_an_example():
    result = CliRunner().invoke(validate, ["--help"])
    assert result.exit_code == 0
    assert "lb validate demo/lb.yaml" in result.stdout
    assert "Exit codes: 0" in result.stdout
