"""Shell: keeps a connection to one of the brokers. When and to which is decided by ``brokers_policy``."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom

import structlog

from contracts.errors import LinkError
from firmware_configs.device import Broker
from firmware_configs.device import Uplink as UplinkSettings
from gateway.counters import Counters
from gateway.outbox.ports import OutboxClock
from gateway.uplink.brokers_policy import STABLE_S, BrokerChoice, Reconnect, spread_s
from gateway.uplink.ports import Ending, Granted, Transport
from gateway.uplink.reactions_policy import Patience, patience_of

EARLY_ENDS = 3
"""Connections in a row that ended soon after they were made, without a word."""
CUT_EARLY = Ending(
    "cut_early",
    "the broker ends each connection soon after it is made",
    "does another gateway use this identity? is a batch over the broker's limit? see the broker's log",
)
_SYSTEM_DRAW = SystemRandom().random

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UplinkState:
    """Where the uplink stands: the broker it is or was last connected to, and why it is down, or no use."""

    is_up: bool = False
    broker: str = ""
    reason: str = "starting"
    cause: str = ""
    hint: str = ""


class Connection:
    """See the module.

    Args:
        transport: connection to one broker.
        clock: time of the device.
        settings: backoff, fleet.
        brokers: at least one, in order of preference.
        counters: where failures are counted.
        on_up: called with what the broker grants.
        on_down: called with the end of a connection that was up.
        draw: uniform random number in [0, 1).
    """

    def __init__(
        self,
        transport: Transport,
        clock: OutboxClock,
        settings: UplinkSettings,
        brokers: list[Broker],
        counters: Counters,
        on_up: Callable[[Granted], None],
        on_down: Callable[[Ending], None],
        draw: Callable[[], float] = _SYSTEM_DRAW,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._brokers = brokers
        self._counters = counters
        self._on_up = on_up
        self._on_down = on_down
        spread = spread_s(settings.fleet_size, settings.arrivals_per_s)
        self._reconnect = Reconnect(settings.reconnect_base_s, settings.reconnect_cap_s, spread, draw)
        self._choice = BrokerChoice(len(brokers), settings.return_after_s, draw)
        self._leaving: Ending | None = None
        self._early_ends = 0
        self.state = UplinkState()

    @property
    def broker_index(self) -> int:
        """Place of the broker in use in the list."""
        return self._choice.current

    async def run(self) -> None:
        """Connect, hold, connect again, until cancelled."""
        await asyncio.sleep(self._reconnect.first_s())
        while True:
            wait_s = await self._once()
            await asyncio.sleep(wait_s)

    async def leave(self, ending: Ending) -> None:
        """End the connection for a reason of ours, and try the next broker."""
        self._leaving = ending
        await self._transport.disconnect()

    def show(self, ending: Ending | None) -> None:
        """Show that a connection which holds is of no use, or that it is again (None)."""
        state = self.state
        if not state.is_up or (ending.reason if ending else "") == state.reason:
            return
        if ending is None:
            self.state = UplinkState(True, state.broker, "")
            log.info("uplink_answers_again", broker=state.broker)
        else:
            self.state = UplinkState(True, state.broker, ending.reason, ending.cause, ending.hint)
            log.warning(
                "uplink_unanswered", broker=state.broker, reason=ending.reason, cause=ending.cause, hint=ending.hint
            )

    async def _once(self) -> float:
        """Try one broker and hold it; returns how long to wait before the next attempt, s."""
        broker = self._brokers[self._choice.current]
        name = f"{broker.host}:{broker.port}"
        try:
            granted = await self._transport.connect(broker)
        except LinkError as exc:
            self._counters.add(f"uplink_failures_{exc.reason}")
            self._change(UplinkState(False, name, exc.reason, exc.cause, exc.hint))
            patience = self._choice.failed(patience_of(exc.reason))
            return self._reconnect.failed_s(patience) if self._choice.is_round_over else 0.0
        began_at = self._clock.mono_s()
        self._choice.connected()
        self._leaving = None
        self._change(UplinkState(True, name, ""))
        self._on_up(granted)
        ending, is_going_back = await self._hold()
        held_s = self._clock.mono_s() - began_at
        self._counters.add("uplink_lost")
        self._early_ends = self._early_ends + 1 if held_s < STABLE_S else 0
        if ending.reason == "lost" and self._early_ends >= EARLY_ENDS:
            ending = CUT_EARLY
        self._change(UplinkState(False, name, ending.reason, ending.cause, ending.hint))
        self._on_down(ending)
        patience = patience_of(ending.reason)
        if held_s >= STABLE_S:
            self._choice.held()
        if not is_going_back and (held_s < STABLE_S or patience is not Patience.WEATHER or self._leaving is not None):
            patience = self._choice.failed(patience)
        return self._reconnect.lost_s(held_s, patience)

    async def _hold(self) -> tuple[Ending, bool]:
        """Wait for the end of the connection; returns it, and whether it was ended for the first broker's sake."""
        closed = asyncio.ensure_future(self._transport.closed())
        probing = asyncio.ensure_future(self._probe())
        try:
            await asyncio.wait({closed, probing}, return_when=asyncio.FIRST_COMPLETED)
            if not closed.done():
                await self._transport.disconnect()
                return Ending("returning", "the first broker has answered again for a while", ""), True
            return self._leaving or closed.result(), False
        finally:
            closed.cancel()
            probing.cancel()
            await asyncio.gather(closed, probing, return_exceptions=True)

    async def _probe(self) -> None:
        """Return when the first broker should be gone back to; never while it is in use."""
        while True:
            wait_s = self._choice.probe_in_s()
            if wait_s is None:
                await asyncio.get_running_loop().create_future()
                continue
            await asyncio.sleep(wait_s)
            if self._choice.probed(has_answered=await self._transport.answers(self._brokers[0])):
                return

    def _change(self, state: UplinkState) -> None:
        before, self.state = self.state, state
        if state.is_up:
            log.info("uplink_up", broker=state.broker)
        elif before.is_up or before.reason != state.reason:
            log.warning("uplink_down", broker=state.broker, reason=state.reason, cause=state.cause, hint=state.hint)
