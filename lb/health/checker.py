"""The checker: probes every target in use on one schedule and tells of each change of its health."""

import asyncio
import contextlib
import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, time
from typing import Final

from lb.health.probe import host_of, port_of, probe, request_line
from lb.model.config import HealthCheck
from lb.net.tasks import Tasks
from lb.routing.plan import Endpoint, Plan
from lb.targets.health import REGISTERED, Health, ProbeOutcome, ProbeResult, advance

_FIRST_PROBE_WITHIN_S = 0.1
KEPT_PROBES: Final = 10

Key = tuple[str, str]
"""Target group ARN and endpoint key."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe that is over: what was asked and what came. `host` is None where the target's name did not resolve."""

    request_line: str
    host: str | None
    result: ProbeResult


@dataclass(slots=True, eq=False)
class Watched:
    """One target under check: its health since `since_s` (epoch seconds), and its last probes, the oldest first."""

    endpoint: Endpoint
    check: HealthCheck
    health: Health = REGISTERED
    probes: deque[Probe] = field(default_factory=lambda: deque(maxlen=KEPT_PROBES))
    since_s: float = field(default_factory=time)
    gone: bool = field(default=False)

    @property
    def last(self) -> ProbeResult | None:
        """The last result, None before the first."""
        return self.probes[-1].result if self.probes else None


class HealthChecker:
    """Tells of each transition (`changed`), of targets that did not answer at all (`unreachable`, by host name), and of
    each probe (`probed`, with the ARN of the target group).
    """

    def __init__(
        self,
        changed: Callable[[str, str, Health], None],
        unreachable: Callable[[str], None],
        probed: Callable[[str, Endpoint, ProbeResult], None],
        rng: random.Random,
    ) -> None:
        self.watched: dict[Key, Watched] = {}
        self._changed = changed
        self._unreachable = unreachable
        self._probed = probed
        self._rng = rng
        self._due: list[tuple[float, int, Key, Watched]] = []
        self._ties = itertools.count()
        self._wake = asyncio.Event()
        self._tasks = Tasks()
        self._probes = Tasks()

    def start(self) -> None:
        """Begins to probe; needs a running event loop."""
        self._tasks.spawn(self._run(), name="health checker")

    def reconcile(self, plan: Plan) -> None:
        """Checks the targets of this plan from now on; a target that stays keeps its health."""
        wanted = {
            (group.arn, endpoint.key): (endpoint, group.health_check)
            for group in plan.groups
            if group.in_use
            for endpoint in group.endpoints
        }
        for key in self.watched.keys() - wanted.keys():
            self.watched.pop(key).gone = True
        for key, (endpoint, check) in wanted.items():
            known = self.watched.get(key)
            if known is None:
                self._add(key, Watched(endpoint, check))
            elif known.check != check:
                # The next probe is due by the new interval, not by the old one.
                known.gone = True
                self._add(key, Watched(endpoint, check, known.health, known.probes, known.since_s))
            else:
                known.endpoint = endpoint
        self._wake.set()

    def _add(self, key: Key, watched: Watched) -> None:
        self.watched[key] = watched
        self._schedule(key, watched, monotonic() + self._rng.random() * _FIRST_PROBE_WITHIN_S)

    def _schedule(self, key: Key, watched: Watched, due: float) -> None:
        heapq.heappush(self._due, (due, next(self._ties), key, watched))

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            now = monotonic()
            while self._due and self._due[0][0] <= now:
                due, _, key, watched = heapq.heappop(self._due)
                if not watched.gone:
                    self._probes.spawn(self._probe(key, watched, due), name=f"probe {key[1]}")
            # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._due[0][0] - now if self._due else None):
                    await self._wake.wait()

    async def _probe(self, key: Key, watched: Watched, due: float) -> None:
        endpoint, check = watched.endpoint, watched.check
        result = await probe(endpoint, check)
        if watched.gone:
            return
        self._schedule(key, watched, max(due + watched.check.interval_s, monotonic()))
        self._wake.set()
        before = watched.health
        host = host_of(endpoint.address, port_of(endpoint, check)) if endpoint.address is not None else None
        watched.probes.append(Probe(request_line(check.path), host, result))
        self._probed(key[0], watched.endpoint, result)
        watched.health = advance(before, result, watched.check)
        if watched.health.state is not before.state:
            watched.since_s = result.at_s
        if not watched.health.looks_like(before):
            self._changed(*key, watched.health)
        if result.outcome in (ProbeOutcome.FAILED, ProbeOutcome.TIMED_OUT):
            self._unreachable(watched.endpoint.target.id)

    async def close(self) -> None:
        """Stops probing."""
        await self._tasks.close()
        await self._probes.close()
