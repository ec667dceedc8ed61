"""`lb demo`: two web servers, a balancer in front of them, and what to try."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path
from time import monotonic

import click

from lb.app import App
from lb.cli.options import api_port_option, data_option
from lb.cli.running import make_app, run, say, start_or_explain, stop_signal
from lb.compute.api import server_routes
from lb.compute.servers import EmbeddedServers, ServerError, ServerSpec
from lb.configfile.reader import load_config
from lb.model.config import Config, Target
from lb.settings import Settings

_READY_WITHIN_S = 5.0
_FILE = Path(__file__).parent.parent / "demo" / "lb.yaml"


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65533),
    default=8080,
    show_default=True,
    help="Port of the balancer; its web servers take the next two.",
)
@api_port_option
@data_option
def demo(port: int, api_port: int, data: Path) -> None:
    """Start two web servers and a load balancer in front of them, until Ctrl-C.

    \b
    Examples:
      lb demo
      lb demo --port 8090 --api-port 9001

    \b
    Exit codes: 0 ended by Ctrl-C or SIGTERM, 1 a port is taken or a web
    server did not start, 2 wrong usage.
    """
    config = _moved(load_config(_FILE), port)
    run(_demo(Settings(api_port=api_port, data_dir=data), config, port))


def _moved(config: Config, port: int) -> Config:
    """The shipped configuration with its ports moved so that the listener has `port`."""
    (balancer,) = config.load_balancers
    (listener,) = balancer.listeners
    (group,) = config.target_groups
    by = port - listener.port
    return replace(
        config,
        load_balancers=(replace(balancer, listeners=(replace(listener, port=port),)),),
        target_groups=(replace(group, targets=tuple(Target(each.id, each.port + by) for each in group.targets)),),
    )


async def _demo(settings: Settings, config: Config, port: int) -> None:
    targets = config.target_groups[0].targets
    servers = EmbeddedServers(
        ServerSpec(number, target.port, target.id) for number, target in enumerate(targets, start=1)
    )
    app = make_app(settings)
    app.faults.add_demo(servers)

    def flag(taken: int) -> str:
        return f"choose another with {'--api-port' if taken == settings.api_port else '--port'}"

    # A terminal that is closed ends the demo too.
    async with stop_signal(signal.SIGHUP) as stop:
        try:
            try:
                await servers.start_all()
            except ServerError as error:
                await app.close()
                raise click.ClickException(f"{error}; choose other ports with --port") from error
            await start_or_explain(lambda: app.start(config, server_routes(servers)), app, flag=flag)
            await _until_ready(app, stop)
            _announce(settings, targets, port)
            await stop.wait()
            say("\nlb: ending")
            await app.close()
        finally:
            await servers.close()


async def _until_ready(app: App, stop: asyncio.Event) -> None:
    """Waits for the first health checks, so that the first page that is asked for alternates already."""
    deadline = monotonic() + _READY_WITHIN_S
    while not (app.status()["ready"] or stop.is_set()) and monotonic() < deadline:  # noqa: ASYNC110 - a picture, not an event
        await asyncio.sleep(0.05)


def _announce(settings: Settings, targets: tuple[Target, ...], port: int) -> None:
    api = f" --api http://127.0.0.1:{settings.api_port}" if settings.api_port != 9000 else ""
    click.echo(f"  Load balancer   http://127.0.0.1:{port}")
    click.echo(f"  Console         http://127.0.0.1:{settings.api_port}")
    for number, target in enumerate(targets, start=1):
        click.echo(f"  Web Server {number}    http://{target}")
    click.echo(f"  Access log      {settings.data_dir / 'logs' / 'access.log'}")
    click.echo()
    click.echo("Open the load balancer and refresh: Web Server 1, Web Server 2, Web Server 1, ...")
    click.echo("In a second terminal:")
    click.echo(f"  for i in 1 2 3 4; do curl -s http://127.0.0.1:{port}/; echo; done")
    click.echo(f"  lb server stop 1{api}     then refresh, and watch: lb status --watch{api}")
    click.echo(f"  lb server start 1{api}")
    click.echo("Ctrl-C ends everything.")
