"""Limits that the site states for a crane, for every source that observes it and says no others itself."""

from pydantic import ValidationError

from contracts.errors import ConfigError
from firmware_configs.alarms import Alarms, WindLimits
from firmware_configs.hardware_profile import Source
from firmware_configs.site import Crane, SiteProfile


def with_site_limits(source: Source, site: SiteProfile) -> Source:
    """Return a source whose places that are cranes of the site have wind limits.

    Args:
        source: as hardware and device profile say it.
        site: gives the limits of its cranes.

    Raises:
        ConfigError: a limit of the profile and one of the site contradict each other.
    """
    cranes = {crane.crane: crane for crane in site.cranes}
    limits = dict(source.place_alarms)
    for place in sorted(source.places()):
        if place in cranes:
            limits[place] = _completed(limits.get(place, source.alarms), cranes[place], source.source)
    return source.model_copy(update={"place_alarms": limits}) if limits != source.place_alarms else source


def _completed(alarms: Alarms, crane: Crane, source: str) -> Alarms:
    given = alarms.wind.model_dump()
    given["warning_mps"] = given["warning_mps"] or crane.wind_warning_mps
    given["stop_mps"] = given["stop_mps"] or crane.wind_stop_mps
    try:
        return alarms.model_copy(update={"wind": WindLimits(**given)})
    except ValidationError as exc:
        cause = f"sources.{source}.alarms.wind with the site's limits of {crane.crane}: {exc.errors()[0]['msg']}"
        raise ConfigError("check profile", source, cause, "give both limits", "invalid") from exc
