"""CPU time and memory of a process tree, from /proc."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import usage

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this machine has no /proc")

CHILD = (
    "import subprocess,sys;"
    "c=subprocess.Popen([sys.executable,'-c',"
    "'x=bytearray(64<<20); print(1,flush=True); import sys; sys.stdin.read()'],stdin=subprocess.PIPE);"
    "sys.stdin.read(); c.communicate()"
)


@needs_proc
def test_cpu_time_grows_with_work():
    before = usage.cpu(os.getpid())
    while usage.cpu(os.getpid()).since(before).total_s < 0.05:
        sum(range(100_000))
    after = usage.cpu(os.getpid())
    assert after.user_s >= before.user_s
    assert after.system_s >= before.system_s


@needs_proc
def test_children_are_counted():
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"1\n"
        assert len(usage.process_tree(parent.pid)) == 2
        assert usage.resident_mib(parent.pid) > 64
        assert usage.cpu(parent.pid).total_s > 0
        parent.stdin.close()


@needs_proc
def test_the_peak_counts_from_the_reset():
    block = bytearray(48 << 20)
    high = usage.peak_mib(os.getpid())
    del block
    usage.reset_peak(os.getpid())
    assert usage.peak_mib(os.getpid()) < high - 30
    assert usage.peak_mib(os.getpid()) >= usage.resident_mib(os.getpid()) - 1


def test_a_process_that_is_gone_has_no_figures():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert usage.process_tree(process.pid) == []
    assert usage.cpu(process.pid) is None
    assert usage.resident_mib(process.pid) is None
    assert usage.peak_mib(process.pid) is None
    usage.reset_peak(process.pid)
