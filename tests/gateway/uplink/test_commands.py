from contracts.commands import Command, CommandKind
from gateway.uplink.commands import MAX_REMEMBERED, CommandGate, Verdict


def command(number: int, expires_at_ns: int = 100) -> Command:
    return Command(command_id=f"c{number}", kind=CommandKind.REPORT_STATUS, expires_at_ns=expires_at_ns)


def test_each_command_is_carried_out_once() -> None:
    gate = CommandGate()
    assert gate.judge(command(1), 0) is Verdict.CARRY_OUT
    assert gate.judge(command(1), 0) is Verdict.REPEATED


def test_an_expired_command_is_ignored_and_not_remembered() -> None:
    gate = CommandGate()
    assert gate.judge(command(1), 100) is Verdict.EXPIRED
    assert gate.judge(command(1), 99) is Verdict.CARRY_OUT


def test_memory_of_commands_is_bounded() -> None:
    gate = CommandGate()
    for number in range(MAX_REMEMBERED + 10):
        gate.judge(command(number), 0)
    assert len(gate._known) == MAX_REMEMBERED
    assert gate.judge(command(MAX_REMEMBERED + 9), 0) is Verdict.REPEATED
