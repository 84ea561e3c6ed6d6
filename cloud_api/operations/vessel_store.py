"""Keeps the identity of vessels in the operations database: who they are outlives their positions.

An identity is what a vessel's own static messages say. Values that a message does not carry leave the stored ones as
they are (class B sends name and call sign in different parts), and an older message, which a gateway brings after an
outage, only fills what is empty. Only ships have one: the name of a buoy or of a beacon
is no vessel's.
"""

from collections import Counter
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from cloud_api.operations.database import OperationsDatabase
from cloud_api.operations.tables import vessels
from cloud_api.operations.upsert import Columns, completed, upsert_many
from contracts.mmsi import is_ship
from contracts.payloads import Ais

IDENTITY_FIELDS = (
    "name",
    "callsign",
    "imo",
    "ship_type",
    "to_bow_m",
    "to_stern_m",
    "to_port_m",
    "to_starboard_m",
)
_read_identity = attrgetter(*IDENTITY_FIELDS)
_NOTHING = (None,) * len(IDENTITY_FIELDS)
MAX_PENDING = 20_000
"""Vessels waiting to be written: the largest picture; the one that has waited longest goes, and is heard again."""
MAX_MMSI = 999_999_999
"""Nine digits (ITU-R M.585); what claims more is no vessel."""


class VesselIdentities:
    """Identities that were heard and are not written yet. Sans-io.

    Attributes:
        dropped: identities that fell out above ``MAX_PENDING`` before they were written.
        unfit: values that no vessel has and no column holds, by field: left out, the rest of the identity stays.
    """

    def __init__(self) -> None:
        self._known: dict[int, dict[str, int | str]] = {}
        self._pending: dict[int, int] = {}
        self.dropped = 0
        self.unfit: Counter[str] = Counter()

    def hear(self, ais: Ais, observed_at_ns: int) -> None:
        """Take the identity out of a ship's message, if it has one that differs from what was heard before."""
        # nearly every message is a position, and was the dearest thing that happened to it after its commit
        if _read_identity(ais) == _NOTHING or not is_ship(ais.station, ais.mmsi):
            return
        found = self._found(ais)
        if not found or not 0 < ais.mmsi <= MAX_MMSI:
            return
        known = self._known.get(ais.mmsi, {})
        merged = known | found
        if merged == known:
            return
        if ais.mmsi not in self._known and len(self._known) >= MAX_PENDING:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self.dropped += self._pending.pop(oldest, None) is not None
        self._known[ais.mmsi] = merged
        self._pending[ais.mmsi] = observed_at_ns

    def _found(self, ais: Ais) -> dict[str, int | str]:
        found = {name: getattr(ais, name) for name in IDENTITY_FIELDS if getattr(ais, name) is not None}
        unfit = [name for name, value in found.items() if not _fits(name, value)]
        self.unfit.update(unfit)
        return {name: value for name, value in found.items() if name not in unfit}

    def due(self) -> dict[int, tuple[dict[str, int | str], int]]:
        """Return what is to be written, by MMSI: identity and UTC ns."""
        return {mmsi: (self._known[mmsi], at_ns) for mmsi, at_ns in self._pending.items()}

    def written(self, rows: Mapping[int, tuple[dict[str, int | str], int]]) -> None:
        """Note that these are stored; what changed meanwhile stays due."""
        for mmsi, (identity, _) in rows.items():
            if self._known.get(mmsi) is identity:
                self._pending.pop(mmsi, None)


class SqlVesselStore:
    """Rows of ``vessels``."""

    def __init__(self, database: OperationsDatabase) -> None:
        self._database = database

    async def save(self, rows: Mapping[int, tuple[dict[str, int | str], int]]) -> None:
        """Insert or complete identities in one transaction.

        Args:
            rows: identity and UTC ns of the message, by MMSI.

        Raises:
            LinkError: not now.
        """
        complete = [
            {"mmsi": mmsi, **{name: identity.get(name) for name in IDENTITY_FIELDS}, "updated_at_ns": at_ns}
            for mmsi, (identity, at_ns) in rows.items()
        ]
        async with self._database.transaction("save vessels") as connection:
            await upsert_many(connection, vessels, complete, ["mmsi"], _completed)


def _completed(new: Columns, old: Columns) -> dict[str, Any]:
    return completed(new, old, IDENTITY_FIELDS, "updated_at_ns")


def _fits(name: str, value: int | str) -> bool:
    """Tell whether a column holds a value: PostgreSQL refuses what SQLite stores, and the whole transaction with it."""
    kind = vessels.c[name].type
    if isinstance(value, str):
        return isinstance(kind, sa.String) and len(value) <= (kind.length or 0) and "\x00" not in value
    return 0 <= value < (2**63 if isinstance(kind, sa.BigInteger) else 2**31)
