"""Commands to a gateway and their results. There is no shell: the list below is all that can be asked for."""

from enum import StrEnum

import msgspec

from contracts.payloads import FieldValue


class CommandKind(StrEnum):
    """What may be asked of a gateway."""

    REPORT_STATUS = "report_status"
    RESTART_DRIVER = "restart_driver"


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request; a gateway carries out each ``command_id`` once and ignores it after ``expires_at_ns`` (UTC ns)."""

    version: int = 1
    command_id: str
    kind: CommandKind
    expires_at_ns: int
    source: str | None = None


class CommandResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a command."""

    version: int = 1
    command_id: str
    is_done: bool
    detail: str = ""
    fields: dict[str, FieldValue] = msgspec.field(default_factory=dict)
