"""Anomaly detection and mitigation: which targets fail more than their peers, and how much less they get for it.

A reducer: `decide` takes what was known and what was counted since, about every five seconds, and returns what is known now.
Documented (fact sheet 5.2): at least 3 healthy targets; 5xx answers and connection errors are compared with those of the
peers; traffic to an anomalous target is lowered, and raised after it recovered. **Assumed**, all in this file: the formula.

- Evidence: requests and failures (5xx answers + connection errors), the old ones counting half after each decision.
- A target with too little evidence, or with fewer than two peers that have enough, is not judged.
- The yardstick is the median of the failure shares (the lower of two): a majority is never anomalous.
- Anomalous: the share is above the yardstick by 10 points, and by 3 standard errors of a share over so many requests.
- Normal again: above it by less than half of that.
- Mitigation halves the weight at each decision, down to 5 %; after recovery it grows by 20 points a decision. Where the
  lowered weight leaves too little traffic to judge, it grows by a quarter, until there is enough.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

DECISION_INTERVAL_S: Final = 5.0
MINIMUM_HEALTHY: Final = 3
LOWEST_WEIGHT: Final = 0.05

_MEMORY: Final = 0.5
_MINIMUM_REQUESTS: Final = 5.0
_MINIMUM_PEERS: Final = 2
_EXCESS: Final = 0.10
_STANDARD_ERRORS: Final = 3.0
_LOWERING: Final = 0.5
_RAISING: Final = 0.2
_PROBING: Final = 1.25


class Counts:
    """What one target did since the last decision. `requests` counts those that ended in a connection error too."""

    __slots__ = ("connection_errors", "requests", "server_errors")

    def __init__(self, requests: int = 0, server_errors: int = 0, connection_errors: int = 0) -> None:
        self.requests = requests
        self.server_errors = server_errors
        self.connection_errors = connection_errors


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one target. `weight` is its part of an equal share, `LOWEST_WEIGHT` to 1."""

    anomalous: bool = False
    weight: float = 1.0
    requests: float = 0.0
    failures: float = 0.0

    @property
    def result(self) -> str:
        """`AnomalyDetection.Result`."""
        return "anomalous" if self.anomalous else "normal"

    @property
    def mitigation_in_effect(self) -> bool:
        """`AnomalyDetection.MitigationInEffect`."""
        return self.weight < 1.0

    @property
    def failure_share(self) -> float:
        """The part of the remembered requests that failed."""
        return self.failures / self.requests if self.requests else 0.0


_UNKNOWN: Final = Standing()


def decide(standings: Mapping[str, Standing], window: Mapping[str, Counts], *, mitigate: bool) -> dict[str, Standing]:
    """What is known after one more interval.

    `window` holds the counts of every healthy target, and of no other: a target that was not healthy starts anew.
    `mitigate` is `load_balancing.algorithm.anomaly_mitigation`; without it every weight is 1.
    """
    known = {key: _remember(standings.get(key, _UNKNOWN), counts) for key, counts in window.items()}
    shares = sorted(one.failure_share for one in known.values() if _is_enough(one))
    enough = len(known) >= MINIMUM_HEALTHY and len(shares) > _MINIMUM_PEERS
    return {
        key: _after(one, _verdict(one, shares) if enough else None, len(known) >= MINIMUM_HEALTHY, mitigate)
        for key, one in known.items()
    }


def _remember(before: Standing, counts: Counts) -> Standing:
    failures = min(counts.requests, counts.server_errors + counts.connection_errors)
    return Standing(
        before.anomalous,
        before.weight,
        before.requests * _MEMORY + counts.requests,
        before.failures * _MEMORY + failures,
    )


def _is_enough(one: Standing) -> bool:
    return one.requests >= _MINIMUM_REQUESTS


def _verdict(one: Standing, shares: list[float]) -> bool | None:
    """Whether the target is anomalous; None where that cannot be told. `shares` are sorted."""
    if not _is_enough(one):
        return None
    share = one.failure_share
    # Its own share is among them: for a target above the median, this is the median of the others (the higher of two).
    yardstick = shares[(len(shares) - 1) // 2]
    # One failure and one success are added, so that a peer without failures does not make every single one significant.
    expected = (yardstick * one.requests + 1.0) / (one.requests + 2.0)
    standard_error = math.sqrt(expected * (1.0 - expected) / one.requests)
    limit = max(_EXCESS, _STANDARD_ERRORS * standard_error)
    return share - yardstick > (limit / 2 if one.anomalous else limit)


def _after(one: Standing, verdict: bool | None, eligible: bool, mitigate: bool) -> Standing:
    weight = one.weight if mitigate and eligible else 1.0
    if verdict is None:
        weight = min(1.0, weight * _PROBING)
        anomalous = eligible and one.anomalous and weight < 1.0
    else:
        anomalous = verdict
        if mitigate:
            weight = max(LOWEST_WEIGHT, weight * _LOWERING) if verdict else min(1.0, weight + _RAISING)
    return Standing(anomalous, weight, one.requests, one.failures)
