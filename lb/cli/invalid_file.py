"""What commands that read a file say where it is not usable."""

import click


class InvalidFileError(click.ClickException):
    """The file is not valid; the exit code is that of wrong usage."""

    exit_code = 2
