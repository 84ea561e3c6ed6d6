"""Six-bit text: the same as pyais reads, but for characters that the message ends inside of."""

from hypothesis import given
from hypothesis import strategies as st
from pyais.bit_vector import int_bit_vector

from edge_agent.parsers.ais_bits import AisBits
from tests.support.ais_messages import ALPHABET

PAYLOADS = st.text(alphabet=ALPHABET, min_size=1, max_size=180).map(str.encode)


@given(payload=PAYLOADS, fill=st.integers(0, 5), start=st.integers(0, 400), chars=st.integers(0, 40))
def test_text_within_the_message_is_what_pyais_reads(payload: bytes, fill: int, start: int, chars: int) -> None:
    bits, peer = AisBits(payload, fill), int_bit_vector(payload, fill)
    whole = max(0, min(chars * 6, len(peer) - start)) // 6 * 6
    assert bits.get_str(start, chars * 6) == peer.get_str(start, whole)
    assert bits.get(start, 6) == peer.get(start, 6)


def test_a_character_that_is_cut_is_left_out() -> None:
    payload = "".join(ALPHABET[ord(char) & 63] for char in "CUTTER").encode()
    assert AisBits(payload, 3).get_str(0, 36) == "CUTTE"
    assert int_bit_vector(payload, 3).get_str(0, 36) == "CUTTEB"
