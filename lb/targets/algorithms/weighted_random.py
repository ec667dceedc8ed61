"""`weighted_random`: chance decides among the usable targets (fact sheet 5.1).

All weigh the same until anomaly mitigation lowers some (`lb.targets.anomaly`). A lowered target still gets its share of
traffic: without requests nobody could see it recover.
"""

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Generic

from lb.targets.algorithms.protocol import Rng, T


class WeightedRandom(Generic[T]):
    """The dice of one node in one target group."""

    __slots__ = ("_bounds", "_random", "_weights")

    def __init__(self, rng: Rng) -> None:
        self._random = rng.random
        self._weights: Mapping[str, float] = {}
        self._bounds: list[float] | None = None  # running totals of the weights; None while all weigh the same

    def pick(self, usable: Sequence[T], now: float) -> T:
        """See `Algorithm.pick`."""
        bounds = self._bounds
        if bounds is None:
            return usable[int(self._random() * len(usable))]
        return usable[bisect(bounds, self._random() * bounds[-1])]

    def changed(self, usable: Sequence[T], now: float) -> None:
        """See `Algorithm.changed`."""
        weights = [self._weights.get(slot.key, 1.0) for slot in usable]
        uneven = bool(weights) and min(weights) != max(weights)
        self._bounds = list(accumulate(weights)) if uneven else None

    def weigh(self, weights: Mapping[str, float], usable: Sequence[T], now: float) -> None:
        """New weights by target key, above 0 and up to 1; a target that is not named weighs 1. Raises ValueError."""
        for key, weight in weights.items():
            if not 0.0 < weight <= 1.0:
                raise ValueError(f"the weight of {key} must be above 0 and at most 1, not {weight}")
        self._weights = dict(weights)
        self.changed(usable, now)
