"""A resolver for one event loop whose names change when a test says so."""

import asyncio
import ipaddress
import socket
from typing import Any

import pytest


class FakeDns:
    """Replaces `loop.getaddrinfo` of the running loop; a name that `names` does not hold does not resolve.

    `asked` lists the names in the order of the questions. A name in `held` is answered when its event is set.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, tuple[str, ...]] = {}
        self.asked: list[str] = []
        self.held: dict[str, asyncio.Event] = {}
        patch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._getaddrinfo)

    async def _getaddrinfo(self, host: str, port: Any, **_: Any) -> list[Any]:
        if isinstance(host, str) and _is_address(host):
            return [_entry(host, port or 0)]
        self.asked.append(host)
        if host in self.held:
            await self.held[host].wait()
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [_entry(address, port or 0) for address in self.names[host]]


def _entry(address: str, port: int) -> Any:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
