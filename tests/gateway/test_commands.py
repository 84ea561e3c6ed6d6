from contracts.commands import Command, CommandKind, CommandResult
from gateway.commands import GatewayCommands


class Drivers:
    def __init__(self) -> None:
        self.restarted: list[str] = []

    def restart(self, source: str) -> bool:
        self.restarted.append(source)
        return source == "ais"


async def sent() -> bool:
    return True


async def not_sent() -> bool:
    return False


def command(kind: CommandKind, source: str | None = None) -> Command:
    return Command(command_id="c", kind=kind, expires_at_ns=1, source=source)


async def test_a_status_is_reported() -> None:
    commands = GatewayCommands(Drivers(), sent)
    assert await commands.run(command(CommandKind.REPORT_STATUS)) == CommandResult(command_id="c", is_done=True)


async def test_a_status_that_could_not_be_sent_is_no_success() -> None:
    result = await GatewayCommands(Drivers(), not_sent).run(command(CommandKind.REPORT_STATUS))
    assert not result.is_done


async def test_a_driver_is_restarted_and_an_unknown_one_named() -> None:
    drivers = Drivers()
    commands = GatewayCommands(drivers, sent)
    assert (await commands.run(command(CommandKind.RESTART_DRIVER, "ais"))).is_done
    answer = await commands.run(command(CommandKind.RESTART_DRIVER, "nobody"))
    assert (answer.is_done, answer.detail) == (False, "no source 'nobody'")
    assert not (await commands.run(command(CommandKind.RESTART_DRIVER))).is_done
    assert drivers.restarted == ["ais", "nobody"]


def test_every_kind_of_command_is_in_the_table() -> None:
    assert set(GatewayCommands(Drivers(), sent)._table) == set(CommandKind)
