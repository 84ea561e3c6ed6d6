"""Limits that a gateway keeps by itself, whether or not anybody can be reached: the ``alarms`` section of a source.

A limit that is not given is not kept. Hysteresis and times keep a value that wavers about its limit from raising an
alarm at each wave; an alarm whose sensor falls silent stays as it was.

*Source:* FEM 1.004 and ISO 4302 (wind limits of cranes, 3 s mean); OCIMF MEG4 clause 5 (mooring loads against line
breaking load); PIANC WG 211 (berthing velocities).
"""

from typing import Self

from pydantic import Field, model_validator

from firmware_configs.base import Profile


class WindLimits(Profile):
    """Wind at a crane, by the 3-second gust.

    Attributes:
        warning_mps: gust that warns, m/s; without it the site's for the crane at the source's place.
        stop_mps: gust that stops work, m/s; likewise.
        hysteresis_mps: how far below its limit the gust must stay to clear an alarm, m/s.
        raise_after_s: how long the gust must stay at or above its limit, s; the gust is a mean of 3 s already.
        clear_after_s: how long it must stay below, s: gusts come in trains.
    """

    warning_mps: float | None = Field(default=None, gt=0, le=75)
    stop_mps: float | None = Field(default=None, gt=0, le=75)
    hysteresis_mps: float = Field(default=2.0, ge=0, le=20)
    raise_after_s: float = Field(default=0.0, ge=0, le=60)
    clear_after_s: float = Field(default=60.0, ge=0, le=3600)

    @model_validator(mode="after")
    def _warns_before_it_stops(self) -> Self:
        if self.warning_mps is not None and self.stop_mps is not None and self.warning_mps > self.stop_mps:
            msg = f"warning_mps {self.warning_mps:g} is above stop_mps {self.stop_mps:g}"
            raise ValueError(msg)
        return self


class MooringLimits(Profile):
    """Tension of mooring lines, hook by hook.

    Attributes:
        high_kn: tension that is too high, kN.
        high_pct: tension that is too high, % of the breaking load of the line, where that is known.
        slack_kn: tension of a line that holds nothing any more, kN.
        imbalance_pct: difference of the tightest and the slackest line of a group, % of the tightest.
        groups: hooks that share a load, numbered from 1; without groups all hooks are one.
        in_use_kn: a hook that carries this much has a line on it, kN; only such hooks are slack or out of balance.
        in_use_s: how long after that a hook counts as used while other hooks still hold the ship, s.
        hysteresis_pct: how far inside its limit a value must be to clear an alarm, % of the limit.
        raise_after_s: how long a tension must be too high, s.
        settle_after_s: how long a line must be slack, or a group out of balance, s: a passing ship does both.
        clear_after_s: how long a value must be inside, s.
    """

    high_kn: float | None = Field(default=None, gt=0, le=3000)
    high_pct: float | None = Field(default=None, gt=0, le=100)
    slack_kn: float | None = Field(default=None, gt=0, le=500)
    imbalance_pct: float | None = Field(default=None, gt=0, le=100)
    groups: list[list[int]] = Field(default_factory=list, max_length=16)
    in_use_kn: float = Field(default=20.0, gt=0, le=500)
    in_use_s: float = Field(default=600.0, gt=0, le=86_400)
    hysteresis_pct: float = Field(default=10.0, ge=0, le=50)
    raise_after_s: float = Field(default=0.5, ge=0, le=60)
    settle_after_s: float = Field(default=10.0, ge=0, le=600)
    clear_after_s: float = Field(default=10.0, ge=0, le=3600)

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        if self.slack_kn is not None and self.slack_kn >= self.in_use_kn:
            msg = f"slack_kn {self.slack_kn:g} is not below in_use_kn {self.in_use_kn:g}"
            raise ValueError(msg)
        if any(len(set(group)) < 2 or min(group) < 1 or max(group) > 64 for group in self.groups):  # noqa: PLR2004 - a pair
            msg = "groups: each names two or more different hooks, 1 to 64"
            raise ValueError(msg)
        return self


class ApproachLimits(Profile):
    """Speed of a ship towards the quay, by the docking laser.

    Attributes:
        warning_mps: speed that warns, m/s, positive towards the quay.
        high_mps: speed that is too high, m/s.
        within_m: distance from which on the limits hold, m.
        hysteresis_mps: how far below its limit the speed must be to clear an alarm, m/s.
        raise_after_s: how long the speed must be too high, s.
        clear_after_s: how long it must be low enough, s.
    """

    warning_mps: float | None = Field(default=None, gt=0, le=5)
    high_mps: float | None = Field(default=None, gt=0, le=5)
    within_m: float = Field(default=200.0, gt=0, le=500)
    hysteresis_mps: float = Field(default=0.02, ge=0, le=1)
    raise_after_s: float = Field(default=0.5, ge=0, le=60)
    clear_after_s: float = Field(default=5.0, ge=0, le=3600)

    @model_validator(mode="after")
    def _warns_before_it_is_high(self) -> Self:
        if self.warning_mps is not None and self.high_mps is not None and self.warning_mps > self.high_mps:
            msg = f"warning_mps {self.warning_mps:g} is above high_mps {self.high_mps:g}"
            raise ValueError(msg)
        return self


class Alarms(Profile):
    """The limits of one source; those of what it does not measure do nothing."""

    wind: WindLimits = WindLimits()
    mooring: MooringLimits = MooringLimits()
    approach: ApproachLimits = ApproachLimits()
