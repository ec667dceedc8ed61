"""`lb export`: the running configuration in a form that makes the same on AWS."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from lb.cli.aws import client_of, one_line_errors, read_all
from lb.cli.options import api_option, region_option
from lb.export import aws_cli, cloudformation, terraform
from lb.export.describe import describe
from lb.export.description import Description

_WRITERS: Final = MappingProxyType(
    {
        "cloudformation": cloudformation.template,
        "terraform": terraform.configuration,
        "aws-cli": aws_cli.script,
    }
)


@click.command()
@click.argument("form", type=click.Choice(list(_WRITERS)))
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write; stdout without.")
@api_option
@region_option
def export(form: str, output: Path | None, api: str, region: str) -> None:
    """Write what a running balancer balances as a CloudFormation template, Terraform configuration or AWS CLI calls.

    What the AWS APIs made is in it, and what its configuration file defines. Subnets, VPCs, security groups,
    certificates, instances and targets on this machine are parameters (variables) with the ids from here as defaults:
    set them to those of your account. What AWS would not take as it is here is changed, and told on standard error and
    in comments.

    \b
    Examples:
      lb export cloudformation -o balancer.yaml
      lb export terraform > main.tf
      lb export aws-cli | bash            # makes it again where AWS_ENDPOINT_URL points

    \b
    Exit codes: 0 written, 1 refused, nothing to export or the file cannot be
    written, 2 wrong usage, 3 no balancer answers.
    """
    with one_line_errors(api):
        description = describe(read_all(client_of("elbv2", api, region)))
    if not (description.load_balancers or description.target_groups):
        raise click.ClickException(f"{region} has no load balancers and no target groups: nothing to export")
    writer: Callable[[Description], str] = _WRITERS[form]
    text = writer(description)
    for note in description.notes:
        click.echo(f"note: {note}", err=True)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{output}: cannot be written: {error.strerror or error}") from error
    click.echo(f"{output}: {_count(description)}")


def _count(description: Description) -> str:
    listeners = [each for balancer in description.load_balancers for each in balancer.listeners]
    counts = {
        "load balancer": len(description.load_balancers),
        "listener": len(listeners),
        "rule": sum(len(each.rules) for each in listeners),
        "target group": len(description.target_groups),
    }
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items())
