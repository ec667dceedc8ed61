"""What is kept: a ring of minutes, and totals since the start. Pure: the minute of each batch is given.

A request is counted once, in the cell of its load balancer, node zone, target group and target zone; a dimension set is a
sum over cells. Memory is fixed: at most KEPT_MINUTES minutes, at most MOST_CELLS cells in each, and a cell is a small
array and a histogram with bounded buckets.
"""

from array import array
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from lb.model import names
from lb.observe.metrics.histogram import Histogram
from lb.observe.metrics.hosts import HostCounts, Samples, levels
from lb.observe.metrics.tally import COUNTERS, Finished, raised, tally
from lb.targets.zones import ANY_ZONE

KEPT_MINUTES: Final = 3 * 60
MOST_CELLS: Final = 500

_ACTIVE: Final = COUNTERS["ActiveConnectionCount"]
_NEW: Final = COUNTERS["NewConnectionCount"]
_REJECTED: Final = COUNTERS["RejectedConnectionCount"]
_RULES: Final = COUNTERS["RuleEvaluations"]
_BYTES: Final = COUNTERS["ProcessedBytes"]
_IPV6_BYTES: Final = COUNTERS["IPv6ProcessedBytes"]


class Key(NamedTuple):
    """Whose numbers a cell holds. Zones and target group are empty where there is none."""

    load_balancer: str
    zone: str  # the node's
    target_group: str  # targetgroup/NAME/ID
    target_zone: str


class Cell:
    """Counters by place in COUNTERS, and response times."""

    __slots__ = ("counts", "times")

    def __init__(self) -> None:
        self.counts = array("Q", bytes(8 * len(COUNTERS)))
        self.times = Histogram()


class HostKey(NamedTuple):
    """Whose levels are sampled; `zone` None is the whole target group."""

    load_balancer: str
    target_group: str
    zone: str | None


class Minute:
    """One minute: cells and host samples."""

    __slots__ = ("cells", "hosts")

    def __init__(self) -> None:
        self.cells: dict[Key, Cell] = {}
        self.hosts: dict[HostKey, Samples] = {}

    def cell(self, key: Key) -> Cell:
        """The cell of a key. Where there are too many, the load balancer's own: its numbers stay right."""
        found = self.cells.get(key)
        if found is None:
            if len(self.cells) >= MOST_CELLS and key.target_group:
                return self.cell(Key(key.load_balancer, key.zone, "", ""))
            found = self.cells[key] = Cell()
        return found


class ConnectionCounts:
    """Connections of one load balancer at one node; the data path calls `opened`, `closed` and `rejected`."""

    __slots__ = ("active", "new", "peak", "refused")

    def __init__(self) -> None:
        self.active = 0
        self.peak = 0
        self.new = 0
        self.refused = 0

    def opened(self) -> None:
        """A connection from a client or to a target was made."""
        self.new += 1
        self.active += 1
        if self.active > self.peak:
            self.peak = self.active

    def closed(self) -> None:
        """A connection that was opened is over."""
        self.active -= 1

    def rejected(self) -> None:
        """A connection was refused at the limit."""
        self.refused += 1


class MetricStore:
    """Minutes by their number since the epoch, and totals for Prometheus."""

    __slots__ = ("_seen", "latest_hosts", "minutes", "totals")

    def __init__(self) -> None:
        self.minutes: dict[int, Minute] = {}
        self.totals: dict[Key, Cell] = {}
        self._seen: dict[Key, int] = {}  # the last minute of each total
        self.latest_hosts: dict[HostKey, dict[int, int]] = {}

    def add_requests(self, records: Iterable[Finished], zone: str, minute: int) -> None:
        """Counts requests that a node in `zone` finished in `minute`."""
        now = self._minute(minute)
        times: dict[Key, list[float]] = {}
        for shape, tallied in tally(records):
            group = names.target_group_label(shape.target_group_arn) if shape.target_group_arn else ""
            target_zone = shape.target_zone
            if not target_zone or target_zone == ANY_ZONE:
                target_zone = zone
            key = Key(shape.load_balancer, zone, group, target_zone if group else "")
            places = [COUNTERS[name] for name in raised(shape)]
            for cell in (now.cell(key), self._total(key, minute)):
                counts = cell.counts
                for place in places:
                    counts[place] += tallied.requests
                counts[_BYTES] += tallied.processed_bytes
                counts[_RULES] += tallied.rules
                if shape.ipv6:
                    counts[_IPV6_BYTES] += tallied.processed_bytes
            times.setdefault(key, []).extend(tallied.times)
        for key, values in times.items():
            if values:
                batch = Histogram()
                batch.add(values)
                now.cell(key).times.merge(batch)
                self._total(key, minute).times.merge(batch)

    def add_connections(self, load_balancer: str, zone: str, counts: ConnectionCounts, minute: int) -> None:
        """Takes what happened since the last call, and sets `counts` back."""
        if not (counts.peak or counts.refused):
            return
        key = Key(load_balancer, zone, "", "")
        now, total = self._minute(minute).cell(key).counts, self._total(key, minute).counts
        for each in (now, total):
            each[_NEW] += counts.new
            each[_REJECTED] += counts.refused
        now[_ACTIVE] = max(now[_ACTIVE], counts.peak)
        total[_ACTIVE] = counts.active
        counts.new = counts.refused = 0
        counts.peak = counts.active

    def add_hosts(self, sample: Iterable[HostCounts], minute: int) -> None:
        """One sample of all target groups."""
        latest: dict[HostKey, dict[int, int]] = {}
        for counts in sample:
            found = levels(counts)
            whole = latest.setdefault(HostKey(counts.load_balancer, counts.target_group, None), {})
            for place, value in found.items():
                whole[place] = whole.get(place, 0) + value
            latest[HostKey(counts.load_balancer, counts.target_group, counts.zone)] = found
        self.latest_hosts = latest
        if latest:
            hosts = self._minute(minute).hosts
            for key, found in latest.items():
                if key.zone == "":
                    continue
                samples = hosts.get(key)
                if samples is None:
                    if len(hosts) >= MOST_CELLS:
                        continue
                    samples = hosts[key] = Samples()
                samples.add(found)

    def between(self, first: int, end: int) -> Iterator[tuple[int, Minute]]:
        """The minutes from `first` up to, not including, `end`; in order."""
        return ((minute, self.minutes[minute]) for minute in sorted(self.minutes) if first <= minute < end)

    def _minute(self, minute: int) -> Minute:
        found = self.minutes.get(minute)
        if found is None:
            # Minutes ahead were written before the wall clock was set back: they would hold their place for ever.
            for old in [old for old in self.minutes if not minute - KEPT_MINUTES < old < minute]:
                del self.minutes[old]
            # Totals of what had no traffic in all that time, such as deleted target groups, end too.
            for key in [key for key, seen in self._seen.items() if seen <= minute - KEPT_MINUTES]:
                del self._seen[key], self.totals[key]
            found = self.minutes[minute] = Minute()
        return found

    def _total(self, key: Key, minute: int) -> Cell:
        found = self.totals.get(key)
        if found is None:
            if len(self.totals) >= MOST_CELLS and key.target_group:
                return self._total(Key(key.load_balancer, key.zone, "", ""), minute)
            found = self.totals[key] = Cell()
        self._seen[key] = minute
        return found
