"""Which addresses the names of targets stand for, looked up again and again: containers come, go and move."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable, Mapping

from lb.net.tasks import Tasks

_LOOK_UP_WITHIN_S = 5.0

_log = logging.getLogger(__name__)


class Discovery:
    """Resolves names every `interval_s`, and at once when told that a target does not answer.

    A name that does not resolve keeps the addresses it had: its targets are shown as unhealthy rather than forgotten.
    `changed` is called after the addresses of any name have changed.
    """

    def __init__(self, changed: Callable[[], None], interval_s: float) -> None:
        self._changed = changed
        self._interval_s = interval_s
        self._known: dict[str, tuple[str, ...]] = {}
        self._names: frozenset[str] = frozenset()
        self._looking: set[str] = set()
        self._tasks = Tasks()

    @property
    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        """Host name -> IP addresses, as known now; an IP address stands for itself."""
        return self._known

    async def watch(self, names: Iterable[str]) -> None:
        """Looks after exactly these names from now on; returns when the new ones have been looked up once."""
        wanted = frozenset(names)
        self._known = {name: found for name, found in self._known.items() if name in wanted}
        for name in wanted - self._known.keys():
            if _is_address(name):
                self._known[name] = (name,)
        self._names = frozenset(name for name in wanted if not _is_address(name))
        await asyncio.gather(*(self._look_up(name) for name in self._names - self._known.keys()))

    def start(self) -> None:
        """Begins to look names up again; needs a running event loop."""
        self._tasks.spawn(self._run(), name="discovery")

    def refresh(self, name: str) -> None:
        """A target of this name does not answer."""
        if name in self._names:
            self._tasks.spawn(self._look_up_and_tell(name), name=f"look up {name}")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            for name in self._names:
                await self._look_up_and_tell(name)

    async def _look_up_and_tell(self, name: str) -> None:
        if await self._look_up(name):
            self._changed()

    async def _look_up(self, name: str) -> bool:
        """Whether the addresses are others now."""
        if name in self._looking:
            return False
        self._looking.add(name)
        try:
            async with asyncio.timeout(_LOOK_UP_WITHIN_S):
                found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            if name not in self._known:
                _log.warning(
                    "target name %s does not resolve yet: %s", name, error.strerror or "no answer from the name server"
                )
            return False
        finally:
            self._looking.discard(name)
        # `localhost` and the like have both kinds of address for one server: IPv4 alone, where there is any.
        addresses = {str(entry[4][0]) for entry in found if entry[0] == socket.AF_INET} or {
            str(entry[4][0]) for entry in found
        }
        before = self._known.get(name)
        self._known[name] = tuple(sorted(addresses, key=lambda text: ipaddress.ip_address(text.split("%")[0])))
        return before != self._known[name]

    async def close(self) -> None:
        """Stops looking."""
        await self._tasks.close()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
