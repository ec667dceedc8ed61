"""Ports of loopback for servers that a test starts by number.

They are below those that the system gives to clients and to servers that ask for any port, and each is handed out once in
a run: between choosing and listening nothing of the same run can take one, however long a loaded machine takes for it.
"""

import itertools
import random
import socket
from collections.abc import Iterator
from typing import Final

_FIRST: Final = 20_000
_COUNT: Final = 12_000
# Goes through all of them, and neighbours are far apart in time: some servers take the ports behind theirs too.
_STEP: Final = 4007


def _each_once() -> Iterator[int]:
    # Runs beside each other on one machine begin at other places.
    begin = random.SystemRandom().randrange(_COUNT)
    for number in itertools.count():
        yield _FIRST + (begin + number * _STEP) % _COUNT


_PORTS: Final = _each_once()


def _is_free(port: int) -> bool:
    # On all addresses: tests listen on 127.0.0.2 and others too.
    try:
        socket.create_server(("", port)).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port that nothing listens on."""
    return free_ports_in_a_row(1)


def free_ports(count: int) -> list[int]:
    """Different ports that nothing listens on."""
    return [free_port() for _ in range(count)]


def free_ports_in_a_row(count: int) -> int:
    """The first of `count` neighbouring ports that nothing listens on."""
    return next(first for first in _PORTS if all(map(_is_free, range(first, first + count))))
