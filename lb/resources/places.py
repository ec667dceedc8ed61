"""Where instances stand on this machine."""

from dataclasses import dataclass
from typing import Final

from lb.model.config import Place
from lb.resources.containers import container_of, place_of
from lb.resources.records import Record

_LOOPBACK: Final = "127.0.0.1"
_FIRST_PORT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Placing:
    """How instances are placed.

    `own_addresses` tells whether each may have a loopback address of its own; Linux has all of 127.0.0.0/8, others only
    127.0.0.1. `http_port` is where port 80 is found at such an address: 80, or more where only root may have that.
    """

    own_addresses: bool = True
    http_port: int = 80

    def place(self, instance: Record) -> Place:
        """Where an instance is."""
        if container_of(instance) is not None:
            return place_of(instance)
        if self.own_addresses:
            return Place(instance.more["address"], self.http_port)
        return Place(_LOOPBACK, _FIRST_PORT + instance.more["number"])
