"""Depth of water: DPT and DBT, metres below the transducer.

*Source:* IEC 61162-1:2016 clauses 8.3.18 (DBT), 8.3.26 (DPT).
"""

from contracts.payloads import Depth
from edge_agent.parsers.fields import checked, read_choice, read_decimal, refuse

MAX_DEPTH_M = 12_000.0
"""Deeper than any sea: above it the value is not one."""

MAX_OFFSET_M = 100.0
"""Transducer to waterline or keel: no hull and no quay wall is higher."""

_FOOT_M = 0.3048
_FATHOM_M = 1.8288
_UNITS_OF_DBT = ((3, b"M", 1.0), (1, b"f", _FOOT_M), (5, b"F", _FATHOM_M))
"""Field, unit letter and metres of each unit; metres first, the others are the same value rounded."""
_MILLIMETRES = 3


def parse_dpt(fields: list[bytes]) -> Depth:
    """Read ``--DPT,depth,offset[,range]``: metres; a positive offset is to the waterline, a negative one to the keel.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    depth_m = checked(read_decimal(fields, 1), 0.0, MAX_DEPTH_M, fields)
    offset_m = checked(read_decimal(fields, 2), -MAX_OFFSET_M, MAX_OFFSET_M, fields)
    if depth_m is None:
        raise refuse(fields, "no depth", "no_value")
    return Depth(below_transducer_m=depth_m, offset_m=offset_m)


def parse_dbt(fields: list[bytes]) -> Depth:
    """Read ``--DBT,feet,f,metres,M,fathoms,F``.

    Raises:
        PeerError: reason ``bad_field``, ``out_of_range`` or ``no_value``.
    """
    for index, letter, metres in _UNITS_OF_DBT:
        value = read_decimal(fields, index)
        if value is not None:
            read_choice(fields, index + 1, {letter: metres})
            depth_m = round(value * metres, _MILLIMETRES)
            checked(depth_m, 0.0, MAX_DEPTH_M, fields)
            return Depth(below_transducer_m=depth_m)
    raise refuse(fields, "no depth", "no_value")
