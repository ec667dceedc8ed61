"""Which core runs what: the proxy alone on one, the load generator and the origin servers on the others."""

import os
import shutil
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pinning:
    """Core numbers; both empty when nothing is pinned, and then `why_not` says the reason."""

    proxy: tuple[int, ...]
    load: tuple[int, ...]
    why_not: str = ""

    def describe(self) -> str:
        """Return one line for the report."""
        if not self.proxy:
            return f"not pinned: {self.why_not}"
        load = ",".join(map(str, self.load))
        return f"proxy on core {self.proxy[0]}, load generator and origin servers on core {load}"


def choose_pinning() -> Pinning:
    """Return how processes are spread over the cores that this process may use."""
    # `sys.platform` is what mypy understands, and macOS has neither call nor tool.
    if sys.platform != "linux":
        return Pinning((), (), "needs Linux")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return Pinning((), (), "only one core may be used")
    if shutil.which("taskset") is None:
        return Pinning((), (), "taskset is not installed (Debian: util-linux)")
    # The lowest core usually serves the machine's interrupts, so the proxy gets the highest.
    return Pinning(proxy=(cores[-1],), load=tuple(cores[:-1]))


def pinned(argv: list[str], cores: tuple[int, ...]) -> list[str]:
    """Return the command line that runs `argv` on `cores` (unchanged when there are none)."""
    if not cores:
        return argv
    return ["taskset", "-c", ",".join(map(str, cores)), *argv]


def pin_this_process(cores: tuple[int, ...]) -> None:
    """Move this process to `cores`: it generates load itself, and must stay off the proxy's core."""
    if cores and sys.platform == "linux":
        os.sched_setaffinity(0, cores)
