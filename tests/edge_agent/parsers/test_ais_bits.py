"""Armour and six-bit text: the same as pyais reads; and the written-out readers say what the tables say."""

from hypothesis import example, given
from hypothesis import strategies as st
from pyais.bit_vector import int_bit_vector

from edge_agent.parsers.ais import LAYOUTS
from edge_agent.parsers.ais_assembly import AisMessage
from edge_agent.parsers.ais_bits import six_bit_text, text, unarmour
from edge_agent.parsers.ais_fast import FAST
from tests.support.ais_messages import ALPHABET

PAYLOADS = st.text(alphabet=ALPHABET, min_size=1, max_size=180).map(str.encode)
RECEIVED = AisMessage(b"", 0, "AI", is_own=False, channel="A", raw="raw")


@given(payload=PAYLOADS, fill=st.integers(0, 5))
def test_armour_is_read_as_pyais_reads_it(payload: bytes, fill: int) -> None:
    peer = int_bit_vector(payload, fill)
    assert unarmour(payload, fill) == peer.get(0, len(peer)) if len(peer) <= 256 else peer._value


@given(payload=PAYLOADS)
def test_text_is_what_pyais_reads(payload: bytes) -> None:
    size = len(payload) * 6
    peer = int_bit_vector(payload, 0).get_str(0, size)
    assert text(six_bit_text(unarmour(payload, 0), size)) == text(peer)


FIELDS = st.integers(0, (1 << 424) - 1)


@given(msg_type=st.sampled_from(sorted(FAST)), bits=FIELDS, mmsi=st.integers(201_000_000, 775_999_999) | st.none())
@example(msg_type=1, bits=0, mmsi=219018000)
@example(msg_type=5, bits=(1 << 424) - 1, mmsi=219018000)
def test_what_is_written_out_says_what_the_table_says(msg_type: int, bits: int, mmsi: int | None) -> None:
    fast = FAST[msg_type]
    size = fast.size_bits
    value = bits & ((1 << size - 6) - 1) | msg_type << (size - 6)
    if mmsi is not None:
        value = value & ~(((1 << 30) - 1) << (size - 38)) | mmsi << (size - 38)
    assert fast.read(value, msg_type, RECEIVED) == LAYOUTS[msg_type].message(value, size, msg_type, RECEIVED)


@given(lon=st.integers(-(1 << 27), (1 << 27) - 1), lat=st.integers(-54_000_000, 54_000_000))
def test_whole_number_degrees_are_rounded_degrees(lon: int, lat: int) -> None:
    value = 1 << 162 | (lon & 0xFFFFFFF) << 79 | (lat & 0x7FFFFFF) << 52
    fast = FAST[1].read(value, 1, RECEIVED)
    is_on_earth = abs(lon) <= 108_000_000
    assert fast.lon_deg == (round(lon / 600_000, 6) if is_on_earth else None)
    assert fast.lat_deg == (round(lat / 600_000, 6) if is_on_earth else None)
