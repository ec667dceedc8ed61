"""`lb top`: what a running balancer is doing now - rates, shares, latencies, states and the last errors - in the terminal."""

import json
import time
from typing import Any, Final

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lb.cli.api_client import ApiClient, NoBalancerError, RefusedError
from lb.cli.options import api_option
from lb.cli.top_figures import WINDOW_S, figures

Json = dict[str, Any]
_ERRORS: Final = 5
_NO_LIMIT: Final = 1_000
_STATE_STYLES: Final = {"healthy": "green", "unhealthy": "red", "draining": "yellow", "initial": "cyan"}
# Column -> the width from which on there is room for it.
_COLUMNS: Final = {"TARGET": 0, "STATE": 0, "REQ/S": 0, "SHARE": 50, "P99 MS": 58, "P50 MS": 66, "IN FLIGHT": 78}
_LEFT: Final = ("TARGET", "STATE")


@click.command()
@api_option
@click.option("--once", is_flag=True, help="Show the picture once instead of again and again.")
@click.option("--json", "as_json", is_flag=True, help="Print the picture as JSON (without --once: one line each).")
@click.option("--every", default=1.0, type=click.FloatRange(0.2, 60), show_default=True, help="Seconds between two.")
def top(api: str, once: bool, as_json: bool, every: float) -> None:
    """Show what the balancer is doing, until Ctrl-C.

    Requests per second, share, latency and state of each target, and the
    last errors with their causes. Rates are those of the last 10 seconds.

    \b
    Examples:
      lb top
      lb top --once
      lb top --json --once | jq '.target_groups[].targets[] | {id, port, share}'

    \b
    Exit codes: 0 shown, 2 wrong usage, 3 no balancer answers.
    """
    watch = _Watch(ApiClient(api), api)
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _NO_LIMIT
    picture = watch.look()
    if once:
        if as_json:
            click.echo(json.dumps(picture, indent=2))
        else:
            console.print(_drawn(picture, api, console.width))
        return
    try:
        _follow(watch, picture, console, api, every, as_json=as_json)
    except KeyboardInterrupt:
        return


class _Watch:
    """Asks for the parts of the picture. Raises NoBalancerError, also where something else than a balancer answers."""

    def __init__(self, client: ApiClient, api: str) -> None:
        self._client = client
        self._api = api
        self._since = 0

    def look(self) -> Json:
        """The picture of the moment."""
        try:
            status = self._client.get("/_lb/status")
            health = self._client.get("/_lb/targets/health")
            seconds = self._client.get(f"/_lb/metrics/seconds?since={self._since}")
            errors = self._client.get(f"/_lb/requests?status=error&limit={_ERRORS}")
            self._since = max(0, seconds["until_s"] - WINDOW_S)
            return figures(status, health, seconds, errors)
        except (RefusedError, LookupError, TypeError) as error:
            said = error.message if isinstance(error, RefusedError) else ""
            stranger = f"what answers at {self._api} is not this version's API: name the balancer's with --api"
            raise NoBalancerError(said or stranger) from error


def _follow(watch: _Watch, picture: Json, console: Console, api: str, every: float, *, as_json: bool) -> None:
    if as_json or not console.is_terminal:
        while True:
            if as_json:
                click.echo(json.dumps(picture))
            else:
                console.print(_drawn(picture, api, console.width), "")
            picture = _next(watch, every)
    with Live(_drawn(picture, api, console.width), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(every)
            try:
                live.update(_drawn(watch.look(), api, console.width), refresh=True)
            except NoBalancerError as error:
                live.update(Text(error.message, "red"), refresh=True)


def _next(watch: _Watch, every: float) -> Json:
    """The picture a moment later; while no balancer answers, says so and waits."""
    while True:
        time.sleep(every)
        try:
            return watch.look()
        except NoBalancerError as error:
            click.echo(error.message, err=True)


def _drawn(picture: Json, api: str, width: int) -> Group:
    at = time.strftime("%H:%M:%S", time.localtime(picture["at_s"]))
    lines: list[RenderableType] = [Text(f"lb top  {at}  {api}", "dim")]
    lines += [_load_balancer(each) for each in picture["load_balancers"]]
    for group in picture["target_groups"]:
        lines += [Text(""), _group(group), _targets(group["targets"], width)]
    if not picture["load_balancers"] and not picture["target_groups"]:
        lines.append(Text("no load balancers and no target groups"))
    if picture["errors"]:
        lines += [Text(""), Text("last errors", "bold")]
        lines += [_error(each) for each in picture["errors"]]
    return Group(*lines)


def _load_balancer(balancer: Json) -> Text:
    state = "" if balancer["state"] == "active" else f"  {balancer['state']}"
    wrong = balancer["errors_per_s"]
    return Text.assemble(
        (balancer["name"], "bold"),
        f"  {' '.join(balancer['listeners'])}{state}  {balancer['requests_per_s']:g} requests/s  ",
        (f"{wrong:g} errors/s", "red" if wrong else "dim"),
        f"  p50 {_ms(balancer['p50_ms'])} ms  p99 {_ms(balancer['p99_ms'])} ms",
    )


def _group(group: Json) -> Text:
    healthy = sum(target["state"] == "healthy" for target in group["targets"])
    notes = "" if group["in_use"] else ", not in use"
    line = Text.assemble((group["name"], "bold"), f"  {healthy} of {len(group['targets'])} healthy{notes}")
    if group["in_use"] and group["fail_open"]:
        line.append("  fails open", "bold yellow")
    return line


def _targets(targets: list[Json], width: int) -> Table:
    shown = [name for name, least in _COLUMNS.items() if width >= least]
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    for name in shown:
        table.add_column(name, justify="left" if name in _LEFT else "right", no_wrap=True, overflow="ellipsis")
    for target in targets:
        table.add_row(*(_cells(target)[name] for name in shown))
    return table


def _cells(target: Json) -> dict[str, RenderableType]:
    place = f"[{target['id']}]" if ":" in target["id"] else target["id"]
    state = target["state"] + (f" ({target['counter']})" if target["counter"] else "")
    return {
        "TARGET": Text(f"{place}:{target['port']}"),
        "STATE": Text(state, _STATE_STYLES.get(target["state"], "dim")),
        "REQ/S": f"{target['requests_per_s']:g}",
        "SHARE": "-" if target["share"] is None else f"{target['share']:.0%}",
        "P99 MS": _ms(target["p99_ms"]),
        "P50 MS": _ms(target["p50_ms"]),
        "IN FLIGHT": str(target["in_flight"]),
    }


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.{1 if value < 100 else 0}f}"


def _error(request: Json) -> Text:
    at = time.strftime("%H:%M:%S", time.localtime(request["at_s"]))
    what = f"{request['method'] or '-'} {request['path'] or '(not readable)'}"
    said = request["error"] or f"{request['status']}: the answer of the target {request['target']} itself"
    return Text.assemble((at, "dim"), f"  {_one_line(what)}  ", (_one_line(said), "red"))


def _one_line(text: str) -> str:
    """Without line breaks and terminal codes: clients send what they like."""
    return "".join(character if character.isprintable() else " " for character in text)
