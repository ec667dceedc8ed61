"""`lb lint`: what is allowed in a configuration file and yet cannot be meant."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from lb.cli.invalid_file import InvalidFileError
from lb.configfile.problems import ConfigError
from lb.configfile.reader import load_config
from lb.routing.lint import CODES
from lb.routing.lint import lint as lint_config
from lb.routing.plan import PlanError


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="lb.yaml")
@click.option(
    "--ignore",
    "ignored",
    metavar="CODE",
    multiple=True,
    type=click.Choice(CODES),
    help="Leave out a kind of finding, by its code in --json; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def lint(ctx: click.Context, file: Path, ignored: tuple[str, ...], as_json: bool) -> None:
    """Look for what is valid in FILE (lb.yaml) and yet cannot be meant.

    Rules that are never reached, redirects in a circle, weights that are all 0, a health check path that is a directory,
    timeouts in the wrong order, a target listed twice, target groups that nothing uses, zones that do not meet. Every
    finding is one line, and holds for certain. Rules whose wildcards would take too long to compare are named on
    standard error, and are no findings. Nothing is started.

    \b
    Examples:
      lb lint
      lb lint prod.yaml --ignore deregistration-delay
      lb lint --json lb.yaml | jq '.findings[].code'

    Exit codes: 0 no findings, 1 findings, 2 wrong usage or not a valid file (see 'lb validate').
    """
    try:
        report = lint_config(load_config(file))
    except (ConfigError, PlanError) as error:
        raise InvalidFileError(str(error)) from error
    findings = [finding for finding in report.findings if finding.code not in ignored]
    if as_json:
        told = {
            "file": str(file),
            "findings": [asdict(each) for each in findings],
            "undecided": [*report.undecided],
        }
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo("\n".join(f"{file}: {each}" for each in findings) or f"{file}: no findings")
        for where in report.undecided:
            click.echo(
                f"{file}: {where}: not decided whether the rules before it leave anything of it: its wildcards and"
                " theirs would take too long to compare",
                err=True,
            )
    ctx.exit(1 if findings else 0)
