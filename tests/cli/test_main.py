"""The command `lb` itself: what its help lists, and that help and light commands import nothing heavy."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

import lb.cli
from lb.cli.main import main

_HEAVY = ("lb.app", "botocore", "starlette", "uvicorn", "asyncmy")


def test_every_listed_command_can_be_run() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help


def test_every_command_is_listed() -> None:
    folder = Path(lb.cli.__file__).parent
    commands = {path.stem.rstrip("_") for path in folder.glob("*.py") if "@click.command(" in path.read_text()}
    groups = {path.stem for path in folder.glob("*.py") if "@click.group()" in path.read_text()}
    assert len(commands) > 10
    assert set(main.list_commands(click.Context(main))) == commands | groups


@pytest.mark.parametrize(
    "arguments", [["--help"], ["validate", "--help"], ["status", "--help"], ["env", "--help"], ["why", "--help"]]
)
def test_a_light_command_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom lb.cli.main import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        f"print('imported:', [name for name in {_HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.endswith("imported: []\n")


def test_an_unknown_command_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lb.cli.main", "nothing"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "Error: No such command 'nothing'."
