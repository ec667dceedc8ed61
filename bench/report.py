"""What comes out of a run: tables for people, one JSON document for programs. Pure: it is given everything it prints."""

import datetime
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

SCHEMA = 1
"""Raised when a reader of older files would misread a newer one."""


_QUIET_LOAD = 0.7


@dataclass(frozen=True, slots=True)
class Section:
    """One scenario's result: a table (cells as text, the first column names the peer), remarks, and the data behind."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Under which circumstances a run was made: a figure without these means nothing.

    `load_before` is the machine's load average over the minute before the run.
    """

    started_at: datetime.datetime
    kernel: str
    machine: str
    cores: int
    load_before: float
    pinning: str
    versions: dict[str, str]
    configs: dict[str, str]
    missing: dict[str, str]
    differences: dict[str, list[str]]
    options: dict[str, Any]


def median_ratio(mine: dict[int, float], baseline: dict[int, float]) -> float | None:
    """Return the median of `mine` / `baseline` over the pairs (keyed by their number) that have both; None of none."""
    ratios = [value / baseline[pair] for pair, value in mine.items() if baseline.get(pair)]
    return statistics.median(ratios) if ratios else None


def median(values: Iterable[float | None]) -> float | None:
    """Return the median of the values that are there; None of none."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def cell(value: float | None, pattern: str) -> str:
    """Return a number formatted by `pattern` (a format specification), or a dash where there is none."""
    return "-" if value is None else format(value, pattern)


def largest(values: Iterable[float | None]) -> float | None:
    """Return the largest of the values that are there; None of none."""
    return max((value for value in values if value is not None), default=None)


def render(sections: Sequence[Section], metadata: Metadata, write: Callable[[str], None], width: int) -> None:
    """Write the tables, then what is needed to judge them, `width` columns wide."""
    console = Console(width=width, highlight=False, color_system=None, markup=False, emoji=False)
    with console.capture() as captured:
        for section in sections:
            table = Table(title=f"{section.name}: {section.title}", title_justify="left")
            for index, column in enumerate(section.columns):
                table.add_column(column, justify="right" if index else "left")
            for row in section.rows:
                table.add_row(*row)
            console.print(table)
            for remark in section.remarks:
                console.print(f"  {remark}")
            console.print()
        for line in footer(metadata):
            console.print(line)
    write(captured.get())


def footer(metadata: Metadata) -> list[str]:
    """Return the lines under the tables."""
    versions = ", ".join(f"{name} {version}" for name, version in metadata.versions.items())
    lines = [
        f"{metadata.started_at:%Y-%m-%d %H:%M} {metadata.kernel}, {metadata.cores} cores, {metadata.pinning}",
        versions,
        "Compare ratios within one run only; the absolute figures change with the hour.",
    ]
    if metadata.load_before > _QUIET_LOAD:
        lines.append(f"The machine was busy before the run (load average {metadata.load_before:.1f}): measure again.")
    lines += [f"not measured: {name}: {why}" for name, why in metadata.missing.items()]
    lines += [f"not the same work: {name} {what}" for name, found in metadata.differences.items() for what in found]
    return lines


def to_json(sections: Sequence[Section], metadata: Metadata) -> str:
    """Return the run as one JSON document (docs/benchmarks.md describes it)."""
    document = {
        "schema": SCHEMA,
        "started_at": metadata.started_at.isoformat(),
        "machine": {
            "kernel": metadata.kernel,
            "architecture": metadata.machine,
            "cores": metadata.cores,
            "load_before": metadata.load_before,
            "pinning": metadata.pinning,
        },
        "options": metadata.options,
        "versions": metadata.versions,
        "configs": metadata.configs,
        "missing": metadata.missing,
        "differences": metadata.differences,
        "scenarios": {section.name: section.data for section in sections},
    }
    return json.dumps(document, indent=2) + "\n"
