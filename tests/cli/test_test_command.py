"""`lb test`, run as a command: against a file, and against a running balancer's API."""

import asyncio
import json
import re
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.applications import Starlette

from lb.api.explain import explain_routes
from lb.api.server import ApiServer
from lb.cli.explain import unstarted
from lb.cli.test import test as command
from lb.configfile.reader import read_config
from lb.observe.explain import explain
from lb.routing.plan import compile_plan

CONFIG = """\
load_balancers:
  web:
    listeners:
      - port: 8080
        forward: web
        rules:
          - priority: 10
            conditions: {path-pattern: "/img/*", http-header: {User-Agent: "*curl*"}}
            action: {forward: images}
          - {priority: 20, conditions: {path-pattern: /old}, action: {redirect: {status_code: 301, path: /new}}}
          - {priority: 30, conditions: {source-ip: 203.0.113.0/24}, action: {fixed-response: {status_code: 403}}}
          - {priority: 40, conditions: {path-pattern: /beta}, action: {forward: {web: 90, images: 10}}}
          - {priority: 50, conditions: {path-pattern: /gone}, action: {forward: {web: 0}}}
target_groups: {web: {targets: ["web1:80"]}, images: {}}
"""
GOOD = """\
config: lb.yaml
cases:
  - name: images go to the image servers
    request: GET http://shop.example:8080/img/a.png
    headers: {User-Agent: curl/8}
    from: 203.0.113.9
    expect: {rule: 10, target_group: images}
  - name: the old page has moved
    request: GET http://shop.example:8080/old
    expect: {rule: 20, redirect: "http://shop.example:8080/new", status: 301}
  - name: some are not welcome
    request: GET http://shop.example:8080/
    from: 203.0.113.9
    expect: {status: 403}
  - name: the rest goes to the web servers
    request: GET http://shop.example:8080/
    expect: {rule: default, target_group: web}
  - name: one of two groups
    request: GET http://shop.example:8080/beta
    expect: {target_group: images}
  - name: two groups by weight
    request: GET http://shop.example:8080/beta
    expect: {target_group: {web: 90, images: 10}}
  - name: no group at all
    request: GET http://shop.example:8080/gone
    expect: {rule: 50, status: 503}
  - name: refused before any rule
    request: TRACE http://shop.example:8080/
    expect: {status: 405}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lb.yaml").write_text(CONFIG)
    return tmp_path


def run(folder: Path, text: str, *arguments: str):
    (folder / "cases.yaml").write_text(text)
    return CliRunner().invoke(command, ["cases.yaml", *arguments], env={"LB_API": None})


def failing(folder: Path, expect: str, request: str = "GET http://shop.example:8080/img/a.png") -> list[str]:
    """What is said of a single case that fails."""
    result = run(folder, f"config: lb.yaml\ncases:\n  - {{name: it, request: '{request}', expect: {expect}}}\n")
    first, asked, *faults, closing = result.stdout.splitlines()
    assert (result.exit_code, first, closing) == (1, "FAILED  it (cases.yaml:3)", "0 passed, 1 failed")
    assert asked == f"        {request} from 127.0.0.1"
    return [fault.strip() for fault in faults]


def test_a_table_that_passes(folder: Path):
    result = run(folder, GOOD)
    assert result.exit_code == 0, result.stdout
    assert result.stdout.splitlines()[0] == "ok      images go to the image servers"
    assert result.stdout.splitlines()[-1] == "8 passed, 0 failed"


@pytest.mark.parametrize(
    ("expect", "request_line", "fault"),
    [
        (
            "{rule: 10}",
            "GET http://shop.example:8080/img/a.png",
            "the default rule decides, not rule 10 (http-header: the request has no header User-Agent)",
        ),
        ("{rule: 11}", "GET http://a:8080/", "the default rule decides, not rule 11, which does not exist"),
        ("{rule: default}", "GET http://a:8080/old", "rule 20 decides, not the default rule"),
        ("{target_group: images}", "GET http://a:8080/", "forwards to web, not to images"),
        ("{target_group: {web: 1}}", "GET http://a:8080/beta", "forwards to web 90, images 10, not to web 1"),
        (
            "{target_group: web}",
            "GET http://a:8080/old",
            "redirects with 301 to http://a:8080/new, not a request to web",
        ),
        (
            "{target_group: web}",
            "GET http://a:8080/gone",
            "answers 503 (all weights are 0), no request to web",
        ),
        (
            "{redirect: 'http://a:8080/newer'}",
            "GET http://a:8080/old",
            "redirects with 301 to http://a:8080/new, not a redirect to http://a:8080/newer",
        ),
        ("{redirect: 'http://b/'}", "GET http://a:8080/", "forwards to web, not a redirect to http://b/"),
        ("{status: 302}", "GET http://a:8080/old", "redirects with 301 to http://a:8080/new, not 302"),
        (
            "{status: 200}",
            "GET http://a:8080/",
            "forwards to web, which answers with a status of its own, not the balancer with 200",
        ),
        ("{rule: default}", "TRACE http://a:8080/", "refused before any rule: 405, TRACE is not allowed"),
        ("{rule: default}", "GET http://a/", "no listener of lb.yaml has port 80; there are 8080"),
    ],
)
def test_what_happens_instead_is_told(folder: Path, expect: str, request_line: str, fault: str):
    assert failing(folder, expect, request_line) == [fault]


def test_a_case_can_fail_in_several_ways(folder: Path):
    assert len(failing(folder, "{rule: 10, target_group: images, redirect: 'http://b/'}")) == 3


def test_the_option_names_another_configuration(folder: Path):
    (folder / "next.yaml").write_text(CONFIG.replace("priority: 20", "priority: 21"))
    result = run(folder, GOOD, "--config", "next.yaml")
    assert result.exit_code == 1
    assert "rule 21 decides, not rule 20, which does not exist" in result.stdout
    assert result.stdout.splitlines()[-1] == "7 passed, 1 failed"


def test_the_configuration_is_found_beside_the_table(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "elsewhere").mkdir()
    (folder / "cases.yaml").write_text(GOOD)
    monkeypatch.chdir(folder / "elsewhere")
    assert CliRunner().invoke(command, ["../cases.yaml"]).exit_code == 0


def test_json(folder: Path):
    result = run(folder, GOOD.replace("rule: 20", "rule: 10"), "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["passed"], told["failed"]) == (1, 7, 1)
    (failed,) = [case for case in told["cases"] if not case["passed"]]
    assert (failed["name"], failed["line"]) == ("the old page has moved", 8)
    assert failed["faults"][0].startswith("rule 20 decides, not rule 10")


async def test_a_running_balancer_is_asked(folder: Path):
    plan = compile_plan(read_config(CONFIG, "lb.yaml"), {})
    (listener,) = plan.listeners
    situation = unstarted(plan, listener)
    routes = explain_routes(lambda port, question, _: explain({8080: listener}[port], question, situation))
    bound = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    server = ApiServer(Starlette(routes=routes), bound)
    server.start()
    try:
        result = await asyncio.to_thread(run, folder, GOOD, "--api", url)
        other_port = await asyncio.to_thread(run, folder, GOOD.replace(":8080/old", ":8081/old"), "--api", url)
    finally:
        await server.close()
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "8 passed, 0 failed")
    assert (other_port.exit_code, other_port.stdout.splitlines()[-1]) == (1, "7 passed, 1 failed")
    assert "no listener of the balancer has port 8081" in other_port.stdout


def test_no_balancer_answers(folder: Path):
    result = run(folder, GOOD.replace("config: lb.yaml\n", ""), "--api", "http://127.0.0.1:1")
    assert result.exit_code == 3
    assert "no balancer answers" in result.stderr


def test_a_file_and_a_balancer_are_too_much(folder: Path):
    assert run(folder, GOOD, "--api", "http://127.0.0.1:1", "--config", "lb.yaml").exit_code == 2


BAD = """\
cases:
  - name: images
    request: GET shop.example:8080/img/a.png
    headers: [a]
    from: 203.0.113.
    expect: {rule: x, target_group: {a: b}}
  - request: GET http://a/
    expct: {}
  - {name: a, request: "GET http://a/", expect: {}, headers: {X: "a\\nb"}}
"""
BAD_LINES = """\
cases.yaml:3: cases[0].request: must be a method and a URL, such as 'GET http://shop.example:8080/cart?x=1', \
not 'GET shop.example:8080/img/a.png'
cases.yaml:4: cases[0].headers: must be a mapping of header names to values, not a list of 1
cases.yaml:5: cases[0].from: must be an IP address such as 203.0.113.9, not '203.0.113.'
cases.yaml:6: cases[0].expect.rule: must be the priority of a rule, or default, not 'x'
cases.yaml:6: cases[0].expect.target_group.a: must be a weight without quotes, not 'b'
cases.yaml:7: cases[1].name: is required
cases.yaml:7: cases[1].expect: is required
cases.yaml:8: cases[1].expct: is not a known key; did you mean 'expect'? known keys: name, request, headers, from, expect
cases.yaml:9: cases[2].headers.X: must not hold line breaks; give several values as a list
cases.yaml:9: cases[2].expect: must be a mapping with one or more of rule, target_group, redirect and status, \
not an empty mapping
""".splitlines()


def test_everything_that_is_wrong_with_a_table_is_told_with_its_line(folder: Path):
    result = run(folder, BAD)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.removeprefix("Error: ").splitlines() == BAD_LINES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cases.yaml:1: the file is empty"),
        ("cases: {", "cases.yaml:1: not YAML"),
        (
            "config: ''\ncases: [{name: a, request: GET http://a/, expect: {rule: 1}}]",
            "cases.yaml:1: config: must be the path",
        ),
        ("cases: []", "cases.yaml:1: cases: must be a list of cases"),
        ("cases: !x [a]", "cases.yaml:1: cases: the YAML tag"),
        (
            "config: missing.yaml\ncases: [{name: a, request: GET http://a/, expect: {rule: 1}}]",
            "missing.yaml: cannot be read",
        ),
    ],
)
def test_tables_that_cannot_be_used(folder: Path, text: str, message: str):
    result = run(folder, text)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_table_that_is_not_there(folder: Path):
    result = CliRunner().invoke(command, ["nowhere.yaml"])
    assert result.exit_code == 2
    assert "nowhere.yaml: cannot be read" in result.stderr


def test_the_example_of_the_documentation_passes(folder: Path):
    text = (Path(__file__).parents[2] / "docs" / "checking-rules.md").read_text("utf-8")
    config, table = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (folder / "lb.yaml").write_text(config)
    result = run(folder, table)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "5 passed, 0 failed"), result.output
