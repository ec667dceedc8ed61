"""`lb validate`: checks a configuration file without starting anything."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from lb.configfile.problems import ConfigError
from lb.configfile.reader import load_config
from lb.model.config import Config


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="lb.yaml")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def validate(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Check the configuration FILE (lb.yaml) without starting anything.

    Every problem is one line: file, line, key, what is wrong and what is allowed.

    \b
    Examples:
      lb validate
      lb validate demo/lb.yaml
      lb validate --json lb.yaml | jq '.problems[].message'

    Exit codes: 0 the file is valid, 1 it is not, 2 wrong usage.
    """
    try:
        config = load_config(file)
    except ConfigError as error:
        if as_json:
            problems = [asdict(problem) for problem in error.problems]
            click.echo(json.dumps({"valid": False, "problems": problems, "counts": None}, indent=2))
        else:
            click.echo(str(error), err=True)
        ctx.exit(1)
    counts = _counts(config)
    if as_json:
        click.echo(json.dumps({"valid": True, "problems": [], "counts": counts}, indent=2))
    else:
        click.echo(f"{file}: valid: {', '.join(_counted(key, count) for key, count in counts.items())}")


def _counts(config: Config) -> dict[str, int]:
    """How many there are of each kind; default rules belong to their listeners and are not counted."""
    return {
        "load_balancers": len(config.load_balancers),
        "listeners": sum(len(each.listeners) for each in config.load_balancers),
        "rules": sum(len(listener.rules) - 1 for each in config.load_balancers for listener in each.listeners),
        "target_groups": len(config.target_groups),
        "targets": sum(len(each.targets) for each in config.target_groups),
    }


def _counted(key: str, count: int) -> str:
    words = key.replace("_", " ")
    return f"{count} {words.removesuffix('s') if count == 1 else words}"
