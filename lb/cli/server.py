"""`lb server`: lists, stops, starts, kills and breaks the web servers that a running balancer keeps."""

import json
import signal
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from lb.cli.api_client import ApiClient, RefusedError
from lb.cli.options import api_option, json_option

_PATH = "/_lb/servers"
_FAULTS_PATH = "/_lb/faults"
_FAULTS = ("none", "slow", "error", "reset", "drop-idle", "start", "stop")


@click.group()
def server() -> None:
    """List, stop, start, kill and break the demo's web servers.

    \b
    Examples:
      lb server list
      lb server stop 1       the server ends in good order
      lb server kill 2       the server crashes (kill -9)
      lb server start 1
      lb server fault 1 slow --ms 500    and back: lb server fault 1 none

    \b
    Exit codes: 0 done, 1 the balancer says why not, 2 wrong usage,
    3 no balancer answers.
    """


@server.command("list")
@api_option
@json_option
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
@api_option
@json_option
def start(number: int, api: str, as_json: bool) -> None:
    """Start web server NUMBER; returns when it takes requests."""
    _act(api, number, "start", as_json)


@server.command()
@click.argument("number", type=int)
@api_option
@json_option
def stop(number: int, api: str, as_json: bool) -> None:
    """Stop web server NUMBER in good order (SIGTERM)."""
    _act(api, number, "stop", as_json)


@server.command()
@click.argument("number", type=int)
@api_option
@json_option
def kill(number: int, api: str, as_json: bool) -> None:
    """Kill web server NUMBER (SIGKILL): the crash."""
    _act(api, number, "kill", as_json)


@server.command()
@click.argument("server_id", metavar="ID")
@click.argument("fault", type=click.Choice(_FAULTS, case_sensitive=False))
@click.option("--ms", type=click.IntRange(1, 90_000), help="How long: slow (500 without), drop-idle (2000 without).")
@api_option
@json_option
def fault(server_id: str, fault: str, ms: int | None, api: str, as_json: bool) -> None:
    """Break web server ID, or mend it (none). ID is a number of 'lb server list', or an instance such as i-0abc.

    \b
      slow       every answer comes --ms later
      error      every answer is a 500
      reset      every answer is cut in the middle by a reset
      drop-idle  connections that were idle for --ms are given up: the next
                 request on one is a 502 of the balancer
      none       as before
      stop       the web server ends, an instance goes on without it
      start      starts it again

    \b
    Examples:
      lb server fault 1 slow --ms 500
      lb server fault i-0123456789abcdef0 error
      lb server fault 1 none
    """
    name = f"server-{server_id}" if server_id.isdecimal() else server_id
    call = {"fault": fault.replace("-", "_"), **({} if ms is None else {"ms": ms})}
    told = _call(lambda: ApiClient(api).post(f"{_FAULTS_PATH}/{quote(name, safe='')}", call))
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        place = _place(told["address"], told["port"])
        click.echo(f"{told['id']}  {told['name']} ({place}): {told['state']}{_wrong(told['fault'], told['ms'])}")


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
    state = status["state"] + _wrong(status["fault"], status["fault_ms"])
    if state == "exited" and status["exit_code"] is not None:
        state += f" ({_how(status['exit_code'])})"
    return status["name"], _place(status["host"], status["port"]), state, str(status["pid"] or "-")


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _wrong(fault: str, ms: int | None) -> str:
    """What is wrong with a server, in words; empty for nothing."""
    if fault == "none":
        return ""
    return f", fault {fault.replace('_', '-')}" + (f" {ms} ms" if ms is not None else "")


def _how(exit_code: int) -> str:
    """How a process ended, in words."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"
