"""`lb env`: the shells read back what it prints, whatever is in it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lb_process import free_port, lb, run_lb

HOSTILE = """http://127.0.0.1:1/'; touch pwned; "$(touch pwned)`touch pwned` \\ #"""
NAMES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")


def in_bash(script, cwd):
    """The variables after a script, None for those that are not set."""
    shown = " ".join(NAMES)
    script += f'\nfor name in {shown}; do printf "%s\\0" "${{!name-(none)}}"; done'
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=cwd, env=environment, capture_output=True, text=True, check=True
    )
    values = done.stdout.split("\0")[:-1]
    return {name: None if value == "(none)" else value for name, value in zip(NAMES, values, strict=True)}


def test_bash_takes_the_variables_over(tmp_path):
    printed = run_lb("env", cwd=tmp_path, SHELL="/bin/bash").stdout
    seen = in_bash(printed, tmp_path)
    assert seen == json.loads(run_lb("env", "--json", cwd=tmp_path).stdout)
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9000"
    assert seen["AWS_DEFAULT_REGION"] == "us-east-1"


def test_unset_takes_them_away_again(tmp_path):
    printed = run_lb("env", "--shell", "bash", cwd=tmp_path).stdout
    gone = run_lb("env", "--shell", "bash", "--unset", cwd=tmp_path).stdout
    assert set(in_bash(printed + gone, tmp_path).values()) == {None}


def test_nothing_in_a_value_is_run_by_bash(tmp_path):
    keys = "AKIA:s'e\"c$(touch pwned)`touch pwned`"
    printed = run_lb("env", "--api", HOSTILE, "--shell", "bash", cwd=tmp_path, LB_ACCESS_KEYS=keys).stdout
    seen = in_bash(printed, tmp_path)
    assert seen["AWS_ENDPOINT_URL"] == HOSTILE
    assert (seen["AWS_ACCESS_KEY_ID"], seen["AWS_SECRET_ACCESS_KEY"]) == tuple(keys.split(":", 1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_nothing_in_a_value_is_run_by_fish(tmp_path):
    printed = run_lb("env", "--api", HOSTILE, "--shell", "fish", cwd=tmp_path).stdout
    script = printed + "\nprintf %s $AWS_ENDPOINT_URL"
    done = subprocess.run(["fish", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == HOSTILE
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("shell", "line", "unset"),
    [
        ("fish", r"set -gx AWS_ENDPOINT_URL 'http://h/it\'s\\x'", "set -e AWS_ENDPOINT_URL"),
        (
            "powershell",
            r"$Env:AWS_ENDPOINT_URL = 'http://h/it''s\x'",
            "Remove-Item -ErrorAction SilentlyContinue Env:AWS_ENDPOINT_URL",
        ),
    ],
)
def test_each_shell_has_its_own_words(tmp_path, shell, line, unset):
    arguments = ("env", "--api", r"http://h/it's\x", "--shell", shell)
    assert run_lb(*arguments, cwd=tmp_path).stdout.splitlines()[0] == line
    assert run_lb(*arguments, "--unset", cwd=tmp_path).stdout.splitlines()[0] == unset


def test_the_shell_is_that_of_the_user(tmp_path):
    assert run_lb("env", cwd=tmp_path, SHELL="/usr/bin/fish").stdout.startswith("set -gx ")
    assert run_lb("env", cwd=tmp_path, SHELL="/usr/bin/zsh").stdout.startswith("export ")


def test_wrong_usage_is_said_in_one_line(tmp_path):
    for arguments, words in ((("--api", "ftp://x"), "is not an address"), (("--unset", "--json"), "does not go with")):
        result = run_lb("env", *arguments, cwd=tmp_path)
        assert result.returncode == 2
        assert words in result.stderr
    result = run_lb("env", cwd=tmp_path, LB_ACCESS_KEYS="no-secret")
    assert result.returncode == 1
    assert "LB_ACCESS_KEYS must be ID:SECRET" in result.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_aws_command_finds_a_balancer_that_checks_keys(tmp_path):
    port = free_port()
    keys = {"LB_ACCESS_KEYS": "AKIAEXAMPLE:secret/of+it"}
    options = ("--api-port", port, "--store", "memory")
    with lb("up", *options, cwd=tmp_path, **keys) as running:
        running.says("AWS APIs")
        printed = run_lb("env", "--api", f"http://127.0.0.1:{port}", "--shell", "bash", cwd=tmp_path, **keys).stdout
        ask = "\naws elbv2 describe-load-balancers --query 'length(LoadBalancers)'"
        right = aws(printed + ask, tmp_path)
        wrong = aws(printed + "\nexport AWS_SECRET_ACCESS_KEY=another" + ask, tmp_path)
    assert (right.returncode, right.stdout.strip()) == (0, "0"), right.stderr
    assert wrong.returncode != 0
    assert "SignatureDoesNotMatch" in wrong.stderr


def aws(script, cwd):
    """Runs a script that has the `aws` of this Python's environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "AWS_PAGER": ""}
    return subprocess.run(["bash", "-c", script], cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)
