"""What a driver adds to what the sentences say: gusts, UTC by GNSS, a word when an antenna has moved. Sans-io."""

from contracts.payloads import Alarm, GnssFix, Payload, Wind
from edge_agent.clock_reference import ClockReference
from edge_agent.drivers.nmea.antenna_policy import AntennaPolicy
from edge_agent.drivers.nmea.gnss_time_policy import GnssTimePolicy
from edge_agent.drivers.nmea.gust_policy import GustPolicy
from edge_agent.parsers.nmea_decoder import Decoded
from firmware_configs.hardware_profile import NmeaSource
from firmware_configs.links import SerialLink

BITS_A_BYTE = 10
"""On a serial line: start bit, eight bits, stop bit."""

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000
_MWV = "MWV"


class Derivation:
    """Policies of one source.

    Args:
        source: its settings.
    """

    def __init__(self, source: NmeaSource) -> None:
        self._gust = GustPolicy()
        link = source.link
        self._ns_a_byte = BITS_A_BYTE * _NS_PER_S // link.baud if isinstance(link, SerialLink) else 0
        latency_ns = int(source.time_latency_ms * _NS_PER_MS)
        self._time = GnssTimePolicy(source.source, latency_ns) if source.is_time_source else None
        place = source.antenna
        self._antenna = AntennaPolicy(place.lon_deg, place.lat_deg, place.limit_m) if place is not None else None

    def apply(self, item: Decoded, wall_ns: int, mono_ns: int) -> tuple[Payload, Alarm | None]:
        """Return the payload with what is added to it, and the alarm that it raises or clears.

        Args:
            item: what was decoded.
            wall_ns: UTC ns, when its bytes were read.
            mono_ns: monotonic ns, when its bytes were read, never falling.
        """
        payload = item.payload
        if isinstance(payload, Wind):
            is_sample = item.raw.rpartition("$")[2][2:5] == _MWV
            return (self._gust.sample if is_sample else self._gust.told)(payload, mono_ns), None
        if isinstance(payload, GnssFix):
            if self._time is not None:
                self._time.observe(payload, mono_ns, len(item.raw) * self._ns_a_byte)
            return payload, self._antenna.observe(payload, wall_ns, mono_ns) if self._antenna is not None else None
        return payload, None

    def reference(self) -> ClockReference | None:
        """Return UTC by this source, None if it is no time source or knows none."""
        return self._time.reference() if self._time is not None else None
