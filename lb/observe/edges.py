"""Finished requests added up by the way they went: what the console draws as flows (docs/local-api.md). Pure."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from lb.http.record import RequestRecord
from lb.observe.request_view import by, outcome_of, place, target
from lb.observe.target_names import TargetNames

Json = dict[str, Any]
BOUNDS_MS: Final = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
MOST_EDGES: Final = 1_000


class _Edge(NamedTuple):
    load_balancer: str
    port: int
    rule_priority: int | None
    target_group_arn: str
    target: str
    kind: int  # of the status: 2 for 2xx; 0 where the answer was cut
    by_target: bool


class _Sum:
    __slots__ = ("buckets", "count", "total_ms")

    def __init__(self) -> None:
        self.count = 0
        self.total_ms = 0.0
        self.buckets = [0] * (len(BOUNDS_MS) + 1)


class Edges:
    """Counts, sums and histograms. With very many edges the others are added up by load balancer, listener and outcome."""

    __slots__ = ("_sums",)

    def __init__(self) -> None:
        self._sums: dict[tuple[Any, ...], _Sum] = {}

    def add(self, records: Iterable[RequestRecord]) -> None:
        """Takes finished requests."""
        sums = self._sums
        for record in records:
            origin, trouble = record.origin, record.trouble
            # A plain tuple, equal to an _Edge: making one would cost as much as all the rest.
            edge = (
                origin.load_balancer,
                origin.port,
                record.rule_priority,
                record.target_group_arn,
                record.target,
                record.status // 100 if trouble is None or not trouble.cut else 0,
                record.target_status != 0,
            )
            one = sums.get(edge)
            if one is None:
                one = self._make(edge)
            took_ms = (record.ended_at - record.arrived_at) * 1000
            one.count += 1
            one.total_ms += took_ms
            one.buckets[bisect_left(BOUNDS_MS, took_ms)] += 1

    def _make(self, edge: tuple[Any, ...]) -> _Sum:
        if len(self._sums) >= MOST_EDGES:
            edge = _Edge._make(edge)._replace(rule_priority=None, target_group_arn="", target="")
        return self._sums.setdefault(edge, _Sum())

    def take(self, names: TargetNames) -> list[Json]:
        """All edges as JSON values, and begins anew."""
        sums, self._sums = self._sums, {}
        return [
            {
                **place(edge.load_balancer, edge.port, edge.rule_priority),
                **target(edge.target_group_arn, edge.target, names),
                "outcome": outcome_of(edge.kind),
                "by": by(edge.by_target),
                "count": one.count,
                "total_ms": round(one.total_ms, 3),
                "buckets": one.buckets,
            }
            for edge, one in ((_Edge._make(key), one) for key, one in sums.items())
        ]
