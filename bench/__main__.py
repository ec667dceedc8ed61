"""`python -m bench`: the balancer beside nginx, HAProxy and Caddy, in one run, on loopback."""

import datetime
import http.client
import os
import platform
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from bench import closed, idle, origins, rate, rules, wrk
from bench.guard import NotLoopbackError
from bench.peers import BASELINE, Peer, all_peers
from bench.pinning import choose_pinning, pin_this_process
from bench.processes import CommandError, StartError
from bench.report import Metadata, Section, render, to_json
from bench.rig import Rig, RunningPeer
from bench.sameness import differences

SCENARIOS = ("small", "headers", "body", "rules", "idle", "rate")

_WIDTH_IN_A_FILE = 150
_EXIT_INCOMPLETE = 1
_EXIT_NOT_POSSIBLE = 2
_EXIT_INTERRUPTED = 130


class CannotRunError(click.ClickException):
    """The machine lacks what every run needs."""

    exit_code = _EXIT_NOT_POSSIBLE


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    type=click.Choice([*SCENARIOS, "all"]),
    help="What to measure; may be given more than once. Default: small.",
)
@click.option(
    "--peer",
    "names",
    multiple=True,
    type=click.Choice([peer.name for peer in all_peers()]),
    help="Whom to measure beside nginx, which is always there; may be given more than once. Default: all installed.",
)
@click.option(
    "--seconds", type=click.IntRange(1, 60), default=2, show_default=True, help="Length of one turn of one peer."
)
@click.option(
    "--pairs",
    type=click.IntRange(1, 25),
    default=5,
    show_default=True,
    help="How often everybody has a turn; the figures are medians. Below five they are only a first look.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also write everything, with each single sample, to this file.",
)
def main(scenarios: tuple[str, ...], names: tuple[str, ...], seconds: int, pairs: int, json_file: Path | None) -> None:
    """Compare the balancer with nginx, HAProxy and Caddy as reverse proxies before the same two origin servers.

    All of them run on this machine, in turn, and load goes to loopback addresses only. The table goes to standard
    output, progress to standard error.

    \b
    python -m bench                                    small requests, under two minutes
    python -m bench --scenario all --json result.json  everything
    python -m bench --peer lb --scenario body          the balancer and nginx only
    python -m bench.open_rate --help                   fixed arrival rate against a running server

    Exit codes: 0 everything asked for was measured, 1 something was left out (the last lines say what),
    2 nothing can be measured, 130 interrupted.
    """
    for reason in (origins.missing(), wrk.missing()):
        if reason is not None:
            raise CannotRunError(f"nothing can be measured: {reason}")
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no directory {json_file.absolute().parent}", param_hint="--json")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    wanted = SCENARIOS if "all" in scenarios else tuple(dict.fromkeys(scenarios or ("small",)))
    options = {"scenarios": list(wanted), "peers": list(names), "seconds": seconds, "pairs": pairs}
    try:
        sections, metadata = run(wanted, names, seconds=seconds, pairs=pairs, options=options)
    except KeyboardInterrupt:
        # All is over already: a second Ctrl-C has nothing to end but this message.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        click.echo("interrupted: everything that was started has been stopped", err=True)
        raise SystemExit(_EXIT_INTERRUPTED) from None
    except (StartError, CommandError, NotLoopbackError) as error:
        raise CannotRunError(str(error)) from error
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH_IN_A_FILE
    render(sections, metadata, lambda text: click.echo(text, nl=False), width)
    if json_file is not None:
        json_file.write_text(to_json(sections, metadata))
        progress(f"wrote {json_file}")
    # A rival that is not installed is no failure, unless it was asked for by name.
    excused = {peer.name for peer in all_peers()} - {"lb", *names, *metadata.versions}
    if metadata.missing.keys() - excused or any(not section.rows for section in sections):
        raise SystemExit(_EXIT_INCOMPLETE)


def run(
    scenarios: Sequence[str], names: Sequence[str], *, seconds: int, pairs: int, options: dict[str, object]
) -> tuple[list[Section], Metadata]:
    """Run the scenarios and return their tables and the circumstances.

    Raises StartError or CommandError when the origin servers or the baseline do not run, KeyboardInterrupt.
    """
    started_at = datetime.datetime.now().astimezone()
    load_before = os.getloadavg()[0]
    pinning = choose_pinning()
    pin_this_process(pinning.load)
    chosen = {*names, BASELINE}
    asked = [peer for peer in all_peers() if not names or peer.name in chosen]
    missing = {peer.name: why for peer in asked if (why := peer.missing()) is not None}
    available = [peer for peer in asked if peer.name not in missing]
    versions = {peer.name: peer.version() for peer in available}
    found: dict[str, list[str]] = {}
    configs: dict[str, str] = {}
    sections: list[Section] = []
    body_sizes = (closed.KIB_64, closed.MIB_10) if "body" in scenarios else ()
    with Rig(pinning, body_sizes) as rig:
        running = _start_all(rig, available, missing, found)
        started = {peer.name for peer in running}
        for scenario in scenarios:
            if scenario == "idle":
                fresh = [peer for peer in available if peer.name in started]
                sections.append(idle.measure(rig, fresh, pairs=pairs, progress=progress))
            elif scenario == "rules":
                varied = _start_all(rig, rules.variants(), missing, found)
                taking_part = [*(peer for peer in running if peer.name in rules.PEERS), *varied]
                sections.append(rules.measure(rig, taking_part, seconds=seconds, pairs=pairs, progress=progress))
                configs |= {peer.name: peer.config for peer in varied}
                for peer in varied:
                    rig.stop(peer)
            elif scenario == "rate":
                sections.append(rate.measure(rig, running, seconds=seconds, pairs=pairs, progress=progress))
            else:
                for cell in closed.cells_of(scenario):
                    peers = running
                    if cell.body_bytes:
                        # Memory that an earlier load left behind would hide what this one takes.
                        for peer in running:
                            rig.stop(peer)
                        still = [peer for peer in available if peer.name in started]
                        peers = running = _start_all(rig, still, missing, found)
                    sections.append(closed.measure(rig, peers, cell, seconds=seconds, pairs=pairs, progress=progress))
        configs |= {peer.name: peer.config for peer in running}
    return sections, Metadata(
        started_at=started_at,
        kernel=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cores=os.cpu_count() or 1,
        load_before=load_before,
        pinning=pinning.describe(),
        versions=versions,
        configs=configs,
        missing=missing,
        differences=found,
        options=options,
    )


def progress(line: str) -> None:
    """Say on standard error what is going on."""
    click.echo(f"bench: {line}", err=True)


def _start_all(
    rig: Rig, peers: Sequence[Peer], missing: dict[str, str], found: dict[str, list[str]]
) -> list[RunningPeer]:
    running = []
    for peer in peers:
        progress(f"starting {peer.name}")
        try:
            started = rig.start(peer)
        except StartError as error:
            if peer.name == BASELINE:
                raise
            missing[peer.name] = str(error)
            progress(f"not measured: {error}")
            continue
        try:
            found[peer.name] = differences(started)
        except (OSError, http.client.HTTPException, ValueError) as error:
            missing[peer.name] = f"it listens but does not proxy: {error} ({started.started.tail()})"
            progress(f"not measured: {peer.name}: {missing[peer.name]}")
            rig.stop(started)
            continue
        running.append(started)
    return running


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
