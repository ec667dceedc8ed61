"""`lb explain`: why a request would go where it goes."""

import ipaddress
import json
import random
from pathlib import Path
from time import monotonic, time
from typing import Any, Final
from urllib.parse import quote, urlsplit

import click

from lb.cli.api_client import ApiClient
from lb.cli.options import api_option
from lb.cli.walk_text import walk_text
from lb.configfile.problems import ConfigError
from lb.configfile.reader import load_config
from lb.observe.explain import Question, Situation
from lb.observe.explain import explain as explain_request
from lb.routing.plan import ListenerPlan, Plan, PlanError, compile_plan
from lb.routing.weights import GroupChoice
from lb.targets.groups import GroupPicker
from lb.targets.roster import Roster
from lb.targets.sealing import KEY_BYTES, NONCE_BYTES, Sealer

Json = dict[str, Any]
_VISIBLE: Final = "".join(map(chr, range(0x21, 0x7F)))


@click.command()
@click.argument("method")
@click.argument("url")
@click.option("-H", "--header", "headers", multiple=True, help="A request header, 'Name: value'; may be repeated.")
@click.option("--from", "client_ip", default="127.0.0.1", show_default=True, help="The client's address.")
@click.option("--config", type=click.Path(path_type=Path), help="Ask this lb.yaml instead of a running balancer.")
@api_option
@click.option("--json", "as_json", is_flag=True, help="Print the walk as JSON.")
def explain(
    method: str, url: str, headers: tuple[str, ...], client_ip: str, config: Path | None, api: str, as_json: bool
) -> None:
    """Tell why a request would go where it goes: every rule and condition, the group, the targets, the headers.

    The port of the URL names the listener (http: 80). Nothing is sent to a target, and nothing is counted.

    \b
    Examples:
      lb explain GET http://127.0.0.1:8080/cart?x=1
      lb explain GET http://shop.example:8080/ -H 'Cookie: AWSALB=...' --from 203.0.113.9
      lb explain POST http://shop.example:8080/api --config lb.yaml --json

    \b
    Exit codes: 0 explained, 1 not possible, 2 wrong usage,
    3 no balancer answers.
    """
    try:
        ipaddress.ip_address(client_ip)
    except ValueError as error:
        raise click.BadParameter(f"'{client_ip}' is not an IP address", param_hint="'--from'") from error
    port, head = request_of(method, url, headers)
    if config is None:
        told = ApiClient(api).post("/_lb/explain", {"port": port, "head": head, "client_ip": client_ip})
    else:
        told = _from_file(config, port, Question(head.encode("latin-1", "replace"), client_ip))
    click.echo(json.dumps(told, indent=2) if as_json else "\n".join(walk_text(told)))


def request_of(method: str, url: str, headers: tuple[str, ...]) -> tuple[int, str]:
    """The listener's port and the head of the request that a client would send. Raises click.BadParameter."""
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError as error:
        raise click.BadParameter(f"'{url}' is not a URL: {error}", param_hint="'URL'") from error
    if parts.scheme != "http" or not parts.hostname:
        raise click.BadParameter(f"'{url}' must begin with http:// and a host", param_hint="'URL'")
    if wrong := [header for header in headers if ":" not in header]:
        raise click.BadParameter(f"'{wrong[0]}' must be 'Name: value'", param_hint="'--header'")
    # As a browser would send it: letters outside ASCII percent-encoded.
    path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_VISIBLE)
    lines = [f"{method} {path} HTTP/1.1"]
    if not any(header.lower().startswith("host:") for header in headers):
        lines.append(f"Host: {parts.netloc}")
    return port, "\r\n".join((*lines, *headers)) + "\r\n\r\n"


def _from_file(path: Path, port: int, question: Question) -> Json:
    try:
        plan = compile_plan(load_config(path), {})
    except (ConfigError, PlanError) as error:
        raise click.ClickException(str(error)) from error
    listener = next((each for each in plan.listeners if each.port == port), None)
    if listener is None:
        known = ", ".join(str(each.port) for each in plan.listeners)
        raise click.ClickException(f"no listener of {path} has port {port}; there are {known}")
    return explain_request(listener, question, unstarted(plan, listener))


def unstarted(plan: Plan, listener: ListenerPlan) -> Situation:
    """A balancer that has just been started: no target has been checked yet, and no cookie is known."""
    # Chooses among weighted groups for one explanation.
    rng = random.Random()  # noqa: S311
    sealer = Sealer(bytes(KEY_BYTES), lambda: rng.randbytes(NONCE_BYTES))
    now = monotonic()
    rosters = {}
    for group in plan.groups:
        rosters[group.arn] = roster = Roster(group.arn, sealer, rng)
        roster.reconcile(group, now)

    def picker(action: GroupChoice) -> GroupPicker:
        return GroupPicker(action, listener.load_balancer_arn, sealer)

    return Situation(rosters, picker, now, time(), rng.random())
