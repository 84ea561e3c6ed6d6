"""What to do about a running broker, from what its monitoring says. Sans-io.

Two rules. A broker that was healthy and then does not answer for ``HANG_AFTER`` looks hangs: end it, so that it is
started again. A store over ``CLEAR_AT`` of its cap is emptied by a restart: nothing of ours is ever only there (clean
sessions, receipts from the cloud), but a full one keeps every gateway from connecting (docs/adr/0051).
"""

from dataclasses import dataclass
from enum import StrEnum

LOOK_INTERVAL_S = 2.0
LOOK_TIMEOUT_S = 2.0
HANG_AFTER = 5
"""Looks without an answer: 10 to 20 s, longer than any pause seen while a laptop sleeps or a disk spins up."""
CLEAR_AT = 0.5
"""Share of the store's cap: half leaves time to act before gateways notice."""


class Action(StrEnum):
    """What the shell shall do now."""

    NOTHING = "nothing"
    SAY_READY = "say_ready"
    SAY_SILENT = "say_silent"
    END = "end"
    END_AND_CLEAR = "end_and_clear"


@dataclass(frozen=True)
class Look:
    """One look at the monitoring: it answered that it is well, and how much its store holds (bytes, None: unknown)."""

    is_healthy: bool
    store_bytes: int | None = None


class Watch:
    """Judges looks at one run of the broker.

    Args:
        store_cap_bytes: cap of its store.
    """

    def __init__(self, store_cap_bytes: int) -> None:
        self._clear_at_bytes = store_cap_bytes * CLEAR_AT
        self._was_ready = False
        self._silent = 0

    def judge(self, look: Look) -> Action:
        """Take in one look."""
        if not look.is_healthy:
            if not self._was_ready:
                return Action.NOTHING
            self._silent += 1
            if self._silent >= HANG_AFTER:
                return Action.END
            return Action.SAY_SILENT if self._silent == 1 else Action.NOTHING
        if look.store_bytes is not None and look.store_bytes > self._clear_at_bytes:
            return Action.END_AND_CLEAR
        says_so = not self._was_ready or self._silent > 0
        self._was_ready, self._silent = True, 0
        return Action.SAY_READY if says_so else Action.NOTHING
