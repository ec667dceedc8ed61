"""A wire between a store and its server that can be cut at a chosen moment."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum

_CLIENT_SSL = 0x800
_COMMIT = b"\x03COMMIT"


class Cut(Enum):
    """How the wire breaks."""

    BEFORE = "the server never gets the message"
    AFTER = "the server acts on the message, and its answer is lost"
    LATE = "the server gets the message after the client has noticed the break"
    SILENT = "nothing arrives any more; who gives up tells the other side"
    GONE = "nothing arrives any more, not even that the client gave up"


class Wire:
    """`cut` breaks at the next COMMIT, once; `chance` is the probability of a break at any message.

    `breaks` counts them, `has_broken` says that there was one, and that the server has acted where it had to.
    New connections wait while `takes_more` is clear.
    """

    def __init__(self, host: str, port: int) -> None:
        self.cut: Cut | None = None
        self.chance = 0.0
        self.breaks = 0
        self.has_broken = asyncio.Event()
        self.port = 0
        self._server = host, port
        self._random = random.Random(4)
        self.takes_more = asyncio.Event()
        self.takes_more.set()
        self._end = asyncio.Event()
        self._carriers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @asynccontextmanager
    async def laid(self) -> AsyncIterator["Wire"]:
        """Carries connections to `port` as long as the context lasts."""
        listener = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        yield self
        listener.close()
        self._end.set()
        for to_client in self._carriers.values():
            to_client.transport.abort()
        await asyncio.gather(*self._carriers)

    async def _carry(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        carrier = asyncio.current_task()
        assert carrier is not None
        self._carriers[carrier] = to_client
        try:
            # An unreachable server looks like a broken wire to the client.
            with suppress(OSError):
                await self.takes_more.wait()
                from_server, to_server = await asyncio.open_connection(*self._server)
                try:
                    to_client.write(_without_tls(await from_server.read(65536)))
                    await self._pass_on(from_client, to_client, from_server, to_server)
                finally:
                    to_server.transport.abort()
        finally:
            to_client.transport.abort()
            del self._carriers[carrier]

    async def _pass_on(
        self,
        from_client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        is_deaf, has_answered = False, asyncio.Event()

        async def answers() -> None:
            with suppress(OSError):
                while data := await from_server.read(65536):
                    has_answered.set()
                    if not is_deaf:
                        to_client.write(data)
            has_answered.set()
            to_client.transport.abort()

        async with asyncio.TaskGroup() as group:
            answering = group.create_task(answers())
            with suppress(OSError):
                while data := await from_client.read(65536):
                    cut = self._choose(data)
                    if cut is Cut.BEFORE:
                        break
                    if cut in (Cut.SILENT, Cut.GONE):
                        self.has_broken.set()
                        await (from_client.read() if cut is Cut.SILENT else self._end.wait())
                        break
                    if cut is Cut.LATE:
                        to_client.transport.abort()
                        await asyncio.sleep(
                            0.5
                        )  # for the next attempt to reach the lock; any other order must do as well
                    is_deaf = cut is not None
                    has_answered.clear()
                    to_server.write(data)
                    if is_deaf:
                        await has_answered.wait()
                        break
            if self.breaks:
                self.has_broken.set()
            answering.cancel()

    def _choose(self, data: bytes) -> Cut | None:
        if self.cut is not None and _COMMIT in data:
            chosen, self.cut = self.cut, None
        elif self._random.random() < self.chance:
            chosen = self._random.choice([Cut.BEFORE, Cut.AFTER, Cut.LATE])
        else:
            return None
        self.breaks += 1
        return chosen


def _without_tls(greeting: bytes) -> bytes:
    """The greeting of a server that offers no TLS, so that the wire can read along.

    The capabilities follow the version's text, the connection's number, half of the salt and a zero.
    """
    at = greeting.index(b"\0", 5) + 1 + 4 + 8 + 1
    low = int.from_bytes(greeting[at : at + 2], "little") & ~_CLIENT_SSL
    return greeting[:at] + low.to_bytes(2, "little") + greeting[at + 2 :]
