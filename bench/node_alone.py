"""`python -m bench.node_alone lb.yaml`: a node of the balancer whose records nobody takes, until SIGTERM.

The yardstick for what access log and metrics cost: `lb` itself never runs without them. Targets must be IP addresses;
nobody checks their health, so by fail-open all of them are used.
"""

import random
import secrets
from collections import deque
from pathlib import Path

import click

from lb.cli.running import run, stop_signal
from lb.configfile.reader import load_config
from lb.http.record import ConnectionRecord, RequestRecord
from lb.model.config import Config
from lb.proxy.node import Node
from lb.proxy.ports import Ports
from lb.routing.plan import compile_plan
from lb.settings import Settings
from lb.targets.sealing import KEY_BYTES


class _Nobody:
    """A recorder that keeps nothing."""

    def __init__(self) -> None:
        # As cheap as what the real recorder has the node do.
        self.record = deque[RequestRecord](maxlen=0).append
        self.record_connection = deque[ConnectionRecord](maxlen=0).append

    def connections(self, load_balancer: str) -> "_Nobody":
        """See lb.proxy.node.Recorder."""
        del load_balancer
        return self

    def opened(self) -> None:
        """See lb.proxy.node.ConnectionCounts."""

    def closed(self) -> None:
        """See lb.proxy.node.ConnectionCounts."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def main(file: Path) -> None:
    """Serve the listeners of FILE."""
    run(_serve(load_config(file), Settings()))


async def _serve(config: Config, settings: Settings) -> None:
    rng = random.Random()
    node = Node(_Nobody(), settings.connect_timeout_s, secrets.token_bytes(KEY_BYTES), rng)
    ports = Ports(node, settings.host)
    addresses = {target.id: (target.id,) for group in config.target_groups for target in group.targets}
    async with stop_signal() as stop:
        ports.commit(ports.prepare(compile_plan(config, addresses)))
        node.start()
        await ports.start()
        await stop.wait()
        ports.close()
        await node.close(settings.shutdown_grace_s)


if __name__ == "__main__":
    main()
