"""What a process and its children used: CPU time and memory, read from /proc.

Everything returns None where there is no /proc (macOS): the columns are then left empty rather than guessed.
"""

import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_KIB_PER_MIB = 1024
# Writing 5 resets the peak resident size, see proc(5), /proc/PID/clear_refs.
_RESET_PEAK = "5"


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU time in seconds, in user code and in the kernel."""

    user_s: float
    system_s: float

    @property
    def total_s(self) -> float:
        """User and system time together, seconds."""
        return self.user_s + self.system_s

    def since(self, earlier: "Cpu") -> "Cpu":
        """Return what was used between `earlier` and now."""
        return Cpu(self.user_s - earlier.user_s, self.system_s - earlier.system_s)


def process_tree(pid: int) -> list[int]:
    """Return `pid` and its living descendants; empty when the process is gone or there is no /proc."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        try:
            # Children belong to the thread that forked them, so every thread is asked.
            lists = [path.read_text() for path in (_PROC / str(current) / "task").glob("*/children")]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if (_PROC / str(current)).exists():
            found.append(current)
            waiting.extend(int(child) for text in lists for child in text.split())
    return found


def cpu(pid: int) -> Cpu | None:
    """Return the CPU time used so far by the process tree of `pid`."""
    user = system = 0
    seen = False
    for member in process_tree(pid):
        text = _read(member, "stat")
        if text is None:
            continue
        # The command name (field 2) may hold spaces and brackets: count fields from its closing bracket. proc(5).
        fields = text[text.rindex(")") + 2 :].split()
        user += int(fields[11])
        system += int(fields[12])
        seen = True
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    return Cpu(user / ticks_per_s, system / ticks_per_s) if seen else None


def resident_mib(pid: int) -> float | None:
    """Return the resident memory of the process tree of `pid`, MiB."""
    return _status_mib(pid, "VmRSS:")


def peak_mib(pid: int) -> float | None:
    """Return the sum of the peak resident memory of each process of the tree since `reset_peak`, MiB."""
    return _status_mib(pid, "VmHWM:")


def reset_peak(pid: int) -> None:
    """Make `peak_mib` count from now. Where that is not permitted, the peak stays the one since the start."""
    for member in process_tree(pid):
        try:
            (_PROC / str(member) / "clear_refs").write_text(_RESET_PEAK)
        except OSError:
            continue


def _status_mib(pid: int, key: str) -> float | None:
    total = 0
    seen = False
    for member in process_tree(pid):
        for line in (_read(member, "status") or "").splitlines():
            if line.startswith(key):
                total += int(line.split()[1])
                seen = True
    return total / _KIB_PER_MIB if seen else None


def _read(pid: int, name: str) -> str | None:
    try:
        return (_PROC / str(pid) / name).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
