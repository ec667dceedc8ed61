"""`lb env`: what makes the AWS CLI, boto3 and their like talk to a local balancer."""

import json
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

import click

from lb.cli.options import api_option, credentials
from lb.model.names import DEFAULT_REGION

Write = Callable[[str, str], str]


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _powershell_quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


# Shell to how it sets a variable, and how it forgets one.
_SHELLS: Final[Mapping[str, tuple[Write, Callable[[str], str]]]] = MappingProxyType(
    {
        "bash": (lambda name, text: f"export {name}={shlex.quote(text)}", lambda name: f"unset {name}"),
        "fish": (lambda name, text: f"set -gx {name} {_fish_quoted(text)}", lambda name: f"set -e {name}"),
        "powershell": (
            lambda name, text: f"$Env:{name} = {_powershell_quoted(text)}",
            lambda name: f"Remove-Item -ErrorAction SilentlyContinue Env:{name}",
        ),
    }
)


@click.command()
@api_option
@click.option("--region", default=DEFAULT_REGION, show_default=True, help="Region to work in.")
@click.option(
    "--shell",
    type=click.Choice(list(_SHELLS)),
    help="Whose words to write; bash is also zsh and sh.  [default: by $SHELL]",
)
@click.option("--unset", is_flag=True, help="Write what takes the variables away again.")
@click.option("--json", "as_json", is_flag=True, help="Print the variables as JSON.")
def env(api: str, region: str, shell: str | None, unset: bool, as_json: bool) -> None:
    """Print the variables that point the AWS CLI and the SDKs at a local balancer.

    They are AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_DEFAULT_REGION. The keys are the first
    of LB_ACCESS_KEYS where that is set; otherwise the balancer takes any.

    \b
    Examples:
      eval "$(lb env)"                      # bash, zsh
      lb env --shell fish | source
      lb env --shell powershell | Out-String | Invoke-Expression
      eval "$(lb env --unset)"

    Exit codes: 0 printed, 1 LB_ACCESS_KEYS cannot be read, 2 wrong usage.
    """
    if unset and as_json:
        raise click.UsageError("--unset writes for a shell: it does not go with --json")
    if not api.startswith(("http://", "https://")):
        raise click.BadParameter(f"'{api}' is not an address such as http://127.0.0.1:9000", param_hint="'--api'")
    access_key, secret_key = credentials()
    variables = {
        "AWS_ENDPOINT_URL": api.rstrip("/"),
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_DEFAULT_REGION": region,
    }
    if as_json:
        click.echo(json.dumps(variables, indent=2))
        return
    put, forget = _SHELLS[shell or _shell_of_user()]
    for name, text in variables.items():
        click.echo(forget(name) if unset else put(name, text))


def _shell_of_user() -> str:
    return "fish" if PurePath(os.environ.get("SHELL", "")).name == "fish" else "bash"
