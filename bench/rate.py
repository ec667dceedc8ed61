"""The rate scenario: latency at 10, 50 and 80 % of each peer's own measured peak, in the open model."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.closed import cells_of
from bench.open_rate import Arrivals, RateResult, run_open_rate
from bench.percentiles import Percentiles
from bench.processes import CommandError
from bench.report import Section
from bench.rig import Rig, RunningPeer
from bench.wrk import WrkOutputError, run_wrk

SHARES = (0.1, 0.5, 0.8)

_PEAK_RUNS = 3
_COLUMNS = ("p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms")
_TITLES = ("p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms")


@dataclass(frozen=True, slots=True)
class Sample:
    """One peer's turn at one share of its peak."""

    peer: str
    pair: int
    share: float
    peak_per_s: float
    result: RateResult


def measure(
    rig: Rig, peers: Sequence[RunningPeer], *, seconds: int, pairs: int, progress: Callable[[str], None]
) -> Section:
    """Measure each peer's peak with wrk (median of three), then let them take turns at each share of it."""
    remarks: list[str] = []
    peaks = _peaks(rig, peers, seconds, progress, remarks)
    samples: list[Sample] = []
    left = [peer for peer in peers if peer.name in peaks]
    for share in SHARES:
        for pair in range(1, pairs + 1):
            for peer in tuple(left):
                rate = peaks[peer.name] * share
                progress(f"rate: {share:.0%} of the peak, turn {pair} of {pairs}, {peer.name} at {rate:,.0f}/s")
                try:
                    result = run_open_rate(f"http://127.0.0.1:{peer.port}/", Arrivals(rate, seconds))
                except (OSError, TimeoutError) as error:
                    left.remove(peer)
                    remarks.append(f"{peer.name} left out at {share:.0%}: {str(error) or type(error).__name__}")
                    progress(remarks[-1])
                    continue
                peer.trim_access_log()
                # A thousand failures one by one belong to the single program, not to every sample.
                result = dataclasses.replace(result, failures=())
                samples.append(Sample(peer.name, pair, share, peaks[peer.name], result))
    return section(samples, remarks)


def section(samples: Sequence[Sample], remarks: Sequence[str] = ()) -> Section:
    """Return the table of these samples: medians over the turns (max: the largest), uncorrected and corrected."""
    rows = []
    any_late = False
    for peer, share in dict.fromkeys((sample.peer, sample.share) for sample in samples):
        mine = [sample for sample in samples if (sample.peer, sample.share) == (peer, share)]
        uncorrected = _merged([sample.result.uncorrected for sample in mine])
        corrected = _merged([sample.result.corrected for sample in mine])
        cells = [f"{_ms(uncorrected, column)} / {_ms(corrected, column)}" for column in _COLUMNS]
        late = any(sample.result.generator_late for sample in mine)
        any_late = any_late or late
        rate = f"{mine[0].result.rate_per_s:,.0f}{' *' if late else ''}"
        failed = sum(sum(sample.result.failed.values()) for sample in mine)
        rows.append((peer, f"{share:.0%}", rate, *cells, str(failed)))
    notes = ["each pair of figures: uncorrected / corrected (from the intended send time)"]
    if any_late:
        notes.append("* the load generator itself was late in a turn: its own delay is in the corrected figure")
    return Section(
        name="rate",
        title="latency at a fixed arrival rate, 48-byte body, at most 64 connections",
        columns=("peer", "of its peak", "requests/s", *_TITLES, "failed"),
        rows=tuple(rows),
        remarks=(*notes, *remarks),
        data={"samples": [dataclasses.asdict(sample) for sample in samples]},
    )


def _peaks(
    rig: Rig, peers: Sequence[RunningPeer], seconds: int, progress: Callable[[str], None], remarks: list[str]
) -> dict[str, float]:
    (small,) = cells_of("small")
    found: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for run in range(1, _PEAK_RUNS + 1):
        for peer in peers:
            if peer.name not in found:
                continue
            progress(f"rate: peak, run {run} of {_PEAK_RUNS}, {peer.name}")
            try:
                result = run_wrk(
                    small.load, peer.port, seconds=seconds, cores=rig.pinning.load, directory=rig.directory
                )
            except (CommandError, WrkOutputError) as error:
                del found[peer.name]
                remarks.append(f"{peer.name} left out, no peak: {error}")
                progress(remarks[-1])
                continue
            found[peer.name].append(result.requests_per_s)
            peer.trim_access_log()
    return {name: peak for name, values in found.items() if (peak := statistics.median(values)) >= 1 / min(SHARES)}


def _merged(turns: Sequence[Percentiles | None]) -> Percentiles | None:
    there = [dataclasses.asdict(turn) for turn in turns if turn is not None]
    if not there:
        return None
    medians = {column: statistics.median(turn[column] for turn in there) for column in _COLUMNS}
    medians["max_ms"] = max(turn["max_ms"] for turn in there)
    return Percentiles(**medians)


def _ms(values: Percentiles | None, column: str) -> str:
    return "-" if values is None else f"{getattr(values, column):.2f}"
