"""Memory of a gateway that stores and sends 75 messages a second: at the start, at the end, and how it grows.

A real gateway process (`python -m gateway run`) with one driver that replays AIS, a real broker with mutual TLS and the
real cloud, which commits and answers. The gateway's own process is sampled once a second; its driver is another process
and is told beside it. The slope is that of least squares over the last three quarters: the first quarter fills caches.

``--seconds N``: 60 by default, 3,600 with PORTTRACK_WHOLE=1. The slope of a minute says little; that of an hour counts.

*Source:* ITU-R M.1371-5: 2,250 slots a minute on each of two channels, 75 messages a second at the most.
"""

import os
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.bench.figures import report
from tests.support.line_feed import numbered_lines
from tests.support.port import Port, running_port
from tests.support.processes import free_port, wait_until

GATEWAY = "gw-rss"
RATE_HZ = 75
SHIPS = 450
"""In sight of one receiver on a busy coast; each is heard every six seconds."""
START_S = 60.0
INTERVAL_S = 1.0
LIMIT_MIB = 120
KIB, MIB = 1024, 1024 * 1024


@dataclass
class Samples:
    """Seconds since the first sample, and resident bytes of the gateway then."""

    times_s: list[float] = field(default_factory=list)
    rss_bytes: list[int] = field(default_factory=list)

    def slope_kib_h(self) -> float:
        """Return the slope of least squares over the last three quarters, KiB an hour."""
        start = len(self.times_s) // 4
        times, values = self.times_s[start:], self.rss_bytes[start:]
        mean_s, mean_bytes = sum(times) / len(times), sum(values) / len(values)
        spread = sum((moment - mean_s) ** 2 for moment in times)
        joint = sum((moment - mean_s) * (value - mean_bytes) for moment, value in zip(times, values, strict=True))
        return joint / spread * 3600 / KIB


def run(seconds: float | None = None) -> None:
    """Start a port, watch the gateway, print its memory.

    Args:
        seconds: how long it is watched, from 10; None: as the environment says.
    """
    seconds = seconds or (3600.0 if os.environ.get("PORTTRACK_WHOLE") == "1" else 60.0)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, running_port(Path(name)) as port:
        feed = Path(name) / "feed.nmea"
        feed.write_bytes(b"".join(numbered_lines(SHIPS)))
        link = {"kind": "replay", "path": str(feed), "lines_per_s": RATE_HZ, "repeat": True}
        page = free_port()
        port.start_cloud()
        port.start_gateway(GATEWAY, [{"source": "ais", "driver": "nmea", "link": link}], local={"port": page})
        wait_until(lambda: _metric(page, 'gateway_messages_total{source="ais"}') > RATE_HZ, START_S, "records flow")
        began_at, before = time.monotonic(), _metric(page, 'gateway_messages_total{source="ais"}')
        samples, driver_bytes = _watch(port, seconds)
        stored = _metric(page, 'gateway_messages_total{source="ais"}') - before
        figures: dict[str, Any] = {
            "watched_s": round(samples.times_s[-1], 1),
            "rate_hz": round(stored / (time.monotonic() - began_at), 1),
            "uplink_is_up": _metric(page, 'gateway_uplink_up{link="mqtt"}'),
        }
    first, last = samples.rss_bytes[0] / MIB, samples.rss_bytes[-1] / MIB
    report("gateway_rss_start", first, "MiB", **figures)
    report("gateway_rss_end", last, "MiB", limit_mib=LIMIT_MIB, ratio=round(last / LIMIT_MIB, 3),
           highest_mib=round(max(samples.rss_bytes) / MIB, 2), driver_mib=round(driver_bytes / MIB, 2))  # fmt: skip
    report("gateway_rss_slope", samples.slope_kib_h(), "KiB/h", samples=len(samples.times_s))


def _watch(port: Port, seconds: float) -> tuple[Samples, int]:
    """Sample the gateway until the time is over; returns also what its drivers took at the end."""
    gateway = psutil.Process(port.process(GATEWAY).pid)
    samples = Samples()
    began_at = time.monotonic()
    while (elapsed_s := time.monotonic() - began_at) < seconds:
        samples.times_s.append(elapsed_s)
        samples.rss_bytes.append(gateway.memory_info().rss)
        time.sleep(INTERVAL_S)
    return samples, sum(child.memory_info().rss for child in gateway.children(recursive=True))


def _metric(page: int, name: str) -> float:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0.0
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)), 0.0)


def main() -> int:
    """``python -m tests.bench.outbox_rss [--seconds N]``."""
    arguments = sys.argv[1:]
    run(float(arguments[1]) if arguments[:1] == ["--seconds"] else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
