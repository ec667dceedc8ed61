"""How many calls are taken: a bucket that refills, as AWS throttles its APIs."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from lb.api.call import ApiError

CALLS_PER_S: Final = 1000
BURST: Final = 2000


class Rate:
    """One bucket for all callers, full at first. `clock` tells seconds from any beginning."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._at = clock()

    def take(self) -> None:
        """Counts a call. Raises ApiError(Throttling) when there have been too many."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * CALLS_PER_S)
        self._at = now
        if self._left < 1:
            raise ApiError("Throttling", "Rate exceeded")
        self._left -= 1
