"""One health check log entry (fact sheet 9.8). Pure.

Assumed: the time is that of the beginning of the probe; a probe without a status has no latency; a refused or broken
connection is ConnectionReset.
"""

from datetime import UTC, datetime
from typing import Final

from lb.targets.health import ProbeOutcome, ProbeResult

_REASONS: Final = {
    ProbeOutcome.PASSED: "-",
    ProbeOutcome.CODE_MISMATCH: "ResponseCodeMismatch",
    ProbeOutcome.TIMED_OUT: "TimedOut",
    ProbeOutcome.FAILED: "ConnectionReset",
}


def format_entry(result: ProbeResult, target: str, target_group: str) -> str:
    """The entry with its line end. `target` is `ip:port`, `target_group` a name."""
    begun = datetime.fromtimestamp(result.at_s - result.latency_s, UTC)
    latency = "-" if result.status is None else f"{result.latency_s:.9f}"
    verdict = "PASS" if result.outcome is ProbeOutcome.PASSED else "FAIL"
    status = "-" if result.status is None else result.status
    return (
        f"http {begun:%Y-%m-%dT%H:%M:%S.%f}Z {latency} {target} {target_group} "
        f"{verdict} {status} {_REASONS[result.outcome]}\n"
    )
