"""A histogram of durations with a stated error, in bounded memory. Pure.

Its bounds divide every decade from 0.1 ms to 10,000 s into 70 buckets that are at most 5 % wide. So a percentile is within
2.5 % of the true one, and 1, 2.5, 5 and the like are bounds themselves: Prometheus' cumulative buckets,
which use them, are exact.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

RELATIVE_ERROR: Final = 0.025

# Written as decimals, so that each bound is the double nearest to what it reads.
BOUNDS: Final[tuple[float, ...]] = (
    *(
        float(f"{digits}e{exponent}")
        for exponent in range(-6, 2)
        for digits in (*range(100, 200, 5), *range(200, 500, 10), *range(500, 1000, 25))
    ),
    10_000.0,
)
"""Upper bounds in seconds, inclusive. The first bucket holds everything down to 0; one more holds all above the last."""


class Histogram:
    """Durations in seconds: how many fell into each bucket, and their number, sum, lowest and highest.

    Only the buckets between the lowest and the highest in use take memory. A bucket counts to 2**32.
    """

    __slots__ = ("_counts", "_first", "count", "highest", "lowest", "total")

    def __init__(self) -> None:
        self._first = 0
        self._counts = array("I")
        self.count = 0
        self.total = 0.0
        self.lowest = float("inf")
        self.highest = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Takes durations, none of them negative."""
        if not values:
            return
        buckets = Counter([bisect_left(BOUNDS, value) for value in values])
        self._reach(min(buckets), max(buckets))
        counts, first = self._counts, self._first
        for bucket, number in buckets.items():
            counts[bucket - first] += number
        self._take(len(values), sum(values), min(values), max(values))

    def merge(self, other: "Histogram") -> None:
        """Takes all that another one holds."""
        if not other.count:
            return
        self._reach(other._first, other._first + len(other._counts) - 1)
        counts, place = self._counts, other._first - self._first
        for number in other._counts:
            counts[place] += number
            place += 1
        self._take(other.count, other.total, other.lowest, other.highest)

    def _take(self, count: int, total: float, lowest: float, highest: float) -> None:
        self.count += count
        self.total += total
        self.lowest = min(self.lowest, lowest)
        self.highest = max(self.highest, highest)

    def _reach(self, lowest: int, highest: int) -> None:
        if not self._counts:
            self._first = lowest
        elif lowest < self._first:
            self._counts[:0] = array("I", bytes(4 * (self._first - lowest)))
            self._first = lowest
        missing = highest + 1 - self._first - len(self._counts)
        if missing > 0:
            self._counts.frombytes(bytes(4 * missing))

    def buckets(self) -> Iterator[tuple[int, int]]:
        """(place in BOUNDS, number) of each bucket that holds something, in order."""
        return ((self._first + place, number) for place, number in enumerate(self._counts) if number)

    def percentile(self, percent: float) -> float:
        """The nearest-rank percentile (0 to 100); 0.0 of nothing.

        Within RELATIVE_ERROR from 0.1 ms to 10,000 s; within 0.05 ms below that.
        """
        if not self.count:
            return 0.0
        rank = percent * self.count / 100
        seen = 0
        bucket = next(bucket for bucket, number in self.buckets() if (seen := seen + number) >= rank)
        return min(self.highest, max(self.lowest, _middle(bucket, self.highest)))

    def at_most(self, bound: float) -> int:
        """How many were not longer than `bound`, which must be one of BOUNDS."""
        last = bisect_left(BOUNDS, bound)
        return sum(number for bucket, number in self.buckets() if bucket <= last)


def _middle(bucket: int, highest: float) -> float:
    """Equally far, in proportion, from both ends of a bucket."""
    if bucket == 0:
        return BOUNDS[0] / 2
    if bucket == len(BOUNDS):
        return highest
    low, high = BOUNDS[bucket - 1], BOUNDS[bucket]
    return 2 * low * high / (low + high)
