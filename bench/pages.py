"""`python -m bench.pages`: what open pages of the console cost the balancer's throughput.

A closed loop through a balancer that has a core to itself, three ways in turn: alone; beside a neighbour, a process that does
nothing but compute; and with pages of the live view in headless Chromium. The browser shares the other cores with the load
generator, and caches with all: what a mere neighbour costs is not the pages' doing.
"""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click
from playwright.sync_api import BrowserContext, sync_playwright

from bench import origins, usage, wrk
from bench.peers import Balancer
from bench.pinning import choose_pinning, pin_this_process, pinned
from bench.rig import Rig, RunningPeer
from bench.wrk import WrkLoad

_CLIENTS: Final = 64
_WARM_UP_S: Final = 2
_MOST_LOST: Final = 0.05
_EXIT_MISSED: Final = 1
_NEIGHBOUR: Final = "while True: pass"


@dataclass(frozen=True, slots=True)
class Turn:
    """Requests per second, and microseconds of the balancer's CPU time for each."""

    requests_per_s: float
    cpu_us: float
    busy: float


def turn(rig: Rig, balancer: RunningPeer, seconds: int) -> Turn:
    """The balancer under load for so long. Raises CommandError, WrkOutputError, click.ClickException."""
    before = usage.cpu(balancer.pid)
    load = WrkLoad("/", _CLIENTS)
    found = wrk.run_wrk(load, balancer.port, seconds=seconds, cores=rig.pinning.load, directory=rig.directory)
    after = usage.cpu(balancer.pid)
    if before is None or after is None or found.failed:
        raise click.ClickException(f"{found.failed} requests failed; the balancer says: {balancer.started.tail()}")
    used_s = after.since(before).total_s
    return Turn(found.requests_per_s, used_s / found.requests * 1e6, used_s / found.seconds)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--pages", type=click.IntRange(1, 10), default=3, show_default=True, help="Pages that are open.")
@click.option("--pairs", type=click.IntRange(1, 25), default=5, show_default=True, help="Turns; figures are medians.")
@click.option("--seconds", type=click.IntRange(1, 30), default=5, show_default=True, help="Length of a turn.")
def main(pages: int, pairs: int, seconds: int) -> None:
    """Measure what pages of the console cost. Loopback only.

    \b
    Exit codes: 0 less than 5 % of the throughput alone, 1 more, 2 nothing can be measured.
    """
    program = shutil.which("chromium")
    if program is None:
        raise click.UsageError("needs Chromium (Debian: apt-get install chromium)")
    for reason in (origins.missing(), wrk.missing()):
        if reason is not None:
            raise click.UsageError(f"nothing can be measured: {reason}")
    with Rig(choose_pinning(), ()) as rig:
        alone, beside, watched = _measure(rig, program, pages, pairs, seconds)
    for name, turns in (("alone", alone), ("a neighbour", beside), (f"{pages} pages", watched)):
        rate, us, busy = (statistics.median(getattr(turn, each) for turn in turns) for each in Turn.__slots__)
        click.echo(f"{name:<12} {rate:8.0f} requests/s  {us:6.1f} us of CPU time each  {busy:4.0%} of the core busy")
    change = _change(alone, watched)
    click.echo(
        f"{pages} pages: {change:+.1%} requests/s against alone, {_change(beside, watched):+.1%} against a neighbour"
    )
    sys.exit(0 if change > -_MOST_LOST else _EXIT_MISSED)


def _change(before: Sequence[Turn], after: Sequence[Turn]) -> float:
    """The median change of the throughput."""
    ratios = [b.requests_per_s / a.requests_per_s for a, b in zip(before, after, strict=True)]
    return statistics.median(ratios) - 1


def _measure(rig: Rig, program: str, pages: int, pairs: int, seconds: int) -> tuple[list[Turn], list[Turn], list[Turn]]:
    """Turns alone, beside a neighbour and with pages."""
    pin_this_process(rig.pinning.load)
    balancer = rig.start(Balancer())
    flags = ["--no-sandbox", "--disable-dev-shm-usage"]
    alone, beside, watched = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        turn(rig, balancer, seconds)
        for pair in range(1, pairs + 1):
            alone.append(turn(rig, balancer, seconds))
            with subprocess.Popen(pinned([sys.executable, "-c", _NEIGHBOUR], rig.pinning.load)) as neighbour:
                try:
                    beside.append(turn(rig, balancer, seconds))
                finally:
                    neighbour.kill()
            context = browser.new_context()
            _open(context, f"http://127.0.0.1:{balancer.spare_port}/#/live", pages)
            watched.append(turn(rig, balancer, seconds))
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
