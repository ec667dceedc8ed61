"""What every algorithm of `load_balancing.algorithm.type` offers to a roster, and what it may read of a target.

Rules: an algorithm only chooses. It never counts requests in flight, never leaves the usable targets that it was given, and
takes the time and the dice as arguments.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from lb.targets.health import Health


class Candidate(Protocol):
    """The parts of a target in a roster that an algorithm reads; it writes none of them.

    `order` is the target's place in the order of registration, unique in its roster. `first_batch` tells that the target
    was registered while its group was empty and has not been healthy since.
    """

    key: str
    order: int
    in_flight: int
    health: Health
    first_batch: bool


T = TypeVar("T", bound=Candidate)


class Algorithm(Protocol[T]):
    """One node's way through the usable targets of one target group."""

    def pick(self, usable: Sequence[T], now: float) -> T:
        """The target for the next request, at `now` (monotonic seconds).

        `usable` must not be empty and must be the sequence last given to `changed`.
        """

    def changed(self, usable: Sequence[T], now: float) -> None:
        """The usable targets, in order of registration, or their health are others from `now` on."""


class Rng(Protocol):
    """A source of chance, such as `random.Random`."""

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
