"""Hardware profiles: which drivers a kind of gateway runs, and how each reads its hardware."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from firmware_configs.alarms import Alarms
from firmware_configs.base import Id, Profile, Text
from firmware_configs.crane_rules import CycleRules
from firmware_configs.gnss import Antenna
from firmware_configs.links import ByteLink, ReplayLink, SerialLink
from firmware_configs.modbus import BreakingLoad, ModbusLink, ModbusUnit
from firmware_configs.registers import RegisterMap


class _Source(Profile):
    """One driver instance.

    Attributes:
        source: id of the instance, unique on the device.
        place: asset of the site that it observes (crane, berth, mast), if that is fixed.
        alarms: limits that the gateway keeps by itself.
        place_alarms: the same for single places, where they differ; the site's limits of its cranes are added here.
    """

    source: Id
    place: Id | None = None
    alarms: Alarms = Alarms()
    place_alarms: dict[Id, Alarms] = Field(default_factory=dict, max_length=33)

    def places(self) -> set[str]:
        """Return the assets that it observes."""
        return {self.place} if self.place is not None else set()


class NmeaSource(_Source):
    """Sentences of IEC 61162-1 (NMEA 0183): AIS, wind, weather, water, radar, position.

    Attributes:
        link: where the bytes come from.
        keep_raw: keep the original sentence with each record, as evidence.
        max_sentence_bytes: longest sentence accepted; the standard's 82 is exceeded by real receivers.
        fragment_window_s: longest time between two parts of a multi-sentence AIS message; the time that a sentence
            takes on a serial line is added.
        dialect: ``strict``, or ``gofree`` for a plotter whose VDM are malformed: three repairs, each counted by name.
        is_time_source: a GNSS receiver whose time tells how wrong the gateway's clock is.
        time_latency_ms: longest time from its fix to the first byte that tells of it, by its data sheet.
        antenna: of a GNSS receiver that does not move; an alarm is raised when it has.
    """

    driver: Literal["nmea"]
    link: ByteLink
    keep_raw: bool = True
    max_sentence_bytes: int = Field(default=512, ge=82, le=4096)
    fragment_window_s: float = Field(default=0.1, gt=0, le=2)
    dialect: Literal["strict", "gofree"] = "strict"
    is_time_source: bool = False
    time_latency_ms: float = Field(default=500.0, ge=0, le=2_000)
    antenna: Antenna | None = None

    @model_validator(mode="after")
    def _a_recording_tells_no_time(self) -> Self:
        if self.is_time_source and isinstance(self.link, ReplayLink):
            msg = "is_time_source: a recording does not know what time it is"
            raise ValueError(msg)
        return self


class _ModbusSource(_Source):
    """PLCs that one connection or one bus reaches, read only, by one driver process.

    One PLC is said by ``unit_id`` and ``registers``, several by ``units``.

    Attributes:
        link: Modbus TCP, or a serial port for Modbus RTU.
        unit_id: Modbus unit, 0 to 247.
        registers: name of the register map (a file of ``hardware/registers``), or the map itself.
        units: the PLCs, where there are several.
        answer_timeout_s: longest wait for one answer, s. On a bus everybody waits for a unit that is dead.
    """

    link: ModbusLink
    unit_id: int = Field(default=1, ge=0, le=247)
    registers: str | RegisterMap | None = None
    units: list[ModbusUnit] = Field(default_factory=list, max_length=32)
    answer_timeout_s: float = Field(default=1.0, gt=0, le=5)

    def all_units(self) -> list[ModbusUnit]:
        """Return the PLCs, one or several."""
        if self.registers is None:
            return self.units
        return [ModbusUnit(unit_id=self.unit_id, registers=self.registers)]

    def places(self) -> set[str]:
        """Return the assets that it observes, those of single units included."""
        return super().places() | {unit.place for unit in self.all_units() if unit.place is not None}

    @model_validator(mode="after")
    def _units_are_told_apart(self) -> Self:
        if (self.registers is None) == (not self.units):
            msg = "registers or units: one of them, not both"
            raise ValueError(msg)
        ids = [unit.unit_id for unit in self.all_units()]
        if repeated := {str(unit_id) for unit_id in ids if ids.count(unit_id) > 1}:
            msg = f"units: unit_id must be unique, repeated: {', '.join(sorted(repeated))}"
            raise ValueError(msg)
        if isinstance(self.link, SerialLink) and 0 in ids:
            msg = "unit_id: 0 is every unit of a serial bus, none of them answers; allowed: 1 to 247"
            raise ValueError(msg)
        return self


class QuayCraneSource(_ModbusSource):
    """Ship-to-shore cranes' PLCs by Modbus, read only.

    Attributes:
        sample_hz: polls a second.
        heartbeat_s: longest silence: an unchanged sample is published again after this time.
        cycle: how lifts are told from contacts, load and trolley.
    """

    driver: Literal["quay_crane"]
    sample_hz: float = Field(default=5.0, gt=0, le=20)
    heartbeat_s: float = Field(default=1.0, gt=0, le=60)
    cycle: CycleRules = CycleRules()


class BerthSource(_ModbusSource):
    """Berth cabinets (mooring hooks, docking lasers) and tide gauges by Modbus, read only.

    Attributes:
        sample_hz: polls a second.
        heartbeat_s: longest silence: an unchanged sample is published again after this time.
        line_breaking_load_kn: of the one PLC, as of ``ModbusUnit``.
    """

    driver: Literal["berth"]
    sample_hz: float = Field(default=1.0, gt=0, le=20)
    heartbeat_s: float = Field(default=5.0, gt=0, le=60)
    line_breaking_load_kn: BreakingLoad | list[BreakingLoad] | None = None

    def all_units(self) -> list[ModbusUnit]:
        """Return the PLCs, one or several."""
        units = super().all_units()
        if self.registers is None or self.line_breaking_load_kn is None:
            return units
        return [unit.model_copy(update={"line_breaking_load_kn": self.line_breaking_load_kn}) for unit in units]


class BerthAsciiSource(_Source):
    """A berth cabinet or tide gauge that sends lines of text by itself.

    Attributes:
        link: where the bytes come from.
        protocol: ``sentences``: ``$PMHT`` and ``$PDLR`` with checksums; ``level``: lines like ``+0.532 m``.
        line_breaking_load_kn: as of ``ModbusUnit``.
        level_offset_m: height of the gauge's zero above the site's chart datum, m.
        keep_raw: keep the original line with each record.
    """

    driver: Literal["berth_ascii"]
    link: ByteLink
    protocol: Literal["sentences", "level"]
    line_breaking_load_kn: BreakingLoad | list[BreakingLoad] | None = None
    level_offset_m: float = Field(default=0.0, ge=-20, le=20)
    keep_raw: bool = False


Source = Annotated[NmeaSource | QuayCraneSource | BerthSource | BerthAsciiSource, Field(discriminator="driver")]


class HardwareProfile(Profile):
    """A kind of gateway."""

    schema_version: Literal[1] = Field(alias="schema")
    profile: Id
    title: Text
    sources: list[Source] = Field(min_length=1, max_length=32)

    @model_validator(mode="after")
    def _sources_are_unique(self) -> "HardwareProfile":
        names = [source.source for source in self.sources]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            msg = f"source ids must be unique, repeated: {', '.join(sorted(repeated))}"
            raise ValueError(msg)
        return self
