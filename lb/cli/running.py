"""Runs a balancer in the foreground: signals, reloads, and a clean end."""

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import click
from watchfiles import awatch

from lb.app import App
from lb.configfile.problems import ConfigError
from lb.configfile.reader import load_config
from lb.net.sockets import PortTakenError
from lb.net.tasks import Tasks
from lb.routing.plan import PlanError
from lb.settings import Settings
from lb.store.store import StoreError

_log = logging.getLogger("lb")


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs the coroutine on uvloop where there is one, on asyncio's own loop elsewhere."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    # The chatter of libraries is not the user's business.
    for name in ("asyncio", "uvicorn", "watchfiles"):
        logging.getLogger(name).setLevel(logging.WARNING)
    _raise_file_limit()
    try:
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ImportError:
        factory = None
    # What a request leaves behind has no cycles: the cyclic collector need not look after every 700 objects.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


def _raise_file_limit() -> None:
    """Each connection takes a file descriptor, and the usual soft limit of 1,024 is soon used up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 65536
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, 65536), hard))


@contextlib.asynccontextmanager
async def stop_signal(*more: signal.Signals) -> AsyncIterator[asyncio.Event]:
    """An event that SIGINT (Ctrl-C), SIGTERM and the signals in `more` set."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, *more)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def say(text: str) -> None:
    """Tells the user; a terminal or pipe that is gone must not spoil the end of the process."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def make_app(settings: Settings) -> App:
    """The balancer, or one line that says why its data folder cannot be used."""
    try:
        return App(settings)
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or settings.data_dir} cannot be written: {(error.strerror or str(error)).lower()}; "
            "choose another folder with --data"
        ) from error
    except (ValueError, StoreError) as error:
        raise click.ClickException(str(error)) from error


class Reloader:
    """Reads the configuration file again on SIGHUP and, if asked to, whenever it changes.

    A file that cannot be used leaves the running configuration as it is, and the log says why.
    """

    def __init__(self, app: App, path: Path) -> None:
        self._app = app
        self._path = path
        self._seen = self._signature()
        self._tasks = Tasks()

    def start(self, *, watch: bool) -> None:
        """Begins to listen for SIGHUP; with `watch` to look at the file too."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hang_up)
        if watch:
            self._tasks.spawn(self._watch(), name="watch configuration")

    def _hang_up(self) -> None:
        self._tasks.spawn(self.reload(), name="reload")

    def _signature(self) -> tuple[int, int, int] | None:
        """Changes whenever the file does, also behind a link."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    async def _watch(self) -> None:
        # Folders, not the file: editors replace a file rather than write into it; and the file may be a link.
        folders = {self._path.absolute().parent, self._path.resolve().parent}
        async for _ in awatch(*folders, debounce=100, step=20, recursive=False):
            signature = self._signature()
            if signature is not None and signature != self._seen:
                self._seen = signature
                await self.reload()

    async def reload(self) -> None:
        """Reads and applies the file."""
        try:
            await self._app.apply(load_config(self._path))
        except (ConfigError, PlanError, PortTakenError) as error:
            _log.error("%s was not applied; the configuration from before goes on:\n%s", self._path, error)
        else:
            _log.info("%s applied", self._path)

    async def close(self) -> None:
        """Stops reloading."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        await self._tasks.close()


async def start_or_explain(start: Callable[[], Awaitable[None]], app: App, *, flag: Callable[[int], str]) -> None:
    """Starts the balancer; a port that is taken becomes one line that names it and the flag (`flag` of the port)."""
    try:
        await start()
    except PortTakenError as error:
        await app.close()
        raise click.ClickException(f"{error}; {flag(error.port)}") from error
    except (PlanError, StoreError) as error:
        await app.close()
        raise click.ClickException(str(error)) from error
