"""`lb doctor`: asks every target what health checks and kept connections need of it."""

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any, Final

import click

from lb.cli.api_client import DEFAULT_API, ApiClient
from lb.cli.invalid_file import InvalidFileError
from lb.configfile.problems import ConfigError
from lb.configfile.reader import load_config
from lb.health.doctor import Diagnosis, Patient, Visit, examine
from lb.model import attributes
from lb.model.attributes import Scope
from lb.model.config import Config, HealthCheck, Target
from lb.model.matcher import parse_matcher
from lb.model.rules import Forward, HostHeader
from lb.net.tasks import Tasks

Json = dict[str, Any]
_IDLE_TIMEOUT: Final = "idle_timeout.timeout_seconds"
_TICK_S: Final = 1.0


class NothingToExamineError(click.ClickException):
    """There is no target in use."""

    exit_code = 2


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Examine the targets of this lb.yaml.")
@click.option(
    "--api", default=DEFAULT_API, envvar="LB_API", show_envvar=True, show_default=True, help="Or a balancer's."
)
@click.option("--host", "hosts", multiple=True, help="A host name that clients use; may be repeated.")
@click.option(
    "--wait", type=click.FloatRange(0, 4000), default=8.0, show_default=True, help="Seconds to watch a connection."
)
@click.option("--json", "as_json", is_flag=True, help="Print the diagnoses as JSON.")
@click.pass_context
def doctor(
    ctx: click.Context, config: Path | None, api: str, hosts: tuple[str, ...], wait: float, as_json: bool
) -> None:
    """Probe every target for what leads to unhealthy targets and to 502 answers.

    Can it be reached? Does it answer the health check, and does it matter by which Host it is asked? Does it redirect the
    health check? Does it close idle keep-alive connections earlier than the balancer? Each target gets a handful of
    requests for its health check path, all targets at once.

    Host names to compare with are those of --host, or of the host-header conditions in the file.

    \b
    Examples:
      lb doctor
      lb doctor --config lb.yaml --host shop.example
      lb doctor --wait 65 --json

    \b
    Exit codes: 0 nothing found, 1 findings, 2 wrong usage, not a valid
    file or no targets, 3 no balancer answers.
    """
    if config is not None:
        patients, idle_s = _from_file(config, hosts)
    else:
        patients, idle_s = _from_balancer(ApiClient(api), hosts)
    if not patients:
        raise NothingToExamineError("there are no targets to examine: no target group that a rule uses has any")
    diagnoses = asyncio.run(_with_progress(examine(patients, Visit(idle_s, wait)), len(patients), wait))
    found = sum(len(each.findings) for each in diagnoses)
    if as_json:
        told = {"idle_timeout_s": idle_s, "wait_s": wait, "targets": [asdict(each) for each in diagnoses]}
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo("\n".join(line for each in diagnoses for line in _text(each)))
        click.echo(f"{_counted(len(diagnoses), 'target')} examined, {_counted(found, 'finding')}")
    ctx.exit(1 if found else 0)


def _text(diagnosis: Diagnosis) -> Iterator[str]:
    yield f"{diagnosis.group} {diagnosis.target}"
    yield from (f"  FOUND {finding.message}" for finding in diagnosis.findings)
    yield from (f"  ok    {note}" for note in diagnosis.notes)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


async def _with_progress(work: Coroutine[Any, Any, list[Diagnosis]], count: int, wait_s: float) -> list[Diagnosis]:
    """Says on standard error what takes so long; counts the seconds where that is a terminal."""
    begun = monotonic()
    watching = f"examining {_counted(count, 'target')}; idle connections are watched for up to {wait_s:g} s"
    moving = sys.stderr.isatty()
    if not moving:
        click.echo(watching, err=True)

    async def tell() -> None:
        while moving:
            click.echo(f"\r{watching}: {monotonic() - begun:.0f} s", err=True, nl=False)
            await asyncio.sleep(_TICK_S)

    tasks = Tasks()
    tasks.spawn(tell(), name="progress")
    try:
        return await work
    finally:
        await tasks.close()
        if moving:
            click.echo(f"\r{' ' * (len(watching) + 10)}\r", err=True, nl=False)


# Whom to examine


def _from_file(path: Path, hosts: tuple[str, ...]) -> tuple[list[Patient], int]:
    """The targets of the groups that rules use, and the longest idle timeout, which is that of target connections."""
    try:
        config = load_config(path)
    except ConfigError as error:
        raise InvalidFileError(str(error)) from error
    named = _hosts_by_group(config)
    patients = [
        Patient(group.name, target, None, group.health_check, hosts or tuple(named[group.arn]))
        for group in config.target_groups
        if group.arn in named
        for target in group.targets
    ]
    idle_s = max(
        attributes.seconds_of(Scope.LOAD_BALANCER, each.attributes, _IDLE_TIMEOUT) for each in config.load_balancers
    )
    return patients, idle_s


def _hosts_by_group(config: Config) -> dict[str, dict[str, None]]:
    """The host names without wildcards in the conditions of the rules that forward to a group, in order."""
    found: dict[str, dict[str, None]] = {}
    for balancer in config.load_balancers:
        for rule in (rule for listener in balancer.listeners for rule in listener.rules):
            if not isinstance(rule.action, Forward):
                continue
            hosts = [
                value
                for condition in rule.conditions
                if isinstance(condition, HostHeader)
                for value in condition.values
                if "*" not in value and "?" not in value
            ]
            for group in rule.action.target_groups:
                found.setdefault(group.arn, {}).update(dict.fromkeys(hosts))
    return found


def _from_balancer(api: ApiClient, hosts: tuple[str, ...]) -> tuple[list[Patient], int]:
    """The same of a running balancer."""
    picture = api.get("/_lb/status")
    patients = [
        Patient(
            group["name"],
            Target(target["id"], target["port"]),
            target["address"],
            _check(group["health_check"]),
            hosts,
        )
        for group in picture["target_groups"]
        if group["in_use"]
        for target in group["targets"]
    ]
    return patients, max((each["idle_timeout_s"] for each in picture["load_balancers"]), default=0)


def _check(told: Json) -> HealthCheck:
    return HealthCheck(
        path=told["path"],
        interval_s=told["interval_s"],
        timeout_s=told["timeout_s"],
        healthy_threshold=told["healthy_threshold"],
        unhealthy_threshold=told["unhealthy_threshold"],
        matcher=parse_matcher(told["matcher"]),
        port=None if told["port"] == "traffic-port" else told["port"],
    )
