"""`lb db check`: can the web server reach the database? Shows what `lb.compute.database` finds, as text or JSON."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

import click

from lb.compute.database import DEFAULT_PORT, DatabaseCheck, DatabaseSettings, check_database
from lb.compute.database_diagnosis import Outcome

# 1 and 2 are left to click (any other error, wrong usage). Scripts rely on these numbers: new outcomes get new ones.
EXIT_CODES: Mapping[Outcome, int] = MappingProxyType(
    {
        Outcome.OK: 0,
        Outcome.WRONG_PASSWORD: 3,
        Outcome.UNKNOWN_DATABASE: 4,
        Outcome.NO_ACCESS: 5,
        Outcome.UNKNOWN_HOST: 6,
        Outcome.REFUSED: 7,
        Outcome.TIMEOUT: 8,
        Outcome.UNREACHABLE: 9,
        Outcome.NO_GREETING: 10,
        Outcome.NOT_MYSQL: 11,
        Outcome.TOO_MANY_CONNECTIONS: 12,
        Outcome.HOST_NOT_ALLOWED: 13,
        Outcome.OTHER: 14,
    }
)

_HELP = f"""Log in to a MySQL or MariaDB server and say what stands in the way.

Prints the server's version, or what happened, the likely cause and the next step.

\b
Examples:
  LB_DB_PASSWORD=secret lb db check --host mysql --user web --database shop
  lb db check --host 10.0.2.15 --port 3307 --user web --json

\b
Exit codes:
{chr(10).join(f"  {code:2}  {outcome}" for outcome, code in EXIT_CODES.items())}
   1  any other error, 2 wrong usage
"""


@click.group()
def db() -> None:
    """Questions about the database behind the web servers."""


@db.command(help=_HELP)
@click.option("--host", required=True, envvar="LB_DB_HOST", show_envvar=True, help="Name or address of the database.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    envvar="LB_DB_PORT",
    show_envvar=True,
    help="Its port.",
)
@click.option("--user", required=True, envvar="LB_DB_USER", show_envvar=True, help="Who logs in.")
@click.option(
    "--password",
    default="",
    envvar="LB_DB_PASSWORD",
    show_envvar=True,
    help="The password. Given here, 'ps' shows it to everyone on this machine: better use the variable.",
)
@click.option("--database", envvar="LB_DB_NAME", show_envvar=True, help="A database to use after the login.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0, 300, min_open=True),
    default=5.0,
    show_default=True,
    help="Seconds for the whole check.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_context
def check(
    context: click.Context,
    host: str,
    port: int,
    user: str,
    password: str,
    database: str | None,
    timeout_s: float,
    as_json: bool,
) -> None:
    settings = DatabaseSettings(host=host, port=port, user=user, password=password, database=database)
    found = asyncio.run(check_database(settings, timeout_s))
    if as_json:
        click.echo(json.dumps(asdict(found) | {"exit_code": EXIT_CODES[found.outcome]}, indent=2))
    elif found.outcome is Outcome.OK:
        click.echo(found.message)
    else:
        click.ClickException(_report(found)).show()
    context.exit(EXIT_CODES[found.outcome])


def _report(found: DatabaseCheck) -> str:
    return (
        f"{found.message}\n  outcome:      {found.outcome}\n  likely cause: {found.cause}"
        f"\n  next step:    {found.next_step}"
    )
