"""One piece of work for a writer's thread, and who may still give it up."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gateway.outbox.store import Store

Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Job(Generic[Result]):
    """See the module.

    Attributes:
        run: what to do, inside a transaction; if it raises a ``PortTrackError`` it has changed nothing.
        is_write: waits for the group commit; else it is done and committed at once.
        is_append: takes new space on the disk; sealing and making room are done in its transaction.
        is_urgent: ends the gathering.
        is_last: the thread ends after it.
        size_bytes: records that it brings, as JSON.
        is_given_up: its caller waits no longer; an append is then undone unless its commit is under way.
        is_done: given up no more.
        fate: of an append that was given up: whether memory holds its records. Set by its caller.
    """

    run: Callable[[Store], Result]
    is_write: bool = False
    is_append: bool = False
    is_urgent: bool = False
    is_last: bool = False
    size_bytes: int = 0
    is_given_up: bool = False
    is_done: bool = False
    future: Future[Result] = field(default_factory=Future)
    fate: Future[bool] | None = None
    _deciding: threading.Lock = field(default_factory=threading.Lock)

    def give_up(self) -> bool:
        """Wait no longer; False if it is done: its answer is there, or comes at once."""
        with self._deciding:
            if not self.is_done and not self.is_given_up:
                self.fate = Future()
                self.is_given_up = True
            return self.is_given_up

    def settle_fate(self, *, is_kept_elsewhere: bool) -> None:
        """Say what became of the records of an append; does nothing if it was not given up, or said before."""
        if self.fate is not None and not self.fate.done():
            self.fate.set_result(is_kept_elsewhere)

    def end(self) -> bool:
        """Say on the writer's thread that it is done; False if it was given up before."""
        with self._deciding:
            self.is_done = not self.is_given_up
            return self.is_done
