"""Vessels of the live picture and their tracks from history.

A vessel is a ship: class A, class B, and a sender whose kind is not known yet if its MMSI is a ship's, for a ship must
not be hidden because its first message said too little. Aircraft, survival craft, handheld radios, auxiliary craft and
illegal MMSIs are labelled on the live wire and one by one here, but they are in no list of vessels; base stations and
aids to navigation are on the live wire only.
"""

from collections.abc import Callable

from cloud_api.live.models import NS_PER_S, STATIC_FIELDS, Target
from cloud_api.live.picture import LivePicture
from cloud_api.timestamps import format_utc, to_ns
from cloud_api.vessels.models import (
    MAX_TRACK_HOURS,
    MOVING_KN,
    LineString,
    Track,
    TrackProperties,
    TrackQuery,
    Vessel,
    VesselQuery,
)
from cloud_api.vessels.ports import HistoryReader
from cloud_api.web.problems import ParameterFault, ProblemError
from contracts.mmsi import is_ship, mmsi_class
from contracts.payloads import AisStation

NO_VESSELS = frozenset({AisStation.BASE, AisStation.ATON})
DEFAULT_SPAN_NS = 3600 * NS_PER_S
MAX_SPAN_NS = MAX_TRACK_HOURS * 3600 * NS_PER_S


class VesselService:
    """Answers what is asked of vessels.

    Args:
        picture: the live picture.
        history: where tracks are.
        utc_ns: this server's clock.
    """

    def __init__(self, picture: LivePicture, history: HistoryReader, utc_ns: Callable[[], int]) -> None:
        self._picture = picture
        self._history = history
        self.utc_ns = utc_ns

    def select(self, query: VesselQuery) -> list[Target]:
        """Return the targets that are vessels and match, the newest heard first, at most ``query.limit``."""
        box = query.box()
        found: list[Target] = []
        for target in reversed(self._picture.targets()):
            if not is_ship(target.station, target.mmsi):
                continue
            at = target.position
            if box is not None and (at is None or not box.holds(at.lon_deg, at.lat_deg)):
                continue
            is_moving = at is not None and at.sog_kn is not None and at.sog_kn >= MOVING_KN
            if query.moving is not None and is_moving is not (query.moving == "true"):
                continue
            found.append(target)
            if len(found) == query.limit:
                break
        return found

    def find(self, mmsi: int) -> Target:
        """Return one vessel's target.

        Raises:
            ProblemError: 404, it is not in the picture, or no vessel.
        """
        target = self._picture.target(mmsi)
        if target is None:
            raise ProblemError(404, "vessel-unknown", f"no vessel {mmsi} in the live picture", hint="ask for its track")
        if target.station in NO_VESSELS:
            raise ProblemError(404, "vessel-unknown", f"{mmsi} is no vessel: {target.station.value}")
        return target

    async def track(self, mmsi: int, query: TrackQuery) -> Track:
        """Return the stored track of a vessel; one that was never heard has no points.

        Raises:
            ProblemError: 400, the span is longer than allowed.
            LinkError: the history cannot be read now.
        """
        from_ns, until_ns = self._span(query)
        # one more than is shown tells whether there were more
        points = await self._history.track(mmsi, from_ns, until_ns, query.max_points + 1)
        kept = points[-query.max_points :]
        return Track(
            id=mmsi,
            geometry=LineString(coordinates=[(point.lon_deg, point.lat_deg) for point in kept]),
            properties=TrackProperties(
                mmsi=mmsi,
                from_=format_utc(from_ns),
                to=format_utc(until_ns),
                times=[format_utc(point.observed_at_ns) for point in kept],
                sog_kn=[point.sog_kn for point in kept],
                cog_deg=[point.cog_deg for point in kept],
                is_truncated=len(points) > len(kept),
            ),
        )

    def _span(self, query: TrackQuery) -> tuple[int, int]:
        until_ns = self.utc_ns() if query.to is None else to_ns(query.to)
        from_ns = max(0, until_ns - DEFAULT_SPAN_NS) if query.from_ is None else to_ns(query.from_)
        if not 0 <= until_ns - from_ns <= MAX_SPAN_NS:
            detail = f"from lies after now, or more than {MAX_TRACK_HOURS} hours before it"
            fault = ParameterFault(parameter="from", detail=detail, allowed="the last 24 hours, or give to as well")
            raise ProblemError(400, "invalid-parameter", f"from: {detail}", errors=[fault])
        return from_ns, until_ns


def describe_vessel(target: Target, now_ns: int) -> Vessel:
    """Return a vessel as the API shows it.

    Args:
        target: from the live picture.
        now_ns: UTC ns that its age is computed at.
    """
    at = target.position
    age_ns = max(0, now_ns - target.observed_at_ns)
    origin = target.origin
    values = {name: target.static[name][1] if name in target.static else None for name in STATIC_FIELDS}
    return Vessel.model_validate({
        **values,
        "mmsi": target.mmsi,
        "station": target.station.value,
        "mmsi_class": mmsi_class(target.mmsi).value,
        "lon_deg": at.lon_deg if at else None,
        "lat_deg": at.lat_deg if at else None,
        "sog_kn": at.sog_kn if at else None,
        "cog_deg": at.cog_deg if at else None,
        "heading_deg": at.heading_deg if at else None,
        "nav_status": at.nav_status if at else None,
        "observed_at": format_utc(target.observed_at_ns),
        "age_s": round(age_ns / NS_PER_S, 3),
        "is_stale": age_ns > target.stale_after_s() * NS_PER_S,
        "site": origin.site,
        "gateway": origin.gateway,
        "source": origin.source,
    })  # fmt: skip
