"""Options and environment variables that several commands share."""

import os
from pathlib import Path
from typing import Final

import click

from lb.cli.api_client import DEFAULT_API
from lb.model.names import DEFAULT_REGION

api_option = click.option(
    "--api", default=DEFAULT_API, envvar="LB_API", show_envvar=True, show_default=True, help="Its API."
)
region_option = click.option(
    "--region",
    default=DEFAULT_REGION,
    envvar="AWS_DEFAULT_REGION",
    show_envvar=True,
    show_default=True,
    help="Region of the resources; those of a configuration file are in the default.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
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
# What any credentials are where the balancer checks none.
_ANY_KEYS: Final = ("local", "local")


def access_keys() -> dict[str, str]:
    """Secret keys by access key, from LB_ACCESS_KEYS. Raises click.ClickException."""
    keys = {}
    for pair in filter(None, os.environ.get("LB_ACCESS_KEYS", "").split(",")):
        access_key, colon, secret = pair.strip().partition(":")
        if not (access_key and colon and secret):
            raise click.ClickException("LB_ACCESS_KEYS must be ID:SECRET, several with commas between them")
        keys[access_key] = secret
    return keys


def credentials() -> tuple[str, str]:
    """Access key and secret key: the first of LB_ACCESS_KEYS, or some. Raises click.ClickException."""
    return next(iter(access_keys().items()), _ANY_KEYS)
