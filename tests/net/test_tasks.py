"""Background tasks: named, kept, ended together, and never silent about an exception."""

import asyncio
import gc
import weakref

import pytest

from lb.net.tasks import Tasks
from tests.health.scripted import until


async def test_a_task_has_its_name_and_its_result():
    tasks = Tasks()

    async def work():
        return asyncio.current_task().get_name()

    assert await tasks.spawn(work(), name="a name") == "a name"
    await tasks.close()


async def test_an_exception_that_nobody_awaits_is_logged_with_its_traceback(caplog):
    tasks = Tasks()

    async def fails():
        raise ZeroDivisionError("on purpose")

    tasks.spawn(fails(), name="failing task")
    await until(lambda: caplog.records)
    assert "task failing task failed" in caplog.text
    assert "ZeroDivisionError: on purpose" in caplog.text
    await tasks.close()


# The collection below may also meet what other tests have left.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_task_is_not_collected_while_it_waits():
    """A task and the future it waits for hold only each other: without Tasks the collector takes both."""
    tasks, waited_for = Tasks(), []

    async def waits():
        future = asyncio.get_running_loop().create_future()
        waited_for.append(weakref.ref(future))
        return await future

    tasks.spawn(waits(), name="waits")
    await asyncio.sleep(0)
    gc.collect()
    future = waited_for[0]()
    assert future is not None
    await tasks.close()


async def test_close_cancels_what_runs_waits_for_its_end_and_logs_nothing(caplog):
    tasks, ended = Tasks(), []

    async def tidies_up(number):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.02)
            ended.append(number)

    running = [tasks.spawn(tidies_up(number), name=f"task {number}") for number in range(3)]
    await asyncio.sleep(0)
    await tasks.close()
    assert sorted(ended) == [0, 1, 2]
    assert all(task.cancelled() for task in running)
    assert caplog.records == []


async def test_an_exception_while_closing_is_logged(caplog):
    tasks = Tasks()

    async def fails_at_the_end():
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError("at the end")

    tasks.spawn(fails_at_the_end(), name="clumsy")
    await asyncio.sleep(0)
    await tasks.close()
    await until(lambda: "ZeroDivisionError: at the end" in caplog.text)


async def test_close_ends_what_is_spawned_while_it_waits():
    tasks, late = Tasks(), []

    async def leaves_more_work():
        try:
            await asyncio.Event().wait()
        finally:
            late.append(tasks.spawn(asyncio.Event().wait(), name="late"))

    tasks.spawn(leaves_more_work(), name="first")
    await asyncio.sleep(0)
    await tasks.close()
    try:
        assert late[0].done()
    finally:
        late[0].cancel()


async def test_close_without_tasks_and_twice_is_fine():
    tasks = Tasks()
    await tasks.close()
    await tasks.close()
