"""`lb explain`: the real command against a file and against a running balancer, in words and as JSON, and its errors."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lb.cli.explain import explain
from lb.cli.main import main
from tests.proxy.wire import connected, get
from tests.support.balancer import Balancer, free_port, running_balancer
from tests.support.origins import naming, refusing_port, running_origin

_CART = Path(__file__).with_name("explain_cart.txt").read_text()
_FILE = """
load_balancers:
  shop:
    attributes: {routing.http.xff_client_port.enabled: true}
    listeners:
      - port: 8099
        forward: web
        rules:
          - priority: 10
            conditions: {path-pattern: "/Cart", http-request-method: POST}
            action: {fixed-response: {status_code: 403}}
          - priority: 20
            conditions: {path-pattern: "/api/*"}
            transforms: {url-rewrite: {regex: "^/api", replace: ""}}
            action: {forward: api}
          - priority: 30
            conditions: {source-ip: "10.0.0.0/8"}
            action: {redirect: {status_code: 301, port: 443, protocol: HTTPS}}
target_groups:
  web: {targets: ["127.0.0.1:9101", "127.0.0.1:9102"]}
  api: {targets: ["127.0.0.1:9103"]}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "lb.yaml"
    path.write_text(_FILE)
    return str(path)


def run(*arguments: str) -> Result:
    """`lb explain ...` without a balancer in the environment."""
    return CliRunner().invoke(explain, list(arguments), env={"LB_API": None})


async def ask(balancer: Balancer, api_port: int, method: str, path: str, *arguments: str) -> Any:
    """What `lb explain --json` says of a running balancer."""
    url = f"http://shop.example:{balancer.port}{path}"
    options = ["--api", f"http://127.0.0.1:{api_port}", "--json"]
    result = await asyncio.to_thread(run, method, url, *options, *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_it_is_a_command_of_lb_with_examples() -> None:
    result = CliRunner().invoke(main, ["explain", "--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert "Exit codes:" in result.output


def test_the_walk_in_words(file: str) -> None:
    request = ("GET", "http://shop.example:8099/api/cart?x=1", "-H", "Cookie: a=b", "--from", "203.0.113.9")
    result = run(*request, "--config", file)
    assert result.exit_code == 0
    assert re.sub(r"Root=1-[0-9a-f]{8}", "Root=1-TIME", result.stdout) == _CART
    assert result.stderr == ""


def test_the_same_walk_as_json(file: str) -> None:
    result = run("GET", "http://shop.example:8099/api/cart?x=1", "--config", file, "--json")
    told = json.loads(result.stdout)
    assert told["request"] == {
        "method": "GET",
        "host": "shop.example",
        "path": "/api/cart",
        "query": "x=1",
        "source_ip": "127.0.0.1",
        "classification": "Compliant",
        "classification_reason": None,
    }
    assert [rule["priority"] for rule in told["rules"]] == [10, 20, 30, "default"]
    assert [rule["reached"] for rule in told["rules"]] == [True, True, False, False]
    assert [rule["matched"] for rule in told["rules"]] == [False, True, False, True]
    assert told["chosen"] == 20
    assert told["action"]["transform"] == {"status": "TransformSuccess", "uri": "/cart?x=1", "host": None}


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ("POST", "http://a:8099/Cart"),
            ["  -> 10: matches: this rule decides", "action fixed-response", "  answers 403"],
        ),
        (
            ("GET", "http://Shop.example:8099/x?y", "--from", "10.1.2.3"),
            ["  -> 30: matches: this rule decides", "  answers 301", "  Location: https://shop.example:443/x?y"],
        ),
        (("TRACE", "http://a:8099/"), ["  refused before any rule: 405, TRACE is not allowed"]),
        (
            ("GET", "http://a:8099/", "-H", "Content-Length: x"),
            ["  refused before any rule: 400, Severe: BadContentLength"],
        ),
        (
            ("GET", "http://a:8099/cart"),
            ['       no  path-pattern: "/cart" does not match "/Cart"; the case of letters counts in paths'],
        ),
        (("GET", "http://a:8099", "-H", "Host: b.example"), ["  GET b.example / from 127.0.0.1"]),
        (("GET", "http://a:8099/x#fragment"), ["  GET a /x from 127.0.0.1"]),
        (
            ("GET", "http://[::1]:8099/", "--from", "2001:db8::1"),
            ["  GET [::1] / from 2001:db8::1", "  X-Forwarded-For: [2001:db8::1]:50000"],
        ),
    ],
)
def test_lines_of_other_walks(file: str, arguments: tuple[str, ...], lines: list[str]) -> None:
    result = run(*arguments, "--config", file)
    assert result.exit_code == 0, result.output
    printed = result.stdout.splitlines()
    assert [line for line in lines if line not in printed] == []


@pytest.mark.parametrize("path", ["/€uro", "/grün", "/日本"])
def test_letters_outside_ascii_never_become_another_path(file: str, path: str) -> None:
    result = run("GET", f"http://a:8099{path}", "--config", file, "--json")
    # Either it is explained as what it is, or refused.
    if result.exit_code == 0:
        told = json.loads(result.stdout)
        assert told["request"]["query"] == ""
        assert told["request"]["path"] != "/"
        assert "?" not in told["action"]["sent"].split("\r\n")[0]
    else:
        assert result.exit_code in (1, 2)
        assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("GET", "https://a:8099/"), 2, "must begin with http://"),
        (("GET", "/only/a/path"), 2, "must begin with http://"),
        (("GET", "http://a:99999/"), 2, "is not a URL"),
        (("GET", "http://a:8099/", "-H", "no colon"), 2, "must be 'Name: value'"),
        (("GET", "http://a:8099/", "--from", "nonsense"), 2, "nonsense"),
        (("GET", "http://a:8098/"), 1, "has port 8098; there are 8099"),
        (("GET",), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_asked_is_one_error(file: str, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = run(*arguments, "--config", file)
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert sum(line.startswith("Error: ") for line in result.stderr.splitlines()) == 1


def test_a_file_that_is_missing_or_wrong_is_one_error(tmp_path: Path) -> None:
    wrong = tmp_path / "lb.yaml"
    wrong.write_text("load_balancers: []\n")
    for path in (tmp_path / "none.yaml", wrong):
        result = run("GET", "http://a/", "--config", str(path))
        assert isinstance(result.exception, SystemExit)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: ")
        assert str(path) in result.stderr


def test_nobody_to_ask_is_exit_code_3() -> None:
    with refusing_port() as port:
        result = run("GET", "http://a/", "--api", f"http://127.0.0.1:{port}")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no balancer answers" in result.stderr


async def test_a_running_balancer_tells_its_state_and_counts_nothing() -> None:
    api_port = free_port()
    attributes = {"stickiness.enabled": True}
    async with (
        running_origin(naming(b"1")) as one,
        running_origin(naming(b"2")) as two,
        running_balancer(
            targets=[one, two],
            rules=[
                {
                    "priority": 5,
                    "conditions": {"path-pattern": "/x"},
                    "action": {"fixed-response": {"status_code": "200"}},
                }
            ],
            tg_attributes=attributes,
            with_api=True,
            api_port=api_port,
        ) as balancer,
    ):
        async with connected(balancer.port) as client:
            first = await client.ask(get())
        told = await ask(balancer, api_port, "GET", "/")
        states = {each["target"]: each["state"] for each in told["action"]["targets"]["candidates"]}
        assert states == {one.target: "healthy", two.target: "healthy"}
        # It says who is next, again and again, without taking anybody's turn.
        upcoming = {one.target: b"1", two.target: b"2"}
        chosen = told["action"]["targets"]["chosen"]
        assert upcoming[chosen] != first.body
        for _ in range(3):
            assert (await ask(balancer, api_port, "GET", "/"))["action"]["targets"]["chosen"] == chosen
        assert balancer.in_flight == 0
        # A cookie's owner stays.
        cookie = next(value for value in first.values(b"set-cookie") if value.startswith(b"AWSALB=")).partition(b";")[0]
        kept = await ask(balancer, api_port, "GET", "/", "-H", f"Cookie: {cookie.decode()}")
        assert upcoming[kept["action"]["targets"]["chosen"]] == first.body
        assert "AWSALB cookie names" in kept["action"]["targets"]["sticky"]
        assert (await ask(balancer, api_port, "GET", "/x"))["chosen"] == 5
        async with connected(balancer.port) as client:
            assert (await client.ask(get())).body == upcoming[chosen]
        # Only what was really asked is in the log.
        await balancer.log(2)


async def test_errors_of_a_running_balancer() -> None:
    api_port = free_port()
    async with running_balancer(targets=[], with_api=True, api_port=api_port) as balancer:
        api = f"http://127.0.0.1:{api_port}"
        unknown = await asyncio.to_thread(run, "GET", "http://a:1/", "--api", api)
        assert (unknown.exit_code, unknown.stdout) == (1, "")
        assert "no listener has port 1" in unknown.stderr
        url = f"http://a:{balancer.port}/"
        address = await asyncio.to_thread(run, "GET", url, "--api", api, "--from", "nonsense")
        assert (address.exit_code in (1, 2), address.stdout) == (True, "")
        assert isinstance(address.exception, SystemExit)
        told = await ask(balancer, api_port, "GET", "/")
        assert (told["action"]["status"], told["action"]["targets"]["candidates"]) == (503, [])
