"""Options and environment variables that `lb up` and `lb demo` share."""

import os
from pathlib import Path

import click

from lb.compute.database import settings_from_environment

api_port_option = click.option(
    "--api-port",
    type=click.IntRange(1, 65535),
    default=9000,
    show_default=True,
    help="Port of the AWS APIs and the console.",
)
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default="lb-data",
    show_default=True,
    help="Folder for what is kept: resources of the AWS APIs, instances, logs, and the key of sticky cookies.",
)
store_option = click.option(
    "--store",
    default="sqlite",
    show_default=True,
    help="Where resources of the AWS APIs are kept: sqlite (in the data folder), memory, or mysql://USER:PASSWORD@HOST:PORT/DB.",
)


def access_keys() -> dict[str, str]:
    """Secret keys by access key, from LB_ACCESS_KEYS. Raises click.ClickException."""
    keys = {}
    for pair in filter(None, os.environ.get("LB_ACCESS_KEYS", "").split(",")):
        access_key, colon, secret = pair.strip().partition(":")
        if not (access_key and colon and secret):
            raise click.ClickException("LB_ACCESS_KEYS must be ID:SECRET, several with commas between them")
        keys[access_key] = secret
    return keys


def database_endpoint() -> tuple[str, int] | None:
    """Host and port of LB_DB_HOST and LB_DB_PORT, None without. Raises click.ClickException."""
    try:
        database = settings_from_environment(os.environ)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    return (database.host, database.port) if database is not None else None
