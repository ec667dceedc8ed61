"""The closed-loop scenarios (small, headers, body): wrk through each peer in turn, pair after pair."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import usage
from bench.peers import BASELINE
from bench.processes import CommandError
from bench.report import Section, cell, largest, median, median_ratio
from bench.rig import Rig, RunningPeer
from bench.wrk import WrkLoad, WrkOutputError, run_wrk

_US_PER_S = 1e6
_MS_PER_S = 1e3
_MIB = 1 << 20
_WARM_UP_S = 1
_ONE_DIGIT_BELOW = 1000
_CLIENTS = 64
# 64 clients would make the load generator and the origin servers hold 640 MiB in buffers.
_LARGE_BODY_CLIENTS = 8

KIB_64 = 64 << 10
MIB_10 = 10 << 20

# What a current browser sends beside Host: long user agent, client hints, cookies. 12 lines, about 900 bytes.
_BROWSER_HEADERS = (
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    ),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Language", "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Referer", "http://www.example.com/lessons/load-balancer/introduction"),
    ("Cookie", "session=5f0c6c1e9b7d4f3a8e21; theme=dark; _ga=GA1.1.1234567890.1700000000"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Ch-Ua", '"Chromium";v="131", "Google Chrome";v="131", "Not?A_Brand";v="24"'),
    ("Cache-Control", "max-age=0"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One table: its name, what it says above, the load, and the body bytes that one request moves (0: not of interest)."""

    name: str
    title: str
    load: WrkLoad
    body_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One peer's turn in one pair. CPU is the proxy's own, per answered request; None where there is no /proc.

    `peak_growth_mib` is the peak in this turn over the memory before the scenario's first request, so that what a peer
    took in the warm-up and never gave back counts.
    """

    peer: str
    pair: int
    requests: int
    seconds: float
    requests_per_s: float
    body_mib_per_s: float
    cpu_user_us: float | None
    cpu_system_us: float | None
    busy_share: float | None
    p50_ms: float
    p99_ms: float
    failed: int
    peak_growth_mib: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One row: medians over the pairs, except the largest memory growth and the sum of the failures.

    `ratio` is the median of the ratios to the baseline's throughput in the same pair.
    """

    peer: str
    pairs: int
    requests_per_s: float
    ratio: float | None
    cpu_user_us: float | None
    cpu_system_us: float | None
    busy_share: float | None
    p50_ms: float
    p99_ms: float
    body_mib_per_s: float
    peak_growth_mib: float | None
    failed: int


def cells_of(scenario: str) -> tuple[Cell, ...]:
    """Return the tables of a closed-loop scenario. Raises KeyError for a name that is none."""
    return {
        "small": (Cell("small", "48-byte body, 64 keep-alive clients", WrkLoad("/", _CLIENTS)),),
        "headers": (
            Cell(
                "headers",
                "48-byte body, 12 browser headers, 64 keep-alive clients",
                WrkLoad("/", _CLIENTS, headers=_BROWSER_HEADERS),
            ),
        ),
        "body": (
            _download("body-64k-download", KIB_64, _CLIENTS, "64 KiB"),
            _upload("body-64k-upload", KIB_64, _CLIENTS, "64 KiB"),
            _download("body-10m-download", MIB_10, _LARGE_BODY_CLIENTS, "10 MiB"),
            _upload("body-10m-upload", MIB_10, _LARGE_BODY_CLIENTS, "10 MiB"),
        ),
    }[scenario]


def measure(
    rig: Rig, peers: Sequence[RunningPeer], cell_: Cell, *, seconds: int, pairs: int, progress: Callable[[str], None]
) -> Section:
    """Let `peers` take turns `pairs` times, `seconds` each, after one second of warm-up for each in the first pair."""
    samples: list[Sample] = []
    remarks: list[str] = []
    left = list(peers)
    memory_before = {peer.name: usage.resident_mib(peer.pid) for peer in peers}
    for pair in range(1, pairs + 1):
        for peer in tuple(left):
            progress(f"{cell_.name}: pair {pair} of {pairs}, {peer.name}")
            try:
                if pair == 1:
                    _turn(rig, peer, cell_, _WARM_UP_S, pair, memory_before[peer.name])
                samples.append(_turn(rig, peer, cell_, seconds, pair, memory_before[peer.name]))
            except (CommandError, WrkOutputError) as error:
                left.remove(peer)
                remarks.append(f"{peer.name} left out from pair {pair} on: {error}; it wrote: {peer.started.tail()}")
                progress(remarks[-1])
    return section(cell_, samples, remarks)


def section(cell_: Cell, samples: Sequence[Sample], remarks: Sequence[str] = ()) -> Section:
    """Return the table of these samples: medians, and the median of the per-pair ratios to the baseline."""
    names = dict.fromkeys(sample.peer for sample in samples)
    summaries = [summarise(name, samples) for name in names]
    columns = ["peer", "requests/s", f"of {BASELINE}", "CPU us/request", "user + system", "busy", "p50 ms", "p99 ms"]
    columns += ["body MiB/s", "peak growth MiB"] if cell_.body_bytes else []
    return Section(
        name=cell_.name,
        title=cell_.title,
        columns=(*columns, "failed"),
        rows=tuple(_row(summary, with_body=bool(cell_.body_bytes)) for summary in summaries),
        remarks=tuple(remarks),
        data={
            "summary": [dataclasses.asdict(summary) for summary in summaries],
            "samples": [dataclasses.asdict(sample) for sample in samples],
        },
    )


def summarise(peer: str, samples: Sequence[Sample]) -> Summary:
    """Return the medians of the samples of `peer`, which must have one; the others are needed for the ratio."""
    mine = [sample for sample in samples if sample.peer == peer]
    baseline = {sample.pair: sample.requests_per_s for sample in samples if sample.peer == BASELINE}
    return Summary(
        peer=peer,
        pairs=len(mine),
        requests_per_s=statistics.median(sample.requests_per_s for sample in mine),
        ratio=median_ratio({sample.pair: sample.requests_per_s for sample in mine}, baseline),
        cpu_user_us=median(sample.cpu_user_us for sample in mine),
        cpu_system_us=median(sample.cpu_system_us for sample in mine),
        busy_share=median(sample.busy_share for sample in mine),
        p50_ms=statistics.median(sample.p50_ms for sample in mine),
        p99_ms=statistics.median(sample.p99_ms for sample in mine),
        body_mib_per_s=statistics.median(sample.body_mib_per_s for sample in mine),
        peak_growth_mib=largest(sample.peak_growth_mib for sample in mine),
        failed=sum(sample.failed for sample in mine),
    )


def _row(summary: Summary, *, with_body: bool) -> tuple[str, ...]:
    user, system = summary.cpu_user_us, summary.cpu_system_us
    slow = summary.requests_per_s < _ONE_DIGIT_BELOW
    body = (cell(summary.body_mib_per_s, ",.0f"), cell(summary.peak_growth_mib, ".1f")) if with_body else ()
    return (
        summary.peer,
        cell(summary.requests_per_s, ",.1f" if slow else ",.0f"),
        cell(summary.ratio, ".2f"),
        cell(None if user is None or system is None else user + system, ",.1f"),
        f"{cell(user, ',.1f')} + {cell(system, ',.1f')}",
        cell(summary.busy_share, ".0%"),
        cell(summary.p50_ms, ".2f"),
        cell(summary.p99_ms, ".2f"),
        *body,
        str(summary.failed),
    )


def _turn(rig: Rig, peer: RunningPeer, cell_: Cell, seconds: int, pair: int, memory_before: float | None) -> Sample:
    usage.reset_peak(peer.pid)
    cpu_before = usage.cpu(peer.pid)
    result = run_wrk(cell_.load, peer.port, seconds=seconds, cores=rig.pinning.load, directory=rig.directory)
    cpu_after = usage.cpu(peer.pid)
    memory_peak = usage.peak_mib(peer.pid)
    peer.trim_access_log()
    if not result.requests:
        raise WrkOutputError(f"{peer.name} answered no request in {seconds} s ({result.failed} failed)")
    spent = cpu_after.since(cpu_before) if cpu_after and cpu_before else None
    grown = memory_peak - memory_before if memory_peak is not None and memory_before is not None else None
    return Sample(
        peer=peer.name,
        pair=pair,
        requests=result.requests,
        seconds=result.seconds,
        requests_per_s=result.requests_per_s,
        body_mib_per_s=result.requests_per_s * cell_.body_bytes / _MIB,
        cpu_user_us=spent.user_s * _US_PER_S / result.requests if spent else None,
        cpu_system_us=spent.system_s * _US_PER_S / result.requests if spent else None,
        busy_share=spent.total_s / result.seconds if spent else None,
        p50_ms=result.p50_s * _MS_PER_S,
        p99_ms=result.p99_s * _MS_PER_S,
        failed=result.failed,
        peak_growth_mib=grown,
    )


def _download(name: str, size: int, clients: int, spoken: str) -> Cell:
    return Cell(name, f"{spoken} downloads, {clients} clients", WrkLoad(f"/bodies/{size}", clients), size)


def _upload(name: str, size: int, clients: int, spoken: str) -> Cell:
    return Cell(name, f"{spoken} uploads, {clients} clients", WrkLoad("/upload", clients, upload_bytes=size), size)
