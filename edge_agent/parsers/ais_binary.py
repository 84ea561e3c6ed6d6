"""AIS messages that carry messages of another application: types 6 and 8.

Fields are read only for the applications whose "not available" codes are known here: meteorology and hydrography (1/11,
1/31), clearance time to enter port (1/18), inland ship data (200/10) and persons on board (200/55). All others keep
their data as hexadecimal. The alternative, to pass on everything that can be split, shows an operator 127 kn of wind
from a station that has no anemometer.

*Source:* M.1371-5 tables 54, 57; layouts in ``ais_applications``.
"""

from contracts.payloads import Ais
from edge_agent.parsers import ais_values as read
from edge_agent.parsers.ais_applications import APPLICATIONS
from edge_agent.parsers.ais_assembly import AisMessage
from edge_agent.parsers.ais_layout import Field, Layout, bit, data, make_ais, spare

MAX_CUT_BITS = 10
"""Weather stations leave out the last fields, salinity and ice (seen in the Danish recording); those are None then."""

_DATA_BIT = {6: 88, 8: 56}
_ADDRESSED = (Field("seqno", 2), Field("dest_mmsi", 30, read.not_zero), bit("retransmit"), spare(1))
_APPLICATION = (Field("dac", 10), Field("fid", 6))
_HEADS = {6: Layout(*_ADDRESSED, *_APPLICATION), 8: Layout(spare(2), *_APPLICATION)}
_CUT_HEADS = {6: Layout(*_ADDRESSED), 8: None}
_DATA = {kind: Layout(data("data"), start=start) for kind, start in _DATA_BIT.items()}


def read_binary(value: int, size_bits: int, msg_type: int, message: AisMessage) -> Ais:
    """Return one type 6 or 8.

    Args:
        value: the whole message as one integer.
        size_bits: its length, at least 38.
        msg_type: 6 or 8.
        message: how it was received.
    """
    if size_bits < _DATA_BIT[msg_type]:
        # cut before the data: it belongs to no application that could be named
        head = _CUT_HEADS[msg_type]
        return make_ais(value, size_bits, msg_type, message, head.read(value, size_bits) if head else {})
    values = _HEADS[msg_type].read(value, size_bits)
    application = APPLICATIONS.get((msg_type, values["dac"], values["fid"]))
    # a much shorter one is not what its dac and fid say: its fields would be shifted
    is_whole = application is not None and size_bits >= application.needed_bits - MAX_CUT_BITS
    layout = application if application is not None and is_whole else _DATA[msg_type]
    return make_ais(value, size_bits, msg_type, message, values | layout.read(value, size_bits))
