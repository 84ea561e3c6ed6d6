"""Hardware profiles: which drivers a kind of gateway runs, and how each reads its hardware."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from firmware_configs.base import Id, Profile, Text
from firmware_configs.links import ByteLink, TcpLink
from firmware_configs.registers import RegisterMap


class _Source(Profile):
    """One driver instance.

    Attributes:
        source: id of the instance, unique on the device.
        place: asset of the site that it observes (crane, berth, mast), if that is fixed.
    """

    source: Id
    place: Id | None = None


class NmeaSource(_Source):
    """Sentences of IEC 61162-1 (NMEA 0183): AIS, wind, depth.

    Attributes:
        link: where the bytes come from.
        keep_raw: keep the original sentence with each record, as evidence.
        max_sentence_bytes: longest sentence accepted; the standard's 82 is exceeded by real receivers.
        fragment_window_s: how long a part of a multi-sentence AIS message waits for the others.
    """

    driver: Literal["nmea"]
    link: ByteLink
    keep_raw: bool = True
    max_sentence_bytes: int = Field(default=512, ge=82, le=4096)
    fragment_window_s: float = Field(default=2.0, gt=0, le=60)


class QuayCraneSource(_Source):
    """A ship-to-shore crane's PLC by Modbus TCP, read only.

    Attributes:
        link: the PLC.
        unit_id: Modbus unit, 0 to 247.
        registers: name of the register map (a file of ``hardware/registers``), or the map itself.
        sample_hz: polls a second.
        heartbeat_s: longest silence: an unchanged sample is published again after this time.
    """

    driver: Literal["quay_crane"]
    link: TcpLink
    unit_id: int = Field(default=1, ge=0, le=247)
    registers: str | RegisterMap
    sample_hz: float = Field(default=5.0, gt=0, le=20)
    heartbeat_s: float = Field(default=1.0, gt=0, le=60)


class BerthSource(_Source):
    """A berth's mooring hooks and docking laser by Modbus TCP, read only. Attributes as ``QuayCraneSource``."""

    driver: Literal["berth"]
    link: TcpLink
    unit_id: int = Field(default=1, ge=0, le=247)
    registers: str | RegisterMap
    sample_hz: float = Field(default=1.0, gt=0, le=20)
    heartbeat_s: float = Field(default=5.0, gt=0, le=60)


Source = Annotated[NmeaSource | QuayCraneSource | BerthSource, Field(discriminator="driver")]


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
