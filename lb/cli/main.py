"""The `lb` command."""

import click

from lb import __version__
from lb.cli.db import db
from lb.cli.demo import demo
from lb.cli.doctor import doctor
from lb.cli.env import env
from lb.cli.explain import explain
from lb.cli.export import export
from lb.cli.import_ import import_
from lb.cli.lesson import lesson
from lb.cli.lint import lint
from lb.cli.server import server
from lb.cli.status import status
from lb.cli.test import test
from lb.cli.top import top
from lb.cli.up import up
from lb.cli.validate import validate
from lb.cli.wait import wait
from lb.cli.why import why


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lb")
def main() -> None:
    """A software Application Load Balancer: ELB's behaviour on this machine, offline.

    \b
    Examples:
      lb demo                   two web servers, a balancer and its console
      lb up lb.yaml             a balancer from a configuration file
      lb status --watch         what runs, and how healthy it is
      lb top                    what it is doing: rates, shares, latencies, errors
      lb explain GET http://127.0.0.1:8080/cart   why a request goes where it goes
      lb why 1-67891233-abcdef012345678912345678  why one went where it went, and failed
    """


for command in (
    demo,
    up,
    validate,
    lint,
    test,
    status,
    top,
    explain,
    why,
    doctor,
    server,
    db,
    lesson,
    env,
    wait,
    export,
    import_,
):
    main.add_command(command)

if __name__ == "__main__":
    main()
