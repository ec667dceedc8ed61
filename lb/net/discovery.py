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
    `changed` is called after the addresses of any watched name have changed.
    """

    def __init__(self, changed: Callable[[], None], interval_s: float) -> None:
        self._changed = changed
        self._interval_s = interval_s
        self._known: dict[str, tuple[str, ...]] = {}
        self._watched: frozenset[str] = frozenset()
        self._looking: set[str] = set()
        self._told: set[str] = set()  # names of which the log has said that they do not resolve
        self._tasks = Tasks()

    async def look_up(self, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Host name -> IP addresses; an IP address stands for itself, and a name that does not resolve is missing.

        Names that are watched are not looked up again. Changes nothing: `watch` does.
        """
        wanted = frozenset(names)
        known = self.known(wanted)
        fresh = wanted - known.keys()
        resolved = zip(fresh, await asyncio.gather(*map(self._resolve, fresh)), strict=True)
        return {**known, **{name: addresses for name, addresses in resolved if addresses}}

    def known(self, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """What is known now, without asking anybody; otherwise as `look_up`."""
        found = {name: (name,) if _is_address(name) else self._known.get(name) for name in names}
        return {name: addresses for name, addresses in found.items() if addresses}

    def watch(self, names: Iterable[str], addresses: Mapping[str, tuple[str, ...]]) -> None:
        """Looks after exactly these names from now on; `addresses` is what `look_up` has found for them."""
        self._watched = frozenset(name for name in names if not _is_address(name))
        self._known = {name: addresses[name] for name in self._watched if name in addresses}
        self._told &= self._watched

    def start(self) -> None:
        """Begins to look names up again; needs a running event loop."""
        self._tasks.spawn(self._run(), name="discovery")

    def refresh(self, name: str) -> None:
        """A target of this name does not answer."""
        if name in self._watched and name not in self._looking:
            self._looking.add(name)
            self._tasks.spawn(self._look_again(name), name=f"look up {name}")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            for name in self._watched:
                self.refresh(name)

    async def _look_again(self, name: str) -> None:
        try:
            addresses = await self._resolve(name)
        finally:
            self._looking.discard(name)
        if addresses and name in self._watched and addresses != self._known.get(name):
            self._known[name] = addresses
            self._changed()

    async def _resolve(self, name: str) -> tuple[str, ...] | None:
        try:
            async with asyncio.timeout(_LOOK_UP_WITHIN_S):
                found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            if name not in self._told:
                self._told.add(name)
                _log.warning("%s does not resolve: %s", name, error.strerror or "no answer from the name server")
            return None
        self._told.discard(name)
        # `localhost` and the like have both kinds of address for one server: IPv4 alone, where there is any.
        addresses = {str(entry[4][0]) for entry in found if entry[0] == socket.AF_INET} or {
            str(entry[4][0]) for entry in found
        }
        return tuple(sorted(addresses, key=lambda text: ipaddress.ip_address(text.split("%")[0])))

    @property
    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        """What is known now of the watched names."""
        return self._known

    async def close(self) -> None:
        """Stops looking."""
        await self._tasks.close()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
