"""A timer precise enough for an arrival schedule.

Event loops wait in whole milliseconds, which would be most of the latency measured here. Linux's timerfd wakes a loop
through an ordinary descriptor with nanosecond settings; elsewhere the loop's own timer is used and says so.
"""

import asyncio
import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable, Iterator

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1
_NS_PER_S = 1_000_000_000
_COARSE_S = 0.001


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("it_interval", _Timespec), ("it_value", _Timespec))


def is_precise() -> bool:
    """Return whether this machine has the precise timer."""
    return sys.platform == "linux"


@contextlib.contextmanager
def ticking(
    loop: asyncio.AbstractEventLoop, *, first_at_s: float, interval_s: float, due: Callable[[], None]
) -> Iterator[None]:
    """Call `due` every `interval_s` from the instant `first_at_s` of time.monotonic() until the block is left.

    A late call stands for all those missed: `due` looks at the clock itself. Raises OSError when there is no timer.
    """
    if is_precise():
        with _timerfd(first_at_s, interval_s) as descriptor:
            loop.add_reader(descriptor, _drain_then, descriptor, due)
            try:
                yield
            finally:
                loop.remove_reader(descriptor)
        return
    handles: list[asyncio.TimerHandle] = []

    def again() -> None:
        due()
        handles[:] = [loop.call_later(max(interval_s, _COARSE_S), again)]

    handles.append(loop.call_later(max(0.0, first_at_s - time.monotonic()), again))
    try:
        yield
    finally:
        handles[0].cancel()


@contextlib.contextmanager
def _timerfd(first_at_s: float, interval_s: float) -> Iterator[int]:
    # Python has os.timerfd_create from 3.13 on; this is the same call for 3.11. timerfd_create(2).
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "timerfd_create failed")
    try:
        setting = _Itimerspec(_timespec(interval_s), _timespec(first_at_s))
        if libc.timerfd_settime(descriptor, _TFD_TIMER_ABSTIME, ctypes.byref(setting), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")
        yield descriptor
    finally:
        os.close(descriptor)


def _timespec(seconds: float) -> _Timespec:
    # Zero would disarm the timer.
    return _Timespec(*divmod(max(1, round(seconds * _NS_PER_S)), _NS_PER_S))


def _drain_then(descriptor: int, due: Callable[[], None]) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(descriptor, 8)
    due()
