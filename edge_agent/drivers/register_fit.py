"""Which register maps each Modbus driver takes, and whether a profile's fit: found before anything is started."""

from collections.abc import Mapping, Sequence

from contracts.errors import ConfigError
from edge_agent.channels import Channel
from edge_agent.drivers.berth import channels as berth
from edge_agent.drivers.quay_crane import channels as quay_crane
from edge_agent.parsers.register_map import fit_map, split_field
from firmware_configs.hardware_profile import BerthSource, QuayCraneSource, Source
from firmware_configs.modbus import ModbusUnit
from firmware_configs.registers import RegisterMap

CRANE_PAYLOADS: Mapping[str, Sequence[Channel]] = {"crane_sample": quay_crane.CHANNELS}
BERTH_PAYLOADS: Mapping[str, Sequence[Channel]] = {"berth_sample": berth.CHANNELS, "water_level": berth.TIDE_CHANNELS}


def fit_units(
    source: QuayCraneSource | BerthSource, payloads: Mapping[str, Sequence[Channel]]
) -> list[tuple[ModbusUnit, RegisterMap]]:
    """Return the units of a source, each with its map as ``fit_map`` returns it.

    Args:
        source: its settings, register maps resolved.
        payloads: what the driver measures: channels by payload.

    Raises:
        ConfigError: a map is not resolved, is for other hardware, does not fit the channels, or two units would say
            the same of one place (reason ``invalid``).
    """
    fitted = [(unit, _fit(source.source, unit, payloads)) for unit in source.all_units()]
    said: dict[tuple[str | None, str], int] = {}
    for unit, register_map in fitted:
        key = (unit.place or source.place, register_map.payload)
        if key in said:
            cause = f"units {said[key]} and {unit.unit_id} both tell {register_map.payload} of {key[0] or 'one place'}"
            raise ConfigError("make driver", source.source, cause, "give each unit its place", "invalid")
        said[key] = unit.unit_id
    return fitted


def check_registers(sources: Sequence[Source]) -> list[ConfigError]:
    """Return what is wrong with the register maps of a device, one error a source.

    Args:
        sources: of the effective config.
    """
    errors = []
    for source in sources:
        try:
            if isinstance(source, QuayCraneSource):
                fit_units(source, CRANE_PAYLOADS)
            elif isinstance(source, BerthSource):
                fit_units(source, BERTH_PAYLOADS)
        except ConfigError as exc:
            errors.append(exc)
    return errors


def _fit(source: str, unit: ModbusUnit, payloads: Mapping[str, Sequence[Channel]]) -> RegisterMap:
    registers = unit.registers
    if not isinstance(registers, RegisterMap):
        raise ConfigError("make driver", source, f"register map {registers!r} not loaded", "", "invalid")
    channels = payloads.get(registers.payload)
    if channels is None:
        cause = f"register map {registers.registers} is for {registers.payload}"
        raise ConfigError("make driver", source, cause, f"choose one for {' or '.join(payloads)}", "invalid")
    fitted = fit_map(registers, channels)
    loads = unit.line_breaking_load_kn
    hooks = sum(split_field(tag.field)[0] == "hook_tension_kn" for tag in fitted.tags)
    if isinstance(loads, list) and len(loads) != hooks:
        cause = f"line_breaking_load_kn: {len(loads)} loads for {hooks} hooks of {registers.registers}"
        raise ConfigError("make driver", source, cause, "one number, or one for each hook", "invalid")
    return fitted
