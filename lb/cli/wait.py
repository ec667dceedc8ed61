"""`lb wait`: until a balancer answers, a load balancer is active, a target group has healthy targets."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import click
from botocore.client import BaseClient  # type: ignore[import-untyped]

from lb.cli.api_client import ApiClient, NoBalancerError, RefusedError
from lb.cli.aws import client_of, one_line_errors
from lb.cli.options import api_option, region_option

_EVERY_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class _Seen:
    """`reached` tells whether there is nothing left to wait for; `final` whether waiting cannot help."""

    text: str
    reached: bool
    final: bool = False


@click.command()
@click.argument("name", required=False)
@click.option(
    "--healthy",
    type=click.IntRange(min=1),
    help="Wait for so many healthy targets of the target group NAME.  [default: 1]",
)
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0), default=60, show_default=True, metavar="SECONDS")
@api_option
@region_option
@click.option("--json", "as_json", is_flag=True, help="Print how it ended as JSON.")
@click.pass_context
def wait(
    ctx: click.Context, name: str | None, healthy: int | None, timeout_s: float, api: str, region: str, as_json: bool
) -> None:
    """Wait until the balancer answers; with NAME, until that load balancer is active or target group has healthy targets.

    NAME may be made while this waits. What is waited for is told on standard error as it changes.

    \b
    Examples:
      lb wait                         # the balancer answers
      lb wait web                     # the load balancer web is active
      lb wait web-servers --healthy 2 --timeout 30

    \b
    Exit codes: 0 reached, 1 not within the time or a load balancer has failed,
    2 wrong usage, 3 no balancer answered.
    """
    if healthy is not None and name is None:
        raise click.UsageError("--healthy goes with the NAME of a target group")
    look = _answers(api) if name is None else _named(api, region, name, healthy)
    seen = _watch(look, timeout_s, quiet=as_json)
    if as_json:
        click.echo(json.dumps({"name": name, "reached": seen.reached, "state": seen.text}))
    elif seen.reached:
        click.echo(seen.text)
    else:
        how = "" if seen.final else f"not within {timeout_s:g} s: "
        raise click.ClickException(how + seen.text)
    ctx.exit(0 if seen.reached else 1)


def _watch(look: Callable[[], _Seen], timeout_s: float, *, quiet: bool) -> _Seen:
    """Looks again and again. Raises NoBalancerError where none has answered in the end."""
    deadline = time.monotonic() + timeout_s
    told = ""
    while True:
        seen: _Seen | NoBalancerError
        try:
            seen = look()
        except NoBalancerError as error:
            seen = error
        if isinstance(seen, _Seen) and (seen.reached or seen.final):
            return seen
        if time.monotonic() >= deadline:
            if isinstance(seen, NoBalancerError):
                raise seen
            return seen
        text = seen.text if isinstance(seen, _Seen) else seen.message
        if text != told and not quiet:
            click.echo(text, err=True)
        told = text
        time.sleep(min(_EVERY_S, max(0.0, deadline - time.monotonic())))


def _answers(api: str) -> Callable[[], _Seen]:
    client = ApiClient(api)

    def look() -> _Seen:
        try:
            client.get("/_lb/status")
        except RefusedError as error:
            raise NoBalancerError(f"what answers at {api} is not a balancer's API: name it with --api") from error
        return _Seen(f"the balancer at {api} answers", reached=True)

    return look


def _named(api: str, region: str, name: str, healthy: int | None) -> Callable[[], _Seen]:
    client = client_of("elbv2", api, region)

    def look() -> _Seen:
        with one_line_errors(api):
            balancer = _load_balancer(client, name) if healthy is None else None
            group = _target_group(client, name, healthy or 1)
        found = [each for each in (balancer, group) if each is not None]
        if not found:
            kinds = "load balancer or target group" if healthy is None else "target group"
            return _Seen(f"no {kinds} is called '{name}' in {region}", reached=False)
        return _Seen(
            "; ".join(each.text for each in found),
            reached=all(each.reached for each in found),
            final=any(each.final for each in found),
        )

    return look


def _load_balancer(client: BaseClient, name: str) -> _Seen | None:
    try:
        (found,) = client.describe_load_balancers(Names=[name])["LoadBalancers"]
    except client.exceptions.LoadBalancerNotFoundException:
        return None
    state = found["State"]
    code, reason = state["Code"], state.get("Reason", "")
    text = f"load balancer {name}: {code}" + (f" ({reason})" if reason else "")
    return _Seen(text, reached=code == "active", final=code == "failed")


def _target_group(client: BaseClient, name: str, wanted: int) -> _Seen | None:
    try:
        (found,) = client.describe_target_groups(Names=[name])["TargetGroups"]
    except client.exceptions.TargetGroupNotFoundException:
        return None
    described = client.describe_target_health(TargetGroupArn=found["TargetGroupArn"])["TargetHealthDescriptions"]
    states = [each["TargetHealth"]["State"] for each in described]
    healthy = states.count("healthy")
    reasons = sorted({each["TargetHealth"].get("Description", "") for each in described} - {""})
    text = f"target group {name}: {healthy} of {len(states)} targets healthy, {wanted} wanted"
    return _Seen(text + "".join(f"; {reason}" for reason in reasons), reached=healthy >= wanted)
