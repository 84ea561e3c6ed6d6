"""The dialect ``gofree``: three malformations of VDM that a maker's plotters write, repaired by name.

Nothing is guessed: what a repair takes away says nothing about the ship. Only a profile or a person who names the
dialect gets repairs, and each is counted.

*Source:* a recording of a B&G GoFree plotter, every VDM of which has at least two of the three.
"""

EXTRA_FIELD = "vdm_extra_field"
SEQUENCE_ON_SINGLE = "vdm_sequence_on_single"
EMPTY_CHANNEL = "vdm_empty_channel"

REPAIRS: dict[str, str] = {
    EXTRA_FIELD: "the fill bits are written twice: the second is left out",
    SEQUENCE_ON_SINGLE: "a message of one sentence has a sequence id: it is left out",
    EMPTY_CHANNEL: "no channel is named: the channel is not available",
}
"""Every repair, with its meaning for a person."""

_FIELDS = 7
_SINGLE = b"1"


def repair_vdm(fields: list[bytes]) -> tuple[list[bytes], list[str]]:
    """Return the fields as the standard wants them, and the names of what was repaired.

    Args:
        fields: fields of a VDM or VDO, the address first.
    """
    repairs: list[str] = []
    if len(fields) == _FIELDS + 1 and fields[7].isdigit():
        fields = fields[:_FIELDS]
        repairs.append(EXTRA_FIELD)
    if len(fields) == _FIELDS:
        if fields[1] == _SINGLE and fields[3]:
            fields = [*fields[:3], b"", *fields[4:]]
            repairs.append(SEQUENCE_ON_SINGLE)
        if not fields[4]:
            repairs.append(EMPTY_CHANNEL)
    return fields, repairs
