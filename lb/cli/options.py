"""Options that `lb up` and `lb demo` share."""

from pathlib import Path

import click

api_port_option = click.option(
    "--api-port",
    type=click.IntRange(1, 65535),
    default=9000,
    show_default=True,
    help="Port of the API and status page.",
)
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default="lb-data",
    show_default=True,
    help="Folder for what is kept: logs, and the key of sticky cookies.",
)
