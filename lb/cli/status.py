"""`lb status`: what runs and how healthy it is, from a running balancer."""

import json
import time
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lb.cli.api_client import DEFAULT_API, ApiClient, NoBalancerError

_EVERY_S = 1.0
_STATE_STYLES = {"healthy": "green", "unhealthy": "red", "draining": "yellow", "initial": "cyan", "unused": "dim"}


@click.command()
@click.option("--api", default=DEFAULT_API, envvar="LB_API", show_envvar=True, show_default=True, help="Its API.")
@click.option("--json", "as_json", is_flag=True, help="Print the picture as JSON.")
@click.option("--watch", is_flag=True, help="Draw it again every second, until Ctrl-C.")
@click.option("--ready", is_flag=True, help="Only check: exit 0 when every target group in use has a healthy target.")
@click.pass_context
def status(ctx: click.Context, api: str, as_json: bool, watch: bool, ready: bool) -> None:
    """Show load balancers, listeners, target groups and the health of every target.

    \b
    Examples:
      lb status
      lb status --watch
      lb status --json | jq '.target_groups[].targets[].state'
      lb status --ready && echo ready

    \b
    Exit codes: 0 shown (--ready: ready), 1 not ready, 2 wrong usage,
    3 no balancer answers.
    """
    client = ApiClient(api)
    if ready:
        picture = client.get("/_lb/status")
        click.echo("ready" if picture["ready"] else "not ready: " + _why_not(picture), err=not picture["ready"])
        ctx.exit(0 if picture["ready"] else 1)
    if as_json:
        click.echo(json.dumps(client.get("/_lb/status"), indent=2))
    elif watch:
        _watch(client)
    else:
        Console(highlight=False).print(_drawn(client.get("/_lb/status")))


def _watch(client: ApiClient) -> None:
    with Live(_drawn(client.get("/_lb/status")), auto_refresh=False, console=Console(highlight=False)) as live:
        try:
            while True:
                time.sleep(_EVERY_S)
                try:
                    picture = _drawn(client.get("/_lb/status"))
                except NoBalancerError as error:
                    picture = Text(error.message, style="red")
                live.update(picture, refresh=True)
        except KeyboardInterrupt:
            return


def _why_not(picture: dict[str, Any]) -> str:
    counts = [
        f"{group['name']} has {sum(each['state'] == 'healthy' for each in group['targets'])} healthy targets of "
        f"{len(group['targets'])}, {sum(each['state'] == 'initial' for each in group['targets'])} not yet checked"
        for group in picture["target_groups"]
        if group["in_use"]
    ]
    return "; ".join(counts) or "no target group is in use"


def _drawn(picture: dict[str, Any]) -> RenderableType:
    parts: list[RenderableType] = []
    for balancer in picture["load_balancers"]:
        parts.append(Text.assemble((balancer["name"], "bold"), f"  {balancer['state']}  {balancer['dns_name']}"))
        parts += [
            Text(f"  {each['protocol']}:{each['port']} forwards to {each['forward']}") for each in balancer["listeners"]
        ]
    for group in picture["target_groups"]:
        parts += ["", *_group(group)]
    return Group(*parts)


def _group(group: dict[str, Any]) -> list[RenderableType]:
    targets = group["targets"]
    healthy = sum(target["state"] == "healthy" for target in targets)
    check = group["health_check"]
    title = Text.assemble((group["name"], "bold"), f"  {healthy} of {len(targets)} targets healthy")
    if not group["in_use"]:
        title.append("  not in use", "dim")
    lines: list[RenderableType] = [
        title,
        Text(f"  health check: GET {check['path']} every {check['interval_s']:g} s, expects {check['matcher']}", "dim"),
    ]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("  TARGET", "STATE", "REASON", "LAST PROBE"):
        table.add_column(column, overflow="fold")
    for column in ("SERVED", "IN FLIGHT"):
        table.add_column(column, justify="right")
    for target in targets:
        table.add_row(
            f"  {_place(target)}",
            Text(target["state"], _STATE_STYLES.get(target["state"], "")),
            _reason(target),
            _probe(target["last_probe"]),
            str(target["served"]),
            str(target["in_flight"]),
        )
    lines.append(table)
    lines += [Text(f"  ! {note}", "yellow") for note in group["notes"]]
    return lines


def _place(target: dict[str, Any]) -> str:
    name = f"{target['id']}:{target['port']}"
    return name if target["address"] in (None, target["id"]) else f"{name} ({target['address']})"


def _reason(target: dict[str, Any]) -> str:
    parts = [target["reason"], target["description"]]
    text = ": ".join(part for part in parts if part) or "-"
    return f"{text} ({target['counter']})" if target["counter"] else text


def _probe(probe: dict[str, Any] | None) -> str:
    if probe is None:
        return "-"
    what = f"{probe['status']} in {probe['latency_ms']:g} ms" if probe["passed"] else probe["detail"]
    return f"{what}, {probe['seconds_ago']:.0f} s ago"
