"""How a figure is printed."""

import json
import sys


def report(name: str, value: float, unit: str, **more: float | str) -> None:
    """Write one figure as a JSON line.

    Args:
        name: what was measured.
        value: the figure.
        unit: its unit.
        more: what it is compared with, and the ratio.
    """
    line = {"name": name, "value": round(value, 4), "unit": unit} | more
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of ``values`` lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]
