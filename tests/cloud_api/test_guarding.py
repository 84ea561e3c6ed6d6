import asyncio

import pytest

from cloud_api.guarding import start_guarded


async def at_once() -> None:
    return


async def test_an_eternal_task_that_returns_has_failed() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            start_guarded(group, "ingest", at_once(), lambda: False)
    assert "task ingest ended" in str(caught.value.exceptions[0])


async def test_it_may_return_when_the_process_ends() -> None:
    async with asyncio.TaskGroup() as group:
        task = start_guarded(group, "bus", at_once(), lambda: True)
    assert task.done()
