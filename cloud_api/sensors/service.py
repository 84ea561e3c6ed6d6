"""Describes the sensors of the live picture."""

from typing import cast

import msgspec

from cloud_api.live.models import NS_PER_S, SensorState
from cloud_api.sensors.models import ClockQuality, Sensor, SensorValue
from cloud_api.timestamps import format_utc


def describe_sensor(state: SensorState, now_ns: int) -> Sensor:
    """Return a sensor as the API and the live wire show it.

    Args:
        state: from the live picture.
        now_ns: UTC ns that its age is computed at.
    """
    values = cast("dict[str, SensorValue]", msgspec.structs.asdict(state.payload))
    return Sensor(
        id=state.id,
        kind=state.kind,
        site=state.origin.site,
        gateway=state.origin.gateway,
        source=state.origin.source,
        place=state.place,
        observed_at=format_utc(state.order.observed_at_ns),
        age_s=round(max(0, now_ns - state.order.observed_at_ns) / NS_PER_S, 3),
        is_stale=state.is_stale(now_ns),
        clock=ClockQuality(state=state.clock.state.value, error_ms=state.clock.error_ms),
        values=values,
    )
