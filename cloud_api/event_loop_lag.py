"""Measures how late the event loop runs: the first sign of blocking work in it, before anything times out."""

import asyncio

from prometheus_client import CollectorRegistry, Histogram

PERIOD_S = 0.5
"""Two samples a second see every block that an operator would feel and cost nothing."""
BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


async def measure_lag(registry: CollectorRegistry) -> None:
    """Observe, for ever, by how much a sleep of ``PERIOD_S`` overshoots."""
    lag_s = Histogram("event_loop_lag_seconds", "Lateness of the event loop", buckets=BUCKETS_S, registry=registry)
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + PERIOD_S
        await asyncio.sleep(PERIOD_S)
        lag_s.observe(max(0.0, loop.time() - due_s))
