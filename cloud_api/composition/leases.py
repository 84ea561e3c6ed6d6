"""The leases of a process with the track role."""

import os
import random
import secrets
import socket
from collections.abc import Iterable

from cloud_api.composition.parts import Parts
from cloud_api.tracking.lease_metrics import LeaseMetrics
from cloud_api.tracking.lease_policy import LeasePolicy
from cloud_api.tracking.lease_service import LeaseKeeper
from cloud_api.tracking.lease_store import SqlLeaseStore


def add_leases(parts: Parts, sites: Iterable[str]) -> LeaseKeeper:
    """Add what keeps the leases of the sites that this process judges.

    Args:
        parts: of this process.
        sites: sites known of from before; others are heard of from their gateways.
    """
    track = parts.settings.track
    # a process that is started anew is another holder: what the last one believed must not be ours
    holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
    policy = LeasePolicy(track.lease_s, track.sites, random.random)
    keeper = LeaseKeeper(policy, SqlLeaseStore(parts.database), holder, track.lease_s, LeaseMetrics(parts.registry))
    for site in sorted(sites):
        keeper.hear(site)
    parts.eternal.append(("leases", keeper.run))
    return keeper
