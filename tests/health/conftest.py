"""Health checks are tested on both event loops: `lb` runs on uvloop, and on asyncio's own where uvloop is missing."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio: each test of this folder runs once for each of these."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
