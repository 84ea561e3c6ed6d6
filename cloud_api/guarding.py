"""Eternal tasks: one that returns has failed, and says so."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def guard(name: str, eternal: Coroutine[Any, Any, None], is_ending: Callable[[], bool]) -> None:
    """Await an eternal coroutine.

    Args:
        name: for the message.
        eternal: the coroutine.
        is_ending: tells whether the process ends: then it may return.

    Raises:
        RuntimeError: it returned while the process should run.
    """
    await eternal
    if not is_ending():
        raise RuntimeError(f"task {name} ended, which it never should")


def start_guarded(
    group: asyncio.TaskGroup, name: str, eternal: Coroutine[Any, Any, None], is_ending: Callable[[], bool]
) -> asyncio.Task[None]:
    """Start an eternal coroutine as a named task of a group."""
    return group.create_task(guard(name, eternal, is_ending), name=name)
