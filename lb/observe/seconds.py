"""Counters and latencies per second for the last five minutes, in fixed memory (docs/local-api.md).

A request counts in the second in which it is seen. Counters are exact; latencies are taken of at most _MOST_TIMED requests
of a batch, evenly, so that their cost has a bound.
"""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from time import time
from typing import Any, Final, NamedTuple

from lb.http.record import RequestRecord
from lb.observe.request_filter import is_load_balancer, is_target_group
from lb.observe.request_view import target as where
from lb.observe.target_names import TargetNames

KEPT_S: Final = 300
MOST_SERIES: Final = 500
COUNTERS: Final = ("requests", "2xx", "3xx", "4xx", "5xx", "own_errors")
LATENCIES: Final = ("p50_ms", "p90_ms", "p99_ms", "max_ms")
_PERCENTS: Final = (50, 90, 99, 100)
_MOST_TIMED: Final = 128
_SHAPE: Final = attrgetter("origin.load_balancer", "target_group_arn", "target", "status", "target_status")
_ERRORS: Final = (4, 5)

Json = dict[str, Any]


class _Key(NamedTuple):
    """Whose numbers: a load balancer's, a target group's (no target) or a target's."""

    load_balancer: str
    target_group_arn: str = ""
    target: str = ""

    @property
    def kind(self) -> str:
        return "target" if self.target else "target_group" if self.target_group_arn else "load_balancer"


class _Series:
    """A ring of seconds: counters and latencies of each, and which second a place holds."""

    __slots__ = ("counts", "last", "latencies", "seconds")

    def __init__(self) -> None:
        self.last = 0
        self.seconds = array("q", bytes(8 * KEPT_S))
        self.counts = array("I", bytes(4 * KEPT_S * len(COUNTERS)))
        self.latencies = array("f", bytes(4 * KEPT_S * len(LATENCIES)))

    def put(self, second: int, counts: Sequence[int], latencies: Sequence[float]) -> None:
        place = second % KEPT_S
        self.last = self.seconds[place] = second
        self.counts[place * len(COUNTERS) : (place + 1) * len(COUNTERS)] = array("I", counts)
        self.latencies[place * len(LATENCIES) : (place + 1) * len(LATENCIES)] = array("f", latencies)

    def between(self, first: int, last: int) -> Json:
        """Each field's values, both ends included."""
        seconds = range(first, last + 1)
        places = [second % KEPT_S if self.seconds[second % KEPT_S] == second else None for second in seconds]
        told: Json = {}
        for field, name in enumerate(COUNTERS):
            told[name] = [0 if at is None else self.counts[at * len(COUNTERS) + field] for at in places]
        for field, name in enumerate(LATENCIES):
            found = [math.nan if at is None else self.latencies[at * len(LATENCIES) + field] for at in places]
            told[name] = [None if math.isnan(value) else round(value, 3) for value in found]
        return told


class Seconds:
    """The last five minutes. `see` takes finished requests; `clock` is the wall clock."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._series: dict[_Key, _Series] = {}
        self._now = self._begun = int(clock())
        self._shapes: Counter[tuple[Any, ...]] = Counter()
        self._cut: Counter[tuple[Any, ...]] = Counter()
        self._times: dict[tuple[str, str, str], list[float]] = {}

    def see(self, batch: list[RequestRecord]) -> None:
        """Counts finished requests in the second that it is."""
        self._go_on()
        self._shapes.update(map(_SHAPE, batch))
        self._cut.update(_SHAPE(record) for record in batch if record.cut)
        times = self._times
        for record in batch[:: 1 + len(batch) // _MOST_TIMED]:
            if record.target_status and record.sent_at:
                # A plain tuple, equal to a _Key: making one would cost as much as all the rest.
                key = (record.origin.load_balancer, record.target_group_arn, record.target)
                times.setdefault(key, []).append(record.responded_at - record.sent_at)

    def picture(self, names: TargetNames, *, since: int = 0, load_balancer: str = "", target_group: str = "") -> Json:
        """The complete seconds after `since` (epoch seconds), of what is named, or of all."""
        self._go_on()
        last = self._now - 1
        first = max(self._begun, self._now - KEPT_S, since + 1)
        return {
            "from_s": first,
            "until_s": last,
            "series": [
                {
                    "kind": key.kind,
                    "load_balancer": key.load_balancer,
                    **where(key.target_group_arn, key.target, names),
                    **series.between(first, last),
                }
                for key, series in sorted(self._series.items())
                if series.last > last - KEPT_S
                and (not load_balancer or is_load_balancer(load_balancer, key.load_balancer))
                and (not target_group or is_target_group(target_group, key.target_group_arn))
            ],
        }

    def _go_on(self) -> None:
        now = int(self._clock())
        if now == self._now:
            return
        if now < self._now:
            # The wall clock was set back: what is kept belongs to seconds that are still to come.
            self._series.clear()
            self._begun = now
        elif self._shapes:
            self._complete()
        self._shapes.clear()
        self._cut.clear()
        self._times.clear()
        self._now = now

    def _complete(self) -> None:
        counts: dict[_Key, list[int]] = {}
        for shape, number in self._shapes.items():
            status, target_status = shape[3], shape[4]
            for key in _keys(*shape[:3]):
                of = counts.setdefault(key, [0] * len(COUNTERS))
                of[0] += number
                if 2 <= (kind := status // 100) <= 5:
                    of[kind - 1] += number
                of[-1] += number if kind in _ERRORS and not target_status else self._cut[shape]
        times: dict[_Key, list[float]] = {}
        for place, found in self._times.items():
            for key in _keys(*place):
                times.setdefault(key, []).extend(found)
        # The load balancers first: should there be too many series, theirs are there.
        for key in sorted(counts, key=lambda key: (bool(key.target), bool(key.target_group_arn))):
            series = self._series.get(key) or self._make(key)
            if series is not None:
                series.put(self._now, counts[key], _percentiles(times.get(key, ())))

    def _make(self, key: _Key) -> _Series | None:
        if len(self._series) >= MOST_SERIES:
            for old in [old for old, series in self._series.items() if series.last <= self._now - KEPT_S]:
                del self._series[old]
            if len(self._series) >= MOST_SERIES:
                return None
        made = self._series[key] = _Series()
        return made


def _keys(load_balancer: str, target_group_arn: str, target: str) -> Iterable[_Key]:
    """All whose numbers a request belongs to."""
    yield _Key(load_balancer)
    if target_group_arn:
        yield _Key(load_balancer, target_group_arn)
        if target:
            yield _Key(load_balancer, target_group_arn, target)


def _percentiles(times_s: Iterable[float]) -> list[float]:
    """Nearest-rank percentiles in milliseconds, NaN of nothing."""
    ordered = sorted(times_s)
    if not ordered:
        return [math.nan] * len(_PERCENTS)
    return [ordered[math.ceil(percent * len(ordered) / 100) - 1] * 1000 for percent in _PERCENTS]
