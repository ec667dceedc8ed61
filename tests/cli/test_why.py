"""`lb why`: the real command against a running balancer, in words and as JSON, and its errors."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result

from lb.cli.main import main
from lb.cli.why import why
from tests.proxy.wire import ask_once, get
from tests.support.balancer import Balancer, free_port, running_balancer
from tests.support.origins import naming, once, refusing_port, running_origin

UNKNOWN = "1-67891233-abcdef012345678912345678"


def run(*arguments: str) -> Result:
    """`lb why ...` without a balancer in the environment."""
    return CliRunner().invoke(why, list(arguments), env={"LB_API": None})


@asynccontextmanager
async def asked(script: Any) -> AsyncIterator[tuple[Balancer, str, dict[str, str]]]:
    """A balancer whose one target has had one request, its API, and the log entry of the request."""
    api_port = free_port()
    async with (
        running_origin(script) as origin,
        running_balancer(targets=[origin], with_api=True, api_port=api_port) as balancer,
    ):
        await ask_once(balancer.port, get(b"/cart?x=1", host=b"shop.example"))
        (entry,) = await balancer.log(1)
        yield balancer, f"http://127.0.0.1:{api_port}", entry


def test_it_is_a_command_of_lb_with_examples() -> None:
    result = CliRunner().invoke(main, ["why", "--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert "Exit codes:" in result.output


async def test_a_failed_request_in_words() -> None:
    async with asked(once(b"")) as (balancer, api, entry):
        result = await asyncio.to_thread(run, entry["trace_id"], "--api", api)
        assert (result.exit_code, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        target = entry["target"]
        assert lines[0].startswith(f"502: the target {target} closed a new connection before answering; ")
        assert lines[1] == f"  GET shop.example /cart?x=1 from {entry['client']}"
        assert lines[2] == f"  {entry['trace_id']}, {entry['conn_trace_id']}"
        received = next(line for line in lines if line.startswith("  received "))
        assert received.split()[1][:23] == entry["request_creation_time"][:23]
        assert any(re.fullmatch(r"  target gone    \+\d\.\d{6} s", line) for line in lines)
        assert not any(line.startswith("  first byte") for line in lines)
        assert any(re.fullmatch(r"  access log     request [\d.]+, target [\d.]+, response -1", line) for line in lines)
        wanted = [
            "  rule default: forward",
            f"  target {target}",
            "  status 502, of the target none",
            f"listener HTTP:{balancer.port} of {entry['elb']}",
            "  -> default: matches: this rule decides",
            f"  X-Amzn-Trace-Id: {entry['trace_id']}",
        ]
        assert [line for line in wanted if line not in lines] == []
        assert any("as they are now, not as they were then" in line for line in lines)


@pytest.mark.parametrize("form", ["{}", "{bare}", '"{}"', "'{bare}'", "{connection}", " {} "])
async def test_an_id_in_every_form(form: str) -> None:
    async with asked(naming(b"1")) as (_, api, entry):
        root = entry["trace_id"]
        wanted = form.format(root, bare=root.removeprefix("Root="), connection=entry["conn_trace_id"])
        result = await asyncio.to_thread(run, wanted, "--api", api, "--json")
        assert result.exit_code == 0, result.output
        (told,) = json.loads(result.stdout)["requests"]
        assert (told["trace_id"], told["cause"]) == (root, f"200: the answer of the target {entry['target']} itself")


async def test_a_request_that_is_not_known_is_one_error() -> None:
    async with asked(naming(b"1")) as (_, api, _entry):
        for options in ([], ["--json"]):
            result = await asyncio.to_thread(run, UNKNOWN, "--api", api, *options)
            assert (result.exit_code, result.stdout) == (1, "")
            assert result.stderr == (
                "Error: no request with this id among the last 1,000, which are all that is kept\n"
            )
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{api}/_lb/why", params={"id": UNKNOWN}) as response:
                assert (response.status, (await response.json())["error"]["code"]) == (404, "no-request")
            async with session.get(f"{api}/_lb/why") as response:
                assert (response.status, (await response.json())["error"]["code"]) == (400, "bad-request")


def test_nobody_to_ask_is_exit_code_3() -> None:
    with refusing_port() as port:
        result = run(UNKNOWN, "--api", f"http://127.0.0.1:{port}")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no balancer answers" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("",), (" ",), ("one", "two")])
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
