"""What a person sees of the start: a spinner a part on a terminal, plain lines elsewhere."""

import sys
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text


class Board(Protocol):
    """Shows how far the start is, and afterwards what happens."""

    def begin(self, part: str, text: str) -> None:
        """``part`` is being started."""
        ...

    def done(self, part: str, text: str) -> None:
        """``part`` is ready."""
        ...

    def say(self, part: str, text: str) -> None:
        """Something happened to ``part``."""
        ...

    def close(self) -> None:
        """The start is over; ``say`` still works."""
        ...


class PlainBoard:
    """One line an event, without time: for logs, pipes and screen readers."""

    def begin(self, part: str, text: str) -> None:
        """See ``Board``."""
        self.say(part, text)

    def done(self, part: str, text: str) -> None:
        """See ``Board``."""
        self.say(part, text)

    def say(self, part: str, text: str) -> None:
        """See ``Board``."""
        sys.stdout.write(f"{part}: {text}\n")
        sys.stdout.flush()

    def close(self) -> None:
        """See ``Board``."""


class TerminalBoard:
    """Spinners while parts start; the finished list stays on the screen.

    Args:
        console: the terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: dict[str, RenderableType] = {}
        self._live: Live | None = Live(console=console, refresh_per_second=8, transient=False)
        self._live.start()

    def begin(self, part: str, text: str) -> None:
        """See ``Board``."""
        self._show(part, Spinner("dots", text=Text(f"{part:14} {text}"), style="cyan"))

    def done(self, part: str, text: str) -> None:
        """See ``Board``."""
        self._show(part, Text.assemble(("✓ ", "green"), f"{part:14} {text}"))

    def say(self, part: str, text: str) -> None:
        """See ``Board``."""
        self._console.print(Text(f"{part}: {text}", style="yellow"))

    def close(self) -> None:
        """See ``Board``."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _show(self, part: str, row: RenderableType) -> None:
        self._rows[part] = row
        if self._live is not None:
            self._live.update(Group(*self._rows.values()))


def make_board() -> Board:
    """Return the board that fits where standard output goes."""
    return TerminalBoard(Console()) if sys.stdout.isatty() else PlainBoard()
