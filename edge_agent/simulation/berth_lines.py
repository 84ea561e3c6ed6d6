"""Lines of text as a berth cabinet and a tide gauge send them. Sans-io.

*Source:* README.md of the driver ``berth_ascii``.
"""

from edge_agent.simulation.mooring import Mooring
from edge_agent.simulation.sentences import framed


def cabinet_lines(mooring: Mooring) -> list[str]:
    """Return one round of a cabinet: its lasers, then its hooks."""
    lines = []
    for laser, distance_m in enumerate(mooring.laser_distances_m(), 1):
        seen = ",,V" if distance_m is None else f"{distance_m:.2f},{mooring.approach_mps:.3f},A"
        lines.append(framed(f"PDLR,{laser},{seen}"))
    tensions = ",".join(f"{tension:.1f}" for tension in mooring.tension_kn)
    return [*lines, framed(f"PMHT,1,{tensions}")]


def level_line(level_m: float) -> str:
    """Return the line of a tide gauge.

    Args:
        level_m: above its zero, m.
    """
    return f"{level_m:+.3f} m\r\n"
