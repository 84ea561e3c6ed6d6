"""Carries out what the cloud may ask of a gateway. There is no shell: the table below is all there is."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from contracts.commands import Command, CommandKind, CommandResult


class DriverRestarter(Protocol):
    """Restarts drivers."""

    def restart(self, source: str) -> bool:
        """Restart one driver; False if there is no such source."""
        ...


class GatewayCommands:
    """See the module.

    Args:
        drivers: restarts drivers.
        report: sends a status at once; True if it could.
    """

    def __init__(self, drivers: DriverRestarter, report: Callable[[], Awaitable[bool]]) -> None:
        self._drivers = drivers
        self._report = report
        self._table: dict[CommandKind, Callable[[Command], Awaitable[CommandResult]]] = {
            CommandKind.REPORT_STATUS: self._report_status,
            CommandKind.RESTART_DRIVER: self._restart_driver,
        }

    async def run(self, command: Command) -> CommandResult:
        """Carry out one command; failure is a result."""
        return await self._table[command.kind](command)

    async def _report_status(self, command: Command) -> CommandResult:
        is_sent = await self._report()
        return CommandResult(command_id=command.command_id, is_done=is_sent, detail="" if is_sent else "not connected")

    async def _restart_driver(self, command: Command) -> CommandResult:
        is_known = command.source is not None and self._drivers.restart(command.source)
        detail = "" if is_known else f"no source {(command.source or '')[:40]!r}"
        return CommandResult(command_id=command.command_id, is_done=is_known, detail=detail)
