"""What a crane's profile says about its lifts: when a load hangs, where the ship begins, what the kinds look like."""

from typing import Literal

from pydantic import Field, model_validator

from firmware_configs.base import Profile


class KindRule(Profile):
    """One kind of lift; a condition that is left out does not matter. The first rule whose conditions all hold decides.

    Attributes:
        kind: what the lift is.
        is_twin: the spreader is set to two 20-foot units.
        gross_from_t: gross weight from, inclusive, t.
        gross_below_t: gross weight below, t.
        quay_from_m: trolley position of the quay's end of the lift from, inclusive, m, seaward positive.
        quay_below_m: the same, below, m.
    """

    kind: Literal["container", "twin", "hatch_cover", "bin"]
    is_twin: bool | None = None
    gross_from_t: float | None = None
    gross_below_t: float | None = None
    quay_from_m: float | None = None
    quay_below_m: float | None = None


DEFAULT_KINDS = (
    # covers are laid down on the back reach, behind the landside rail of a gauge of 30.5 m, where no truck stands
    KindRule(kind="hatch_cover", quay_below_m=-30.5, gross_from_t=5),
    KindRule(kind="twin", is_twin=True),
    # an empty 20-foot unit weighs 2.2 t and more (ISO 668); what is lighter is a cage of lashing gear
    KindRule(kind="bin", gross_below_t=2.0),
)


class CycleRules(Profile):
    """How lifts are told from contacts, load and trolley.

    Attributes:
        spreader_tare_t: what the load cells show with an empty spreader, t.
        hoisted_above_t: net load above which something hangs, t.
        slack_below_t: net load below which nothing hangs, t; between the two nothing changes.
        contact_hold_s: a contact must hold for this long to be believed, s.
        load_hold_s: the same of the load, s.
        min_travel_m: trolley or gantry travel that makes a lift a move, m.
        ship_from_m: trolley position from which the spreader is over the ship, m.
        lost_s: twist-locks open and no load for this long end a lift whose landing was not seen, s.
        counter_wait_s: longest wait for the PLC's counter after a lift, s.
        kinds: rules of kinds; "container" where none holds.
    """

    spreader_tare_t: float = Field(default=0.0, ge=-5, le=40)
    hoisted_above_t: float = Field(default=1.2, gt=0, le=20)
    slack_below_t: float = Field(default=0.7, gt=0, le=20)
    contact_hold_s: float = Field(default=0.5, ge=0, le=5)
    load_hold_s: float = Field(default=0.5, ge=0, le=5)
    min_travel_m: float = Field(default=2.0, gt=0, le=50)
    ship_from_m: float = Field(default=2.0, ge=-50, le=50)
    lost_s: float = Field(default=10.0, gt=0, le=120)
    counter_wait_s: float = Field(default=2.0, ge=0, le=30)
    kinds: list[KindRule] = Field(default=list(DEFAULT_KINDS), max_length=32)

    @model_validator(mode="after")
    def _thresholds_are_apart(self) -> "CycleRules":
        if self.slack_below_t >= self.hoisted_above_t:
            msg = "slack_below_t must be less than hoisted_above_t"
            raise ValueError(msg)
        return self
