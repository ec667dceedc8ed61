"""Tests of the data plane run on the loop that production runs on, and where a module asks for it on both."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

Factories = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Factories:
    """pytest-asyncio: uvloop where it is installed, and asyncio's own loop where a module sets BOTH_LOOPS."""
    plain: Factories = {"asyncio": asyncio.new_event_loop}
    try:
        import uvloop
    except ImportError:
        return plain
    fast: Factories = {"uvloop": uvloop.new_event_loop}
    return {**fast, **plain} if getattr(item.module, "BOTH_LOOPS", False) else fast
