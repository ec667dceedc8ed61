"""`lb status`: what runs and how healthy it is, from a running balancer.

On a terminal the text is as wide as the terminal and coloured; through a pipe each line stays whole and plain.
"""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import click
from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from lb.cli.api_client import ApiClient, NoBalancerError, RefusedError
from lb.cli.options import api_option

_EVERY_S = 1.0
_STATES = ("healthy", "unhealthy", "initial", "draining", "unused")
_STATE_STYLES = {"healthy": "green", "unhealthy": "red", "draining": "yellow", "initial": "cyan", "unused": "dim"}
# What the columns beside a target's name take; a name that leaves less than that stands on a line of its own.
_COLUMNS_WIDTH = 58
_SHORTEST_LIMIT = 22
_NO_LIMIT = 1_000_000


@click.command()
@api_option
@click.option("--json", "as_json", is_flag=True, help="Print the picture as JSON.")
@click.option("--watch", is_flag=True, help="Show it again every second, until Ctrl-C (with --json: one line each).")
@click.option("--ready", is_flag=True, help="Only check: exit 0 when every target group in use has a healthy target.")
@click.pass_context
def status(ctx: click.Context, api: str, as_json: bool, watch: bool, ready: bool) -> None:
    """Show load balancers, listeners, target groups and the health of every target.

    \b
    Examples:
      lb status
      lb status --watch
      lb status --json | jq '.target_groups[].targets[].state'
      lb status --ready && echo go

    \b
    Exit codes: 0 shown (--ready: ready), 1 not ready, 2 wrong usage,
    3 no balancer answers.
    """
    if ready and (as_json or watch):
        raise click.UsageError("--ready prints one line: it goes with neither --json nor --watch")
    client = ApiClient(api)
    if ready:
        picture = _picture(client, api)
        click.echo("ready" if picture["ready"] else "not ready: " + _why_not(picture), err=not picture["ready"])
        ctx.exit(0 if picture["ready"] else 1)
    if watch:
        try:
            _watch(client, api, as_json=as_json)
        except KeyboardInterrupt:
            return
    elif as_json:
        click.echo(json.dumps(_picture(client, api), indent=2))
    else:
        console = _console()
        console.print(_drawn(_picture(client, api), api, console.width))


def _picture(client: ApiClient, api: str) -> dict[str, Any]:
    """The picture of the moment. Raises NoBalancerError, also where something else than a balancer answers."""
    try:
        picture = client.get("/_lb/status")
    except RefusedError as error:
        raise NoBalancerError(error.message or _stranger(api)) from error
    if not isinstance(picture, dict) or not {"load_balancers", "target_groups", "ready"} <= picture.keys():
        raise NoBalancerError(_stranger(api))
    return picture


def _stranger(api: str) -> str:
    return f"what answers at {api} is not a balancer's API: name it with --api"


def _console() -> Console:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _NO_LIMIT
    return console


def _watch(client: ApiClient, api: str, *, as_json: bool) -> None:
    """Shows the picture again and again. Raises NoBalancerError only when there is no balancer to begin with."""
    console = _console()
    picture = _picture(client, api)
    if console.is_terminal and not as_json:
        with Live(_drawn(picture, api, console.width), auto_refresh=False, console=console) as live:
            while True:
                time.sleep(_EVERY_S)
                try:
                    live.update(_drawn(_picture(client, api), api, console.width), refresh=True)
                except NoBalancerError as error:
                    live.update(Text(error.message, "red"), refresh=True)
    while True:
        if as_json:
            click.echo(json.dumps(picture))
        else:
            console.print(time.strftime("%H:%M:%S"), _drawn(picture, api, console.width), "", sep="\n")
        picture = _next_picture(client, api)


def _next_picture(client: ApiClient, api: str) -> dict[str, Any]:
    """The picture a moment later; while no balancer answers, says so and waits."""
    while True:
        time.sleep(_EVERY_S)
        try:
            return _picture(client, api)
        except NoBalancerError as error:
            click.echo(error.message, err=True)


def _why_not(picture: dict[str, Any]) -> str:
    return "; ".join(
        f"{group['name']} has {_summary(group['targets'])}"
        for group in picture["target_groups"]
        if group["in_use"] and not _is_ready(group["targets"])
    )


def _is_ready(targets: list[dict[str, Any]]) -> bool:
    return bool(_count(targets, "healthy")) and not _count(targets, "initial")


def _count(targets: list[dict[str, Any]], state: str) -> int:
    return sum(target["state"] == state for target in targets)


def _summary(targets: list[dict[str, Any]]) -> str:
    if not targets:
        return "no targets registered"
    others = [f"{_count(targets, state)} {state}" for state in _STATES[1:] if _count(targets, state)]
    return ", ".join([f"{_count(targets, 'healthy')} of {len(targets)} targets healthy", *others])


def _drawn(picture: dict[str, Any], api: str, width: int) -> Group:
    host = urlsplit(api).hostname or "127.0.0.1"
    lines: list[Text | Padding] = []
    for balancer in picture["load_balancers"]:
        lines.append(Text.assemble((balancer["name"], "bold"), f"  load balancer, {balancer['state']}"))
        lines.append(_indented(balancer["dns_name"], "dim"))
        lines += [_indented(_listener(each, host)) for each in balancer["listeners"]]
    for group in picture["target_groups"]:
        lines += [Text(""), *_group(group, width)] if lines else _group(group, width)
    return Group(*(lines or [Text("no load balancers and no target groups")]))


def _indented(text: str, style: str = "", by: int = 2) -> Padding:
    """A line of its own; where it has to be wrapped, it stays indented."""
    return Padding(Text(_one_line(text), style), (0, 0, 0, by), expand=False)


def _one_line(text: str) -> str:
    """Without line breaks and terminal codes: what a target has answered can be part of it."""
    return "".join(character if character.isprintable() else " " for character in text)


def _listener(listener: dict[str, Any], host: str) -> str:
    protocol, port = listener["protocol"], listener["port"]
    url = f"{protocol.lower()}://{_place(host, port)}"
    return f"{protocol}:{port}  {url}  forwards to {listener['forward']}"


def _group(group: dict[str, Any], width: int) -> list[Text | Padding]:
    check = group["health_check"]
    port = "" if check["port"] == "traffic-port" else f" on port {check['port']}"
    use = "" if group["in_use"] else ", not in use"
    return [
        Text.assemble((group["name"], "bold"), f"  target group{use}, {_summary(group['targets'])}"),
        _indented(
            f"health check: GET {check['path']}{port} every {check['interval_s']:g} s, timeout {check['timeout_s']:g} s, "
            f"success is {check['matcher']}",
            "dim",
        ),
        _indented(
            f"healthy after {check['healthy_threshold']} successes, unhealthy after "
            f"{check['unhealthy_threshold']} failures in a row",
            "dim",
        ),
        # Above the targets: on a terminal that is too short for all of them, the end is cut off.
        *(_indented(f"! {note['text']}", "bold yellow") for note in group["notes"]),
        *_targets(group["targets"], width),
    ]


def _targets(targets: list[dict[str, Any]], width: int) -> list[Text | Padding]:
    if not targets:
        return []
    names = [_name(target) for target in targets]
    limit = max(_SHORTEST_LIMIT, width - _COLUMNS_WIDTH)
    first = max([len("TARGET"), *(cell_len(name) for name in names if cell_len(name) <= limit)])
    served = max(len("REQUESTS"), *(len(str(target["served"])) for target in targets))
    lines: list[Text | Padding] = [
        Text(f"  {'TARGET':{first}}  {'STATE':9}  {'REQUESTS':>{served}}  IN FLIGHT  LAST PROBE", "dim")
    ]
    for name, target in zip(names, targets, strict=True):
        if cell_len(name) > first:
            lines.append(_indented(name))
            name = ""
        state = target["state"]
        lines.append(
            Text.assemble(
                f"  {name}{' ' * (first - cell_len(name))}  ",
                (f"{state:9}", _STATE_STYLES.get(state, "")),
                f"  {target['served']:>{served}}  {target['in_flight']:>9}  {_probe(target)}",
                no_wrap=True,
                overflow="ellipsis",
            )
        )
        lines += [_indented(text, by=4) for text in _explained(target)]
    return lines


def _name(target: dict[str, Any]) -> str:
    name = _place(target["id"], target["port"])
    return name if target["address"] in (None, target["id"]) else f"{name} ({target['address']})"


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _probe(target: dict[str, Any]) -> str:
    probe = target["last_probe"]
    if probe is None:
        return "none yet" if target["state"] == "initial" else "none"
    if probe["passed"]:
        latency = f"{probe['latency_ms']:.{1 if probe['latency_ms'] < 10 else 0}f}"
        return f"{probe['status']} in {latency} ms, {probe['seconds_ago']:.0f} s ago"
    return f"failed, {probe['seconds_ago']:.0f} s ago"


def _explained(target: dict[str, Any]) -> list[str]:
    """What stands below a target: the reason as ELB words it, and what the last probe met."""
    probe = target["last_probe"]
    met = f"last probe: {probe['detail']}" if probe and not probe["passed"] and probe["detail"] else ""
    counter = target["counter"] or ""
    lines = [
        ": ".join(part for part in (target["reason"], target["description"]) if part),
        f"{met} ({counter})" if met and counter else met or counter,
    ]
    return [line for line in lines if line]
