"""`lb server`: lists, stops, starts and kills the web servers that a running `lb demo` keeps."""

import functools
import json
import signal
from collections.abc import Callable
from typing import Any

import click

from lb.cli.api_client import DEFAULT_API, ApiClient, RefusedError

_PATH = "/_lb/servers"


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that every command of the group has."""

    @click.option(
        "--api", default=DEFAULT_API, envvar="LB_API", show_envvar=True, show_default=True, help="The balancer's API."
    )
    @click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
    @functools.wraps(command)
    def wrapped(**values: Any) -> None:
        command(**values)

    return wrapped


@click.group()
def server() -> None:
    """List, stop, start and kill the demo's web servers.

    \b
    Examples:
      lb server list
      lb server stop 1       the server ends in good order
      lb server kill 2       the server crashes (kill -9)
      lb server start 1

    \b
    Exit codes: 0 done, 1 the balancer says why not, 2 wrong usage,
    3 no balancer answers.
    """


@server.command("list")
@_options
def list_servers(api: str, as_json: bool) -> None:
    """Show each web server: where it listens and whether it runs."""
    answer = _call(lambda: ApiClient(api).get(_PATH))
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    rows = [("SERVER", "ADDRESS", "STATE", "PID")]
    rows += [_row(status) for status in answer["servers"]]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@server.command()
@click.argument("number", type=int)
@_options
def start(number: int, api: str, as_json: bool) -> None:
    """Start web server NUMBER; returns when it takes requests."""
    _act(api, number, "start", as_json)


@server.command()
@click.argument("number", type=int)
@_options
def stop(number: int, api: str, as_json: bool) -> None:
    """Stop web server NUMBER in good order (SIGTERM)."""
    _act(api, number, "stop", as_json)


@server.command()
@click.argument("number", type=int)
@_options
def kill(number: int, api: str, as_json: bool) -> None:
    """Kill web server NUMBER (SIGKILL): the crash."""
    _act(api, number, "kill", as_json)


def _act(api: str, number: int, action: str, as_json: bool) -> None:
    status = _call(lambda: ApiClient(api).post(f"{_PATH}/{number}/{action}"))
    if as_json:
        click.echo(json.dumps(status, indent=2))
    else:
        name, address, state, pid = _row(status)
        click.echo(f"{name} ({address}): {state}" + (f", pid {pid}" if status["pid"] else ""))


def _call(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except RefusedError as error:
        if not error.code:
            raise RefusedError(
                error.status, "", "this balancer keeps no web servers of its own (only 'lb demo' does)"
            ) from None
        raise


def _row(status: dict[str, Any]) -> tuple[str, str, str, str]:
    host = f"[{status['host']}]" if ":" in status["host"] else status["host"]
    state = status["state"]
    if state == "exited" and status["exit_code"] is not None:
        state += f" ({_how(status['exit_code'])})"
    return status["name"], f"{host}:{status['port']}", state, str(status["pid"] or "-")


def _how(exit_code: int) -> str:
    """How a process ended, in words."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"
