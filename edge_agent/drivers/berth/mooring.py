"""What a berth's readings mean together: load of each line, nearest laser, fastest approach. Sans-io.

*Source:* OCIMF Mooring Equipment Guidelines, 4th edition (tension limits in % of the line's minimum breaking load).
"""

from collections.abc import Sequence

import msgspec

from contracts.payloads import BerthSample

BreakingLoad = float | Sequence[float] | None


def complete_berth(sample: BerthSample, breaking_load_kn: BreakingLoad) -> BerthSample:
    """Return the sample with line loads in % and with the berth's distance and approach of several lasers.

    Args:
        sample: what the cabinet says.
        breaking_load_kn: of the line on each hook, kN, or of all; ``None`` leaves the percentages out.
    """
    changes: dict[str, object] = {}
    if breaking_load_kn is not None and sample.hook_tension_kn and sample.hook_load_pct is None:
        changes["hook_load_pct"] = _percentages(sample.hook_tension_kn, breaking_load_kn)
    if sample.distance_m is None and (distances := _known(sample.laser_distance_m)):
        changes["distance_m"] = min(distances)
    if sample.approach_speed_mps is None and (speeds := _known(sample.laser_approach_mps)):
        changes["approach_speed_mps"] = max(speeds)
    return msgspec.structs.replace(sample, **changes) if changes else sample


def _percentages(tensions: Sequence[float | None], breaking_load_kn: float | Sequence[float]) -> list[float | None]:
    if isinstance(breaking_load_kn, float | int):
        loads: Sequence[float] = [breaking_load_kn] * len(tensions)
    else:
        loads = breaking_load_kn
    return [
        None if tension is None or index >= len(loads) else round(100 * tension / loads[index], 1)
        for index, tension in enumerate(tensions)
    ]


def _known(values: Sequence[float | None] | None) -> list[float]:
    return [value for value in values or () if value is not None]
