"""What a payload says about each limit: the values that are held against them. Sans-io.

Closed sets: four kinds of mooring alarm, two of wind, two of approach. A payload that none of the limits is about
yields nothing.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from contracts.payloads import BerthSample, CraneSample, Payload, Wind
from edge_agent.alarms.limits import NS, Limit
from edge_agent.parsers.gust import GustMean3s
from firmware_configs.alarms import Alarms, ApproachLimits, MooringLimits, WindLimits

MAX_HOOKS = 64
"""Tags that one register map may have; a berth has six to twelve hooks."""


KINDS = frozenset(
    {
        "crane_wind_warning", "crane_wind_stop", "mooring_tension_high", "mooring_load_high", "mooring_tension_slack",
        "mooring_tension_imbalance", "approach_speed_warning", "approach_speed",
    }
)  # fmt: skip
"""Every alarm that is made here. Others are a driver's own (an antenna that moved) and not ours to clear."""


class Reading(NamedTuple):
    """One value for one limit; ``subject`` is the part of the place that it is about."""

    limit: Limit
    subject: str
    value: float | None


class Readings(Protocol):
    """Reads values for limits off payloads; ``kinds`` are the alarms that it has limits for."""

    @property
    def kinds(self) -> frozenset[str]:
        """Alarms that it has limits for."""
        ...

    def read(self, payload: Payload, now_ns: int) -> Iterator[Reading]:
        """Yield the values of a payload, none where it is about something else.

        Args:
            payload: any.
            now_ns: monotonic, ns, never falling.
        """
        ...


class WindReadings:
    """The 3-second gust of one anemometer, for its two limits.

    Args:
        limits: of the profile.
    """

    def __init__(self, limits: WindLimits) -> None:
        self._gust = GustMean3s()
        self._limits = [
            Limit(
                alarm, severity, "m/s", limit, max(0.0, limit - limits.hysteresis_mps),
                round(limits.raise_after_s * NS), round(limits.clear_after_s * NS),
            )
            for alarm, severity, limit in (
                ("crane_wind_warning", "warning", limits.warning_mps),
                ("crane_wind_stop", "alarm", limits.stop_mps),
            )
            if limit is not None
        ]  # fmt: skip
        self.kinds = frozenset(limit.alarm for limit in self._limits)

    def read(self, payload: Payload, now_ns: int) -> Iterator[Reading]:
        """Yield the gust of a ``CraneSample`` or ``Wind``; see the port."""
        if not self._limits:
            return
        if isinstance(payload, CraneSample):
            speed_mps = payload.wind_mps
        elif isinstance(payload, Wind) and payload.speed_mps is not None:
            speed_mps = payload.speed_mps
        else:
            return
        gust_mps = self._gust.add(speed_mps, now_ns) if speed_mps is not None else None
        for limit in self._limits:
            yield Reading(limit, "", gust_mps)


class MooringReadings:
    """Tension of each hook, and balance of each group.

    A hook is in use from the sample that shows ``in_use_kn`` on; it is out of use ``in_use_s`` after the last such
    sample, or once no hook of the berth carries that much: then the ship has cast off. A hook out of use is not slack.

    Args:
        limits: of the profile.
    """

    def __init__(self, limits: MooringLimits) -> None:
        self._in_use_kn = limits.in_use_kn
        self._in_use_ns = round(limits.in_use_s * NS)
        self._groups = [[hook - 1 for hook in group] for group in limits.groups]
        self._used_at_ns: dict[int, int] = {}
        self._high = _mooring_limit(limits, "mooring_tension_high", limits.high_kn)
        self._load = _mooring_limit(limits, "mooring_load_high", limits.high_pct)
        self._slack = _mooring_limit(limits, "mooring_tension_slack", limits.slack_kn)
        self._imbalance = _mooring_limit(limits, "mooring_tension_imbalance", limits.imbalance_pct)
        kept = (self._high, self._load, self._slack, self._imbalance)
        self.kinds = frozenset(limit.alarm for limit in kept if limit is not None)

    def read(self, payload: Payload, now_ns: int) -> Iterator[Reading]:
        """Yield what a ``BerthSample`` says about hooks and groups; see the port."""
        if not isinstance(payload, BerthSample) or not payload.hook_tension_kn:
            return
        tensions = payload.hook_tension_kn[:MAX_HOOKS]
        self._note_use(tensions, now_ns)
        for hook, tension_kn in enumerate(tensions):
            if self._high is not None:
                yield Reading(self._high, f"hook {hook + 1}", tension_kn)
            if self._slack is not None:
                # out of use is as good as tight: what hangs in the water is not the ship's any more
                is_out = tension_kn is not None and hook not in self._used_at_ns
                yield Reading(self._slack, f"hook {hook + 1}", self._in_use_kn if is_out else tension_kn)
        if self._load is not None:
            for hook, load_pct in enumerate((payload.hook_load_pct or [])[:MAX_HOOKS]):
                yield Reading(self._load, f"hook {hook + 1}", load_pct)
        if self._imbalance is not None:
            for number, group in enumerate(self._groups or [list(range(len(tensions)))], 1):
                yield Reading(self._imbalance, f"group {number}", self._imbalance_pct(tensions, group))

    def _note_use(self, tensions: list[float | None], now_ns: int) -> None:
        is_moored = False
        for hook, tension_kn in enumerate(tensions):
            if tension_kn is not None and tension_kn >= self._in_use_kn:
                self._used_at_ns[hook] = now_ns
                is_moored = True
        is_known = all(tension_kn is not None for tension_kn in tensions)
        self._used_at_ns = {
            hook: at_ns
            for hook, at_ns in self._used_at_ns.items()
            if now_ns - at_ns < self._in_use_ns and (is_moored or not is_known)
        }

    def _imbalance_pct(self, tensions: list[float | None], group: list[int]) -> float | None:
        """Return the imbalance of the hooks in use, 0 with less than two of them, ``None`` where one is not known."""
        used = [tensions[hook] for hook in group if hook < len(tensions) and hook in self._used_at_ns]
        known = [tension_kn for tension_kn in used if tension_kn is not None]
        if len(known) < len(used):
            return None
        if len(known) < 2:  # noqa: PLR2004 - one line has nothing to share with
            return 0.0
        return round(100 * (max(known) - min(known)) / max(known), 1) if max(known) > 0 else 0.0


class ApproachReadings:
    """Speed towards the quay while the ship is near.

    Args:
        limits: of the profile.
    """

    def __init__(self, limits: ApproachLimits) -> None:
        self._within_m = limits.within_m
        self._limits = [
            Limit(
                alarm, severity, "m/s", limit, max(0.0, limit - limits.hysteresis_mps),
                round(limits.raise_after_s * NS), round(limits.clear_after_s * NS),
            )
            for alarm, severity, limit in (
                ("approach_speed_warning", "warning", limits.warning_mps),
                ("approach_speed", "alarm", limits.high_mps),
            )
            if limit is not None
        ]  # fmt: skip
        self.kinds = frozenset(limit.alarm for limit in self._limits)

    def read(self, payload: Payload, now_ns: int) -> Iterator[Reading]:
        """Yield the speed of a ``BerthSample``, 0 far from the quay; see the port."""
        del now_ns
        if not isinstance(payload, BerthSample):
            return
        speed_mps, distance_m = payload.approach_speed_mps, payload.distance_m
        if speed_mps is None and distance_m is None:
            return  # a cabinet that sends hooks and laser in sentences of their own; a lost laser is silence as well
        is_far = distance_m is not None and distance_m > self._within_m
        for limit in self._limits:
            yield Reading(limit, "", 0.0 if is_far else speed_mps)


def readings_of(alarms: Alarms) -> list[Readings]:
    """Return what reads the values for the limits of one source.

    Args:
        alarms: of the profile.
    """
    return [WindReadings(alarms.wind), MooringReadings(alarms.mooring), ApproachReadings(alarms.approach)]


def _mooring_limit(limits: MooringLimits, alarm: str, value: float | None) -> Limit | None:
    if value is None:
        return None
    is_high, is_floor = alarm.endswith("_high"), alarm == "mooring_tension_slack"
    margin = value * limits.hysteresis_pct / 100
    return Limit(
        alarm=alarm,
        severity="alarm" if is_high else "warning",
        unit="kN" if alarm in ("mooring_tension_high", "mooring_tension_slack") else "%",
        raise_at=value,
        clear_at=value + margin if is_floor else value - margin,
        raise_after_ns=round((limits.raise_after_s if is_high else limits.settle_after_s) * NS),
        clear_after_ns=round(limits.clear_after_s * NS),
        is_floor=is_floor,
    )
