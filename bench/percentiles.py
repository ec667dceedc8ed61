"""Percentiles of latencies, in milliseconds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

_MS_PER_S = 1000.0


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The columns of a latency table, ms."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


def percentiles(latencies_s: Iterable[float]) -> Percentiles | None:
    """Return the percentiles of latencies given in seconds (nearest rank, so each is one that occurred); None of none."""
    ordered = sorted(latencies_s)
    if not ordered:
        return None

    def rank(share: float) -> float:
        # The rounding takes out what binary fractions add: 0.9 * 10 must be rank 9, not 10.
        return ordered[max(0, math.ceil(round(share * len(ordered), 6)) - 1)] * _MS_PER_S

    return Percentiles(rank(0.5), rank(0.9), rank(0.99), rank(0.999), ordered[-1] * _MS_PER_S)
