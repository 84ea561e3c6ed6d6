"""Eternal tasks: one that returns has failed, and says so."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def guard(name: str, eternal: Coroutine[Any, Any, None]) -> None:
    """Await an eternal coroutine.

    Raises:
        RuntimeError: it returned.
    """
    await eternal
    raise RuntimeError(f"task {name} ended, which it never should")


def start_guarded(group: asyncio.TaskGroup, name: str, eternal: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start an eternal coroutine as a named task of a group."""
    return group.create_task(guard(name, eternal), name=name)
