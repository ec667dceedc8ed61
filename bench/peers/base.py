"""What a peer has to say about itself, and small helpers for saying it."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.processes import run_command

VERSION_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Site:
    """Where a peer is to run: its own port, a spare one, the origin ports behind it, and its own directory."""

    port: int
    spare_port: int
    origin_ports: tuple[int, ...]
    directory: Path


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a peer, and what it was told.

    `output` takes what the process writes; its access log is any file below the site's directory whose name holds
    "access".
    """

    argv: list[str]
    config: str
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    start_limit_s: float = 10.0


class Peer(Protocol):
    """A reverse proxy that can be measured."""

    @property
    def name(self) -> str:
        """The name in tables and of `--peer`."""

    def missing(self) -> str | None:
        """Return why it cannot be measured on this machine, with the next step; None when it can."""

    def version(self) -> str:
        """Return the version, as short as it is unambiguous. Raises CommandError."""

    def prepare(self, site: Site) -> Launch:
        """Write its configuration into `site.directory` and return how to start it."""


def not_installed(program: str, package: str) -> str | None:
    """Return the sentence for a program that is not on the PATH, None when it is there."""
    if shutil.which(program) is not None:
        return None
    return f"{program} is not installed (Debian: apt-get install {package})"


def version_of(argv: list[str]) -> str:
    """Return the first thing that looks like a version in what `argv` writes. Raises CommandError."""
    text = run_command(argv, limit_s=VERSION_LIMIT_S)
    found = re.search(r"\d+\.\d+[\w.+~-]*", text)
    return found.group() if found else text.strip()
