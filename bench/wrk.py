"""The closed-loop load: runs wrk against one loopback port and reads what it prints.

Closed loop: a client sends its next request when the answer to the last one is there. Throughput is honest that way;
latency is flattered (a slow answer delays the requests that would have seen the same trouble). See bench/open_rate.py.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.guard import loopback_url
from bench.processes import run_command

_ROOM_S = 30.0
_REQUEST_TIMEOUT_S = 10

_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_UNITS_BYTES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_TOTALS = re.compile(r"(\d+) requests in ([\d.]+)(us|ms|s|m|h), ([\d.]+)(B|KB|MB|GB|TB) read")
_PERCENTILE = re.compile(r"^\s+(\d+(?:\.\d+)?)%\s+([\d.]+)(us|ms|s|m|h)\s*$", re.MULTILINE)
_SOCKET_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_STATUS_ERRORS = re.compile(r"Non-2xx or 3xx responses: (\d+)")


class WrkOutputError(ValueError):
    """wrk printed something else than its report."""


@dataclass(frozen=True, slots=True)
class WrkLoad:
    """What wrk is to do: the path, how many keep-alive clients, extra header lines, bytes to upload (0: GET)."""

    path: str
    clients: int
    headers: tuple[tuple[str, str], ...] = ()
    upload_bytes: int = 0


@dataclass(frozen=True, slots=True)
class WrkResult:
    """What wrk measured. `failed` counts socket errors and answers that are neither 2xx nor 3xx."""

    requests: int
    seconds: float
    read_bytes: int
    p50_s: float
    p99_s: float
    failed: int

    @property
    def requests_per_s(self) -> float:
        """Answered requests per second."""
        return self.requests / self.seconds


def missing() -> str | None:
    """Return why there is no wrk on this machine; None when there is."""
    return None if shutil.which("wrk") else "wrk is not installed (Debian: apt-get install wrk)"


def run_wrk(load: WrkLoad, port: int, *, seconds: int, cores: tuple[int, ...], directory: Path) -> WrkResult:
    """Run `load` on 127.0.0.1:`port` for `seconds`; a script for uploads is written into `directory`.

    Raises CommandError when wrk fails, WrkOutputError when its report cannot be read.
    """
    url = loopback_url(f"http://127.0.0.1:{port}{load.path}")
    argv = ["wrk", "--threads", "1", "--connections", str(load.clients), "--duration", f"{seconds}s", "--latency"]
    argv += ["--timeout", f"{_REQUEST_TIMEOUT_S}s"]
    for name, value in load.headers:
        argv += ["--header", f"{name}: {value}"]
    if load.upload_bytes:
        script = directory / f"upload-{load.upload_bytes}.lua"
        script.write_text(upload_script(load.upload_bytes))
        argv += ["--script", str(script)]
    return parse_wrk(run_command([*argv, url.geturl()], cores=cores, limit_s=seconds + _ROOM_S))


def upload_script(size: int) -> str:
    """Return the wrk script that POSTs a body of `size` bytes. wrk builds the request once and sends it again and again."""
    return f"""wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = string.rep("x", {size})
"""


def parse_wrk(text: str) -> WrkResult:
    """Read the report that `wrk --latency` prints. Raises WrkOutputError."""
    totals = _TOTALS.search(text)
    percentiles = {found[1]: _seconds(found[2], found[3]) for found in _PERCENTILE.finditer(text)}
    if totals is None or not {"50", "99"} <= percentiles.keys():
        raise WrkOutputError(f"no wrk report in: {text.strip()[:500]!r}")
    sockets = _SOCKET_ERRORS.search(text)
    statuses = _STATUS_ERRORS.search(text)
    failed = sum(map(int, sockets.groups())) if sockets else 0
    failed += int(statuses[1]) if statuses else 0
    return WrkResult(
        requests=int(totals[1]),
        seconds=_seconds(totals[2], totals[3]),
        read_bytes=round(float(totals[4]) * _UNITS_BYTES[totals[5]]),
        p50_s=percentiles["50"],
        p99_s=percentiles["99"],
        failed=failed,
    )


def _seconds(number: str, unit: str) -> float:
    return float(number) * _UNITS_S[unit]
