"""An embedded web server as a process of its own: `python -m lb.compute.webserver --number 1 --port 8081`.

Its parent talks to it through two pipes. Standard output carries `ready URL` once the port takes requests, or
`failed CODE: MESSAGE` before it exits. Standard input carries faults (`lb.compute.faults`) and the firewall before the
database (`lb.compute.firewall`), one JSON line each, and each goes back through standard output once it has taken effect.
When standard input closes, the parent is gone, and the server goes too.
"""

import argparse
import asyncio
import errno
import os
import socket
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn

from lb.compute.database import settings_from_environment
from lb.compute.fault_layer import FaultLayer, FaultyConnection
from lb.compute.faults import FaultSetting
from lb.compute.firewall import Firewall, FirewallSetting
from lb.compute.website import create_website

READY = "ready"
FAILED = "failed"
PORT_TAKEN = "port-taken"
START_FAILED = "start-failed"

# Above the balancer's idle timeout (60 s). The side that closes an idle connection first must be the one that sends
# the requests: were it the server, the balancer would now and then send a request into a connection that the server
# is just closing, and could only answer 502.
KEEP_ALIVE_S = 75

# How long requests in progress may take to finish after SIGTERM or the parent's end.
_DRAIN_S = 2


class _WebServer(uvicorn.Server):
    """uvicorn, which says when it takes requests and ends when its parent does."""

    def __init__(self, config: uvicorn.Config, url: str, layer: FaultLayer, firewall: Firewall) -> None:
        super().__init__(config)
        self._url = url
        self._layer = layer
        self._firewall = firewall

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        await _watch_parent(_ParentWatch(self, self._layer, self._firewall))
        _tell(f"{READY} {self._url}")


class _ParentWatch(asyncio.Protocol):
    """Reads the parent's pipe to its end, which comes even when the parent is killed with SIGKILL."""

    def __init__(self, server: uvicorn.Server, layer: FaultLayer, firewall: Firewall) -> None:
        self._server = server
        self._layer = layer
        self._firewall = firewall
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if (firewall := FirewallSetting.read(line)) is not None:
                self._firewall.setting = firewall
                _tell(firewall.line())
            else:
                self._layer.setting = fault = FaultSetting.read(line)
                _tell(fault.line())

    def connection_lost(self, _error: Exception | None) -> None:
        self._server.should_exit = True


async def _watch_parent(watch: _ParentWatch) -> None:
    mode = os.fstat(sys.stdin.fileno()).st_mode
    # Started by hand, standard input is a terminal or /dev/null: no parent speaks through it.
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        await asyncio.get_running_loop().connect_read_pipe(lambda: watch, sys.stdin)


def _tell(line: str) -> None:
    # Should the parent be gone already, nobody listens, and the end of the other pipe says what to do about it.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one web server until its standard input closes or SIGTERM; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lb.compute.webserver", description=__doc__)
    parser.add_argument("--number", type=int, required=True, help="which web server this is: 1, 2, ...")
    parser.add_argument("--port", type=int, required=True, help="the port to listen on")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--root", type=Path, help="the document root (default: the front page alone)")
    options = parser.parse_args(arguments)

    where = f"[{options.host}]:{options.port}" if ":" in options.host else f"{options.host}:{options.port}"
    try:
        database = settings_from_environment(os.environ)
        listener = _listen(options.host, options.port)
    except (OSError, OverflowError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            _tell(f"{FAILED} {PORT_TAKEN}: {where} is in use by another process")
        elif isinstance(error, OSError):
            _tell(f"{FAILED} {START_FAILED}: cannot listen on {where}: {error.strerror}")
        else:
            _tell(f"{FAILED} {START_FAILED}: {error}")
        return 1

    firewall = Firewall()
    layer = FaultLayer(create_website(options.number, database, options.root, firewall.drops))
    config = uvicorn.Config(
        layer,
        http=FaultyConnection,
        lifespan="off",
        log_level="warning",
        access_log=False,
        # The page shows the peer as it is, the balancer, beside what X-Forwarded-For tells; uvicorn would mix them.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    with listener:
        _WebServer(config, f"http://{where}/", layer, firewall).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
