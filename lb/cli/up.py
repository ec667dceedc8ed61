"""`lb up`: a balancer from a configuration file."""

import signal
from pathlib import Path

import click

from lb.cli.options import api_port_option, data_option
from lb.cli.running import Reloader, make_app, run, say, start_or_explain, stop_signal
from lb.configfile.problems import ConfigError
from lb.configfile.reader import load_config
from lb.model.config import Config
from lb.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="lb.yaml")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that listeners bind.")
@click.option("--api-host", default="127.0.0.1", show_default=True, help="Address of the API and status page.")
@api_port_option
@data_option
@click.option("--zone", help="Availability Zone that this node stands in, for target groups with cross-zone off.")
@click.option("--watch", is_flag=True, help="Apply the file again whenever it changes.")
def up(file: Path, host: str, api_host: str, api_port: int, data: Path, zone: str | None, watch: bool) -> None:
    """Run the load balancers of the configuration FILE (lb.yaml) until Ctrl-C.

    SIGHUP applies the file again without dropping a request; a file with errors changes nothing and is reported.

    \b
    Examples:
      lb up
      lb up shop.yaml --watch
      lb up shop.yaml --api-port 9001 --data /tmp/shop

    \b
    Exit codes: 0 ended by Ctrl-C or SIGTERM, 1 the file or a port cannot be
    used, 2 wrong usage.
    """
    try:
        config = load_config(file)
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(1) from error
    settings = Settings(host=host, api_host=api_host, api_port=api_port, data_dir=data, zone=zone)
    run(_up(settings, config, file, watch=watch))


async def _up(settings: Settings, config: Config, file: Path, *, watch: bool) -> None:
    def flag(port: int) -> str:
        if port == settings.api_port:
            return "choose another with --api-port, or another address with --api-host"
        return f"choose another in {file}, or another address with --host"

    # Until the configuration can be reloaded, a request to do so must not end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    async with stop_signal() as stop:
        app = make_app(settings)
        reloader = Reloader(app, file)
        await start_or_explain(lambda: app.start(config), app, flag=flag)
        reloader.start(watch=watch)
        _announce(settings, config)
        await stop.wait()
        say("lb: ending")
        await reloader.close()
        await app.close()


def _announce(settings: Settings, config: Config) -> None:
    for balancer in config.load_balancers:
        for listener in balancer.listeners:
            say(f"lb: {balancer.name} listens on http://{settings.host}:{listener.port}")
    say(f"lb: API and status page on http://{settings.api_host}:{settings.api_port}")
    say(f"lb: access log in {settings.data_dir / 'logs' / 'access.log'}")
