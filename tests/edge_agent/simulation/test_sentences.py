import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payloads import Depth, Wind
from edge_agent.parsers.nmea_decoder import NmeaDecoder
from edge_agent.simulation.sentences import dpt, framed, mwd, mwv


def test_the_checksum_is_the_standard_s() -> None:
    assert framed("GPGLL,5300.97914,N,00259.98174,E,125926,A") == "$GPGLL,5300.97914,N,00259.98174,E,125926,A*28\r\n"


@given(st.floats(0, 359.94), st.floats(0, 60))
def test_wind_is_read_back_by_our_own_decoder(direction: float, speed: float) -> None:
    for sentence in (mwv(direction, speed), mwd(direction, speed)):
        decoder = NmeaDecoder()
        ((payload),) = [decoded.payload for decoded in decoder.feed(sentence.encode(), 0)]
        assert not decoder.rejected
        assert isinstance(payload, Wind)
        assert payload.speed_mps == pytest.approx(speed, abs=0.051)
        assert payload.direction_deg == pytest.approx(direction, abs=0.051)


def test_depth_is_read_back_by_our_own_decoder() -> None:
    decoder = NmeaDecoder()
    ((payload),) = [decoded.payload for decoded in decoder.feed(dpt(15.62, 1.0).encode(), 0)]
    assert isinstance(payload, Depth)
    assert (payload.below_transducer_m, payload.offset_m) == (15.62, 1.0)
