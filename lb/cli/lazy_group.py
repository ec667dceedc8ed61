"""A group of commands that imports a command when it runs: `lb validate` does not pay for the AWS APIs of `lb up`."""

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click


class LazyGroup(click.Group):
    """`summaries` has a line of help for each command: NAME of `lb.cli.NAME`, with a `_` behind a word that is Python's."""

    def __init__(self, *, summaries: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self._summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """click: the names, in the order of the help."""
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """click: the command of this name, None where there is none."""
        if cmd_name not in self._summaries:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(import_module(f"lb.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """click: the list in the help, which click would import every command for."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))
