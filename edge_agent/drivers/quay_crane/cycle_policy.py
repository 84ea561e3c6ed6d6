"""Lifts of a ship-to-shore crane, told from its samples: one record from locked to unlocked. Sans-io.

    IDLE -> LOCKED -> HOISTED -> TRAVERSED -> LANDED -> UNLOCKED -> IDLE

Obeys one table of transitions. Refuses to call a lift what was locked and not lifted, or lifted and set down where it
stood; each is counted. Twist-locks cannot open under load, so contacts that say so in the air (a PLC that starts again
shows zeros for seconds) change nothing until they have said so for ``lost_s`` with nothing hanging. The state lives as
long as the process: a connection that is lost and comes back finds it (docs/adr/0077).
"""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from contracts.payloads import CraneCycle, CraneSample
from edge_agent.clock import Moment
from edge_agent.drivers.quay_crane.contacts import GAP_NS, HeldContact, HeldLoad
from edge_agent.drivers.quay_crane.cycle_kind import Lift, direction_of, kind_of
from edge_agent.drivers.quay_crane.cycle_numbers import CycleNumbers
from edge_agent.drivers.quay_crane.lifted_weight import LiftedWeight
from firmware_configs.crane_rules import CycleRules

NS = 1_000_000_000


class State(StrEnum):
    """Where the lift is."""

    IDLE = "idle"
    LOCKED = "locked"
    HOISTED = "hoisted"
    TRAVERSED = "traversed"
    LANDED = "landed"
    UNLOCKED = "unlocked"


class Event(StrEnum):
    """What the samples say."""

    LOCK = "lock"
    UNLOCK = "unlock"
    LIFT = "lift"
    TRAVEL = "travel"
    LAND = "land"
    LOSE = "lose"
    NUMBER = "number"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.LOCK): State.LOCKED,
    (State.LOCKED, Event.LIFT): State.HOISTED,
    (State.LOCKED, Event.TRAVEL): State.TRAVERSED,
    (State.LOCKED, Event.UNLOCK): State.IDLE,
    (State.HOISTED, Event.TRAVEL): State.TRAVERSED,
    (State.HOISTED, Event.LAND): State.LOCKED,
    (State.HOISTED, Event.LOSE): State.IDLE,
    (State.TRAVERSED, Event.LAND): State.LANDED,
    (State.TRAVERSED, Event.LOSE): State.UNLOCKED,
    (State.LANDED, Event.LIFT): State.TRAVERSED,
    (State.LANDED, Event.UNLOCK): State.UNLOCKED,
    (State.UNLOCKED, Event.NUMBER): State.IDLE,
}
"""What an event makes of a state; an event that is not here for a state is never raised in it."""

_DISCARDS = {
    (State.LOCKED, Event.UNLOCK): "lock_without_lift",
    (State.HOISTED, Event.LAND): "lift_without_travel",
    (State.HOISTED, Event.LOSE): "lift_without_travel",
}


class _Lift:
    """The lift in hand."""

    def __init__(self, locked_at_ns: int, trolley_m: float | None, gantry_m: float | None, *, is_seen: bool) -> None:
        self.locked_at_ns = locked_at_ns
        self.trolley_m = trolley_m
        self.gantry_m = gantry_m
        self.is_lock_seen = is_seen
        self.is_twin: bool | None = None
        self.weight = LiftedWeight()
        self.last_trolley_m = trolley_m
        """Where it was when last seen locked."""
        self.unlocked_at_ns = 0
        self.has_gap = False
        """Samples were missing while it was in hand."""


class CyclePolicy:
    """Lifts of one crane.

    Args:
        rules: how lifts are told.
    """

    def __init__(self, rules: CycleRules) -> None:
        contact_ns, load_ns = round(rules.contact_hold_s * NS), round(rules.load_hold_s * NS)
        self._rules = rules
        self._locked = HeldContact(contact_ns)
        self._landed = HeldContact(contact_ns)
        self._load = HeldLoad(rules.hoisted_above_t, rules.slack_below_t, rules.spreader_tare_t, load_ns)
        self._numbers = CycleNumbers()
        self._lift: _Lift | None = None
        self._ended_at_ns = 0
        self._seen_at_ns: int | None = None
        self._counts: Counter[str] = Counter()
        self.state = State.IDLE
        """Where the lift is now."""

    def counts(self) -> Mapping[str, int]:
        """Return what was not made a lift since the start, by reason."""
        return self._counts + Counter({"cycle_no_skipped": self._numbers.skipped})

    def observe(self, sample: CraneSample, at: Moment) -> list[CraneCycle]:
        """Look at a sample; returns the lift that it ends, if any.

        Args:
            sample: of the crane, published or not; five a second or more.
            at: when it was read.
        """
        self._numbers.see(sample, at)
        self._locked.update(sample.is_spreader_locked, at)
        self._landed.update(sample.is_spreader_landed, at)
        self._load.update(sample, at)
        self._follow(sample, at)
        ended = []
        # what one sample says may carry a lift through several states, after a gap through all of them
        for _ in State:
            event = self._event(sample, at)
            if event is None:
                break
            if event is Event.NUMBER:
                cycle = self._number(at)
                if cycle is None:
                    break
                ended.append(cycle)
            else:
                self._apply(event, sample, at)
        self._seen_at_ns = at.mono_ns
        return ended

    def _follow(self, sample: CraneSample, at: Moment) -> None:
        """Keep weight, spreader setting and place of the lift in hand."""
        lift = self._lift
        if lift is None:
            return
        has_gap = self._seen_at_ns is not None and at.mono_ns - self._seen_at_ns > GAP_NS
        lift.has_gap = lift.has_gap or has_gap
        if sample.is_spreader_locked:
            lift.last_trolley_m = sample.trolley_m if sample.trolley_m is not None else lift.last_trolley_m
            if sample.is_twin is not None:
                lift.is_twin = sample.is_twin
        elif has_gap:
            lift.last_trolley_m = None
        is_aloft = self.state in (State.HOISTED, State.TRAVERSED) and not sample.is_spreader_landed
        if is_aloft and self._load.is_hanging_now and self._load.net_t is not None:
            lift.weight.add(self._load.net_t)

    def _event(self, sample: CraneSample, at: Moment) -> Event | None:
        """Return what the samples say in the present state, ``None`` for nothing new."""
        match self.state:
            case State.IDLE:
                return Event.LOCK if self._locked.value else None
            case State.LOCKED:
                return self._event_locked(sample)
            case State.HOISTED | State.TRAVERSED:
                return self._event_aloft(sample, at)
            case State.LANDED:
                if self._locked.value is False:
                    return Event.UNLOCK
                return Event.LIFT if self._is_hanging() else None
            case State.UNLOCKED:
                return Event.NUMBER

    def _event_locked(self, sample: CraneSample) -> Event | None:
        if self._locked.value is False:
            return Event.UNLOCK
        if self._is_hanging():
            return Event.LIFT
        # without load cells the trolley alone tells that something was carried off
        has_no_load = self._load.contact.value is None
        return Event.TRAVEL if has_no_load and self._has_travelled(sample) else None

    def _event_aloft(self, sample: CraneSample, at: Moment) -> Event | None:
        is_hoisted = self.state is State.HOISTED
        if is_hoisted and (self._has_travelled(sample) or not self._in_hand().is_lock_seen):
            return Event.TRAVEL
        if self._is_set_down():
            return Event.LAND
        return Event.LOSE if self._is_lost(at) else None

    def _is_lost(self, at: Moment) -> bool:
        """Tell whether the lift has ended without its landing being seen.

        Either the PLC has counted it during a gap, or the locks have been open for long and nothing hangs.
        """
        if self._in_hand().has_gap and self._numbers.is_counted:
            return True
        is_open = self._locked.has_held(False, round(self._rules.lost_s * NS), at)
        return is_open and not self._load.contact.value

    def _apply(self, event: Event, sample: CraneSample, at: Moment) -> None:
        before = self.state
        self.state = TRANSITIONS[before, event]
        if reason := _DISCARDS.get((before, event)):
            self._counts[reason] += 1
        if event is Event.LOCK:
            self._begin(sample)
        elif event is Event.LAND and self.state is State.LOCKED:
            self._in_hand().weight = LiftedWeight()
        elif self.state is State.UNLOCKED:
            self._end(at)
        elif self.state is State.IDLE:
            self._lift = None

    def _begin(self, sample: CraneSample) -> None:
        is_seen = self._locked.is_change_seen
        self._lift = _Lift(self._locked.since.wall_ns, sample.trolley_m, sample.gantry_m, is_seen=is_seen)
        self._lift.is_twin = sample.is_twin
        self._numbers.begin()

    def _end(self, at: Moment) -> None:
        lift, self._ended_at_ns = self._in_hand(), at.mono_ns
        lift.unlocked_at_ns = self._locked.since.wall_ns
        if self._locked.value:
            # it ended in a gap, and what is locked now is the next: seen under way
            lift.unlocked_at_ns, lift.last_trolley_m = at.wall_ns, None
            self._locked = HeldContact(round(self._rules.contact_hold_s * NS))

    def _number(self, at: Moment) -> CraneCycle | None:
        """Return the record, once it has a number."""
        number = self._numbers.plc_number()
        if number is None:
            waited_ns = at.mono_ns - self._ended_at_ns
            if self._numbers.has_counter and waited_ns < self._rules.counter_wait_s * NS:
                return None
            self._counts["cycle_without_plc_no"] += self._numbers.has_counter
            number = self._numbers.own_number()
        lift = self._in_hand()
        self.state, self._lift = TRANSITIONS[State.UNLOCKED, Event.NUMBER], None
        gross_t = lift.weight.gross_t()
        ends = Lift(lift.trolley_m if lift.is_lock_seen else None, lift.last_trolley_m, gross_t, lift.is_twin)
        return CraneCycle(
            plc_boot_id=number[0],
            cycle_no=number[1],
            locked_at_ns=lift.locked_at_ns,
            unlocked_at_ns=lift.unlocked_at_ns,
            gross_t=gross_t,
            direction=direction_of(ends, self._rules),
            kind=kind_of(ends, self._rules),
            is_lock_seen=lift.is_lock_seen,
        )

    def _in_hand(self) -> _Lift:
        if self._lift is None:
            raise AssertionError(f"no lift in state {self.state}")
        return self._lift

    def _is_hanging(self) -> bool:
        return self._load.contact.value is True and self._landed.value is not True

    def _is_set_down(self) -> bool:
        if self._landed.value is None:
            return self._load.contact.value is False
        return self._landed.value

    def _has_travelled(self, sample: CraneSample) -> bool:
        lift = self._in_hand()
        pairs = ((sample.trolley_m, lift.trolley_m), (sample.gantry_m, lift.gantry_m))
        return any(
            now is not None and then is not None and abs(now - then) >= self._rules.min_travel_m for now, then in pairs
        )
