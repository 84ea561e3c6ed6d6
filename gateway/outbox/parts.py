"""What the writer's thread works with, so that the database may lie on the disk or in memory."""

import sqlite3
from dataclasses import dataclass
from typing import Protocol

from gateway.outbox.salvage.models import Damage
from gateway.outbox.shelf import SideFile
from gateway.outbox.store import Store


class Keeper(Protocol):
    """Keeps the database; see ``custody.Custody``."""

    damages: list[Damage]

    def open(self) -> sqlite3.Connection:
        """Open it."""
        ...

    def check(self, store: Store, db: sqlite3.Connection, now_ns: int) -> None:
        """Look at what was opened."""
        ...

    def scrub(self, store: Store, now: float, now_ns: int) -> None:
        """Look at a little of it, inside a transaction."""
        ...

    def committed(self, store: Store) -> None:
        """Take note of a commit."""
        ...

    def replace(self, db: sqlite3.Connection, cause: str) -> None:
        """Close it and put another in its place: it is damaged."""
        ...

    def close(self) -> None:
        """Close what is kept beside it."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What differs between a database on the disk and one in memory."""

    custody: Keeper
    quarantine: SideFile
    thread_name: str
