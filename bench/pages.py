"""`python -m bench.pages`: what open pages of the console cost the balancer's throughput.

A closed loop through a balancer that has a core to itself, three ways in turn: alone; beside a neighbour, a process that does
nothing but compute; and with pages of the live view in headless Chromium. The browser shares the other cores with the load
generator, and caches with all: what a mere neighbour costs is not the pages' doing.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from playwright.sync_api import BrowserContext, sync_playwright

from bench import origins, usage, wrk
from bench.pinning import choose_pinning, pin_this_process
from bench.processes import Processes, Started, free_ports
from bench.wrk import WrkLoad

_START_LIMIT_S: Final = 30.0
_WARM_UP_S: Final = 2
_MOST_LOST: Final = 0.05
_EXIT_MISSED: Final = 1
_NEIGHBOUR: Final = "while True: pass"
_CONFIG: Final = """
load_balancers: {{web: {{listeners: [{{port: {port}, forward: web-servers}}]}}}}
target_groups: {{web-servers: {{targets: [{targets}]}}}}
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """Requests per second, and microseconds of the balancer's CPU time for each."""

    requests_per_s: float
    cpu_us: float
    busy: float


class Bench:
    """A balancer under load. `load` are the cores of all that is not the balancer."""

    def __init__(self, balancer: Started, port: int, load: tuple[int, ...], folder: Path, seconds: int) -> None:
        self._balancer = balancer
        self._port = port
        self._load = load
        self._folder = folder
        self._seconds = seconds

    def run(self) -> Turn:
        """One turn. Raises CommandError, WrkOutputError."""
        before = usage.cpu(self._balancer.pid)
        found = wrk.run_wrk(
            WrkLoad("/", 64), self._port, seconds=self._seconds, cores=self._load, directory=self._folder
        )
        after = usage.cpu(self._balancer.pid)
        if before is None or after is None or found.failed:
            raise click.ClickException(f"{found.failed} requests failed; the balancer says: {self._balancer.tail()}")
        used_s = after.since(before).total_s
        return Turn(found.requests_per_s, used_s / found.requests * 1e6, used_s / found.seconds)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--pages", type=click.IntRange(1, 10), default=3, show_default=True, help="Pages that are open.")
@click.option("--pairs", type=click.IntRange(1, 25), default=5, show_default=True, help="Turns; figures are medians.")
@click.option("--seconds", type=click.IntRange(1, 30), default=5, show_default=True, help="Length of a turn.")
def main(pages: int, pairs: int, seconds: int) -> None:
    """Measure what pages of the console cost. Loopback only.

    \b
    Exit codes: 0 less than 5 % of the throughput (against alone, or against a neighbour), 1 more, 2 nothing can be
    measured.
    """
    program = shutil.which("chromium")
    if program is None:
        raise click.UsageError("needs Chromium (Debian: apt-get install chromium)")
    for reason in (origins.missing(), wrk.missing()):
        if reason is not None:
            raise click.UsageError(f"nothing can be measured: {reason}")
    with tempfile.TemporaryDirectory(prefix="lb-bench-") as folder, Processes() as processes:
        alone, beside, watched = _measure(processes, Path(folder), program, pages, pairs, seconds)
    for name, turns in (("alone", alone), ("a neighbour", beside), (f"{pages} pages", watched)):
        rate, us, busy = (statistics.median(getattr(turn, each) for turn in turns) for each in Turn.__slots__)
        click.echo(f"{name:<12} {rate:8.0f} requests/s  {us:6.1f} us of CPU time each  {busy:4.0%} of the core busy")
    lost = [_change(other, watched) for other in (alone, beside)]
    click.echo(f"{pages} pages: {lost[0]:+.1%} requests/s against alone, {lost[1]:+.1%} against a neighbour")
    sys.exit(0 if max(lost) > -_MOST_LOST else _EXIT_MISSED)


def _change(before: Sequence[Turn], after: Sequence[Turn]) -> float:
    """The median change of the throughput."""
    ratios = [b.requests_per_s / a.requests_per_s for a, b in zip(before, after, strict=True)]
    return statistics.median(ratios) - 1


def _measure(
    processes: Processes, folder: Path, program: str, pages: int, pairs: int, seconds: int
) -> tuple[list[Turn], list[Turn], list[Turn]]:
    """Turns alone, beside a neighbour and with pages."""
    pinning = choose_pinning()
    pin_this_process(pinning.load)
    (folder / "origins").mkdir()
    targets = origins.start_origins(processes, folder / "origins", cores=pinning.load, body_sizes=())
    port, api_port = free_ports(2)
    text = _CONFIG.format(port=port, targets=", ".join(f'"127.0.0.1:{target}"' for target in targets))
    (folder / "lb.yaml").write_text(text)
    argv = [sys.executable, "-m", "lb.cli.main", "up", "lb.yaml", "--api-port", str(api_port), "--data", "data"]
    balancer = processes.start("lb", argv, cores=pinning.proxy, directory=folder, output=folder / "output.log")
    processes.wait_until_listening(balancer, port, limit_s=_START_LIMIT_S)
    bench = Bench(balancer, port, pinning.load, folder, seconds)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        bench.run()
        alone, beside, watched = [], [], []
        for pair in range(1, pairs + 1):
            alone.append(bench.run())
            neighbour = processes.start(
                "neighbour",
                [sys.executable, "-c", _NEIGHBOUR],
                cores=pinning.load,
                directory=folder,
                output=folder / "log",
            )
            beside.append(bench.run())
            processes.stop(neighbour)
            context = browser.new_context()
            _open(context, f"http://127.0.0.1:{api_port}/#/live", pages)
            watched.append(bench.run())
            context.close()
            rates = ", ".join(f"{turns[-1].requests_per_s:.0f}" for turns in (alone, beside, watched))
            click.echo(f"bench: turn {pair} of {pairs}: {rates} requests/s", err=True)
        browser.close()
    return alone, beside, watched


def _open(context: BrowserContext, url: str, count: int) -> None:
    for _ in range(count):
        page = context.new_page()
        page.goto(url)
        page.locator(".view-live .figures").wait_for()
    time.sleep(_WARM_UP_S)


if __name__ == "__main__":
    main()
