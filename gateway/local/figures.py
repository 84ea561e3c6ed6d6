"""Figures as a person reads them: spans of time, sizes, names of the classes. Spanish first where there are words."""

UNKNOWN = "sin datos / unknown"

CLASS_NAMES = {
    "alarm": "alarmas / alarms",
    "crane_cycle": "ciclos de grúa / crane cycles",
    "track": "trazas / tracks",
    "telemetry": "medidas / telemetry",
    "log": "diario / log",
}
"""Name of each class of records; most precious first."""

_MINUTE_S, _HOUR_S, _DAY_S, _YEAR_D = 60, 3600, 86_400, 365.25
_LONG_Y = 100
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def span(seconds: float | None) -> str:
    """Return a span of time with the unit that it is told in; the same in both languages."""
    if seconds is None:
        return UNKNOWN
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    if seconds < 4 * _DAY_S:
        return f"{seconds / _HOUR_S:.1f} h"
    return f"{seconds / _DAY_S:.0f} d"


def years(days: float | None) -> str:
    """Return a life in years; where it is over a hundred only that is said."""
    if days is None:
        return UNKNOWN
    found = days / _YEAR_D
    return f"> {_LONG_Y} años / years" if found > _LONG_Y else f"{found:.1f} años / years"


def size(amount_bytes: float | None) -> str:
    """Return an amount of bytes in decimal units."""
    if amount_bytes is None:
        return UNKNOWN
    for unit_bytes, name in _SIZES:
        if amount_bytes >= unit_bytes:
            return f"{amount_bytes / unit_bytes:.1f} {name}"
    return f"{amount_bytes:.0f} B"
