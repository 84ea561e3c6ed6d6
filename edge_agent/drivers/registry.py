"""Which driver serves which kind of source. Each is imported only when it is made: a process carries what it runs."""

from collections.abc import Callable
from typing import Any

from edge_agent.drivers.ports import Session, Sink
from edge_agent.drivers.vitals import Vitals
from firmware_configs.hardware_profile import BerthAsciiSource, BerthSource, NmeaSource, QuayCraneSource, Source

# ruff's PLC0415 asks for imports at the top; here an AIS process would carry pymodbus and a crane process pyais


def _nmea(source: NmeaSource, sink: Sink, vitals: Vitals) -> Session:
    from edge_agent.drivers.nmea.driver import make_nmea_session  # noqa: PLC0415 - see above

    return make_nmea_session(source, sink, vitals)


def _quay_crane(source: QuayCraneSource, sink: Sink, vitals: Vitals) -> Session:
    from edge_agent.drivers.quay_crane.driver import make_crane_session  # noqa: PLC0415 - see above

    return make_crane_session(source, sink, vitals)


def _berth(source: BerthSource, sink: Sink, vitals: Vitals) -> Session:
    from edge_agent.drivers.berth.driver import make_berth_session  # noqa: PLC0415 - see above

    return make_berth_session(source, sink, vitals)


def _berth_ascii(source: BerthAsciiSource, sink: Sink, vitals: Vitals) -> Session:
    from edge_agent.drivers.berth_ascii.driver import make_berth_ascii_session  # noqa: PLC0415 - see above

    return make_berth_ascii_session(source, sink, vitals)


DRIVERS: dict[str, Callable[[Any, Sink, Vitals], Session]] = {
    "nmea": _nmea,
    "quay_crane": _quay_crane,
    "berth": _berth,
    "berth_ascii": _berth_ascii,
}
"""Session maker of each ``driver`` of hardware profiles."""


def make_session(source: Source, sink: Sink, vitals: Vitals) -> Session:
    """Return the session of one source, not opened.

    Args:
        source: its settings.
        sink: takes the observations.
        vitals: signs of life.

    Raises:
        ConfigError: the settings do not fit the driver.
    """
    return DRIVERS[source.driver](source, sink, vitals)
