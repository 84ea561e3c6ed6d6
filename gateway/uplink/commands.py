"""Which commands may be carried out: each id once, none after its time. Sans-io."""

from collections import OrderedDict
from enum import StrEnum

from contracts.commands import Command

MAX_REMEMBERED = 256
"""Ids remembered; a broker repeats a command within seconds, and an operator gives a few an hour."""


class Verdict(StrEnum):
    """What to do with a command."""

    CARRY_OUT = "carry_out"
    REPEATED = "repeated"
    EXPIRED = "expired"


class CommandGate:
    """Remembers the ids of the commands that were let through."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()

    def judge(self, command: Command, now_ns: int) -> Verdict:
        """Judge a command and remember it.

        Args:
            command: as it came.
            now_ns: UTC ns.
        """
        if command.expires_at_ns <= now_ns:
            return Verdict.EXPIRED
        if command.command_id in self._known:
            return Verdict.REPEATED
        self._known[command.command_id] = None
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return Verdict.CARRY_OUT
