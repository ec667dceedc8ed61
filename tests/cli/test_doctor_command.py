"""`lb doctor`, run as a command: against a file and against a balancer's API, with real targets."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lb.cli.doctor import doctor
from tests.console.stage import stage
from tests.health.scripted import OK, says, target, then_closes
from tests.support.balancer import running_balancer

KEPT_SHORT = b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok"


async def run(*arguments: object) -> Result:
    """`lb doctor ...` in a thread, beside the targets of the test."""
    return await asyncio.to_thread(CliRunner().invoke, doctor, [*map(str, arguments)], env={"LB_API": None})


def lb_yaml(folder: Path, port: int, *, attributes: str = "{}", conditions: str = "{path-pattern: /a}") -> Path:
    file = folder / "lb.yaml"
    file.write_text(
        f"load_balancers: {{web: {{attributes: {attributes}, listeners: [{{port: 8080, forward: web, rules:"
        f" [{{priority: 1, conditions: {conditions}, action: {{forward: web}}}}]}}]}}}}\n"
        f"target_groups: {{web: {{targets: ['127.0.0.1:{port}']}}, unused: {{targets: ['127.0.0.1:1']}}}}\n"
    )
    return file


async def test_nothing_found(tmp_path: Path):
    async with target(then_closes(OK.replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n"))) as scripted:
        result = await run("--config", lb_yaml(tmp_path, scripted.port), "--wait", 0)
    assert result.exit_code == 0, result.output
    head, *notes, closing = result.stdout.splitlines()
    assert head == f"web 127.0.0.1:{scripted.port}"
    assert [note[:8] for note in notes] == ["  ok    ", "  ok    "]
    assert closing == "1 target examined, 0 findings"
    assert result.stderr == "examining 1 target; idle connections are watched for up to 0 s\n"


async def test_findings_are_told_and_end_with_1(tmp_path: Path):
    async with target(says(KEPT_SHORT)) as scripted:
        file = lb_yaml(tmp_path, scripted.port)
        result = await run("--config", file, "--wait", 0.1)
    assert result.exit_code == 1
    assert "  FOUND closes idle keep-alive connections after 5 s" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 target examined, 1 finding"


async def test_the_idle_timeout_is_that_of_the_file(tmp_path: Path):
    async with target(says(KEPT_SHORT)) as scripted:
        file = lb_yaml(tmp_path, scripted.port, attributes="{idle_timeout.timeout_seconds: 4}")
        result = await run("--config", file, "--wait", 0.1)
    assert result.exit_code == 0, result.output
    assert "keeps idle connections longer than the balancer's 4 s" in result.stdout


@pytest.mark.parametrize("named", ["by a rule", "by an option"])
async def test_host_names_are_compared(tmp_path: Path, named: str):
    by_rule = named == "by a rule"
    conditions = "{host-header: [shop.example, '*.shop.example']}" if by_rule else "{path-pattern: /a}"
    async with target(says(KEPT_SHORT)) as scripted:
        file = lb_yaml(tmp_path, scripted.port, conditions=conditions)
        await run("--config", file, "--wait", 0.1, *(() if by_rule else ("--host", "shop.example")))
        hosts = {line for head in scripted.heads for line in head.split(b"\r\n") if line.startswith(b"Host: ")}
    assert hosts == {b"Host: shop.example", b"Host: 127.0.0.1:%d" % scripted.port}


async def test_json(tmp_path: Path):
    async with target(says(KEPT_SHORT)) as scripted:
        result = await run("--config", lb_yaml(tmp_path, scripted.port), "--wait", 0.1, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["idle_timeout_s"], told["wait_s"]) == (1, 60, 0.1)
    (only,) = told["targets"]
    assert only["group"] == "web"
    assert [finding["code"] for finding in only["findings"]] == ["keep-alive"]


async def test_the_targets_of_a_running_balancer():
    async with target(says(KEPT_SHORT)) as scripted:
        check = {
            "path": "/health",
            "port": "traffic-port",
            "interval_s": 30,
            "timeout_s": 2,
            "matcher": "200",
            "healthy_threshold": 5,
            "unhealthy_threshold": 2,
        }
        used = {"id": "web1", "address": "127.0.0.1", "port": scripted.port}
        groups = [
            {"name": "web", "in_use": True, "health_check": check, "targets": [used]},
            {"name": "unused", "in_use": False, "health_check": check, "targets": [{**used, "port": 1}]},
        ]
        async with stage({"load_balancers": [{"idle_timeout_s": 60}], "target_groups": groups}) as shown:
            result = await run("--api", shown.url, "--wait", 0.1)
    assert result.exit_code == 1, result.output
    assert result.stdout.splitlines()[0] == f"web web1:{scripted.port}"
    assert "earlier than the balancer does (60 s)" in result.stdout
    assert scripted.heads[0].startswith(b"GET /health HTTP/1.1\r\n")


async def test_the_idle_timeout_is_that_of_the_running_balancer():
    async with (
        target(says(KEPT_SHORT)) as scripted,
        running_balancer(
            targets=[f"127.0.0.1:{scripted.port}"], lb_attributes={"idle_timeout.timeout_seconds": 4}
        ) as balancer,
        stage(balancer.app.status()) as shown,
    ):
        result = await run("--api", shown.url, "--wait", 0.1)
    assert result.exit_code == 0, result.output
    assert "keeps idle connections longer than the balancer's 4 s" in result.stdout


async def test_no_balancer_answers():
    result = await run("--api", "http://127.0.0.1:1")
    assert result.exit_code == 3
    assert "no balancer answers" in result.stderr


async def test_a_file_that_is_not_valid(tmp_path: Path):
    (tmp_path / "lb.yaml").write_text("load_balancers: {}\n")
    result = await run("--config", tmp_path / "lb.yaml")
    assert result.exit_code == 2
    assert "lb.yaml:1: load_balancers:" in result.stderr


async def test_a_file_without_targets(tmp_path: Path):
    file = tmp_path / "lb.yaml"
    file.write_text("load_balancers: {web: {listeners: [{port: 8080, forward: a}]}}\ntarget_groups: {a: {}}\n")
    result = await run("--config", file)
    assert result.exit_code == 2
    assert "no targets to examine" in result.stderr
