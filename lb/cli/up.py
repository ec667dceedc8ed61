"""`lb up`: a balancer from a configuration file."""

import os
import signal
from pathlib import Path

import click

from lb.app import App
from lb.cli.options import access_keys, api_port_option, data_option, store_option
from lb.cli.running import Reloader, make_app, run, say, start_or_explain, stop_signal
from lb.compute.database import settings_from_environment
from lb.configfile.problems import ConfigError
from lb.configfile.reader import load_config
from lb.model.config import Config
from lb.settings import Settings

_DEFAULT_FILE = Path("lb.yaml")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that listeners bind.")
@click.option("--api-host", default="127.0.0.1", show_default=True, help="Address of the AWS APIs and the console.")
@api_port_option
@data_option
@store_option
@click.option("--zone", help="Availability Zone that this node stands in, for target groups with cross-zone off.")
@click.option(
    "--security-groups/--no-security-groups",
    default=True,
    show_default=True,
    help="Whether the security groups of API-made resources keep anybody out.",
)
@click.option(
    "--docker",
    type=click.Path(path_type=Path),
    help="Socket of a Docker engine whose containers with the label lb.target-group=NAME become instances.",
)
@click.option("--watch", is_flag=True, help="Apply the file again whenever it changes.")
def up(
    file: Path | None,
    host: str,
    api_host: str,
    api_port: int,
    data: Path,
    store: str,
    zone: str | None,
    security_groups: bool,
    docker: Path | None,
    watch: bool,
) -> None:
    """Run load balancers until Ctrl-C: those of the configuration FILE, and those made with the AWS APIs.

    FILE is lb.yaml where there is one, and may be missing: then everything is made with the APIs (lb env prints how to
    point the AWS CLI here). SIGHUP applies the file again without dropping a request; a file with errors changes nothing
    and is reported.

    With LB_ACCESS_KEYS=ID:SECRET[,ID:SECRET...] in the environment, calls of the AWS APIs must be signed with one of the
    keys. LB_DB_HOST and LB_DB_PORT name the MySQL server that is the endpoint of RDS instances.

    \b
    Examples:
      lb up
      lb up shop.yaml --watch
      lb up --api-port 9001 --data /tmp/shop --store memory

    \b
    Exit codes: 0 ended by Ctrl-C or SIGTERM, 1 the file, a port or the store
    cannot be used, 2 wrong usage.
    """
    if file is None and _DEFAULT_FILE.exists():
        file = _DEFAULT_FILE
    try:
        config = load_config(file) if file is not None else Config()
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(1) from error
    settings = Settings(
        host=host,
        api_host=api_host,
        api_port=api_port,
        data_dir=data,
        zone=zone,
        store=store,
        security_groups=security_groups,
        access_keys=access_keys(),
        database=_database_endpoint(),
        docker_socket=docker,
    )
    run(_up(settings, config, file, watch=watch))


def _database_endpoint() -> tuple[str, int] | None:
    """Host and port of LB_DB_HOST and LB_DB_PORT, None without. Raises click.ClickException."""
    try:
        database = settings_from_environment(os.environ)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    return (database.host, database.port) if database is not None else None


async def _up(settings: Settings, config: Config, file: Path | None, *, watch: bool) -> None:
    def flag(port: int) -> str:
        if port == settings.api_port:
            return "choose another with --api-port, or another address with --api-host"
        return f"choose another in {file}, or another address with --host"

    # Until the configuration can be reloaded, a request to do so must not end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    async with stop_signal() as stop:
        app = make_app(settings)
        await start_or_explain(lambda: app.start(config), app, flag=flag)
        reloader = Reloader(app, file) if file is not None else None
        if reloader is not None:
            reloader.start(watch=watch)
        _announce(settings, app)
        await stop.wait()
        say("lb: ending")
        if reloader is not None:
            await reloader.close()
        await app.close()


def _announce(settings: Settings, app: App) -> None:
    for balancer in app.control.config.load_balancers:
        for listener in balancer.listeners:
            port = app.ports.bound_port(listener.port)
            if port is None:
                say(f"lb: {balancer.name} does not listen: {app.ports.failure(listener.port)}")
                continue
            moved = f" (only root may have port {listener.port})" if port != listener.port else ""
            say(f"lb: {balancer.name} listens on http://{settings.host}:{port}{moved}")
    say(f"lb: AWS APIs and console on http://{settings.api_host}:{settings.api_port}")
    say(f"lb: access log in {settings.data_dir / 'logs' / 'access.log'}")
