"""The `lb` command."""

from types import MappingProxyType
from typing import Final

import click

from lb import __version__
from lb.cli.lazy_group import LazyGroup

_SUMMARIES: Final = MappingProxyType(
    {
        "db": "Check the database behind the web servers.",
        "demo": "Start two web servers and a load balancer in front of them.",
        "doctor": "Probe targets for what makes them unhealthy or leads to 502 answers.",
        "env": "Print what points the AWS CLI and the SDKs at a local balancer.",
        "explain": "Tell why a request would go where it goes.",
        "export": "Write what runs as CloudFormation, Terraform or AWS CLI calls.",
        "import": "Bring up load balancers of AWS here, from what 'aws' prints.",
        "lesson": "Learn load balancing step by step, on a running 'lb up'.",
        "lint": "Look for what is valid in lb.yaml and yet cannot be meant.",
        "server": "List, stop, start, kill and break the demo's web servers.",
        "status": "Show what runs, and the health of every target.",
        "test": "Check that the requests of a table go where they should.",
        "top": "Show what the balancer is doing, until Ctrl-C.",
        "up": "Run load balancers: those of lb.yaml and those of the AWS APIs.",
        "validate": "Check lb.yaml without starting anything.",
        "wait": "Wait until the balancer answers, or a resource is ready.",
        "why": "Tell why a request that has happened went where it went.",
    }
)


@click.group(cls=LazyGroup, summaries=_SUMMARIES, context_settings={"help_option_names": ["-h", "--help"]})
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


if __name__ == "__main__":
    main()
