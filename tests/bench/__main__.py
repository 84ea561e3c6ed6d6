"""``python -m tests.bench``: all benchmarks, one JSON line a figure."""

import sys
from pathlib import Path

from tests.bench import (
    assembly,
    cloud_store,
    decoding,
    driver_load,
    history_commit,
    history_read,
    latency,
    mqtt_clients,
    outbox,
    outbox_peers,
    outbox_rss,
)

RECORDINGS = Path(__file__).parent.parent.parent.parent / "shared" / "data"


def main() -> int:
    """Run everything that can run here; a missing recording is said, not hidden."""
    if RECORDINGS.is_dir():
        decoding.run(RECORDINGS)
        driver_load.run(RECORDINGS)
    else:
        sys.stderr.write(f"not measured: decoding and the load of a driver, because {RECORDINGS} is not there\n")
    assembly.run()
    latency.run()
    outbox.run()
    outbox_peers.run()
    outbox_rss.run()
    history_commit.run()
    cloud_store.run()
    history_read.run()
    mqtt_clients.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
